"""A control plane of this machine's own: etcd, API server, controllers, scheduler and kwok on loopback.

With real nodes the API server is on their bridge instead, where kubelets and pods reach it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hack.cluster import binaries, components, credentials, nodes, pki, realnodes
from hack.cluster.api import Api, healthy
from hack.cluster.components import Component
from hack.cluster.credentials import Identity
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
    port: int | None


def start(state: State, *, count: int, real: int, enforce: bool, audit: bool, say: Say) -> None:
    """Start every component, create `count` nodes and run `real` ones; on failure leave nothing running."""
    found = binaries.resolve(say) | (binaries.resolve_for_nodes(say) if real else {})
    try:
        _start(state, found, count=count, real=real, enforce=enforce, audit=audit, say=say)
    except PortTakenError as taken:
        say(f"{taken}; once more with other ports")
        stop(state)
        _start(state, found, count=count, real=real, enforce=enforce, audit=audit, say=say)


def _start(
    state: State, found: dict[str, Path], *, count: int, real: int, enforce: bool, audit: bool, say: Say
) -> None:
    state.prepare()
    binaries.link(found, state.bin)
    try:
        plan = realnodes.prepare(state, real, enforce=enforce) if real else None
        host = str(plan.gateway) if plan else components.LOOPBACK
        ports = dict(zip(components.NAMES, free_ports(len(components.NAMES)), strict=True))
        server = f"https://{host}:{ports['kube-apiserver']}"
        tokens = _credentials(state, server, host, realnodes.identities(plan) if plan else ())
        services = components.SERVICE_RANGES if plan and plan.wide else components.SERVICE_RANGE
        for component in components.control_plane(state, ports, audit=audit, host=host, services=services):
            _launch(state, component, say)
        api = Api(server, state.folder / "pki/ca.crt", tokens["admin"])
        _populate(api, count, say)
        if plan:
            realnodes.launch(plan, api, found, say)
    except BaseException:
        stop(state)
        raise
    of_nodes = realnodes.facts(plan) if plan else {"real_nodes": []}
    state.save(provider=PROVIDER, server=server, ports=ports, audit=audit, **of_nodes)


def _credentials(state: State, server: str, host: str, of_nodes: Sequence[Identity]) -> dict[str, str]:
    folder = state.folder / "pki"
    pki.write(folder, components.LOOPBACK, components.SERVICE_IP, host)
    people, processes = (credentials.ADMIN, *credentials.PEOPLE), (*credentials.COMPONENTS, *of_nodes)
    tokens = credentials.issue(folder / "tokens.csv", of_nodes)
    files: list[tuple[Path, Sequence[Identity]]] = [(state.kubeconfig, people)]
    files += [(folder / f"{who.context}.kubeconfig", [who]) for who in processes]
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
    realnodes.remove(state)


def health(state: State) -> list[Health]:
    """How each component is; an empty list if the cluster never came up."""
    facts = state.facts()
    ports, host = facts.get("ports", {}), urlsplit(facts.get("server", "")).hostname or components.LOOPBACK
    urls = {
        name: components.ready_url(name, ports[name], host) for name in components.NAMES if name in ports
    } | realnodes.ready_urls(facts.get("real_nodes", []), enforce=facts.get("enforce", False))
    return [_health(state, name, url) for name, url in urls.items()]


def _health(state: State, name: str, url: str) -> Health:
    """How a component is; one that has no URL to ask is healthy as long as it runs."""
    process = state.process(name)
    running = process.state
    if running == "running":
        answers = not url or healthy(url, state.folder / "pki")
        running = "healthy" if answers else "unhealthy"
    return Health(name, process.pid, running, urlsplit(url).port)


def is_healthy(state: State) -> bool:
    """Whether all components are there and answer."""
    found = health(state)
    return bool(found) and all(each.state == "healthy" for each in found)
