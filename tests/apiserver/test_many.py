"""Many at once: leases that arrive together are all served, no node twice, and nothing is complained of."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from sublet.cluster import kinds
from sublet.settings import Settings
from tests.apiserver.site import Site, eventually

Raw = dict[str, Any]


async def test_leases_that_arrive_together_are_all_served(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Forty leases at once on exactly the nodes they need are all Active, and each node has one lease."""
    await site.pool(nodes=80)
    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(site.lease(f"m{number}", nodes=2) for number in range(40)))

        async def all_active() -> bool:
            leases = (await site.admin.list(kinds.GPU_LEASE))["items"]
            mine = [lease for lease in leases if lease["spec"]["pool"] == site.prefix]
            return all(lease.get("status", {}).get("phase") == "Active" for lease in mine)

        await eventually(all_active, "all are Active", within=60)

    leases = [await site.see(f"m{number}") for number in range(40)]
    booked = [node for lease in leases for node in lease["status"]["nodes"]]
    assert len(booked) == len(set(booked)) == 80
    holders = await site.holders()
    assert all(holders[node] == lease["metadata"]["name"] for lease in leases for node in lease["status"]["nodes"])
    assert [record.getMessage() for record in caplog.records] == []


async def test_who_came_first_is_served_first(site: Site) -> None:
    """Leases that compete for the same nodes get them in the order in which they were written."""
    await site.pool(nodes=2)
    await site.lease("first", nodes=2)
    await site.reach("first", "Active")
    for name in ("second", "third"):
        await site.lease(name, nodes=2)

    async def places() -> list[int] | None:
        leases = [await site.see(name) for name in ("second", "third")]
        queues = [lease.get("status", {}).get("queue") for lease in leases]
        return [queue["position"] for queue in queues] if all(queues) else None

    assert await eventually(places, "both have a place in the queue") == [1, 2]
    starts = [(await site.see(name))["status"]["queue"]["earliestStart"] for name in ("second", "third")]
    assert starts == sorted(starts)
    assert starts[0] != starts[1]


async def test_a_pool_in_use_stays_until_its_leases_have_ended(site: Site) -> None:
    """A pool that is deleted under a lease sells nothing more, and goes when the lease has ended."""
    await site.pool(nodes=4)
    await site.lease("a")
    await site.reach("a", "Active")

    await site.admin.delete(kinds.GPU_POOL, site.prefix)
    await site.lease("late")
    refused = await site.reach("late", "Refused")
    assert refused["status"]["message"] == (
        f"spec.pool: the pool {site.prefix} is not accepted: "
        "the pool is being deleted; it goes when its last lease has ended, and sells nothing more"
    )
    assert (await site.reach("a", "Active"))["status"]["nodeCount"] == 2

    await site.edit("a", release=True)
    await site.gone(kinds.GPU_POOL, site.prefix)


async def test_an_operator_that_lags_behind_books_nothing_twice(
    bare_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second operator that never heard of a booking reads what there is before it books; until then it waits."""
    site = bare_site
    site.settings = Settings(sweep_every=timedelta(hours=1))
    first, second = await site.start_operator(), await site.start_operator()
    await site.pool(nodes=2)
    leases, name = second.service.world.leases, site.name("a")
    put, replace = leases.put, leases.replace

    def put_others(lease: Raw) -> None:
        if lease["metadata"]["name"] != name:
            put(lease)

    def read_anew(items: list[Raw], revision: str) -> None:
        monkeypatch.setattr(leases, "put", put)
        replace(items, revision)

    monkeypatch.setattr(leases, "put", put_others)
    monkeypatch.setattr(leases, "replace", read_anew)
    start = (site.clock.now() + timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await site.lease("a", start=start, duration="1h")
    await site.reach("a", "Reserved")
    assert leases.get(name) is None
    await first.kill()

    await site.lease("b", start=start, duration="1h")

    async def is_told() -> Raw | None:
        status: Raw = (await site.see("b")).get("status", {})
        return status if "queue" in status or "nodes" in status else None

    told = await eventually(is_told, "b is told what becomes of it")
    assert "nodes" not in told
    assert "the pool never has 2 nodes free then" in told["queue"]["refusal"]
