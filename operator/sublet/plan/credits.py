"""What a tenant gets back: time without a node, and notice that the owner did not give."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sublet.api.lease import EarlyEndReason, GPULease
from sublet.api.record import Row, RowKind
from sublet.api.scalars import format_duration
from sublet.plan.translate import amount_of


def credits_of(lease: GPULease, ended: datetime) -> Iterator[Row]:
    """The credits that close a lease which ended at `ended`. No GPU-second is given back twice."""
    short = _missing_notice(lease, ended)
    until = short.start if short is not None else ended
    for outage in lease.status.outages:
        end = min(outage.end or until, until)
        if end > outage.start:
            reason = f"the node {outage.node} was not to be had"
            yield _credit(lease, outage.start, end, nodes=1, gpus=outage.gpus, reason=reason)
    if short is not None:
        yield short


def _missing_notice(lease: GPULease, ended: datetime) -> Row | None:
    """A credit for the part of the promised notice that was not given, as time before the end; None if all was."""
    status = lease.status
    early, promised = status.early_end, status.reclaim_notice
    if early is None or early.reason is not EarlyEndReason.RECLAIMED or promised is None or status.starts_at is None:
        return None
    # A tenant who leaves before the reclaimed end was given the notice all the same.
    given = timedelta(seconds=max(int((early.end - early.noticed_at).total_seconds()), 0))
    # Before its start a lease has been billed nothing that could be given back.
    start = max(ended - (promised - given), status.starts_at)
    if given >= promised or start >= ended:
        return None
    reason = f"reclaimed with {format_duration(given)} of the promised {format_duration(promised)} of notice"
    return _credit(lease, start, ended, nodes=status.node_count or 0, gpus=status.gpus or 0, reason=reason)


def _credit(lease: GPULease, start: datetime, end: datetime, *, nodes: int, gpus: int, reason: str) -> Row:
    quote = lease.status.quote
    seconds = gpus * int((end - start).total_seconds())
    return Row(
        kind=RowKind.CREDIT,
        start=start,
        end=end,
        nodes=nodes,
        gpus=gpus,
        gpu_seconds=-seconds,
        currency=quote.currency if quote else None,
        price_per_gpu_hour=quote.price_per_gpu_hour if quote else None,
        amount=-amount_of(seconds, quote.price_per_gpu_hour) if quote else None,
        reason=reason,
    )
