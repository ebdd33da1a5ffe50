"""What is kept of one cluster: `.cluster/NAME/` in the checkout, and which ports are free for it."""

import contextlib
import fcntl
import json
import random
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cluster.errors import ClusterError
from hack.cluster.pki import private
from hack.cluster.processes import Process

ROOT = Path(__file__).resolve().parents[2]
CLUSTERS = ROOT / ".cluster"
# Below what Linux and macOS give to outgoing connections, one of which could take the port before we do.
PORTS = range(20000, 30000)


@dataclass(frozen=True)
class State:
    """The folder of one cluster."""

    name: str
    parent: Path = CLUSTERS

    def __post_init__(self) -> None:
        """Refuse a name that could not be a folder, a kind cluster and a DNS label at once."""
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", self.name):
            raise ClusterError(f"{self.name!r} is no cluster name: lower-case letters, digits, dashes.")

    @property
    def folder(self) -> Path:
        """Where all of it is."""
        return self.parent / self.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, with contexts for alice and bob."""
        return self.folder / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Links to this cluster's binaries, kubectl and helm among them."""
        return self.folder / "bin"

    @property
    def logs(self) -> Path:
        """One COMPONENT.log each."""
        return self.folder / "logs"

    def prepare(self) -> None:
        """Make the folders, from nothing."""
        self.remove()
        for folder in (self.folder, self.bin, self.logs, self.folder / "pids"):
            folder.mkdir(mode=0o700)

    def remove(self, *, keep_logs: bool = False) -> None:
        """Remove the folder, or all of it but the logs."""
        if not self.folder.exists():
            return
        for entry in self.folder.iterdir():
            if entry == self.logs and keep_logs:
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        if not keep_logs:
            self.folder.rmdir()

    def process(self, component: str) -> Process:
        """A component, whether it was ever started or not."""
        return Process(component, self.folder / "pids" / f"{component}.json", self.logs / f"{component}.log")

    def processes(self) -> list[Process]:
        """Every component that left a record, whoever started it."""
        return [self.process(record.stem) for record in sorted((self.folder / "pids").glob("*.json"))]

    def facts(self) -> dict[str, Any]:
        """What `up` noted when it was done; empty if it never was."""
        try:
            facts: dict[str, Any] = json.loads((self.folder / "facts.json").read_text())
        except FileNotFoundError:
            return {}
        return facts

    def save(self, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        """Note the facts; a cluster with facts is one whose start succeeded."""
        draft = self.folder / "facts.json.new"
        private(draft, json.dumps(facts, indent=2).encode())
        draft.replace(self.folder / "facts.json")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second `up` or `down` of the same name waiting. Being killed lets go of it."""
        self.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.parent / f".{self.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def names(parent: Path = CLUSTERS) -> list[str]:
    """Every cluster that left something behind, running or not."""
    return sorted(folder.name for folder in parent.glob("[!.]*") if folder.is_dir())


def free_ports(count: int) -> list[int]:
    """`count` different loopback ports on which nothing listens now."""
    candidates = random.sample(PORTS, len(PORTS))
    found: list[int] = []
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ClusterError(f"No {count} free ports between {PORTS.start} and {PORTS.stop} on 127.0.0.1.")
