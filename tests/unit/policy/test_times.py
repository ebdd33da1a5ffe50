"""What the pool's terms say about start, end and length."""

from datetime import datetime, timedelta

import pytest

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.api.scalars import parse_duration
from sublet.policy.chain import Input
from sublet.policy.rules import judge
from sublet.policy.times import FURTHEST_STOP, fixed_start, wanted_end
from tests.builders import NOON, a_condition, a_lease, a_pool, at, with_status, written

PLAIN = a_pool()
PATIENT = a_pool(terms={"lead_time": "2h"})
SHORT = a_pool(terms={"min_duration": "2h", "max_duration": "1d"})
SLOW = a_pool(terms={"min_duration": "1m"}, schedule={"drain_before": "30m"})
NEAR = a_pool(terms={"horizon": "7d"})
BOUNDED = a_pool(terms={"longest_total": "10d"})


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        (a_lease(duration="8h"), None),
        (a_lease(end=at(8)), None),
        (a_lease(start=at(1), duration="8h"), at(1)),
        (a_lease(start=at(1), end=at(8)), at(1)),
        (a_lease(end=at(8), duration="2h"), at(6)),
    ],
)
def test_the_start_that_a_tenant_fixed(lease: GPULease, expected: datetime | None) -> None:
    """A start is fixed if it is written, or follows from an end and a duration."""
    assert fixed_start(lease.spec) == expected


@pytest.mark.parametrize(
    ("lease", "starts_at", "expected"),
    [
        (a_lease(duration="8h"), at(3), at(11)),
        (a_lease(end=at(8)), at(3), at(8)),
        (a_lease(start=at(1), duration="8h"), at(3), at(9)),
        (a_lease(end=at(8), duration="2h"), at(7), at(8)),
    ],
)
def test_the_end_that_a_tenant_wants(lease: GPULease, starts_at: datetime, expected: datetime) -> None:
    """A duration counts from the fixed start, also if the lease starts later; an end stands for itself."""
    assert wanted_end(lease.spec, starts_at) == expected


@pytest.mark.parametrize(
    ("lease", "pool"),
    [
        (a_lease(end=at(1)), PLAIN),
        (a_lease(start=at(0, -1), duration="8h"), PLAIN),
        (a_lease(start=at(-2), duration="8h", created=at(-2)), PLAIN),
        (a_lease(duration="2h"), SHORT),
        (a_lease(duration="1d"), SHORT),
        (a_lease(end=at(2)), SHORT),
        (a_lease(duration="31m"), SLOW),
        (a_lease(start=at(2)), PATIENT),
        (a_lease(start=at(1), created=at(-1)), PATIENT),
        (a_lease(start=at(7 * 24)), NEAR),
        (a_lease(duration="8h", extendable_until=at(10 * 24)), BOUNDED),
        (a_lease(start=at(24), extendable_until=at(11 * 24)), BOUNDED),
        (a_lease(duration="10d"), BOUNDED),
        (a_lease(start=at(24), end=at(11 * 24)), BOUNDED),
        (a_lease(extendable_until=at(9999)), PLAIN),
        (a_lease(extendable_until=at(24 * 24_837)), PLAIN),
        (a_lease(duration="8h", extendable_until=at(8)), PLAIN),
        (written(a_lease(duration="8h", extendable_until=at(8, -1)), NOON), PLAIN),
        (a_lease(start=at(1), latest_start=at(6), duration="8h", extendable_until=at(9)), PLAIN),
        (a_lease(start=at(24), extendable_until=at(24 + 24 * 24_837)), PLAIN),
    ],
    ids=[
        "an hour until the end",
        "a minute late",
        "missed since it was written",
        "shortest",
        "longest",
        "shortest by its end",
        "a minute longer than draining",
        "just the lead time",
        "lead time counts from the writing",
        "just the horizon",
        "just the longest total",
        "the longest total counts from the start",
        "just the longest total without extensions",
        "just the longest total without extensions by its end",
        "no longest total",
        "just what a pod's deadline can express",
        "just the end of the lease",
        "a minute before the end, as clocks are",
        "just the earliest end of the lease",
        "a pod's deadline counts from the start",
    ],
)
def test_what_lies_within_the_terms_can_be_had(lease: GPULease, pool: GPUPool) -> None:
    """Every bound belongs to what is allowed."""
    assert judge(Input(lease, pool, 8, 4, {}, NOON)) is None


@pytest.mark.parametrize(
    ("lease", "pool", "reason", "message"),
    [
        (
            a_lease(end=at(0)),
            PLAIN,
            "InvalidSpec",
            "spec.end: the lease would have ended at 2026-12-01T12:00:00Z; give a later time",
        ),
        (
            a_lease(start=at(-8), duration="8h", created=at(-9)),
            PLAIN,
            "InvalidSpec",
            "spec.start: the lease would have ended at 2026-12-01T12:00:00Z; give a later time",
        ),
        (
            a_lease(start=at(0, -1, -1), duration="8h"),
            PLAIN,
            "InvalidSpec",
            (
                "spec.start: 2026-12-01T11:58:59Z had passed when the lease was written; "
                "give a later time, or leave it out to start as soon as possible"
            ),
        ),
        (
            a_lease(end=at(6), duration="8h"),
            PLAIN,
            "InvalidSpec",
            (
                "spec.start: 2026-12-01T10:00:00Z had passed when the lease was written; "
                "give a later time, or leave it out to start as soon as possible"
            ),
        ),
        (
            a_lease(duration="1h59m59s"),
            SHORT,
            "OutsideTerms",
            "spec.duration: shorter than the 2h that the pool sells at least",
        ),
        (
            a_lease(start=at(1), end=at(2)),
            SHORT,
            "OutsideTerms",
            "spec.end: shorter than the 2h that the pool sells at least",
        ),
        (
            a_lease(duration="1d1s"),
            SHORT,
            "OutsideTerms",
            "spec.duration: longer than the 1d that the pool sells at most",
        ),
        (
            a_lease(end=at(25)),
            SHORT,
            "OutsideTerms",
            "spec.end: longer than the 1d that the pool sells at most",
        ),
        (
            a_lease(duration="30m"),
            SLOW,
            "OutsideTerms",
            "spec.duration: must be longer than the 30m for which the pool drains a lease before its end",
        ),
        (
            a_lease(start=at(2, 0, -1)),
            PATIENT,
            "OutsideTerms",
            "spec.start: the pool wants 2h of lead time; give 2026-12-01T14:00:00Z or later",
        ),
        (
            a_lease(),
            PATIENT,
            "OutsideTerms",
            "spec.start: the pool wants 2h of lead time; give 2026-12-01T14:00:00Z or later",
        ),
        (
            a_lease(start=at(7 * 24, 0, 1)),
            NEAR,
            "OutsideTerms",
            "spec.start: further ahead than the 7d for which the pool sells; give an earlier time",
        ),
        (
            a_lease(extendable_until=at(10 * 24, 0, 1)),
            BOUNDED,
            "OutsideTerms",
            "spec.extendableUntil: the pool lets a lease last 10d in all; give an earlier time",
        ),
        (
            a_lease(duration="10d1s"),
            BOUNDED,
            "OutsideTerms",
            "spec.duration: longer than the 10d that the pool lets a lease last in all",
        ),
        (
            a_lease(start=at(24), end=at(11 * 24, 0, 1)),
            BOUNDED,
            "OutsideTerms",
            "spec.end: longer than the 10d that the pool lets a lease last in all",
        ),
        (
            a_lease(duration="8h", extendable_until=at(-1)),
            PLAIN,
            "InvalidSpec",
            (
                "spec.extendableUntil: before 2026-12-01T20:00:00Z, the earliest end of the lease; "
                "give a later time, or leave it out"
            ),
        ),
        (
            a_lease(duration="8h", extendable_until=at(8, -1, -1)),
            PLAIN,
            "InvalidSpec",
            (
                "spec.extendableUntil: before 2026-12-01T20:00:00Z, the earliest end of the lease; "
                "give a later time, or leave it out"
            ),
        ),
        (
            a_lease(start=at(1), latest_start=at(6), duration="8h", extendable_until=at(8.5)),
            PLAIN,
            "InvalidSpec",
            (
                "spec.extendableUntil: before 2026-12-01T21:00:00Z, the earliest end of the lease; "
                "give a later time, or leave it out"
            ),
        ),
        (
            a_lease(extendable_until=at(24 * 24_837, 0, 1)),
            PLAIN,
            "InvalidSpec",
            (
                "spec.extendableUntil: more than 68 years after the start, and no pod's deadline can be that far away; "
                "give an earlier time"
            ),
        ),
    ],
)
def test_what_lies_outside_of_the_terms_is_refused(lease: GPULease, pool: GPUPool, reason: str, message: str) -> None:
    """One second too much or too little is refused, with the field, the bound and what to do."""
    verdict = judge(Input(lease, pool, 8, 4, {}, NOON))
    assert verdict is not None
    assert (verdict.reason.value, verdict.message) == (reason, message)


def test_no_lease_without_extensions_outlasts_a_pods_deadline() -> None:
    """The longest term that a pool can be given is shorter, so that the end itself needs no such bound."""
    assert parse_duration("9999d99999h9999999m99999999s") < FURTHEST_STOP < timedelta(seconds=2**31 - 1)


OLD = at(-48)
"""When the leases below were created; their times were written at noon."""


@pytest.mark.parametrize(
    ("lease", "pool", "message"),
    [
        (
            a_lease(start=at(1), created=OLD),
            PATIENT,
            "spec.start: the pool wants 2h of lead time; give 2026-12-01T14:00:00Z or later",
        ),
        (
            a_lease(end=at(9), duration="8h", created=OLD),
            PATIENT,
            "spec.start: the pool wants 2h of lead time; give 2026-12-01T14:00:00Z or later",
        ),
        (
            a_lease(start=at(-1), duration="8h", created=OLD),
            PLAIN,
            (
                "spec.start: 2026-12-01T11:00:00Z had passed when the lease was written; "
                "give a later time, or leave it out to start as soon as possible"
            ),
        ),
        (
            a_lease(end=at(1), created=OLD),
            SHORT,
            "spec.end: shorter than the 2h that the pool sells at least",
        ),
    ],
    ids=["lead time", "lead time of a start that follows", "start", "length"],
)
@pytest.mark.parametrize("waited", [timedelta(), timedelta(minutes=30)])
def test_an_old_lease_is_judged_by_when_its_times_were_written(
    lease: GPULease, pool: GPUPool, message: str, waited: timedelta
) -> None:
    """A refused lease that is edited days later gains nothing by its age, however late that is looked at."""
    verdict = judge(Input(written(lease, NOON), pool, 8, 4, {}, NOON + waited))
    assert verdict is not None
    assert verdict.message == message


@pytest.mark.parametrize(
    ("lease", "pool", "now"),
    [
        (a_lease(start=at(2), created=OLD), PATIENT, at(2)),
        (a_lease(start=at(0, -1), created=OLD), PLAIN, at(5)),
        (a_lease(end=at(2), created=OLD), SHORT, at(1.5)),
        (a_lease(end=at(24), created=OLD), SHORT, NOON),
    ],
    ids=["lead time", "start", "shortest", "longest"],
)
def test_what_was_fine_when_it_was_written_stays_so(lease: GPULease, pool: GPUPool, now: datetime) -> None:
    """An operator that was down meanwhile judges as it would have then."""
    assert judge(Input(written(lease, NOON), pool, 8, 4, {}, now)) is None


@pytest.mark.parametrize(
    ("lease", "accepted", "expected"),
    [
        (a_lease(start=at(1), created=OLD), "True", True),
        (a_lease(start=at(1), created=OLD), "False", False),
        (a_lease(end=at(9), duration="8h", created=OLD), "True", False),
    ],
    ids=["accepted", "refused", "a start that follows"],
)
def test_a_start_that_cannot_change_keeps_when_it_was_written(
    lease: GPULease, accepted: str, *, expected: bool
) -> None:
    """While a lease is accepted its start stands, so that letting in one more person does not cost the lead time."""
    known = with_status(written(lease, NOON), conditions=(a_condition("Accepted", accepted, since=at(-2)),))
    assert (judge(Input(known, PATIENT, 8, 4, {}, NOON)) is None) is expected


def test_a_queued_lease_is_judged_by_when_it_was_written() -> None:
    """A fixed start that passes while the lease waits is caught up, and does not turn into a fault."""
    lease = a_lease(start=at(1), duration="8h")
    for waited in (timedelta(), timedelta(hours=2), timedelta(hours=8)):
        assert judge(Input(lease, PLAIN, 8, 4, {}, NOON + waited)) is None


@pytest.mark.parametrize("waited", [timedelta(hours=1), timedelta(days=3)])
def test_a_lease_that_waits_past_what_it_may_be_extended_to_goes_on_waiting(waited: timedelta) -> None:
    """It fitted when it was written. Booked later, it ends later, and cannot be extended."""
    lease = written(a_lease(duration="8h", extendable_until=at(8)), NOON)
    assert judge(Input(lease, PLAIN, 8, 4, {}, NOON + waited)) is None


@pytest.mark.parametrize("now", [at(0.5), at(2), at(6)])
def test_a_flexible_start_can_be_had_until_the_latest(now: datetime) -> None:
    """Whenever the lease was written, or is looked at, before that."""
    lease = a_lease(start=at(0.5), latest_start=at(6), duration="1h")
    for moment in (NOON, now):
        assert judge(Input(written(lease, moment), PLAIN, 8, 10, {}, now)) is None
    late = judge(Input(written(lease, at(6.5)), PLAIN, 8, 10, {}, at(6.5)))
    assert late is not None
    assert late.message.startswith("spec.latestStart: 2026-12-01T18:00:00Z had passed")


def test_a_lease_that_waits_may_be_written_again() -> None:
    """What it may be extended to was right when it was accepted, and cannot change since."""
    lease = written(a_lease(duration="192h", extendable_until=at(240)), at(72))
    waits = with_status(lease, conditions=(a_condition("Accepted"),))
    assert judge(Input(waits, PLAIN, 8, 10, {}, at(72))) is None
    assert judge(Input(lease, PLAIN, 8, 10, {}, at(72))) is not None
