"""The rules about time: start, end and duration against the clock and the pool's terms."""

from datetime import datetime, timedelta

from sublet.api.lease import GPULease, GPULeaseSpec, Term
from sublet.api.pool import GPUPool
from sublet.api.reasons import ConditionType, Reason
from sublet.api.scalars import format_duration, format_timestamp
from sublet.policy.chain import Input, Verdict

LATE = timedelta(minutes=1)
"""How far a start may lie behind the moment of writing: people and clocks are not exact, and planning takes time."""


AT_ONCE = timedelta(days=366)
"""By how much one extension may move an end, if the pool sells nothing longer. Every pass goes through all windows of
the owner up to the last end, and decades of them would keep everybody waiting."""


FURTHEST_STOP = timedelta(days=68 * 365 + 17)
"""How far the hard stop may lie behind the start: 68 years with their leap days. The API server takes a pod's
`activeDeadlineSeconds` up to 2^31 - 1, which is 18 days more. An end needs no such bound: no `terms.maxDuration` can be
that long."""


def written_at(lease: GPULease, now: datetime) -> datetime:
    """When the times of the lease were last written, by the API server's clock; never later than `now`."""
    return min(_noted(lease) or now, now)


def _noted(lease: GPULease) -> datetime | None:
    return lease.metadata.times_written_at or lease.metadata.creation_timestamp


def fixed_start(spec: GPULeaseSpec) -> datetime | None:
    """The start as the tenant fixed it, given or as `end` less `duration`; None for as soon as possible."""
    if spec.start is None and spec.end is not None and spec.duration is not None:
        return spec.end - spec.duration
    return spec.start


def wanted_end(spec: GPULeaseSpec, starts_at: datetime) -> datetime:
    """The end as the tenant wants it, for a lease that is to start at `starts_at`."""
    if spec.end is not None:
        return spec.end
    assert spec.duration is not None  # noqa: S101 - the schema asks for one of the two
    return (starts_at if spec.start is None or is_flexible(spec) else spec.start) + spec.duration


def missed_start(spec: GPULeaseSpec, starts_at: datetime) -> datetime | None:
    """The fixed start that a lease which starts at `starts_at` comes too late for; None if it is in time."""
    start = fixed_start(spec)
    return start if start is not None and start < starts_at and not is_flexible(spec) else None


def booked_end(lease: GPULease) -> datetime:
    """The end as the tenant wants it, for a lease that is booked.

    It follows from the booking: what the specification says of the start is settled, and can move the end no more.
    """
    spec, status = lease.spec, lease.status
    if spec.end is not None:
        return spec.end
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    assert spec.duration is not None  # noqa: S101 - the schema asks for one of the two
    return (status.asked_start or status.starts_at) + spec.duration


def furthest_end(lease: GPULease, pool: GPUPool) -> datetime:
    """The latest end that a booked lease can be extended to now; no further are the owner's windows looked at."""
    status, terms = lease.status, pool.spec.terms
    assert status.starts_at is not None  # noqa: S101 - the lease is booked
    assert status.ends_at is not None  # noqa: S101 - the lease is booked
    limits = [status.ends_at + max(terms.max_duration, AT_ONCE)]
    if lease.spec.extendable_until is not None:
        limits.append(lease.spec.extendable_until)
    if terms.longest_total is not None:
        limits.append(status.starts_at + terms.longest_total)
    return min(limits)


def is_flexible(spec: GPULeaseSpec) -> bool:
    """Whether the lease may start later than `start`."""
    return spec.latest_start is not None


def fixed_end(spec: GPULeaseSpec) -> datetime | None:
    """The end that does not depend on when the lease starts; None if it moves with the start."""
    return spec.end if spec.start is None or is_flexible(spec) else wanted_end(spec, spec.start)


def shortest_worth_booking(lease: GPULease, pool: GPUPool) -> timedelta:
    """How much must be left of a lease for it to be booked; nothing if only its full length is.

    Of one whose end stays where it is, less is left the later it starts, and an interruptible one as soon as possible
    may fill a gap. What the pool would not sell, or drains at once, is worth nothing, unless it is as good as all that
    was asked for.
    """
    spec = lease.spec
    least = max(pool.spec.terms.min_duration, pool.spec.schedule.drain_before + LATE)
    if fixed_end(spec) is None:
        fills_gaps = spec.term is Term.INTERRUPTIBLE and fixed_start(spec) is None
        return least if fills_gaps else timedelta()
    start = fixed_start(spec) or _noted(lease)
    asked = least if start is None else wanted_end(spec, start) - start
    return max(min(least, asked - LATE), timedelta())


def _length(given: Input) -> timedelta:
    """The length as it was asked for; what is left of it later is the planner's to judge."""
    start = fixed_start(given.lease.spec) or written_at(given.lease, given.now)
    return wanted_end(given.lease.spec, start) - start


def _start_written_at(given: Input) -> datetime:
    """When the start was written; one that follows from the end is written with that."""
    return written_at(given.lease, given.now) if given.lease.spec.start is None else _stands_since(given)


def _stands_since(given: Input) -> datetime:
    """When that was written which stands while the lease is accepted, whatever else is written."""
    accepted = ConditionType.ACCEPTED.value, "True"
    since = [c.last_transition_time for c in given.lease.status.conditions if (c.type, c.status) == accepted]
    return min([written_at(given.lease, given.now), *since])


def _length_field(spec: GPULeaseSpec) -> str:
    return "spec.duration" if spec.duration is not None else "spec.end"


def _pool(given: Input) -> GPUPool:
    assert given.pool is not None  # noqa: S101 - the chain asks for the pool first
    return given.pool


def end_is_ahead(given: Input) -> Verdict | None:
    """The end must not have passed."""
    spec = given.lease.spec
    end = wanted_end(spec, spec.latest_start or fixed_start(spec) or given.now)
    if end > given.now:
        return None
    field = "spec.end" if spec.end is not None else "spec.start"
    return Verdict(
        Reason.INVALID_SPEC,
        f"{field}: the lease would have ended at {format_timestamp(end)}; give a later time",
    )


def start_is_ahead(given: Input) -> Verdict | None:
    """The last start that will do must not have passed when it was asked for; one missed since then is caught up."""
    spec = given.lease.spec
    start = spec.latest_start or fixed_start(spec)
    if start is None or start >= _start_written_at(given) - LATE:
        return None
    field = "spec.latestStart" if is_flexible(spec) else "spec.start"
    return Verdict(
        Reason.INVALID_SPEC,
        f"{field}: {format_timestamp(start)} had passed when the lease was written; "
        "give a later time, or leave it out to start as soon as possible",
    )


def within_duration(given: Input) -> Verdict | None:
    """The length must lie within the pool's terms."""
    terms, length = _pool(given).spec.terms, _length(given)
    field = _length_field(given.lease.spec)
    if length < terms.min_duration:
        least = format_duration(terms.min_duration)
        return Verdict(Reason.OUTSIDE_TERMS, f"{field}: shorter than the {least} that the pool sells at least")
    if length > terms.max_duration:
        most = format_duration(terms.max_duration)
        return Verdict(Reason.OUTSIDE_TERMS, f"{field}: longer than the {most} that the pool sells at most")
    return None


def longer_than_draining(given: Input) -> Verdict | None:
    """Something must be left of the lease when draining begins."""
    drain = _pool(given).spec.schedule.drain_before
    if _length(given) > drain:
        return None
    return Verdict(
        Reason.OUTSIDE_TERMS,
        f"{_length_field(given.lease.spec)}: must be longer than the {format_duration(drain)} "
        "for which the pool drains a lease before its end",
    )


def within_lead_time(given: Input) -> Verdict | None:
    """A fixed start must leave the owner the lead time, counted from when that was written."""
    lead, start = _pool(given).spec.terms.lead_time, fixed_start(given.lease.spec)
    earliest = _start_written_at(given) + lead
    if not lead or (start is not None and start >= earliest):
        return None
    return Verdict(
        Reason.OUTSIDE_TERMS,
        f"spec.start: the pool wants {format_duration(lead)} of lead time; give {format_timestamp(earliest)} or later",
    )


def within_horizon(given: Input) -> Verdict | None:
    """A fixed start must not lie beyond the pool's booking horizon, nor the latest one of a flexible start."""
    horizon, spec = _pool(given).spec.terms.horizon, given.lease.spec
    start = spec.latest_start or fixed_start(spec)
    if start is None or start <= given.now + horizon:
        return None
    field = "spec.latestStart" if is_flexible(spec) else "spec.start"
    return Verdict(
        Reason.OUTSIDE_TERMS,
        f"{field}: further ahead than the {format_duration(horizon)} for which the pool sells; give an earlier time",
    )


def within_total(given: Input) -> Verdict | None:
    """Neither the lease as it is written nor its extensions may reach beyond the longest total of the pool."""
    total, spec = _pool(given).spec.terms.longest_total, given.lease.spec
    if total is None:
        return None
    most = format_duration(total)
    if _length(given) > total:
        return Verdict(
            Reason.OUTSIDE_TERMS,
            f"{_length_field(spec)}: longer than the {most} that the pool lets a lease last in all",
        )
    if spec.extendable_until is None or spec.extendable_until <= (fixed_start(spec) or given.now) + total:
        return None
    return Verdict(
        Reason.OUTSIDE_TERMS,
        f"spec.extendableUntil: the pool lets a lease last {most} in all; give an earlier time",
    )


def extensions_begin_at_the_end(given: Input) -> Verdict | None:
    """What a lease may be extended to must not lie before its end, as that was to be when it was written."""
    spec = given.lease.spec
    end = wanted_end(spec, fixed_start(spec) or _stands_since(given))
    if spec.extendable_until is None or spec.extendable_until >= end - LATE:
        return None
    return Verdict(
        Reason.INVALID_SPEC,
        f"spec.extendableUntil: before {format_timestamp(end)}, the earliest end of the lease; "
        "give a later time, or leave it out",
    )


def hard_stop_fits_pods(given: Input) -> Verdict | None:
    """Every pod gets the seconds that are left until the hard stop as its deadline, and there must be room for them."""
    until = given.lease.spec.extendable_until
    start = fixed_start(given.lease.spec) or given.now
    if until is None or until <= start + FURTHEST_STOP:
        return None
    return Verdict(
        Reason.INVALID_SPEC,
        "spec.extendableUntil: more than 68 years after the start, and no pod's deadline can be that far away; "
        "give an earlier time",
    )
