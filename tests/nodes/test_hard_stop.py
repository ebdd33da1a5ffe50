"""A lease's pods stop at its hard stop by the kubelet alone, whoever else is dead."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import pytest

from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.daemons import killed, paused
from tests.nodes.workloads import pod

SECONDS = 15
GRACE = 3
# The kubelet looks at deadlines every 10 s at the latest; a pod's deadline counts from its start.
SLACK = 15
# A kubelet that could not list its pods tries again after half a minute or so.
LISTED = 60

FOLLOWERS = (
    "kube-controller-manager",
    "kube-scheduler",
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
    with paused(site.cluster, "kube-apiserver"):
        yield


@contextmanager
def dead_api_server(site: RealSite) -> Iterator[None]:
    """The API server is killed, and started again afterwards."""
    try:
        with killed(site.cluster, "kube-apiserver"):
            yield
    finally:
        restarted(site, FOLLOWERS)


def restarted(site: RealSite, names: Iterable[str]) -> None:
    """Start processes anew that would wait for half a minute before they look for the API server again."""
    for name in names:
        with killed(site.cluster, name):
            pass


@pytest.mark.parametrize("outage", [nothing_else, frozen_api_server, dead_api_server])
async def test_pods_stop_without_the_operator(site: RealSite, alice: Tool, outage: Outage) -> None:
    """With the operator dead, and with the API server frozen or dead too, also of a pod that ignores SIGTERM."""
    await site.pool(NODES, **QUICK)
    namespace, _ = await site.rent(duration=f"{SECONDS}s")
    stop = datetime.fromisoformat((await site.see("a"))["status"]["hardStopAt"]).timestamp()
    for command in ("sleep", "ignore-term"):
        manifest = pod(command, command, terminationGracePeriodSeconds=GRACE)
        alice("create", "--namespace", namespace, "-f", "-", input=manifest)
    alice("wait", "--namespace", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=10s")

    assert len(site.running(namespace)) == 4
    for operator in site.operators:
        await operator.kill()
    with outage(site):
        await site.stopped(namespace, within=SECONDS + GRACE + SLACK)
        late = time.time() - stop
    assert 0 <= late < GRACE + SLACK, f"the last process ended {late:.1f} s after the hard stop"


async def test_a_kubelet_that_restarts_in_an_outage_stops_pods_once_it_can_list_them(
    site: RealSite, alice: Tool
) -> None:
    """Until then it knows of no pods: the one way in which a hard stop is late."""
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent(duration=f"{SECONDS}s")
    stop = datetime.fromisoformat((await site.see("a"))["status"]["hardStopAt"]).timestamp()
    manifest = pod("train", "ignore-term", terminationGracePeriodSeconds=GRACE)
    alice("create", "--namespace", namespace, "-f", "-", input=manifest)
    alice("wait", "--namespace", namespace, "--for=condition=Ready", "pod/train", "--timeout=10s")
    for operator in site.operators:
        await operator.kill()
    kubelet = site.cluster.component(f"{node}-kubelet")
    with killed(site.cluster, "kube-apiserver"):
        kubelet.kill()
        kubelet.start()
        await asyncio.sleep(stop + GRACE + SLACK - time.time())
    restarted(site, {*FOLLOWERS} - {kubelet.name})
    await site.stopped(namespace, within=LISTED + SLACK)
