"""The owner comes first: interruptible leases end early, with their notice, and firm ones never."""

from datetime import datetime, timedelta

from sublet.cluster import kinds
from tests.apiserver.site import Raw, Site, eventually
from tests.apiserver.test_main_job import condition

MINUTE = timedelta(minutes=1)


async def with_two_leases(site: Site, notice: str) -> None:
    """Four nodes, of which a firm and an interruptible lease have two each."""
    schedule = {"drainBefore": "1m", "cleaningGap": "1m", "reclaimNotice": notice}
    pricing = {"currency": "EUR", "firm": "2.00", "interruptible": "1.00"}
    await site.pool(nodes=4, schedule=schedule, pricing=pricing)
    await site.lease("firm", duration="2h")
    await site.lease("soft", duration="2h", term="Interruptible")
    await site.reach("firm", "Active")
    await site.reach("soft", "Active")


async def raise_floor(site: Site, nodes: int, **schedule: str) -> None:
    """Let the owner keep more nodes."""
    change: Raw = {"ownerFloor": {"nodes": nodes}}
    if schedule:
        change["schedule"] = schedule
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": change})


async def floor_kept(site: Site, status: str) -> Raw:
    """Wait until the pool says whether the owner has what is kept, and return that."""

    async def look() -> Raw | None:
        pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
        found = [c for c in pool["status"]["conditions"] if c["type"] == "FloorKept" and c["status"] == status]
        return found[0] if found else None

    return await eventually(look, f"FloorKept is {status}")


async def record(site: Site, lease: Raw) -> list[Raw]:
    """The rows of a lease that has ended."""
    name = f"{lease['metadata']['name']}-{lease['metadata']['uid'][:8]}"
    rows: list[Raw] = (await site.admin.get(kinds.LEASE_RECORD, name))["spec"]["rows"]
    return rows


async def test_the_owner_gets_nodes_back_after_the_notice(site: Site) -> None:
    """Tenant and owner see the deadline; then the nodes are the owner's, and the firm lease was never touched."""
    await with_two_leases(site, notice="10m")
    firm = await site.see("firm")

    await raise_floor(site, 2)

    soft = await site.reach("soft", "Reclaiming")
    early = soft["status"]["earlyEnd"]
    ends_at = soft["status"]["endsAt"]
    assert early["reason"] == "Reclaimed"
    notice = datetime.fromisoformat(ends_at) - datetime.fromisoformat(early["noticedAt"])
    assert 10 * MINUTE <= notice < 11 * MINUTE
    assert soft["status"]["message"] == f"the owner takes the nodes back at {ends_at}; save your work"
    assert condition(soft, "Ready")[0] == "True"
    assert "2 nodes short of spec.ownerFloor" in (await floor_kept(site, "False"))["message"]

    site.clock.advance(11 * MINUTE)

    ended = await site.reach("soft", "Ended")
    assert [row["kind"] for row in await record(site, ended)] == ["Usage"]
    site.clock.advance(2 * MINUTE)
    await floor_kept(site, "True")
    after = await site.see("firm")
    assert after["status"]["endsAt"] == firm["status"]["endsAt"]
    assert after["status"]["nodes"] == firm["status"]["nodes"]


async def test_a_notice_shorter_than_promised_is_credited(site: Site) -> None:
    """Booked with half an hour of notice and reclaimed with ten minutes: twenty minutes are given back."""
    await with_two_leases(site, notice="30m")
    await raise_floor(site, 2, reclaimNotice="10m")
    await site.reach("soft", "Reclaiming")

    site.clock.advance(11 * MINUTE)

    usage, credit = await record(site, await site.reach("soft", "Ended"))
    assert (usage["kind"], credit["kind"]) == ("Usage", "Credit")
    # No more than was billed: the lease lasted for eleven minutes at most.
    assert -usage["gpuSeconds"] <= credit["gpuSeconds"] < 0
    assert credit["amount"].startswith("-")
    assert credit["reason"] == "reclaimed with 10m of the promised 30m of notice"


async def test_nobody_can_stay_longer_than_the_owner_allows(site: Site) -> None:
    """A lease that is taken back cannot be extended, however early that is asked for."""
    await with_two_leases(site, notice="30m")
    await raise_floor(site, 2)
    await site.reach("soft", "Reclaiming")

    await site.edit("soft", duration="3h")

    async def look() -> Raw | None:
        extension: Raw | None = (await site.see("soft"))["status"].get("extension")
        return extension

    answer = await eventually(look, "the extension is answered")
    assert answer["answer"] == "Refused"
    assert answer["message"].startswith("spec.duration: the owner takes the nodes back at ")


async def test_firm_leases_stay_whatever_the_owner_wants(site: Site) -> None:
    """The owner is told what is missing, and until when."""
    await site.pool(nodes=2)
    await site.lease("a")
    before = await site.reach("a", "Active")

    await raise_floor(site, 1)

    told = await floor_kept(site, "False")
    assert told["message"].startswith("1 node short of spec.ownerFloor from now to ")
    after = await site.see("a")
    assert (after["status"]["phase"], after["status"]["endsAt"]) == ("Active", before["status"]["endsAt"])
