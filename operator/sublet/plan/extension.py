"""A change of the end of a booked lease: shortened at once, extended if the same nodes are free, else answered."""

from datetime import datetime
from typing import Any

from sublet.api.lease import Answer, Extension, GPULease
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_duration, format_timestamp
from sublet.calendar.allocator import longest_extension
from sublet.calendar.ledger import Booking, Ledger
from sublet.plan.translate import promise
from sublet.policy.times import wanted_end

Raw = dict[str, Any]


def answer(lease: GPULease, booking: Booking, pool: GPUPool, promised: Ledger, now: datetime) -> Raw | None:
    """The change of status that answers what the lease asks for; None if nothing is to change.

    Once the end has come, or the lease was given back, there is no way back: nothing is changed any more.
    """
    status = lease.status
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    assert status.ends_at is not None  # noqa: S101 - the lease is booked
    given_back = lease.spec.release or lease.metadata.deletion_timestamp is not None
    if given_back or status.ended_at is not None or now >= status.ends_at:
        return None
    wanted = wanted_end(lease.spec, status.starts_at)
    if wanted < status.ends_at:
        return _moved(lease, pool, max(wanted, now, status.starts_at))
    if wanted == status.ends_at:
        return None
    objection, feasible = _objection(lease, booking, pool, promised, wanted, now)
    if objection is None:
        granted = Extension(requested_end=wanted, answer=Answer.GRANTED, message="")
        return {**_moved(lease, pool, wanted), "extension": granted.dump()}
    later = feasible if feasible is not None and feasible > status.ends_at else None
    refused = Extension(requested_end=wanted, answer=Answer.REFUSED, feasible_end=later, message=objection)
    return None if refused == status.extension else {"extension": {"feasibleEnd": None, **refused.dump()}}


def _objection(
    lease: GPULease, booking: Booking, pool: GPUPool, promised: Ledger, wanted: datetime, now: datetime
) -> tuple[str | None, datetime | None]:
    """Why the end cannot move to `wanted`, with the latest end that could be had."""
    spec, terms = lease.spec, pool.spec.terms
    starts_at, ends_at = booking.interval.start, booking.interval.end
    field = "spec.end" if spec.end is not None else "spec.duration"
    if spec.extendable_until is None:
        return (
            f"{field}: the lease cannot be extended, because it was made without spec.extendableUntil",
            None,
        )
    if now > ends_at - terms.extend_latest:
        latest = format_duration(terms.extend_latest)
        return f"{field}: too late; the pool takes extensions until {latest} before the end", None
    limit = spec.extendable_until
    if terms.longest_total is not None:
        limit = min(limit, starts_at + terms.longest_total)
    feasible = longest_extension(booking, min(wanted, limit), promised)
    if feasible >= wanted:
        return None, wanted
    if wanted > limit:
        why = "further than spec.extendableUntil and the pool's terms let it reach"
    else:
        why = "the same nodes are booked for somebody else by then"
    return f"{field}: {why}; the latest end to be had is {format_timestamp(feasible)}", feasible


def _moved(lease: GPULease, pool: GPUPool, end: datetime) -> Raw:
    status = lease.status
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    return promise(lease, pool, status.starts_at, end, status.gpus or 0)
