"""A lease whose kubelet is cut off when it ends: nobody gets the node while nobody can say what runs there."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from hack import cluster as clusters
from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.site import Raw, eventually
from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.daemons import killed, noticed_soon, paused
from tests.nodes.workloads import pod

# Longer than the time that pods are left to stop and a namespace takes to go.
SETTLED = 12

Failure = Callable[[clusters.Cluster, str], AbstractContextManager[None]]


@pytest.fixture
def usable(kubectl: Tool) -> Iterator[None]:
    """The nodes are for sale again afterwards, whatever the test made of them."""
    yield
    for node in ("real-000", "real-001"):
        kubectl("taint", "node", node, "sublet.dev/quarantined-", *BREAK_GLASS, check=False)
        kubectl("annotate", "node", node, "sublet.dev/reusable-at-", *BREAK_GLASS)


@pytest.mark.parametrize("cut_off", [killed, paused])
async def test_a_lease_does_not_end_before_its_kubelet_answers(site: RealSite, alice: Tool, cut_off: Failure) -> None:
    """Pods are asked to go and do not, which the status says; nothing is given back until they are gone."""
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent()
    _work(alice, namespace)
    before = site.running(namespace)
    assert len(before) == 2
    with cut_off(site.cluster, f"{node}-kubelet"):
        await site.edit("a", release=True)
        await asyncio.sleep(SETTLED)

        lease = await site.see("a")
        assert lease["status"]["phase"] == "Releasing"
        assert lease["status"]["message"] == f"namespaces still being deleted: {namespace}"
        assert {*site.running(namespace)} == {*before}
        assert await site.holders() == {node: site.name("a")}
        assert await _pods_leaving(site, namespace) == [True]

    await site.stopped(namespace, within=20)
    await site.reach("a", "Ended")
    assert await site.holders() == {}
    assert [taint["key"] for taint in await _taints(site, node)] == []


@pytest.mark.usefixtures("usable")
async def test_a_node_whose_pods_were_taken_for_gone_is_quarantined(site: RealSite, alice: Tool, kubectl: Tool) -> None:
    """Somebody deletes the pods by force once the node is not Ready, and they run on.

    The node is waited for and then quarantined. When the kubelet is back it stops them, and the node stays out of use.
    """
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent()
    _work(alice, namespace)
    with noticed_soon(site.cluster), paused(site.cluster, f"{node}-kubelet"):
        await _not_ready(site, node)
        await site.edit("a", release=True)
        kubectl("delete", "pod", "train", "--namespace", namespace, "--grace-period=0", "--force", *BREAK_GLASS)
        await site.gone(kinds.NAMESPACE, namespace)

        await eventually(lambda: _message(site, f"nodes that are not ready: {node}"), "the node is waited for")
        assert await site.holders() == {node: site.name("a")}
        assert len(site.running(namespace)) == 2

        site.clock.advance(timedelta(minutes=6))
        await site.reach("a", "Ended")
        assert await site.holders() == {}
        assert len(site.running(namespace)) == 2
        assert "sublet.dev/quarantined" in [taint["key"] for taint in await _taints(site, node)]

    await site.stopped(namespace, within=20)
    await _ready(site, node)
    assert [taint["key"] for taint in await _taints(site, node)] == ["sublet.dev/quarantined"]


def _work(alice: Tool, namespace: str) -> None:
    alice("create", "--namespace", namespace, "-f", "-", input=pod("train", "ignore-term"))
    alice("wait", "--namespace", namespace, "--for=condition=Ready", "pod/train", "--timeout=20s")


async def _pods_leaving(site: RealSite, namespace: str) -> list[bool]:
    pods = (await site.admin.list(kinds.POD, namespace))["items"]
    return ["deletionTimestamp" in each["metadata"] for each in pods]


async def _taints(site: RealSite, node: str) -> list[Raw]:
    taints: list[Raw] = (await site.admin.get(kinds.NODE, node))["spec"].get("taints", [])
    return taints


async def _message(site: RealSite, message: str) -> bool:
    return bool((await site.see("a"))["status"]["message"] == message)


async def _not_ready(site: RealSite, name: str) -> None:
    await eventually(lambda: _has_taint(site, name, "node.kubernetes.io/unreachable"), f"{name} is unreachable")


async def _ready(site: RealSite, name: str) -> None:
    async def look() -> bool:
        return not await _has_taint(site, name, "node.kubernetes.io/unreachable")

    await eventually(look, f"{name} is reached")


async def _has_taint(site: RealSite, name: str, key: str) -> bool:
    return key in {taint["key"] for taint in await _taints(site, name)}
