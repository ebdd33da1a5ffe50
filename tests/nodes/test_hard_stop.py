"""A lease's pods stop at its hard stop by the kubelet alone, whoever else is dead."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import pytest

from hack.cluster import embedded, realnodes
from hack.cluster.processes import Process, wait_until
from tests.apiserver.site import eventually
from tests.conftest import Tool
from tests.nodes.conftest import NODES, RealSite
from tests.nodes.workloads import pod

SECONDS = 15
GRACE = 3
# The kubelet looks at deadlines every 10 s at the latest; a pod's deadline counts from its start.
SLACK = 15

FOLLOWERS = (
    "kube-controller-manager",
    "kube-scheduler",
    "coredns",
    *(f"{node}-{daemon}" for node in ("real-000", "real-001") for daemon in ("kubelet", "kube-proxy")),
)

Outage = Callable[[RealSite], AbstractContextManager[None]]


@contextmanager
def nothing_else(_: RealSite) -> Iterator[None]:
    """The API server goes on."""
    yield


@contextmanager
def frozen_api_server(site: RealSite) -> Iterator[None]:
    """Connections to the API server stay open, and nothing answers."""
    server = site.cluster.component("kube-apiserver")
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextmanager
def dead_api_server(site: RealSite) -> Iterator[None]:
    """The API server is killed, and started again afterwards."""
    server = site.cluster.component("kube-apiserver")
    server.kill()
    try:
        yield
    finally:
        _start(site, server)
        for name in FOLLOWERS:  # they would wait for half a minute before they look again
            process = site.cluster.component(name)
            process.kill()
            _start(site, process)


def _start(site: RealSite, process: Process) -> None:
    process.start()
    wait_until(lambda: embedded.is_healthy(site.cluster.state), 30, f"{process.name} is not back")


@pytest.mark.parametrize("outage", [nothing_else, frozen_api_server, dead_api_server])
async def test_pods_stop_without_the_operator(site: RealSite, alice: Tool, outage: Outage) -> None:
    """With the operator dead, and with the API server frozen or dead too, also of a pod that ignores SIGTERM."""
    await site.pool(
        NODES,
        terms={"minDuration": "1s", "extendLatest": "1s"},
        schedule={"drainBefore": "1s", "cleaningGap": "1s"},
    )
    await site.lease("a", nodes=1, duration=f"{SECONDS}s")
    lease = await site.reach("a", "Active")
    (namespace,), (node,) = lease["status"]["namespaces"], lease["status"]["nodes"]
    stop = datetime.fromisoformat(lease["status"]["hardStopAt"]).timestamp()
    for command in ("sleep", "ignore-term"):
        manifest = pod(command, command, terminationGracePeriodSeconds=GRACE)
        alice("create", "--namespace", namespace, "-f", "-", input=manifest)
    alice("wait", "--namespace", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=10s")

    def running() -> list[int]:
        return realnodes.processes(site.cluster.state, node, namespace)

    assert len(running()) == 4
    for operator in site.operators:
        await operator.kill()
    with outage(site):

        async def stopped() -> bool:
            return not await asyncio.to_thread(running)

        await eventually(stopped, "no process of the lease runs", within=SECONDS + GRACE + SLACK)
        late = time.time() - stop
    assert 0 <= late < GRACE + SLACK, f"the last process ended {late:.1f} s after the hard stop"
