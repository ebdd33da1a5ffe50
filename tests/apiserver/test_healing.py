"""Nodes that fail under a lease: shown, replaced, kept from use, and credited."""

from datetime import timedelta

from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.objects import Kubectl
from tests.apiserver.site import Raw, Site, eventually
from tests.apiserver.test_main_job import condition

PATIENCE = timedelta(minutes=5)


async def lose_gpus(site: Site, node: str) -> None:
    """Let a node report no GPU, and nobody who would make it report them again."""
    await site.admin.patch(kinds.NODE, node, {"metadata": {"annotations": {"kwok.x-k8s.io/node": None}}})
    none = {"allocatable": {"nvidia.com/gpu": "0"}}
    await site.admin.patch(kinds.NODE, node, {"status": none}, subresource="status")


async def degraded(site: Site, lease: str) -> Raw:
    """Wait until a lease says that it lacks a node."""

    async def look() -> Raw | None:
        seen = await site.see(lease)
        return seen if condition(seen, "NodesReady")[1] == "Degraded" else None

    return await eventually(look, f"{lease} is Degraded")


async def moved(site: Site, lease: str, nodes: list[str]) -> Raw:
    """Wait until a lease has these nodes, claimed."""

    async def look() -> Raw | None:
        seen = await site.see(lease)
        held = {node for node, holder in (await site.holders()).items() if holder == site.name(lease)}
        return seen if seen["status"]["nodes"] == nodes and held == set(nodes) else None

    return await eventually(look, f"{lease} has {nodes}")


async def test_a_node_that_is_gone_is_replaced_at_once(site: Site) -> None:
    """Nobody waits for a node that does not exist; the tenant keeps its other one and its access."""
    await site.pool(nodes=3)
    await site.lease("a")
    one, two = (await site.reach("a", "Active"))["status"]["nodes"]

    await site.admin.delete(kinds.NODE, one)

    healed = await moved(site, "a", [f"{site.prefix}-002", two])
    assert healed["status"]["phase"] == "Active"


async def test_a_node_without_gpus_is_replaced_when_it_stays_so(site: Site) -> None:
    """It is waited for; then another is claimed, the failed one is kept from use, and the time is credited."""
    await site.pool(nodes=3, pricing={"currency": "EUR", "firm": "3.60"})
    await site.lease("a")
    one, two = (await site.reach("a", "Active"))["status"]["nodes"]

    await lose_gpus(site, two)
    seen = await degraded(site, "a")
    assert seen["status"]["nodes"] == [one, two]
    assert two in condition(seen, "NodesReady")[2]

    site.clock.advance(PATIENCE)
    await moved(site, "a", [one, f"{site.prefix}-002"])

    failed = await site.admin.get(kinds.NODE, two)
    assert failed["spec"]["taints"] == [{"key": "sublet.dev/quarantined", "effect": "NoExecute"}]
    assert "sublet.dev/lease" not in failed["metadata"]["labels"]
    pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
    assert pool["status"]["nodes"]["quarantined"] == 1

    site.clock.advance(timedelta(hours=1))
    ended = await site.reach("a", "Ended")
    name = f"{site.name('a')}-{ended['metadata']['uid'][:8]}"
    _, credit = (await site.admin.get(kinds.LEASE_RECORD, name))["spec"]["rows"]
    assert (credit["kind"], credit["nodes"], credit["gpus"]) == ("Credit", 1, 8)
    assert -8 * 360 < credit["gpuSeconds"] <= -8 * 300
    assert credit["reason"] == f"the node {two} was not to be had"


async def test_a_lease_without_a_spare_node_says_so_until_one_comes(site: Site) -> None:
    """Degraded is no end: what the pool gets is given to it first."""
    await site.pool(nodes=2)
    await site.lease("a")
    one, two = (await site.reach("a", "Active"))["status"]["nodes"]
    await lose_gpus(site, two)
    await degraded(site, "a")
    site.clock.advance(PATIENCE)
    await degraded(site, "a")

    site.cluster.create_nodes(3, site.prefix)

    await moved(site, "a", [one, f"{site.prefix}-002"])


async def test_a_quarantined_node_is_given_up(site: Site, kubectl: Kubectl) -> None:
    """The owner marks a node that must not be used any more, and the lease gets another."""
    await site.pool(nodes=3)
    await site.lease("a")
    one, two = (await site.reach("a", "Active"))["status"]["nodes"]

    kubectl("taint", "node", one, "sublet.dev/quarantined:NoExecute", *BREAK_GLASS)

    await moved(site, "a", [f"{site.prefix}-002", two])
