"""A day from its first moment to its last, and what was seen of it."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hack import cluster as clusters
from hack.day import facts
from hack.day.demand import POOL
from hack.day.guards import judge_in_time_of
from hack.day.history import History
from hack.day.judges.bench import Book, World
from hack.day.judges.court import judge
from hack.day.judges.ledger import judge_ledger
from hack.day.scenario import FIRST, pool, scenario
from hack.day.size import Size
from hack.day.stage import Stage
from sublet.clock import CompressedClock
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.desired import naming

Raw = dict[str, Any]

_CLOSING_SECONDS = 90
_LINE = re.compile(r"\[(WARNING|ERROR|CRITICAL)\s*\] (.*)")


@dataclass
class Day:
    """What was seen of a day.

    Attributes:
        size: How large it was.
        world: The objects as they were last.
        book: What the judges wrote.
        events: How many changes were judged.
        records: The ledger.
        complaints: Lines of the operators' logs from warnings up, how often each.
        stage: Where it was played.
        real_seconds: How long it took by the machine's clock.
    """

    size: Size
    world: World
    book: Book
    events: int
    records: list[Raw]
    complaints: Counter[str]
    stage: Stage
    real_seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


async def live_through(cluster: clusters.Cluster, size: Size) -> Day:
    """Live through a day on a cluster with the chart and the nodes, and judge it. The operators are gone at the end."""
    admin = await Client.connect(str(cluster.kubeconfig))
    try:
        return await _live_through(cluster, size, admin)
    finally:
        await admin.close()


async def _live_through(cluster: clusters.Cluster, size: Size, admin: Client) -> Day:
    # A little ahead, so that everything stands when the day begins; whole seconds, as the guards read it.
    clock = CompressedClock(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8), size.factor)
    began = time.monotonic()
    stage = Stage(cluster, admin, clock)
    history = History(admin, clock)
    await history.begin()
    following = asyncio.create_task(history.follow())
    try:
        await judge_in_time_of(clock, admin)
        await asyncio.to_thread(stage.start_operator, FIRST)
        await admin.create(pool(size, clock.base))
        await stage.play(scenario(size, clock.base))
        await clock.sleep_until(clock.base + size.length)
        await _close(admin)
        stuck = await _all_over(admin)
        async with asyncio.timeout(_CLOSING_SECONDS):
            await history.catch_up()
    finally:
        following.cancel()
        for name in list(stage.ports):
            await asyncio.to_thread(stage.kill_operator, name)
    events = history.in_order()
    world, book = judge(events, size, clock.base)
    records = (await admin.list(kinds.LEASE_RECORD))["items"]
    judge_ledger(records, world, book, clock.now())
    await _left(admin, book, clock.now(), stuck)
    complaints, errors = _complaints(stage)
    words = f"{len(errors)} lines, the first is: {errors[0] if errors else ''}"
    book.check("no error in the operator's log", clock.now(), holds=not errors, otherwise=words)
    return Day(size, world, book, len(events), records, complaints, stage, time.monotonic() - began, errors)


async def _close(admin: Client) -> None:
    """The day is over: whoever is still there gives back."""
    for lease in (await admin.list(kinds.GPU_LEASE))["items"]:
        if (lease.get("status") or {}).get("phase") not in {"Ended", "Refused"}:
            await admin.patch(kinds.GPU_LEASE, lease["metadata"]["name"], {"spec": {"release": True}})


async def _all_over(admin: Client) -> list[str]:
    """Wait until every lease has ended; those that have not in good time."""
    deadline = time.monotonic() + _CLOSING_SECONDS
    while True:
        leases = (await admin.list(kinds.GPU_LEASE))["items"]
        over = {"Ended", "Refused"}
        left = [le["metadata"]["name"] for le in leases if (le.get("status") or {}).get("phase") not in over]
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(1)


async def _left(admin: Client, book: Book, at: datetime, stuck: list[str]) -> None:
    """At the end of the day everything is given back."""
    words = f"{len(stuck)} leases, {', '.join(stuck[:5])}"
    book.check("no lease is stuck in a phase", at, holds=not stuck, otherwise=words)
    nodes = [facts.node(raw) for raw in (await admin.list(kinds.NODE))["items"]]
    claimed = sum(node.lease is not None or node.uid is not None or node.taint is not None for node in nodes)
    book.check("no claim and no taint is left", at, holds=not claimed, otherwise=f"{claimed} nodes")
    for kind in kinds.CHILDREN:
        if kind.optional:
            continue
        found = (await admin.list(kind, labelSelector=f"{naming.LEASE},{naming.LEASE_UID}"))["items"]
        names = ", ".join(raw["metadata"]["name"] for raw in found[:5])
        book.check(f"no {kind.kind} is left", at, holds=not found, otherwise=names)
    seen = await admin.get(kinds.GPU_POOL, POOL)
    await admin.delete(kinds.GPU_POOL, POOL, uid=seen["metadata"]["uid"])


def _complaints(stage: Stage) -> tuple[Counter[str], list[str]]:
    found: Counter[str] = Counter()
    errors = []
    for line in _log(stage):
        match = _LINE.search(line)
        if match is None:
            continue
        if match[1] != "WARNING":
            errors.append(line)
        found[f"{match[1]} {re.sub(r'[0-9][0-9TZ:.+-]*', 'N', match[2])[:200]}"] += 1
    return found, errors


def _log(stage: Stage) -> Iterator[str]:
    for name in stage.ports:
        yield from stage.operator(name).log.read_text(errors="replace").splitlines()
