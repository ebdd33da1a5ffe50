"""Between two tenants each node is cleaned by Jobs that really run, or another system says that it is clean."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from hack.cluster.nodes import gpu_node
from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.cleaning import (
    CLEANERS,
    CLEANING,
    LEASE_TAINT,
    QUARANTINED,
    account,
    annotation,
    has_ended,
    jobs,
    let_fail,
    marks,
    node_of,
    running,
    steps,
)
from tests.apiserver.site import Raw, Site, eventually
from tests.apiserver.test_crashes import mortal, run_until_death
from tests.apiserver.test_healing import fail
from tests.apiserver.test_main_job import condition
from tests.apiserver.test_reclaim import record_of
from tests.apiserver.test_storage import events
from tests.conftest import Tool

HANGS = "late"
EXTERNAL = {"mode": "External"}
NO_GAP = {"drainBefore": "5m", "cleaningGap": "0s"}


async def sanitizing(site: Site, **pool: object) -> Raw:
    """A lease of both nodes that has ended, and whose nodes are being cleaned."""
    await site.pool(nodes=2, **{"sanitize": steps("wipe", account=HANGS), **pool})
    await site.lease("a")
    await site.reach("a", "Active")
    await site.edit("a", release=True)
    return await site.reach("a", "Sanitizing")


async def test_steps_run_on_each_node_and_nothing_is_left(site: Site) -> None:
    """Two steps on two nodes are four Jobs; when the lease has ended, nodes are free and the Jobs are gone."""
    await site.pool(nodes=2, sanitize=steps("wipe", "check"))
    await site.lease("a")
    lease = await site.reach("a", "Active")
    await site.edit("a", release=True)
    ended = await site.reach("a", "Ended")
    assert condition(ended, "Sanitized") == ("True", "Sanitized", "the nodes were cleaned and are back in the pool")
    assert condition(ended, "Released")[0] == "True"
    for node in lease["status"]["nodes"]:
        assert await marks(site, node) == set()
        assert await annotation(site, node, "sanitized") == lease["metadata"]["uid"]
    assert await jobs(site) == []
    seen = await site.admin.list(kinds.EVENT, "sublet-sanitize", fieldSelector="reason=Completed")
    steps_done = [e for e in seen["items"] if e["involvedObject"]["kind"] == "Job"]
    assert len({e["involvedObject"]["name"] for e in steps_done}) >= 4


async def test_a_node_that_is_being_cleaned_is_nobodys(site: Site, kubectl: Tool) -> None:
    """It keeps its claim beside the mark, counts as such, waits as long as it takes, and costs the tenant nothing."""
    await site.pool(nodes=2, sanitize=steps("wipe", account=HANGS))
    await site.lease("a")
    await site.reach("a", "Active")
    site.clock.advance(timedelta(hours=1))
    lease = await site.reach("a", "Sanitizing")
    for job in await running(site, 2):
        assert await marks(site, node_of(job)) == {LEASE_TAINT, CLEANING}
    assert condition(lease, "Sanitized")[:2] == ("False", "Sanitizing")
    assert condition(lease, "Released")[:2] == ("False", "Sanitizing")
    (row,) = await record_of(site, lease)
    assert (row["end"], row["gpuSeconds"]) == (lease["status"]["endsAt"], 16 * 3600)

    await site.lease("b", nodes=1)
    site.clock.advance(timedelta(minutes=30))  # the cleaning gap is over long since
    await waits_in_the_queue(site, "b")
    counts = (await site.admin.get(kinds.GPU_POOL, site.prefix))["status"]["nodes"]
    assert (counts["sanitizing"], counts["leased"], counts["reserved"]) == (2, 0, 0)

    with account(kubectl, HANGS):
        ended = await cleaned(site, kubectl)
    assert ended["status"]["gpuSeconds"] == 16 * 3600
    assert await record_of(site, ended) == [row]
    assert ended["status"]["reusableAt"] >= ended["status"]["releasedAt"]


async def waits_in_the_queue(site: Site, lease: str) -> None:
    """Wait until a lease has its place in the queue, and no booking."""

    async def look() -> object:
        status = (await site.see(lease)).get("status", {})
        return status.get("queue") and not status.get("startsAt")

    await eventually(look, f"{lease} waits")


async def cleaned(site: Site, kubectl: Tool) -> Raw:
    """Have the steps that hang made anew, whose pods now come; return the lease when it has ended."""
    for job in await jobs(site):
        if not has_ended(job):
            kubectl("delete", "job", job["metadata"]["name"], "-n", CLEANERS)
    return await site.reach("a", "Ended")


async def test_a_step_that_fails_quarantines_its_node_and_no_other(site: Site, kubectl: Tool) -> None:
    """Node, lease and event say which step it was, and its Job stays for whoever looks at the node."""
    await sanitizing(site)
    failing, good = await running(site, 2)
    let_fail(kubectl, failing)

    async def told() -> list[str]:
        return await events(site, "SanitizingFailed")

    (message,) = await eventually(told, "somebody is told")
    name = failing["metadata"]["name"]
    assert "the step wipe failed (DeadlineExceeded): " in message
    assert message.endswith(f"see the log of the Job sublet-sanitize/{name})")
    assert await marks(site, node_of(failing)) == {QUARANTINED}
    reason = await annotation(site, node_of(failing), "quarantine-reason")
    assert reason is not None
    assert reason in message
    assert await marks(site, node_of(good)) == {LEASE_TAINT, CLEANING}

    with account(kubectl, HANGS):
        ended = await cleaned(site, kubectl)
    assert condition(ended, "Sanitized") == ("False", "SanitizingFailed", message)
    assert await marks(site, node_of(good)) == set()
    assert [job["metadata"]["name"] for job in await jobs(site)] == [name]
    kubectl("delete", "job", name, "-n", CLEANERS)
    await site.edit(
        "a", tenant={"contact": "mailto:anna@acme.example"}
    )  # another pass, which finds no evidence any more
    again = await site.reach("a", "Ended")
    assert condition(again, "Sanitized") == ("False", "SanitizingFailed", message)


async def test_another_system_says_which_node_is_clean(site: Site, kubectl: Tool) -> None:
    """By the lease's UID, and as a member of the group for it; that node is free at once, whatever the other does."""
    lease = await sanitizing(site, sanitize=EXTERNAL, schedule=NO_GAP)
    uid, (clean, other) = lease["metadata"]["uid"], lease["status"]["nodes"]
    waiting = f"nodes are being cleaned, waiting for annotation sublet.dev/sanitized={uid} on {clean}, {other}"

    async def is_told() -> bool:
        return condition(await site.see("a"), "Sanitized") == ("False", "WaitingForExternal", waiting)

    await eventually(is_told, "the lease says who is waited for")
    assert "an annotation under sublet.dev/" in say_clean(kubectl, clean, uid, group="strangers")
    assert "an annotation under sublet.dev/" in say_clean(kubectl, clean, "uid-of-an-earlier-lease")
    cleaner = ("--as", "cleaner", "--as-group", "sublet:sanitizers", "--as-group", "system:masters")
    refused = kubectl("annotate", "node", clean, "sublet.dev/lease-uid=x", "--overwrite", *cleaner, check=False)
    assert "an annotation under sublet.dev/" in refused.stderr

    await site.lease("b", nodes=1)
    await waits_in_the_queue(site, "b")
    assert say_clean(kubectl, clean, uid) == ""
    b = await site.reach("b", "Active")
    assert b["status"]["nodes"] == [clean]
    assert (await site.see("a"))["status"]["phase"] == "Sanitizing"
    assert await annotation(site, clean, "sanitized") is None, "it is another tenant's now"

    assert say_clean(kubectl, other, uid) == ""
    ended = await site.reach("a", "Ended")
    assert condition(ended, "Sanitized")[:2] == ("True", "Sanitized")
    await site.edit("b", release=True)
    await site.reach("b", "Sanitizing")
    assert say_clean(kubectl, clean, b["metadata"]["uid"]) == ""
    await site.reach("b", "Ended")


def say_clean(kubectl: Tool, node: str, uid: str, group: str = "sublet:sanitizers") -> str:
    """Say that a node is clean, with every right and as a member of a group; return what the API server objects."""
    who = ("--as", "cleaner", "--as-group", group, "--as-group", "system:masters")
    return kubectl("annotate", "node", node, f"sublet.dev/sanitized={uid}", "--overwrite", *who, check=False).stderr


async def test_another_system_says_that_a_node_cannot_be_cleaned(site: Site, kubectl: Tool) -> None:
    """By the taint of the quarantine, which it needs to break the glass for; the node is not waited for."""
    lease = await sanitizing(site, sanitize=EXTERNAL)
    broken, clean = lease["status"]["nodes"]
    kubectl("taint", "node", broken, "sublet.dev/quarantined:NoExecute", *BREAK_GLASS)
    assert say_clean(kubectl, clean, lease["metadata"]["uid"]) == ""
    await site.reach("a", "Ended")
    assert await marks(site, broken) == {QUARANTINED}
    assert await marks(site, clean) == set()


async def test_a_node_that_is_deleted_while_it_is_dirty_does_not_come_back_clean(site: Site, kubectl: Tool) -> None:
    """Deleted and registered again it carries no claim and no mark, and is quarantined."""
    await sanitizing(site)
    gone, other = await running(site, 2)
    name = node_of(gone)
    await site.admin.delete(kinds.NODE, name)
    await site.gone(kinds.NODE, name)
    prefix, _, number = name.rpartition("-")
    await site.admin.create(gpu_node(int(number), prefix))

    async def is_quarantined() -> bool:
        return await marks(site, name) >= {QUARANTINED}

    await eventually(is_quarantined, f"{name} is quarantined")
    assert await annotation(site, name, "quarantine-reason") == (
        f"after {site.name('a')}: the node was deleted before it was cleaned, and came back"
    )
    with account(kubectl, HANGS):
        ended = await cleaned(site, kubectl)
    assert condition(ended, "Sanitized")[:2] == ("False", "SanitizingFailed")
    assert await marks(site, node_of(other)) == set()


async def test_a_node_that_fails_while_it_is_cleaned_is_quarantined_and_its_job_goes(site: Site, kubectl: Tool) -> None:
    """It is waited for as long as at any end."""
    await sanitizing(site)
    failing, _ = await running(site, 2)
    name = node_of(failing)
    await fail(site, name)

    async def is_waited_for() -> bool:
        return f"nodes that are not ready: {name}" in (await site.see("a"))["status"]["message"]

    await eventually(is_waited_for, "the node is waited for")
    site.clock.advance(timedelta(minutes=6))
    with account(kubectl, HANGS):
        ended = await cleaned(site, kubectl)
    assert f"{name} (after {site.name('a')}: the node was not ready for 5m" in condition(ended, "Sanitized")[2]
    assert QUARANTINED in await marks(site, name)
    assert await jobs(site) == []


async def test_a_lease_that_is_lost_leaves_no_dirty_node(site: Site, kubectl: Tool) -> None:
    """Somebody takes the finalizer off and deletes it; the sweep goes on where the cleaning stood."""
    await sanitizing(site)
    nodes = [node_of(job) for job in await running(site, 2)]
    await site.admin.patch(kinds.GPU_LEASE, site.name("a"), {"metadata": {"finalizers": []}})
    await site.admin.delete(kinds.GPU_LEASE, site.name("a"))
    await site.gone(kinds.GPU_LEASE, site.name("a"))
    assert [await marks(site, node) for node in nodes] == [{LEASE_TAINT, CLEANING}] * 2
    with account(kubectl, HANGS):
        for job in await running(site, 2):
            kubectl("delete", "job", job["metadata"]["name"], "-n", CLEANERS)

        async def all_free() -> bool:
            return [await marks(site, node) for node in nodes] == [set()] * 2 and await jobs(site) == []

        await eventually(all_free, "nodes are clean and free")


async def test_an_image_that_the_installation_does_not_know_is_not_run(site: Site) -> None:
    """The API server refuses the Job, and the lease says so; the node stays out of use until the pool is corrected."""
    field = steps("wipe")
    template = field["steps"][0]["template"]["spec"]["template"]["spec"]
    template["containers"][0]["image"] = "elsewhere.example/miner:1"
    await sanitizing(site, sanitize=field)

    async def refused() -> bool:
        return "elsewhere.example/miner:1 is not among those" in condition(await site.see("a"), "Sanitized")[2]

    await eventually(refused, "the lease says what is wrong")
    change = {"spec": {"sanitize": steps("wipe")}}
    await site.admin.patch(kinds.GPU_POOL, site.prefix, change)
    assert condition(await site.reach("a", "Ended"), "Sanitized")[0] == "True"


async def test_two_operators_run_each_step_once(bare_site: Site) -> None:
    """Both are at work on the same nodes; each Job is made once, and none is left."""
    site = bare_site
    await site.start_operator()
    await site.start_operator()
    await site.pool(nodes=4, sanitize=steps("wipe", "check"))
    for lease in ("a", "b"):
        await site.lease(lease)
        await site.reach(lease, "Active")
    version = (await site.admin.list(kinds.JOB, CLEANERS))["metadata"]["resourceVersion"]
    for lease in ("a", "b"):
        await site.edit(lease, release=True)
    for lease in ("a", "b"):
        assert condition(await site.reach(lease, "Ended"), "Sanitized")[0] == "True"
    made = await made_since(site, version, 8)
    assert len(made) == len(set(made)) == 8
    assert await jobs(site) == []


@pytest.mark.parametrize("after", [False, True], ids=["before a write", "after a write"])
async def test_a_cleaning_survives_operators_that_die_all_the_time(bare_site: Site, *, after: bool) -> None:
    """Every one gets two or three writes done, which is least to get on: the first may be one that is always repeated.

    No node is free before it is clean, and each step runs once.
    """
    site = bare_site
    await site.pool(nodes=1, sanitize=steps("wipe", "check"))
    operator = await site.start_operator()
    await site.lease("a", nodes=1)
    lease = await site.reach("a", "Active")
    uid, (node,) = lease["metadata"]["uid"], lease["status"]["nodes"]
    await operator.stop()
    version = (await site.admin.list(kinds.JOB, CLEANERS))["metadata"]["resourceVersion"]
    site.clock.advance(timedelta(hours=1))
    over = asyncio.create_task(ended(site))
    for lives in itertools.count(1):
        client = await mortal(site, 2 + lives % 2 + (not after), after=after)
        await site.start_operator(client)
        if not await run_until_death(site, client, over):
            break
        assert LEASE_TAINT in await marks(site, node) or await annotation(site, node, "sanitized") == uid
    await site.operators[-1].kill()
    await site.start_operator()
    assert lives > 5, "an end with a cleaning takes more writes than that: nothing was tried"
    assert condition(await over, "Sanitized")[0] == "True"
    assert await annotation(site, node, "sanitized") == uid
    assert await marks(site, node) == set()
    assert await jobs(site) == []
    (row,) = await record_of(site, await over)
    assert row["gpuSeconds"] == 8 * 3600
    assert len(await made_since(site, version, 2)) == 2


async def ended(site: Site) -> Raw:
    """Wait until the lease has ended, however many lives that takes."""

    async def look() -> Raw | None:
        seen = await site.see("a")
        return seen if seen["status"]["phase"] == "Ended" else None

    return await eventually(look, "the lease has ended", within=120)


async def made_since(site: Site, version: str, deleted: int) -> list[str]:
    """The names of all Jobs that were made since, of which so many were deleted: each name once for each time."""
    made, gone = [], 0
    async for event in site.admin.watch(kinds.JOB, version, CLEANERS, labelSelector=LEASE_TAINT):
        if event["type"] == "ADDED":
            made.append(event["object"]["metadata"]["name"])
        gone += event["type"] == "DELETED"
        if gone == deleted:
            break
    return made
