"""The report of a day, as it is printed."""

import statistics
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from hack.day.day import Day
from hack.day.facts import Lease

_MOST = 40


def tell(day: Day) -> None:
    """Print what was seen."""
    size, book = day.size, day.book
    print(
        f"{size.leases} leases on {size.nodes} nodes, {size.hours:g} h, {size.factor} s of it in one, seed {size.seed}"
    )
    print(f"  took {day.real_seconds:.0f} s; {day.events} changes judged")
    present = {*day.world.present.values()}
    outcomes = Counter(_outcome(lease, gone=uid not in present) for uid, lease in day.world.leases.items())
    for outcome, count in outcomes.most_common():
        print(f"  {count:6} leases {outcome}")
    _sold(day)
    _operator(day)
    print(
        "  late by                                            p50        p99      worst, of the day (and real seconds)"
    )
    for what, seconds in sorted(book.late.items()):
        print(f"    {what:<40}{_quantiles(seconds, size.factor)}  {len(seconds)} times")
    print("  excused")
    for what, count in book.excused.most_common():
        print(f"    {count:6} {what}")
    for what, count in day.stage.refused.most_common():
        print(f"    {count:6} edits refused by the API server: {what}")
    print("  lines in the operators' logs from warnings up")
    for line, count in day.complaints.most_common(_MOST):
        print(f"    {count:6} {line}")
    print("  rules, and how often each was checked")
    for rule, count in sorted(book.checked.items()):
        print(f"    {count:8} {rule}")
    print(f"  violations: {len(book.violations)}")
    for words in book.violations[:_MOST]:
        print(f"    {words}")
    print(flush=True)


def _outcome(lease: Lease, *, gone: bool) -> str:
    if lease.starts_at is None:
        return "refused" if lease.phase == "Refused" else "given back while they waited"
    if lease.ended_at is None and gone:
        return "deleted before they began"
    if lease.ended_at is None:
        return f"that did not end ({lease.phase})"
    if lease.ended_at <= lease.starts_at:
        return "given back before they began"
    early = lease.early or {}
    if early.get("reason") == "Reclaimed":
        return "taken back by the owner"
    if lease.deleting or lease.spec.get("release"):
        return "given back early"
    return "that filled a gap" if early else "that ran to their end"


def _sold(day: Day) -> None:
    rows = [row for record in day.records for row in record["spec"]["rows"]]
    hours = {kind: sum(row["gpuSeconds"] for row in rows if row["kind"] == kind) / 3600 for kind in ("Usage", "Credit")}
    amount = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    usage = (row for row in rows if row["kind"] == "Usage")
    node_seconds = sum(row["nodes"] * row["gpuSeconds"] / row["gpus"] for row in usage)
    share = node_seconds / (day.size.nodes * day.size.length.total_seconds())
    sold = f"sold {hours['Usage']:.0f} GPU-hours, {share:.0%} of the pool"
    print(f"  {sold}; credited {-hours['Credit']:.1f}, for {amount} EUR")


def _operator(day: Day) -> None:
    memory = max(peak for peak, _ in day.stage.footprints)
    cpu = sum(seconds for _, seconds in day.stage.footprints)
    requests, leases = day.stage.requests, day.size.leases
    print(f"  operators: {memory:.0f} MiB at most, {cpu:.0f} s of CPU, {cpu / leases * 1000:.0f} ms a lease")
    print(f"  API requests a lease: {requests['write'] / leases:.1f} writes, {requests['read'] / leases:.1f} reads")


def _quantiles(seconds: Sequence[float], factor: int) -> str:
    ordered = sorted(seconds)
    chosen = (statistics.median(ordered), ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)], ordered[-1])
    return "".join(f"{value:8.0f} ({value / factor:5.1f})" for value in chosen)
