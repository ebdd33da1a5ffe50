"""A cluster's processes, as tests take them away and bring them back."""

from collections.abc import Iterator
from contextlib import contextmanager

from hack import cluster as clusters
from hack.cluster import components, embedded
from hack.cluster.processes import wait_until


@contextmanager
def paused(cluster: clusters.Cluster, name: str) -> Iterator[None]:
    """A process that is frozen: its connections stay open, and it does nothing."""
    process = cluster.component(name)
    process.pause()
    try:
        yield
    finally:
        process.resume()


@contextmanager
def killed(cluster: clusters.Cluster, name: str) -> Iterator[None]:
    """A process that is killed, and started again afterwards."""
    process = cluster.component(name)
    process.kill()
    try:
        yield
    finally:
        process.start()
        wait_until(lambda: embedded.is_healthy(cluster.state), 30, f"{name} is not back")


@contextmanager
def noticed_soon(cluster: clusters.Cluster) -> Iterator[None]:
    """Controllers that take a silent node for not Ready after 15 s, three of its heartbeats, instead of 50."""
    state, facts, name = cluster.state, cluster.state.facts(), "kube-controller-manager"
    every = components.control_plane(state, facts["ports"], audit=facts["audit"])
    (usual,) = (each.argv for each in every if each.name == name)
    _restart(cluster, name, *usual, "--node-monitor-grace-period=15s", "--node-monitor-period=1s")
    try:
        yield
    finally:
        _restart(cluster, name, *usual)


def _restart(cluster: clusters.Cluster, name: str, *argv: str) -> None:
    process = cluster.component(name)
    process.kill()
    process.start(argv)
    wait_until(lambda: embedded.is_healthy(cluster.state), 30, f"{name} is not back")
