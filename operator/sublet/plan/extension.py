"""A change of the end of a booked lease: shortened at once, extended if the same nodes are free, else answered.

A change is judged as of when it was written, so that an operator that was down decides as it would have then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.api.lease import Answer, EarlyEndReason, Extension, GPULease
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_duration, format_timestamp
from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.obstacles import Obstacle, obstacle
from sublet.plan.translate import promise
from sublet.policy.times import booked_end, furthest_end

Raw = dict[str, Any]

_IN_THE_WAY = {
    Obstacle.BOOKED: "the same nodes are promised to somebody else by then",
    Obstacle.PLANNED: "a lease that waits in the queue is to have the nodes by then",
    Obstacle.KEPT: "the owner needs the nodes by then",
}


@dataclass(frozen=True)
class Sale:
    """What extensions are granted from.

    Attributes:
        pool: The pool.
        calendar: All that is booked, and planned for those who wait: an extension delays none of them.
        waiting: The names of those who wait.
        closed: Why the pool sells nothing now; None if it does. Nobody is in the calendar who waits for that, so
            nobody may be served before them.
    """

    pool: GPUPool
    calendar: Calendar
    waiting: Collection[str]
    closed: str | None


def asked_at(lease: GPULease, now: datetime) -> datetime:
    """When the lease's times were last written, by the API server's clock; `now` if not known or if it lies ahead."""
    return min(lease.metadata.times_written_at or now, now)


def is_unanswered(lease: GPULease, now: datetime) -> bool:
    """Whether a later end was asked for in time and has no answer yet: until it has one, the lease is not over."""
    status = lease.status
    if lease.spec.extendable_until is None or status.starts_at is None or status.ends_at is None:
        return False
    wanted = booked_end(lease)
    answered = status.extension is not None and status.extension.requested_end == wanted
    in_time = wanted > status.ends_at and asked_at(lease, now) < status.ends_at
    return in_time and not answered and not _is_settled(lease) and status.early_end is None


def answer(lease: GPULease, booking: Booking, sale: Sale, now: datetime) -> Raw | None:
    """The change of status that answers what the lease asks for; None if nothing is to change.

    An extension that is granted is booked in the calendar. Once the end has come, or the lease was given back, there is
    no way back: nothing is changed any more.
    """
    status = lease.status
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    assert status.ends_at is not None  # noqa: S101 - the lease is booked
    if _is_settled(lease) or (now >= status.ends_at and not is_unanswered(lease, now)):
        return None
    wanted = booked_end(lease)
    if wanted < status.ends_at:
        # What was answered before was about another end: asked for again, it is a new request.
        shorter = _moved(lease, sale.pool, max(wanted, asked_at(lease, now), status.starts_at))
        return {**shorter, "extension": None} if status.extension is not None else shorter
    if wanted == (status.early_end.asked_end if status.early_end is not None else status.ends_at):
        return None
    if booking not in sale.calendar.of(lease.metadata.name):
        # It may be moved to other nodes for somebody who waits: answered once that is settled, before it begins.
        return None
    objection, feasible = _objection(lease, booking, sale, wanted, now)
    if objection is None:
        sale.calendar.extend(booking, wanted)
        granted = Extension(requested_end=wanted, answer=Answer.GRANTED, message="")
        return {**_moved(lease, sale.pool, wanted), "extension": {"feasibleEnd": None, **granted.dump()}}
    later = feasible if feasible is not None and feasible > status.ends_at else None
    refused = Extension(requested_end=wanted, answer=Answer.REFUSED, feasible_end=later, message=objection)
    return None if refused == status.extension else {"extension": {"feasibleEnd": None, **refused.dump()}}


def _is_settled(lease: GPULease) -> bool:
    """Whether the lease was given back or has ended."""
    given_back = lease.spec.release or lease.metadata.deletion_timestamp is not None
    return given_back or lease.status.ended_at is not None


def _objection(
    lease: GPULease, booking: Booking, sale: Sale, wanted: datetime, now: datetime
) -> tuple[str | None, datetime | None]:
    """Why the end cannot move to `wanted`, with the latest end that could be had."""
    spec, status, terms = lease.spec, lease.status, sale.pool.spec.terms
    # The booking of a lease whose end has passed unanswered reaches to now; the terms are about the contract's end.
    ends_at = status.ends_at
    assert ends_at is not None  # noqa: S101 - the lease is booked
    field = "spec.end" if spec.end is not None else "spec.duration"
    if status.early_end is not None:
        if status.early_end.reason is EarlyEndReason.RECLAIMED:
            return f"{field}: the owner takes the nodes back at {format_timestamp(ends_at)}", None
        return f"{field}: the lease fills a gap, and its nodes are booked for others after it", None
    if spec.extendable_until is None:
        return (
            f"{field}: the lease cannot be extended, because it was made without spec.extendableUntil",
            None,
        )
    answered = status.extension is not None and status.extension.requested_end == wanted
    if (now if answered else asked_at(lease, now)) > ends_at - terms.extend_latest:
        latest = format_duration(terms.extend_latest)
        return f"{field}: too late; the pool takes extensions until {latest} before the end", None
    if sale.closed is not None:
        return f"{field}: the pool {sale.pool.metadata.name} is not accepted: {sale.closed}", None
    limit = furthest_end(lease, sale.pool)
    feasible = sale.calendar.longest_extension(booking, min(wanted, limit))
    if feasible >= wanted:
        return None, wanted
    if feasible >= limit:
        why = "further than spec.extendableUntil and the pool's terms let it reach"
    else:
        why = _IN_THE_WAY[obstacle(booking, feasible, sale.calendar, sale.waiting)]
    return f"{field}: {why}; the latest end to be had is {format_timestamp(feasible)}", feasible


def _moved(lease: GPULease, pool: GPUPool, end: datetime) -> Raw:
    status = lease.status
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    return promise(lease, pool, status.starts_at, end, status.gpus or 0)
