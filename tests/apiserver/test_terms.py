"""The terms of a lease on the real API server: starts, queue, gaps, blocks, extensions, and edits unseen."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sublet.api.scalars import format_timestamp
from sublet.cluster import kinds
from tests.apiserver.site import Raw, Site, eventually
from tests.apiserver.test_main_job import condition

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
RACK = "topology.example.com/rack"


def moment(text: str) -> datetime:
    """An instant of a status."""
    return datetime.fromisoformat(text)


def soon(ahead: timedelta) -> str:
    """An instant on a whole minute, so that no second that passes meanwhile matters."""
    return format_timestamp((datetime.now(UTC) + ahead).replace(second=0))


async def test_a_flexible_start_is_reserved_when_nodes_are_free(site: Site) -> None:
    """It begins a cleaning gap after the lease that has the nodes now, and that is a promise from the beginning."""
    await site.pool(nodes=2)
    await site.lease("a")
    first = await site.reach("a", "Active")

    await site.lease("b", start=soon(10 * MINUTE), latestStart=soon(3 * HOUR), duration="1h")

    second = await site.reach("b", "Reserved")
    assert moment(second["status"]["startsAt"]) == moment(first["status"]["endsAt"]) + MINUTE
    assert moment(second["status"]["endsAt"]) == moment(second["status"]["startsAt"]) + HOUR


async def test_what_can_never_fit_is_refused_until_it_can(site: Site) -> None:
    """The refusal names the field and what could be had; once there is room, the lease is booked after all."""
    await site.pool(nodes=2)
    await site.lease("a")
    first = await site.reach("a", "Active")

    await site.lease("b", start=soon(10 * MINUTE), duration="30m")

    refused = await site.reach("b", "Refused")
    free_at = format_timestamp(moment(first["status"]["endsAt"]) + MINUTE)
    message = f"spec.start: the pool never has 2 nodes free then; to be had: 2 nodes from {free_at}"
    assert condition(refused, "Accepted") == ("False", "NoRoom", message)
    assert condition(refused, "Stalled")[:2] == ("True", "NoRoom")

    await site.edit("a", release=True)
    await site.reach("a", "Ended")

    booked = await site.reach("b", "Reserved")
    assert booked["status"]["startsAt"] == booked["spec"]["start"]
    assert "queue" not in booked["status"]


async def test_an_interruptible_lease_fills_the_gap_before_a_reservation(site: Site) -> None:
    """It begins at once and is told that it ends in time; a firm one of the same length waits."""
    await site.pool(nodes=2)
    await site.lease("later", start=soon(2 * HOUR), duration="1h")
    reserved = await site.reach("later", "Reserved")

    await site.lease("filler", duration="6h", term="Interruptible")
    await site.lease("firm", duration="6h")

    filler = (await site.reach("filler", "Active"))["status"]
    assert moment(filler["endsAt"]) == moment(reserved["status"]["startsAt"]) - MINUTE
    assert filler["earlyEnd"]["reason"] == "FillsGap"
    assert moment(filler["earlyEnd"]["askedEnd"]) == moment(filler["startsAt"]) + 6 * HOUR
    assert await forecast(site, "firm") == moment(reserved["status"]["endsAt"]) + MINUTE


async def test_a_required_block_is_kept(site: Site) -> None:
    """Of three free nodes two share a rack: they are had, though another comes before them by name."""
    await site.pool(nodes=6, topology=[RACK])
    await site.lease("a", nodes=3, placement={"level": RACK, "mode": "Required"})
    first = await site.reach("a", "Active")
    assert {name[-3:] for name in first["status"]["nodes"]} < {"000", "001", "002", "003"}

    await site.lease("b", nodes=2, placement={"level": RACK, "mode": "Required"})

    second = await site.reach("b", "Active")
    assert {name[-3:] for name in second["status"]["nodes"]} == {"004", "005"}


async def test_new_leases_end_before_the_owner_needs_the_nodes(site: Site) -> None:
    """A window of the owner's is no time for a lease, and there is one that begins after it."""
    opens = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + 3 * HOUR
    window = {"start": f"{opens.minute} {opens.hour} * * *", "duration": "2h", "nodes": 2}
    await site.pool(nodes=2, ownerFloor={"windows": [window]})

    await site.lease("short", duration="1h")
    await site.reach("short", "Active")
    await site.edit("short", release=True)
    await site.reach("short", "Ended")
    await site.lease("long", duration="6h")

    assert await forecast(site, "long") == opens + 2 * HOUR


async def test_an_extension_delays_nobody_who_waits(site: Site) -> None:
    """The nodes are promised to the queue; without it the same extension is granted."""
    await site.pool(nodes=2)
    await site.lease("a", extendableUntil=soon(9 * HOUR))
    await site.reach("a", "Active")
    await site.lease("b")
    await site.reach("b", "Queued")

    await site.edit("a", duration="3h")
    refused = await answered(site, "a", "Refused")
    assert "the same nodes are promised to somebody else by then" in refused["message"]

    await site.admin.delete(kinds.GPU_LEASE, site.name("b"))
    await answered(site, "a", "Granted")
    status = (await site.see("a"))["status"]
    assert moment(status["endsAt"]) == moment(status["startsAt"]) + 3 * HOUR


async def test_an_extension_asked_for_in_time_is_granted_by_an_operator_that_comes_late(bare_site: Site) -> None:
    """The lease was to end while no operator ran. It goes on, as if one had run."""
    site = bare_site
    operator = await site.start_operator()
    await site.pool(nodes=2)
    await site.lease("a", extendableUntil=soon(9 * HOUR))
    await site.reach("a", "Active")
    await operator.stop()

    await site.edit("a", duration="3h")
    site.clock.advance(2 * HOUR)
    await site.start_operator()

    await answered(site, "a", "Granted")
    lease = await site.reach("a", "Active")
    assert moment(lease["status"]["endsAt"]) == moment(lease["status"]["startsAt"]) + 3 * HOUR
    assert "endedAt" not in lease["status"]


@pytest.mark.parametrize("how", ["release", "delete"])
async def test_what_was_given_back_while_nobody_looked_is_not_billed(bare_site: Site, how: str) -> None:
    """The lease ends when it was given back, not when the operator came to see it."""
    site = bare_site
    operator = await site.start_operator()
    await site.pool(nodes=2)
    await site.lease("a")
    uid = (await site.reach("a", "Active"))["metadata"]["uid"]
    await operator.stop()
    # A lease that ends in the second of its start was nothing that could be billed.
    await asyncio.sleep(2)

    if how == "release":
        await site.edit("a", release=True)
    else:
        await site.admin.delete(kinds.GPU_LEASE, site.name("a"))
    site.clock.advance(30 * MINUTE)
    await site.start_operator()

    record = await eventually(
        lambda: site.find(kinds.LEASE_RECORD, f"{site.name('a')}-{uid[:8]}"), "the record is written"
    )
    (usage,) = record["spec"]["rows"]
    assert usage["gpuSeconds"] < 10 * 60 * 16


async def forecast(site: Site, lease: str) -> datetime:
    """Wait for the place of a lease in the queue, and return its earliest start."""

    async def look() -> str | None:
        start: str | None = (await site.see(lease)).get("status", {}).get("queue", {}).get("earliestStart")
        return start

    return moment(await eventually(look, f"{lease} has a forecast"))


async def answered(site: Site, lease: str, answer: str) -> Raw:
    """Wait for the answer to an extension, and return it."""

    async def look() -> Raw | None:
        extension: Raw = (await site.see(lease))["status"].get("extension", {})
        return extension if extension.get("answer") == answer else None

    return await eventually(look, f"the extension of {lease} is {answer}")
