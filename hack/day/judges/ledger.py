"""The ledger at the end of the day: one record for every lease that was held, for exactly what it held."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from hack.day import facts
from hack.day.judges.bench import Book, World
from sublet.plan.credits import PROMPT

Raw = dict[str, Any]

_NODE, _AWAY = "the node ", " was not to be had"


class Credit(NamedTuple):
    """A row that gives time back: why, from when to when, and GPU-seconds, which are negative."""

    reason: str
    start: datetime
    end: datetime
    seconds: int


def judge_ledger(records: Iterable[Raw], world: World, book: Book, at: datetime) -> None:
    """Hold the records against what the leases last said."""
    found: defaultdict[str, list[Raw]] = defaultdict(list)
    for record in records:
        found[record["spec"]["leaseUID"]].append(record["spec"])
    for lease in world.leases.values():
        theirs = found.pop(lease.uid, [])
        held = lease.starts_at is not None and lease.ended_at is not None and lease.ended_at > lease.starts_at
        words = f"{lease.name} has {len(theirs)}"
        book.check("one record for each lease that was held", at, holds=len(theirs) == held, otherwise=words)
        if held and theirs:
            _rows(lease, theirs[0]["rows"], world, book, at)
    for uid in found:
        book.check("no record of a lease that nobody saw", at, holds=False, otherwise=uid)


def _rows(lease: facts.Lease, rows: Iterable[Raw], world: World, book: Book, at: datetime) -> None:
    assert lease.starts_at is not None  # noqa: S101 - it was held
    assert lease.ended_at is not None  # noqa: S101 - it was held
    usage = [row for row in rows if row["kind"] == "Usage"]
    seconds = lease.gpus * int((lease.ended_at - lease.starts_at).total_seconds())
    exact = [row["gpuSeconds"] for row in usage] == [seconds]
    words = f"{lease.name}: {[row['gpuSeconds'] for row in usage]}, not {seconds}"
    book.check("usage is GPUs times the time held", at, holds=exact, otherwise=words)
    credited = [row for row in rows if row["kind"] == "Credit"]
    notice = [row for row in credited if row["reason"].startswith("reclaimed")]
    until = min([lease.ended_at, *(datetime.fromisoformat(row["start"]) for row in notice)])
    _credits(lease, [row for row in credited if row not in notice], until, world, book, at)


def _credits(lease: facts.Lease, rows: Iterable[Raw], until: datetime, world: World, book: Book, at: datetime) -> None:
    """A late start and outages up to `until`. What the status does not tell of an outage, the node's history must."""
    wanted, lasting = _wanted(lease, until)
    got: Counter[Credit] = Counter()
    for row in rows:
        start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
        credit = Credit(row["reason"], start, end, row["gpuSeconds"])
        node = credit.reason.removeprefix(_NODE).removesuffix(_AWAY)
        is_unseen = credit not in wanted and node in lease.nodes and end <= until and world.was_unsound(node, start)
        if lasting.get((credit.reason, start), start) >= end:
            # Its end was found when the lease was over: the node came back, or the lease ended first.
            del lasting[credit.reason, start]
        elif not is_unseen:
            got[credit] += 1
    words = f"{lease.name}: {got} instead of {wanted}, and without {lasting}"
    holds = got == wanted and not lasting
    book.check("a late start and every outage are credited", at, holds=holds, otherwise=words)


def _wanted(lease: facts.Lease, until: datetime) -> tuple[Counter[Credit], dict[tuple[str, datetime], datetime]]:
    """The credits that follow from a status; and of the outages that lasted, reason and start with the latest end."""
    assert lease.starts_at is not None  # noqa: S101 - it was held
    ready = min(lease.ready_at or until, until)
    is_late = ready - lease.starts_at > PROMPT
    since = ready if is_late else lease.starts_at
    wanted = Counter([_credit("not everything was in place", lease.starts_at, ready, lease.gpus)] if is_late else [])
    lasting = {}
    for outage in lease.outages:
        start, end, reason = max(outage.start, since), min(outage.end or until, until), f"{_NODE}{outage.node}{_AWAY}"
        if end > start and outage.end is None:
            lasting[reason, start] = end
        elif end > start:
            wanted[_credit(reason, start, end, outage.gpus)] += 1
    return wanted, lasting


def _credit(reason: str, start: datetime, end: datetime, gpus: int) -> Credit:
    return Credit(reason, start, end, -gpus * int((end - start).total_seconds()))
