"""Who runs on a leased node: its tenant alone, however a pod got there."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sublet.cluster import kinds
from tests.apiserver.site import Raw, eventually
from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.workloads import pod

OWNERS = "owners-work"
TOLERANT = [{"key": "sublet.dev/lease", "operator": "Exists", "effect": "NoExecute"}]
PUT_OFF_WITHIN = 15


@pytest.fixture
def owners(kubectl: Tool) -> Iterator[tuple[str, str]]:
    """Flags for the owner's own namespace, which is gone afterwards."""
    kubectl("create", "namespace", OWNERS)
    yield "--namespace", OWNERS
    kubectl("delete", "namespace", OWNERS)


async def test_pods_of_others_are_put_off(site: RealSite, kubectl: Tool, owners: tuple[str, str]) -> None:
    """One that ran there before the claim, and one that is bound around the scheduler after it; who tolerates stays."""
    await site.pool(NODES, **QUICK)
    for node in ("real-000", "real-001"):
        kubectl("create", *owners, "-f", "-", input=_bound(f"before-{node}", node))
        kubectl("create", *owners, "-f", "-", input=_bound(f"daemon-{node}", node, tolerations=TOLERANT))
    kubectl("wait", *owners, "--for=condition=Ready", "pod", "--all", "--timeout=20s")
    assert len(site.running(OWNERS)) == 8

    _, node = await site.rent()
    kubectl("create", *owners, "-f", "-", input=_bound("late", node))

    expected = {f"{name}-{each}" for name in ("before", "daemon") for each in ("real-000", "real-001")}
    await _left(site, expected - {f"before-{node}"})
    assert len(site.running(OWNERS)) == 6


async def test_a_tenants_pod_runs_on_no_node_but_its_leases(site: RealSite, alice: Tool, kubectl: Tool) -> None:
    """It is refused, or waits for ever; bound by an administrator's mistake, the node itself refuses it."""
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent()
    mine = ("--namespace", namespace)
    (other,) = {"real-000", "real-001"} - {node}
    named = alice("create", *mine, "-f", "-", input=_bound("named", other), check=False)
    assert "no-node-name" in named.stderr
    pinned = {"sublet.dev/lease": site.name("other")}
    foreign = alice("create", *mine, "-f", "-", input=pod("foreign", "sleep", nodeSelector=pinned), check=False)
    assert "own-nodes-only" in foreign.stderr

    alice("create", *mine, "-f", "-", input=pod("away", "sleep", nodeSelector={"kubernetes.io/hostname": other}))
    alice("wait", *mine, "--for=condition=PodScheduled=False", "pod/away", "--timeout=10s")
    path = f"/api/v1/namespaces/{namespace}/pods/away/binding"
    binding = json.dumps(
        {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "away"}, "target": {"kind": "Node", "name": other}}
    )
    assert "Forbidden" in alice("create", "--raw", path, "-f", "-", input=binding, check=False).stderr
    kubectl("create", "--raw", path, "-f", "-", input=binding)

    async def refused() -> Raw | None:
        status: Raw = (await site.admin.get(kinds.POD, "away", namespace))["status"]
        return status if status["phase"] == "Failed" else None

    assert (await eventually(refused, "the kubelet refuses the pod"))["reason"] == "NodeAffinity"
    assert site.running(namespace) == []


def _bound(name: str, node: str, **spec: Any) -> str:  # noqa: ANN401 - a field of any kind
    return pod(name, "sleep", nodeName=node, terminationGracePeriodSeconds=1, **spec)


async def _left(site: RealSite, names: set[str]) -> None:
    """Wait until these pods alone are there, and everything else of theirs is off the nodes."""

    async def look() -> bool:
        pods = (await site.admin.list(kinds.POD, OWNERS))["items"]
        there = {each["metadata"]["name"] for each in pods if each["status"]["phase"] == "Running"}
        running = await asyncio.to_thread(site.running, OWNERS)
        return there == names and len(running) == 2 * len(names)

    await eventually(look, f"of the owner's pods {sorted(names)} run, and no other", within=PUT_OFF_WITHIN)
