"""Healing: a node that fails under a lease is replaced, kept from use, and its time is credited."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_main_job import condition
from tests.apiserver.test_reclaim import record_of
from tests.conftest import Tool

Raw = dict[str, Any]

FAILS = "node-not-ready.stage.kwok.x-k8s.io"
"""Label by which the kubelet of the tests lets a node fail."""

QUARANTINED = {"key": "sublet.dev/quarantined", "effect": "NoExecute"}


async def fail(site: Site, name: str) -> None:
    """Let a node fail, and wait until it is not Ready."""
    await site.admin.patch(kinds.NODE, name, {"metadata": {"labels": {FAILS: "true"}}})
    await ready(site, name, "False")


async def ready(site: Site, name: str, status: str) -> None:
    """Wait until a node is Ready, or is not."""

    async def look() -> bool:
        node = await site.admin.get(kinds.NODE, name)
        return any(c["type"] == "Ready" and c["status"] == status for c in node["status"]["conditions"])

    await eventually(look, f"Ready of {name} is {status}")


async def ready_because(site: Site, lease: str, reason: str) -> Raw:
    """Wait until NodesReady of a lease has a reason, and return the lease."""

    async def look() -> Raw | None:
        seen = await site.see(lease)
        return seen if condition(seen, "NodesReady")[1] == reason else None

    return await eventually(look, f"NodesReady of {lease} is {reason}")


async def moved(site: Site, lease: str, failed: str) -> Raw:
    """Wait until a lease has another node in the place of one, claimed; return the lease."""

    async def look() -> Raw | None:
        seen = await site.see(lease)
        held = {node for node, holder in (await site.holders()).items() if holder == site.name(lease)}
        booked = seen["status"]["nodes"]
        return seen if failed not in booked and held == set(booked) else None

    return await eventually(look, f"{lease} has a node in the place of {failed}")


async def test_a_node_that_stays_away_is_replaced_and_its_time_is_credited(site: Site) -> None:
    """For five minutes it is waited for, as Degraded; then another is claimed, and the failed one is quarantined."""
    await site.pool(nodes=3, pricing={"currency": "EUR", "firm": "2.50"})
    await site.lease("a")
    failed, other = (await site.reach("a", "Active"))["status"]["nodes"]

    await fail(site, failed)
    degraded = await ready_because(site, "a", "Degraded")
    assert failed in condition(degraded, "NodesReady")[2]
    assert condition(degraded, "Ready")[1] == "Degraded"
    assert degraded["status"]["phase"] == "Active"
    assert degraded["status"]["nodes"] == [failed, other]

    site.clock.advance(timedelta(minutes=6))
    healed = await moved(site, "a", failed)
    assert other in healed["status"]["nodes"]
    await ready_because(site, "a", "NodesClaimed")
    node = await site.admin.get(kinds.NODE, failed)
    assert QUARANTINED in node["spec"]["taints"]
    assert not any(taint["key"] == "sublet.dev/lease" for taint in node["spec"]["taints"])
    (outage,) = healed["status"]["outages"]
    assert (outage["node"], outage["gpus"]) == (failed, 8)

    site.clock.advance(timedelta(hours=1))
    _, credit = await record_of(site, await site.reach("a", "Ended"))
    assert credit["kind"] == "Credit"
    assert (credit["start"], credit["end"]) == (outage["start"], outage["end"])
    assert 8 * 300 <= -credit["gpuSeconds"] < 8 * 420
    assert credit["amount"].startswith("-2.")


async def test_a_node_that_comes_back_in_time_is_kept(site: Site) -> None:
    """The outage has an end, and nothing was moved."""
    await site.pool(nodes=3)
    await site.lease("a")
    before = (await site.reach("a", "Active"))["status"]["nodes"]
    await fail(site, before[0])
    await ready_because(site, "a", "Degraded")

    await site.admin.patch(kinds.NODE, before[0], {"metadata": {"labels": {FAILS: None}}})

    back = await ready_because(site, "a", "NodesClaimed")
    assert back["status"]["nodes"] == before
    (outage,) = back["status"]["outages"]
    assert "end" in outage


async def test_a_node_that_is_gone_is_replaced_at_once(site: Site) -> None:
    """There is nothing to wait for."""
    await site.pool(nodes=3)
    await site.lease("a")
    failed = (await site.reach("a", "Active"))["status"]["nodes"][1]

    await site.admin.delete(kinds.NODE, failed)

    healed = await moved(site, "a", failed)
    assert [outage["node"] for outage in healed["status"]["outages"]] == [failed]


async def test_a_node_that_its_owner_quarantines_is_replaced_at_once(site: Site, kubectl: Tool) -> None:
    """It is sold to nobody as long as the taint is there, and again without it."""
    await site.pool(nodes=3)
    await site.lease("a")
    failed = (await site.reach("a", "Active"))["status"]["nodes"][0]

    kubectl("taint", "node", failed, "sublet.dev/quarantined:NoExecute", *BREAK_GLASS)
    await moved(site, "a", failed)
    await site.lease("b", nodes=1)

    async def waits() -> object:
        return (await site.see("b")).get("status", {}).get("queue")

    await eventually(waits, "b waits")
    kubectl("taint", "node", failed, "sublet.dev/quarantined-", *BREAK_GLASS)
    assert (await site.reach("b", "Active"))["status"]["nodes"] == [failed]


async def test_a_node_that_lost_gpus_is_replaced_after_a_while(site: Site) -> None:
    """It is Ready, but not what was promised."""
    await site.pool(nodes=3)
    await site.lease("a")
    failed = (await site.reach("a", "Active"))["status"]["nodes"][0]

    short = {"status": {"allocatable": {"nvidia.com/gpu": "7"}}}
    await site.admin.patch(kinds.NODE, failed, short, subresource="status")
    assert (await ready_because(site, "a", "Degraded"))["status"]["nodes"][0] == failed

    site.clock.advance(timedelta(minutes=6))
    await moved(site, "a", failed)


async def test_a_lease_that_finds_no_other_node_gets_the_first_that_joins(site: Site) -> None:
    """It stays Degraded until a node joins the pool; a node that joins after that is for sale."""
    await site.pool(nodes=2)
    await site.lease("a")
    failed = (await site.reach("a", "Active"))["status"]["nodes"][0]
    await fail(site, failed)
    await ready_because(site, "a", "Degraded")
    site.clock.advance(timedelta(minutes=6))
    await site.lease("b", nodes=1)

    await asyncio.to_thread(site.cluster.create_nodes, 4, site.prefix, shrink=False)

    await moved(site, "a", failed)

    async def booked() -> object:
        return (await site.see("b"))["status"].get("nodes")

    # Booked, and no more: to the API server's clock, which cannot be moved, the start lies ahead.
    assert await eventually(booked, "b is booked")


@pytest.mark.parametrize("mode", ["Required", "Preferred"])
async def test_a_replacement_keeps_to_the_rack_where_that_is_required(site: Site, mode: str) -> None:
    """Also of a node that is gone with its labels; a wish alone does not hold it up."""
    rack = "topology.example.com/rack"
    await site.pool(nodes=8, topology=[rack])
    await site.lease("a", nodes=3, placement={"level": rack, "mode": mode})
    status = (await site.reach("a", "Active"))["status"]
    racks = {node["metadata"]["name"]: node["metadata"]["labels"][rack] for node in await site.nodes()}

    await site.admin.delete(kinds.NODE, status["nodes"][0])

    healed = await moved(site, "a", status["nodes"][0])
    assert len({racks[name] for name in healed["status"]["nodes"]}) == 1


async def test_a_node_that_is_away_at_the_end_is_quarantined(site: Site) -> None:
    """It is waited for, since what ran there may run on; the lease ends when it is certain that nobody gets it."""
    await site.pool(nodes=2)
    await site.lease("a")
    failed, other = (await site.reach("a", "Active"))["status"]["nodes"]
    await fail(site, failed)

    await site.edit("a", release=True)

    async def is_waited_for() -> bool:
        seen = await site.see("a")
        return f"nodes that are not ready: {failed}" in seen["status"]["message"]

    await eventually(is_waited_for, "the node is waited for")
    assert await site.holders() == {failed: site.name("a")}
    site.clock.advance(timedelta(minutes=6))
    await site.reach("a", "Ended")
    taints = {node: (await site.admin.get(kinds.NODE, node))["spec"].get("taints", []) for node in (failed, other)}
    assert QUARANTINED in taints[failed]
    assert taints[other] == []


async def test_a_pass_that_a_replacement_overtakes_claims_nothing_of_the_old_booking(
    bare_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new nodes are recorded while the pass makes the namespace; the old one is never the lease's again."""
    site = bare_site
    service = (await site.start_operator()).service
    await site.pool(nodes=4)
    name, client = site.name("a"), service.world.client
    create = client.create
    replaced: list[str] = []

    async def overtaken(manifest: Raw) -> Raw:
        made = await create(manifest)
        if manifest["kind"] == "Namespace" and not replaced:
            booked = (await site.see("a"))["status"]["nodes"]
            spare = next(n["metadata"]["name"] for n in await site.nodes() if n["metadata"]["name"] not in booked)
            replaced.append(booked[0])
            change = {"status": {"nodes": [spare, booked[1]]}}
            await site.admin.patch(kinds.GPU_LEASE, name, change, subresource="status")

            async def is_known() -> bool:
                seen = service.world.leases.get(name)
                return seen is not None and spare in seen["status"]["nodes"]

            await eventually(is_known, "the operator knows of the new node")
        return made

    monkeypatch.setattr(client, "create", overtaken)
    await site.lease("a")
    booked = (await site.reach("a", "Active"))["status"]["nodes"]
    assert replaced[0] not in booked
    assert await site.holders() == dict.fromkeys(booked, name)
