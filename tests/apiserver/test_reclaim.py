"""The owner first: nodes are kept, taken back with notice, and what the notice lacks is credited."""

from datetime import datetime, timedelta
from typing import Any

from sublet.cluster import kinds
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_main_job import condition
from tests.apiserver.test_terms import text, waiting

Raw = dict[str, Any]

QUICK = {"drainBefore": "1m", "cleaningGap": "2s", "reclaimNotice": "30m"}


async def keep(site: Site, nodes: int, **spec: Any) -> datetime:  # noqa: ANN401 - a field of any kind
    """Let the owner keep so many nodes; returns when that was."""
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"ownerFloor": {"nodes": nodes}, **spec}})
    return site.clock.now()


async def floor_kept(site: Site, status: str) -> str:
    """Wait until the pool says that the owner has, or lacks, nodes; returns the message."""

    async def look() -> list[str]:
        pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
        found = [c for c in pool["status"]["conditions"] if c["type"] == "FloorKept" and c["status"] == status]
        return [f"{c['reason']}: {c['message']}" for c in found]

    return (await eventually(look, f"FloorKept is {status}"))[0]


async def record_of(site: Site, lease: Raw) -> list[Raw]:
    """The rows of a lease's record."""
    name = f"{lease['metadata']['name']}-{lease['metadata']['uid'][:8]}"
    rows: list[Raw] = (await site.admin.get(kinds.LEASE_RECORD, name))["spec"]["rows"]
    return rows


async def test_the_owner_gets_nodes_back_after_the_notice(site: Site) -> None:
    """Of three leases the interruptible one that loses the fewest hours goes, after its notice; a firm one never."""
    await site.pool(nodes=6, schedule=QUICK)
    await site.lease("firm", duration="45m")
    await site.lease("short", duration="1h", term="Interruptible")
    await site.lease("long", duration="3h", term="Interruptible")
    for lease in ("firm", "short", "long"):
        await site.reach(lease, "Active")
    assert (await site.see("short"))["status"]["reclaimNotice"] == "30m"
    asked = (await site.see("short"))["status"]["endsAt"]

    at = await keep(site, 2)

    taken = await site.reach("short", "Reclaiming")
    status = taken["status"]
    notice = datetime.fromisoformat(status["endsAt"]) - at
    assert timedelta(minutes=29, seconds=50) < notice < timedelta(minutes=31)
    assert status["message"] == f"the owner takes the nodes back at {status['endsAt']}; save your work"
    early = status["earlyEnd"]
    assert (early["reason"], early["askedEnd"], early["end"]) == ("Reclaimed", asked, status["endsAt"])
    assert status["hardStopAt"] == status["endsAt"]
    assert condition(taken, "Ready")[0] == "True"
    assert "2 nodes short of spec.ownerFloor from now" in await floor_kept(site, "False")

    site.clock.advance(timedelta(minutes=31))
    ended = await site.reach("short", "Ended")
    assert ended["status"]["endedAt"] == status["endsAt"]
    await floor_kept(site, "True")
    assert [row["kind"] for row in await record_of(site, ended)] == ["Usage"]
    for lease in ("firm", "long"):
        assert "earlyEnd" not in (await site.reach(lease, "Active"))["status"]


async def test_what_only_firm_leases_hold_stays_short_and_is_said(site: Site) -> None:
    """A floor that is larger than the pool takes back all that it may, and tells what is missing."""
    await site.pool(nodes=3, schedule=QUICK)
    await site.lease("firm", nodes=2)
    await site.lease("late", nodes=1, term="Interruptible")
    await site.reach("firm", "Active")
    await site.reach("late", "Active")

    await keep(site, 9)

    await site.reach("late", "Reclaiming")
    assert "firm" in await floor_kept(site, "False")
    assert "earlyEnd" not in (await site.reach("firm", "Active"))["status"]


async def test_a_notice_shorter_than_promised_is_credited(site: Site) -> None:
    """An hour was promised and twelve minutes are given: the rest of it is credited, as time before the end."""
    prices = {"currency": "EUR", "firm": "2.50", "interruptible": "1.00"}
    await site.pool(nodes=2, schedule={**QUICK, "reclaimNotice": "1h"}, pricing=prices)
    await site.lease("a", duration="3h", term="Interruptible")
    await site.reach("a", "Active")

    await keep(site, 2, schedule={"reclaimNotice": "12m"})
    await site.reach("a", "Reclaiming")
    site.clock.advance(timedelta(minutes=13))
    ended = await site.reach("a", "Ended")

    usage, credit = await record_of(site, ended)
    assert (credit["kind"], credit["end"]) == ("Credit", usage["end"])
    # It ran for little more than the twelve minutes, so all of it is given back.
    assert (credit["gpuSeconds"], credit["amount"]) == (-usage["gpuSeconds"], f"-{usage['amount']}")
    assert credit["reason"] == "reclaimed with 12m of the promised 1h of notice"


async def test_a_reservation_that_is_taken_back_just_ends(site: Site) -> None:
    """It never began, so nothing is billed, and the nodes are the owner's at once."""
    await site.pool(nodes=2, schedule=QUICK)
    start = site.clock.now() + timedelta(hours=2)
    await site.lease("a", start=text(start), duration="1h", term="Interruptible")
    await site.reach("a", "Reserved")

    await keep(site, 1)

    ended = await site.reach("a", "Ended")
    assert ended["status"]["earlyEnd"]["reason"] == "Reclaimed"
    await site.lease("b", nodes=1)
    await site.reach("b", "Active")
    records = [r["spec"]["leaseName"] for r in (await site.admin.list(kinds.LEASE_RECORD))["items"]]
    assert site.name("a") not in records


async def test_new_bookings_respect_the_owners_windows(site: Site) -> None:
    """A firm lease that would reach into the window waits until it is over; an interruptible one ends before it."""
    opens = (site.clock.now() + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    window = {"start": f"0 {opens.hour} {opens.day} {opens.month} *", "duration": "2h", "nodes": 2}
    await site.pool(nodes=2, schedule=QUICK, ownerFloor={"windows": [window]})
    await site.lease("firm", duration="4h")
    assert (await waiting(site, "firm"))["earliestStart"] == text(opens + timedelta(hours=2))

    await site.lease("filler", duration="4h", term="Interruptible")

    status = (await site.reach("filler", "Active"))["status"]
    assert status["endsAt"] == text(opens - timedelta(seconds=2))


async def test_a_window_that_is_no_schedule_stops_sales_and_nothing_else(site: Site) -> None:
    """The pool says what is wrong; the lease that it has goes on, and ends."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")

    window = {"start": "99 8 * * *", "duration": "1h", "nodes": 1}
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"ownerFloor": {"windows": [window]}}})

    async def objection() -> list[str]:
        pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
        return [
            c["message"] for c in pool["status"]["conditions"] if c["type"] == "Accepted" and c["status"] == "False"
        ]

    said = await eventually(objection, "the pool is not accepted")
    assert said[0].startswith("spec.ownerFloor.windows[0].start: '99 8 * * *' is no cron schedule")
    await site.edit("a", duration="1m")
    site.clock.advance(timedelta(minutes=2))
    await site.reach("a", "Ended")
