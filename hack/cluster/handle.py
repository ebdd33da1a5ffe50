"""A running cluster, as tests and benches hold it."""

from dataclasses import dataclass
from pathlib import Path

from hack.cluster import borrowed, credentials, embedded, nodes
from hack.cluster.api import Api
from hack.cluster.errors import ClusterError
from hack.cluster.processes import Process
from hack.cluster.state import State


@dataclass(frozen=True)
class Cluster:
    """Where it is, who may speak to it, and what can be done to it."""

    state: State
    provider: str
    server: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.state.name

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the contexts admin, alice and bob."""
        return self.state.kubeconfig

    @property
    def bin(self) -> Path:
        """The folder of kubectl and helm."""
        return self.state.bin

    @property
    def ca(self) -> Path:
        """The certificate that its API server is verified with (embedded only)."""
        return self.state.folder / "pki" / "ca.crt"

    def token(self, user: str = "admin") -> str:
        """The bearer token of a context (`alice`) or of a user name (`alice@acme.example`)."""
        self._require_embedded("tokens")
        return credentials.read(self.state.folder / "pki" / "tokens.csv", user)

    def component(self, name: str) -> Process:
        """A component to pause, resume, kill or start again."""
        self._require_embedded("components")
        process = self.state.process(name)
        if not process.pidfile.exists():
            raise ClusterError(f"{self.name} has no component {name!r}.")
        return process

    def create_nodes(self, count: int, prefix: str = "gpu", *, shrink: bool = True) -> None:
        """Bring the GPU nodes of a prefix to `count` and wait until the new ones are Ready."""
        if self.provider == "kubeconfig":
            borrowed.create_nodes(self.state, count, prefix)
            return
        self._require_embedded("nodes made of nothing")
        api = Api(self.server, self.ca, self.token())
        nodes.wait_ready(api, nodes.scale(api, count, prefix, shrink=shrink))

    def down(self, *, keep_logs: bool = False) -> None:
        """Stop it and remove its state."""
        down(self.name, keep_logs=keep_logs)

    def _require_embedded(self, what: str) -> None:
        if self.provider != embedded.PROVIDER:
            raise ClusterError(f"Only an embedded cluster has {what}; {self.name} is provided by {self.provider}.")


def attach(name: str) -> Cluster:
    """The cluster `name`, which somebody else started."""
    state = State(name)
    facts = state.facts()
    if facts:
        return Cluster(state, facts["provider"], facts["server"])
    if any(process.pid for process in state.processes()):
        raise ClusterError(f"The start of {name} has not come to its end. If it was killed: `up` or `down`.")
    raise ClusterError(f"There is no cluster {name}; `python -m hack.cluster up --name {name}` starts it.")


def down(name: str, *, keep_logs: bool = False) -> None:
    """Stop the cluster `name`, also one whose start was killed half-way, and remove its state."""
    state = State(name)
    with state.lock():
        stop(state)
        state.remove(keep_logs=keep_logs)


def stop(state: State) -> None:
    """Stop whatever runs of it, as far as it ever came."""
    borrowed.delete_kind(state)
    embedded.stop(state)
