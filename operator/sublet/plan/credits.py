"""What a tenant gets back: a late start, time without a node, and notice that the owner did not give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sublet.api.lease import EarlyEndReason, GPULease
from sublet.api.record import Row, RowKind
from sublet.api.scalars import format_duration
from sublet.plan.healing import missed_seconds, outages_of
from sublet.plan.observed import NodeSeen
from sublet.plan.status import gpu_seconds
from sublet.plan.translate import amount_of

PROMPT: Final = timedelta(minutes=1)
"""How long the start of a lease may take without a credit: to claim nodes and to put up guards takes seconds."""

_ROWS: Final = 200
"""So many outages have a row of their own in a record."""


@dataclass(frozen=True)
class _Credit:
    """Time to give back, of `nodes` nodes with `gpus` GPUs, which makes `seconds` GPU-seconds."""

    start: datetime
    end: datetime
    nodes: int
    gpus: int
    seconds: int
    reason: str


def credits_of(lease: GPULease, ended: datetime, nodes: Mapping[str, NodeSeen | None]) -> tuple[Row, ...]:
    """The credits that close a lease which ended at `ended`. No GPU-second is given back twice, and no more than used.

    Args:
        lease: The lease.
        ended: When it ended.
        nodes: Its nodes as they are seen now; None for one that is gone.
    """
    left, seconds, rows = gpu_seconds(lease, ended) or 0, 0, []
    for credit in _credits(lease, ended, nodes):
        given = min(credit.seconds, left - seconds)
        if given > 0:
            rows.append(_row(lease, replace(credit, seconds=given), before=seconds))
            seconds += given
    return tuple(rows)


def _credits(lease: GPULease, ended: datetime, nodes: Mapping[str, NodeSeen | None]) -> Iterator[_Credit]:
    short = _missing_notice(lease, ended)
    until = short.start if short is not None else ended
    late = _late_start(lease, until)
    if late is not None:
        yield late
    yield from _outages(lease, nodes, late.end if late is not None else None, until)
    if short is not None:
        yield short


def _late_start(lease: GPULease, until: datetime) -> _Credit | None:
    """The time from the start until everything was in place, if that was not prompt."""
    start, ready = lease.status.starts_at, lease.status.ready_at or lease.status.active_at
    end = min(ready or until, until)
    if start is None or (ready is not None and end - start <= PROMPT):
        return None
    return _of_all(lease, start, end, "not everything was in place")


def _outages(
    lease: GPULease, nodes: Mapping[str, NodeSeen | None], since: datetime | None, until: datetime
) -> Iterator[_Credit]:
    """The time without a node, behind a late start that ended at `since`."""
    start = since or lease.status.starts_at or until
    found = sorted(outages_of(lease, nodes, until), key=lambda o: (o.start, o.node))
    missed = [outage for outage in found if missed_seconds(outage, start, until)]
    for outage in missed[:_ROWS]:
        reason = f"the node {outage.node} was not to be had"
        begun, end = max(outage.start, start), min(outage.end or until, until)
        yield _Credit(begun, end, 1, outage.gpus, missed_seconds(outage, start, until), reason)
    more = sum(missed_seconds(outage, start, until) for outage in missed[_ROWS:])
    more += lease.status.unlisted_outage_gpu_seconds
    if more:
        yield replace(_of_all(lease, start, until, "nodes were not to be had at times"), seconds=more)


def _missing_notice(lease: GPULease, ended: datetime) -> _Credit | None:
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
    return _of_all(lease, start, ended, reason)


def _of_all(lease: GPULease, start: datetime, end: datetime, reason: str) -> _Credit:
    gpus = lease.status.gpus or 0
    return _Credit(start, end, lease.status.node_count or 0, gpus, gpus * int((end - start).total_seconds()), reason)


def _row(lease: GPULease, credit: _Credit, *, before: int) -> Row:
    """A credit as a row; `before` are the GPU-seconds of those before it, so that cents add up to those of the sum."""
    quote = lease.status.quote
    amount = None
    if quote is not None:
        price = quote.price_per_gpu_hour
        amount = amount_of(before, price) - amount_of(before + credit.seconds, price)
    return Row(
        kind=RowKind.CREDIT,
        start=credit.start,
        end=credit.end,
        nodes=credit.nodes,
        gpus=credit.gpus,
        gpu_seconds=-credit.seconds,
        currency=quote.currency if quote else None,
        price_per_gpu_hour=quote.price_per_gpu_hour if quote else None,
        amount=amount,
        reason=credit.reason,
    )
