"""The ledger at the end of the day: one record for every lease that was held, for exactly what it held."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hack.day import facts
from hack.day.judges.bench import Book, World

Raw = dict[str, Any]


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
            _rows(lease, theirs[0]["rows"], book, at)
    for uid in found:
        book.check("no record of a lease that nobody saw", at, holds=False, otherwise=uid)


def _rows(lease: facts.Lease, rows: Iterable[Raw], book: Book, at: datetime) -> None:
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
    spans = ((o, min(o.end or until, until)) for o in lease.outages)
    wanted = Counter(
        (o.start, end, -o.gpus * int((end - o.start).total_seconds())) for o, end in spans if end > o.start
    )
    got = Counter(
        (datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"]), row["gpuSeconds"])
        for row in credited
        if row not in notice
    )
    words = f"{lease.name}: {got} instead of {wanted}"
    book.check("every outage is credited", at, holds=got == wanted, otherwise=words)
