"""Terms of a lease on a real API server: flexible starts, refusals, gaps, placement, extensions, edits while down."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from sublet.cluster import kinds
from tests.apiserver.reservations import reservations_apart, spot_of
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_main_job import condition

Raw = dict[str, Any]


def text(moment: datetime) -> str:
    """An instant as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def answered(site: Site, lease: str, answer: str) -> Raw:
    """Wait for an answer to the extension of a lease, and return the lease's status."""

    async def look() -> Raw | None:
        status: Raw = (await site.see(lease))["status"]
        return status if status.get("extension", {}).get("answer") == answer else None

    return await eventually(look, f"the extension of {lease} is {answer}")


async def waiting(site: Site, lease: str) -> Raw:
    """Wait until a lease has a place in the queue, and return what stands there."""

    async def look() -> Raw | None:
        queue: Raw | None = (await site.see(lease)).get("status", {}).get("queue")
        return queue if queue and "position" in queue else None

    return await eventually(look, f"{lease} has a place in the queue")


async def test_a_flexible_start_is_booked_at_the_first_hour_that_fits(site: Site) -> None:
    """It is Reserved at once for the moment at which the nodes of another lease are clean."""
    await site.pool(nodes=2)
    await site.lease("a")
    running = await site.reach("a", "Active")
    start = site.clock.now() + timedelta(minutes=1)

    await site.lease("b", start=text(start), latestStart=text(start + timedelta(hours=3)), duration="1h")

    reserved = await site.reach("b", "Reserved")
    assert reserved["status"]["startsAt"] == running["status"]["reusableAt"]
    assert reserved["status"]["nodes"] == running["status"]["nodes"]


async def test_what_can_never_be_had_is_refused_with_what_could_until_room_appears(site: Site) -> None:
    """The refusal names the field, fewer nodes and a later hour; when nodes are given back early it is reserved."""
    await site.pool(nodes=2, schedule={"drainBefore": "5m", "cleaningGap": "2s"})
    await site.lease("a", nodes=1)
    running = await site.reach("a", "Active")
    start = site.clock.now() + timedelta(minutes=20)

    await site.lease("b", start=text(start), latestStart=text(start + timedelta(minutes=1)), duration="1h")

    refused = await site.reach("b", "Refused")
    assert condition(refused, "Accepted")[:2] == ("False", "NoRoom")
    assert condition(refused, "Stalled")[0] == "True"
    assert refused["status"]["message"] == (
        "spec.latestStart: the pool never has 2 nodes free then; to be had: "
        f"2 nodes from {running['status']['reusableAt']}, or one node at the time asked for"
    )

    await site.edit("a", release=True)
    reserved = await site.reach("b", "Reserved")
    assert reserved["status"]["startsAt"] == text(start)
    assert "queue" not in reserved["status"]


async def test_the_queue_is_strict_and_lets_through_who_delays_nobody(site: Site) -> None:
    """The short lease is done before the first in the queue could start; the long one waits behind it."""
    await site.pool(nodes=4)
    await site.lease("a", nodes=2, duration="1h")
    first_end = (await site.reach("a", "Active"))["status"]["reusableAt"]
    await site.lease("b", nodes=4, duration="1h")
    assert await waiting(site, "b") == {"position": 1, "earliestStart": first_end}
    await site.lease("long", nodes=2, duration="2h")
    assert (await waiting(site, "long"))["position"] == 2

    await site.lease("short", nodes=2, duration="30m")

    await site.reach("short", "Active")
    assert await waiting(site, "b") == {"position": 1, "earliestStart": first_end}
    assert (await waiting(site, "long"))["earliestStart"] > first_end


async def test_an_extension_delays_nobody_who_waits_and_is_granted_when_they_are_gone(site: Site) -> None:
    """It is answered with the longest feasible end, stays asked for, and keeps its own nodes once it is granted."""
    await site.pool(nodes=2)
    now = site.clock.now()
    await site.lease("a", duration="1h", extendableUntil=text(now + timedelta(hours=8)))
    running = await site.reach("a", "Active")
    await site.lease("b", start=text(now + timedelta(hours=2)), duration="1h")
    following = await site.reach("b", "Reserved")

    await site.edit("a", duration="4h")

    refused = await answered(site, "a", "Refused")
    gap = datetime.fromisoformat(following["status"]["startsAt"]) - timedelta(minutes=1)
    assert refused["extension"]["feasibleEnd"] == text(gap)
    assert refused["endsAt"] == running["status"]["endsAt"]

    await site.edit("b", release=True)
    granted = await answered(site, "a", "Granted")
    starts_at = datetime.fromisoformat(granted["startsAt"])
    assert granted["endsAt"] == text(starts_at + timedelta(hours=4))
    assert granted["nodes"] == running["status"]["nodes"]


async def test_an_extension_asked_for_in_time_while_no_operator_ran_is_granted_after_the_end(bare_site: Site) -> None:
    """Nothing is taken away before the answer: the namespace is the same one as before."""
    site = bare_site
    operator = await site.start_operator()
    await site.pool(nodes=2)
    await site.lease("a", duration="1h", extendableUntil=text(site.clock.now() + timedelta(hours=8)))
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    before = (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["uid"]
    await operator.kill()

    await site.edit("a", duration="2h")
    site.clock.advance(timedelta(minutes=70))
    await site.start_operator()

    status = await answered(site, "a", "Granted")
    assert status["endsAt"] == text(datetime.fromisoformat(status["startsAt"]) + timedelta(hours=2))
    await site.reach("a", "Active")
    assert (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["uid"] == before


async def test_an_extension_asked_for_too_late_does_not_gain_by_an_operator_that_was_down(bare_site: Site) -> None:
    """The pool's latest moment had passed when it was written, so the lease ends when it was to end."""
    site = bare_site
    operator = await site.start_operator()
    await site.pool(nodes=2, terms={"minDuration": "1m", "extendLatest": "2h"})
    await site.lease("a", duration="1h", extendableUntil=text(site.clock.now() + timedelta(hours=8)))
    running = await site.reach("a", "Active")
    await operator.kill()

    await site.edit("a", duration="2h")
    site.clock.advance(timedelta(hours=4))
    await site.start_operator()

    ended = await site.reach("a", "Ended")
    assert ended["status"]["endedAt"] == running["status"]["endsAt"]
    assert "too late" in ended["status"]["extension"]["message"]


async def test_a_release_is_billed_to_the_moment_it_was_written(bare_site: Site) -> None:
    """The operator comes half an hour late; the tenant does not pay for that."""
    site = bare_site
    operator = await site.start_operator()
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    await operator.kill()
    await asyncio.sleep(1.1)  # a lease that ends in the second in which it began leaves no record

    await site.edit("a", release=True)
    site.clock.advance(timedelta(minutes=30))
    await site.start_operator()

    ended = await site.reach("a", "Ended")
    record = await site.admin.get(kinds.LEASE_RECORD, f"{site.name('a')}-{ended['metadata']['uid'][:8]}")
    assert 0 < record["spec"]["rows"][0]["gpuSeconds"] < 16 * 60


async def test_an_interruptible_lease_fills_a_gap(site: Site) -> None:
    """It starts at once and ends a cleaning gap before the reservation, and says why; a firm one waits."""
    await site.pool(nodes=2)
    start = site.clock.now() + timedelta(minutes=30)
    await site.lease("reserved", start=text(start), duration="1h")
    following = await site.reach("reserved", "Reserved")
    await site.lease("firm", duration="2h")
    assert (await waiting(site, "firm"))["position"] == 1

    await site.lease("filler", duration="2h", term="Interruptible")

    status = (await site.reach("filler", "Active"))["status"]
    end = text(datetime.fromisoformat(following["status"]["startsAt"]) - timedelta(minutes=1))
    assert (status["endsAt"], status["hardStopAt"], status["earlyEnd"]["end"]) == (end, end, end)
    assert status["earlyEnd"]["reason"] == "FillsGap"
    asked = datetime.fromisoformat(status["startsAt"]) + timedelta(hours=2)
    assert status["earlyEnd"]["askedEnd"] == text(asked)


RACK = "topology.example.com/rack"


async def test_nodes_of_a_lease_lie_in_one_rack_where_that_is_required(site: Site) -> None:
    """With one node of the first rack gone the four come from the second; the next such lease waits."""
    await site.pool(nodes=8, topology=["topology.kubernetes.io/zone", RACK])
    await site.lease("one", nodes=1)
    await site.reach("one", "Active")

    await site.lease("block", nodes=4, placement={"level": RACK, "mode": "Required"})
    await site.lease("near", nodes=2, placement={"level": RACK, "mode": "Preferred"})

    racks = {node["metadata"]["name"]: node["metadata"]["labels"][RACK] for node in await site.nodes()}
    for lease in ("block", "near"):
        booked = (await site.reach(lease, "Active"))["status"]["nodes"]
        assert len({racks[name] for name in booked}) == 1
    await site.lease("second", nodes=4, placement={"level": RACK, "mode": "Required"})
    assert (await waiting(site, "second"))["earliestStart"]


@pytest.mark.parametrize("mode", ["Required", "Preferred"])
async def test_a_level_that_the_pool_does_not_tell_apart_is_refused(site: Site, mode: str) -> None:
    """The refusal names the levels that there are."""
    await site.pool(nodes=2, topology=[RACK])
    await site.lease("a", placement={"level": "example.com/row", "mode": mode})
    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"] == (
        f"spec.placement.level: example.com/row is no level of the pool's topology; name one of {RACK}"
    )


async def test_reservations_make_room_for_one_between_them(site: Site) -> None:
    """Each of two nodes carries a reservation in its way; once one of them holds both, the other is free."""
    await site.pool(nodes=2)
    before = await reservations_apart(site)

    await site.lease("between", nodes=1, start=text(before["early"].start + timedelta(hours=1)), duration="3h")

    between = spot_of(await site.reach("between", "Reserved"))
    after = {name: spot_of(await site.see(name)) for name in before}
    assert after["early"].nodes == after["late"].nodes != between.nodes
    assert {name: spot.start for name, spot in after.items()} == {name: spot.start for name, spot in before.items()}
