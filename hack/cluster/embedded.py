"""A control plane of this machine's own: etcd, API server, controllers, scheduler and kwok on loopback."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hack.cluster import binaries, components, credentials, nodes, pki
from hack.cluster.api import Api, healthy
from hack.cluster.components import Component
from hack.cluster.errors import ClusterError
from hack.cluster.processes import Process, wait_until
from hack.cluster.state import State, free_ports

PROVIDER = "embedded"
START_SECONDS = 60
TAKEN = "address already in use"

Say = Callable[[str], None]


class PortTakenError(ClusterError):
    """Somebody took a port between our look and the component's start."""


@dataclass(frozen=True)
class Health:
    """One line of `status`."""

    component: str
    pid: int | None
    state: str
    port: int


def start(state: State, *, count: int, audit: bool, say: Say) -> None:
    """Start every component and create the nodes; on failure leave nothing running."""
    found = binaries.resolve(say)
    try:
        _start(state, found, count=count, audit=audit, say=say)
    except PortTakenError as taken:
        say(f"{taken}; once more with other ports")
        stop(state)
        _start(state, found, count=count, audit=audit, say=say)


def _start(state: State, found: dict[str, Path], *, count: int, audit: bool, say: Say) -> None:
    state.prepare()
    binaries.link(found, state.bin)
    ports = dict(zip(components.NAMES, free_ports(len(components.NAMES)), strict=True))
    server = f"https://127.0.0.1:{ports['kube-apiserver']}"
    tokens = _credentials(state, server)
    try:
        for component in components.control_plane(state, ports, audit=audit):
            _launch(state, component, say)
        _populate(Api(server, state.folder / "pki/ca.crt", tokens["admin"]), count, say)
    except BaseException:
        stop(state)
        raise
    state.save(provider=PROVIDER, server=server, ports=ports, audit=audit)


def _credentials(state: State, server: str) -> dict[str, str]:
    folder = state.folder / "pki"
    pki.write(folder, service_ip=components.SERVICE_IP)
    tokens = credentials.issue(folder / "tokens.csv")
    files = [(state.kubeconfig, [credentials.ADMIN, *credentials.PEOPLE])]
    files += [(folder / f"{who.context}.kubeconfig", [who]) for who in credentials.COMPONENTS]
    for path, identities in files:
        theirs = {who.context: tokens[who.context] for who in identities}
        credentials.write_kubeconfig(path, cluster=state.name, server=server, ca=folder / "ca.crt", tokens=theirs)
    return tokens


def _launch(state: State, component: Component, say: Say) -> None:
    process, began = state.process(component.name), time.monotonic()
    process.start(component.argv)

    def ready() -> bool:
        if process.pid is None:
            raise _failure(process)
        return healthy(component.ready_url, state.folder / "pki")

    try:
        wait_until(ready, START_SECONDS, f"{component.name} is not ready", every=0.05)
    except ClusterError as error:
        if process.pid is None:
            raise
        raise ClusterError(f"{error}. The end of its log:\n{process.log_tail()}") from error
    say(f"{component.name} ready in {time.monotonic() - began:.1f} s")


def _failure(process: Process) -> ClusterError:
    tail = process.log_tail()
    kind = PortTakenError if TAKEN in tail else ClusterError
    return kind(f"{process.name} ended while starting. The end of its log:\n{tail}")


def _populate(api: Api, count: int, say: Say) -> None:
    began = time.monotonic()
    nodes.create(api, [nodes.cpu_node()])
    nodes.wait_ready(api, {nodes.CPU_NODE, *nodes.scale(api, count)})
    with api.connect() as connection:
        account = "/api/v1/namespaces/default/serviceaccounts/default"  # before that, no pod is admitted
        wait_until(lambda: connection.call("GET", account).status == 200, 30, "No default service account")  # noqa: PLR2004
    say(f"{count} GPU nodes and 1 other ready in {time.monotonic() - began:.1f} s")


def stop(state: State) -> None:
    """Kill every process that left a record. There is nothing to save that a clean exit would save."""
    for process in state.processes():
        process.kill()
        process.pidfile.unlink(missing_ok=True)


def health(state: State) -> list[Health]:
    """How each component is; an empty list if the cluster never came up."""
    ports = state.facts().get("ports", {})
    return [_health(state, name, ports[name]) for name in components.NAMES if name in ports]


def _health(state: State, name: str, port: int) -> Health:
    process = state.process(name)
    running = process.state
    if running == "running":
        answers = healthy(components.ready_url(name, port), state.folder / "pki")
        running = "healthy" if answers else "unhealthy"
    return Health(name, process.pid, running, port)


def is_healthy(state: State) -> bool:
    """Whether all components are there and answer."""
    found = health(state)
    return bool(found) and all(each.state == "healthy" for each in found)
