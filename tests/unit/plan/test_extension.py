"""A change of the end: shortened at once, extended on the same nodes, or answered with what could be had."""

from datetime import datetime
from typing import Any

import pytest

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_timestamp
from sublet.plan.booking import plan_pool
from sublet.plan.extension import is_unanswered
from tests.builders import (
    NOON,
    a_condition,
    a_lease,
    a_node,
    a_pool,
    a_pool_view,
    at,
    booked,
    queued,
    some_nodes,
    with_status,
    written,
)

Raw = dict[str, Any]
DEARER = a_pool(pricing={"currency": "USD", "firm": "9.00"})


def running(**spec: Any) -> GPULease:  # noqa: ANN401 - a field of any kind
    """A lease booked from noon to 20:00 on gpu-1 and gpu-2 for 2.50, whose specification may since have changed."""
    price = {"currency": "EUR", "gpu_hours": "128", "amount": "320.00", "price_per_gpu_hour": "2.50"}
    return booked(a_lease(**spec), gpus=16, quote=price)


def answered(
    lease: GPULease, *others: GPULease, now: datetime = NOON, pool: GPUPool | None = None
) -> dict[str, Any] | None:
    """What a planning pass changes in the lease's status; None for nothing."""
    held = {name: other for other in (lease, *others) for name in other.status.nodes}
    nodes = [a_node(name) for name in held]
    plan = plan_pool(a_pool_view(lease, *others, nodes=nodes, pool=pool), now)
    return next((c.status for c in plan.changes if c.lease.metadata.name == "acme-train"), None)


def test_a_lease_whose_end_stays_needs_no_answer() -> None:
    """Nothing is written for a lease that ends as it was booked."""
    assert answered(running()) is None
    assert answered(running(duration=None, end=at(8))) is None


def test_a_lease_is_shortened_at_once() -> None:
    """All that follows from the end moves with it: draining, hard stop, cleaning, and the amount as agreed."""
    assert answered(running(duration="4h"), pool=DEARER) == {
        "startsAt": "2026-12-01T12:00:00Z",
        "drainAt": "2026-12-01T15:30:00Z",
        "endsAt": "2026-12-01T16:00:00Z",
        "hardStopAt": "2026-12-01T16:00:00Z",
        "reusableAt": "2026-12-01T16:15:00Z",
        "quote": {"currency": "EUR", "gpuHours": "64.000000", "amount": "160.00", "pricePerGPUHour": "2.50"},
    }


def test_an_answer_is_forgotten_with_the_end_that_it_was_about() -> None:
    """Shortened and asked for again, the later end is a new request."""
    refused = {"requested_end": at(12), "answer": "Refused", "message": "spec.duration: too late"}
    lease = running(duration="4h", extendable_until=at(24))
    found = answered(with_status(lease, extension=refused))
    assert found is not None
    assert found["extension"] is None


@pytest.mark.parametrize("latest", [None, at(1), at(30)], ids=["removed", "earlier", "later"])
def test_the_end_of_a_flexible_lease_stays_whatever_becomes_of_its_latest_start(latest: datetime | None) -> None:
    """Booked three hours after the earliest start, its eight hours count from the booking."""
    lease = booked(a_lease(start=NOON, latest_start=latest, duration="8h"), start=at(3), gpus=16)
    assert answered(lease, now=at(9)) is None


def test_a_flexible_lease_is_extended_from_where_it_was_booked() -> None:
    """Ten hours instead of eight end two hours later than before."""
    spec: Raw = {"start": NOON, "duration": "10h", "extendable_until": at(24)}
    found = answered(booked(a_lease(**spec), start=at(3), gpus=16), now=at(4))
    assert found is not None
    assert found["endsAt"] == "2026-12-02T01:00:00Z"


@pytest.mark.parametrize("latest", [None, at(6)])
def test_a_fixed_start_that_was_caught_up_keeps_the_end_that_was_asked_for(latest: datetime | None) -> None:
    """Booked three hours late, its eight hours count from the start that was asked for."""
    spec: Raw = {"start": NOON, "latest_start": latest, "duration": "8h", "extendable_until": at(24)}
    lease = booked(a_lease(**spec), start=at(3), end=at(8), asked_start=NOON, gpus=16)
    assert answered(lease, now=at(4)) is None


def test_an_end_that_has_passed_is_now() -> None:
    """Shortened to an end an hour ago, the lease ends now: nobody takes back what was used."""
    found = answered(running(duration="1h"), now=at(2))
    assert found is not None
    assert found["endsAt"] == "2026-12-01T14:00:00Z"


def test_a_reservation_is_shortened_to_nothing_at_most() -> None:
    """An end before the start of the booking is moved to that start."""
    lease = booked(a_lease(duration=None, end=at(2)), start=at(4), end=at(12))
    found = answered(lease)
    assert found is not None
    assert found["startsAt"] == found["endsAt"] == "2026-12-01T16:00:00Z"


def test_an_extension_is_granted_while_the_nodes_are_free() -> None:
    """The end moves and the answer says so; the hard stop stays where it was promised."""
    found = answered(running(duration="12h", extendable_until=at(24)), pool=DEARER)
    assert found is not None
    assert found["endsAt"] == "2026-12-02T00:00:00Z"
    assert found["drainAt"] == "2026-12-01T23:30:00Z"
    assert found["hardStopAt"] == "2026-12-02T12:00:00Z"
    assert found["reusableAt"] == "2026-12-02T00:15:00Z"
    assert found["quote"]["amount"] == "480.00"
    assert found["extension"] == {
        "requestedEnd": "2026-12-02T00:00:00Z",
        "answer": "Granted",
        "feasibleEnd": None,
        "message": "",
    }


@pytest.mark.parametrize(
    ("spec", "terms", "feasible", "message"),
    [
        (
            {"duration": "12h"},
            {},
            None,
            "spec.duration: the lease cannot be extended, because it was made without spec.extendableUntil",
        ),
        (
            {"duration": None, "end": at(12)},
            {},
            None,
            "spec.end: the lease cannot be extended, because it was made without spec.extendableUntil",
        ),
        (
            {"duration": "12h", "extendable_until": at(10)},
            {},
            "2026-12-01T22:00:00Z",
            (
                "spec.duration: further than spec.extendableUntil and the pool's terms let it reach; "
                "the latest end to be had is 2026-12-01T22:00:00Z"
            ),
        ),
        (
            {"duration": "12h", "extendable_until": at(24)},
            {"longest_total": "9h"},
            "2026-12-01T21:00:00Z",
            (
                "spec.duration: further than spec.extendableUntil and the pool's terms let it reach; "
                "the latest end to be had is 2026-12-01T21:00:00Z"
            ),
        ),
        (
            {"duration": "12h", "extendable_until": at(24)},
            {"extend_latest": "9h"},
            None,
            "spec.duration: too late; the pool takes extensions until 9h before the end",
        ),
    ],
    ids=["never extendable", "never extendable by its end", "too far", "too long in all", "too late"],
)
def test_an_extension_beyond_the_terms_is_refused(
    spec: dict[str, Any], terms: dict[str, Any], feasible: str | None, message: str
) -> None:
    """The answer says why, and the latest end that could be had; the end itself does not move."""
    requested = "2026-12-02T00:00:00Z"
    expected = {"requestedEnd": requested, "answer": "Refused", "feasibleEnd": feasible, "message": message}
    assert answered(running(**spec), pool=a_pool(terms=terms)) == {"extension": expected}


def test_an_extension_stops_a_gap_before_the_next_booking() -> None:
    """The same nodes are somebody else's from 23:00: until 22:45 the lease could stay, and that is said."""
    following = booked(a_lease("following", start=at(11)), ["gpu-2"], start=at(11))
    wanted = running(duration="12h", extendable_until=at(24))
    assert answered(wanted, following) == {
        "extension": {
            "requestedEnd": "2026-12-02T00:00:00Z",
            "answer": "Refused",
            "feasibleEnd": "2026-12-01T22:45:00Z",
            "message": "spec.duration: the same nodes are promised to somebody else by then; "
            "the latest end to be had is 2026-12-01T22:45:00Z",
        }
    }
    within = answered(running(duration="10h45m", extendable_until=at(24)), following)
    assert within is not None
    assert within["endsAt"] == "2026-12-01T22:45:00Z"


def test_an_extension_with_nothing_left_names_no_end() -> None:
    """Where the next booking follows at once, no later end is offered."""
    following = booked(a_lease("following", start=at(8.25)), ["gpu-1"], start=at(8.25))
    found = answered(running(duration="9h", extendable_until=at(24)), following)
    assert found is not None
    assert found["extension"]["feasibleEnd"] is None
    assert found["extension"]["answer"] == "Refused"


def test_other_nodes_do_not_stand_in_the_way() -> None:
    """A booking on other nodes refuses nobody an extension."""
    elsewhere = booked(a_lease("elsewhere", start=at(9)), ["gpu-3"], start=at(9))
    found = answered(running(duration="12h", extendable_until=at(24)), elsewhere)
    assert found is not None
    assert found["extension"]["answer"] == "Granted"


def test_a_refusal_is_written_once() -> None:
    """A pass that would say the same again writes nothing; a new request is answered anew."""
    refusal = answered(running(duration="12h"))
    assert refusal is not None
    told = booked(a_lease(duration="12h"), gpus=16, extension=refusal["extension"])
    assert answered(told) is None
    asks_again = booked(a_lease(duration="13h"), gpus=16, extension=refusal["extension"])
    assert answered(asks_again) is not None


@pytest.mark.parametrize(
    ("extend_latest", "now", "granted"), [("1h", 7, True), ("1h", 7.01, False), ("0s", 7.99, True)]
)
def test_the_latest_moment_to_ask_still_counts(extend_latest: str, now: float, *, granted: bool) -> None:
    """At exactly one hour before the end an extension is taken, and a moment later no more."""
    pool = a_pool(terms={"extend_latest": extend_latest})
    found = answered(running(duration="12h", extendable_until=at(24)), now=at(now), pool=pool)
    assert found is not None
    assert ("endsAt" in found) is granted


@pytest.mark.parametrize("hours", [4, 12])
@pytest.mark.parametrize(
    ("status", "now"), [({}, at(8)), ({}, at(80)), ({"ended_at": at(3)}, at(4))], ids=["at the end", "after", "ended"]
)
def test_after_the_end_nothing_moves(hours: int, status: Raw, now: datetime) -> None:
    """Once the end has come, the lease is neither extended nor shortened any more."""
    lease = booked(a_lease(duration=f"{hours}h", extendable_until=at(96)), gpus=16, **status)
    assert answered(lease, now=now) is None


@pytest.mark.parametrize("gone", [{"release": True}, {"deleted": at(1)}])
def test_a_lease_that_was_given_back_is_not_extended(gone: dict[str, Any]) -> None:
    """Who gives back and asks for more gives back."""
    found = answered(running(duration="12h", extendable_until=at(24), **gone), now=at(2)) or {}
    assert "extension" not in found
    assert found.get("endsAt", "2026-12-01T14:00:00Z") == "2026-12-01T14:00:00Z"


def asked_for_at(hour: float, **spec: Any) -> GPULease:  # noqa: ANN401 - a field of any kind
    """A lease until 20:00 that may reach midnight, for which twelve hours were written at an hour after noon."""
    return written(running(duration="12h", extendable_until=at(12), **spec), at(hour))


def test_an_extension_written_in_time_is_granted_after_the_end() -> None:
    """The operator was down: it decides as it would have then."""
    found = answered(asked_for_at(6.5), now=at(9))
    assert found is not None
    assert found["endsAt"] == "2026-12-02T00:00:00Z"
    assert found["extension"]["answer"] == "Granted"


@pytest.mark.parametrize("now", [7.75, 9, 30])
def test_an_extension_written_too_late_gains_nothing_by_a_late_operator(now: float) -> None:
    """The pool takes them until 19:00, counted from the end of the contract, whenever that is looked at."""
    found = answered(asked_for_at(7.5), now=at(now))
    assert found is not None
    assert found["extension"]["message"] == "spec.duration: too late; the pool takes extensions until 1h before the end"
    assert "endsAt" not in found


def test_what_was_written_after_the_end_is_not_answered() -> None:
    """A lease that is over does not come back."""
    assert answered(asked_for_at(8.5), now=at(9)) is None


def test_a_refused_extension_that_becomes_possible_is_judged_as_of_now() -> None:
    """It was answered in time; what keeps it asked for is measured by the clock."""
    refused = {"requested_end": at(12), "answer": "Refused", "message": "spec.duration: no"}
    lease = written(booked(a_lease(duration="12h", extendable_until=at(12)), extension=refused), at(1))
    for now, granted in ((6.5, True), (7.5, False)):
        found = answered(lease, now=at(now))
        assert found is not None
        assert (found["extension"]["answer"] == "Granted") is granted


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        (asked_for_at(6.5), True),
        (asked_for_at(8.5), False),
        (running(), False),
        (written(running(duration="12h"), at(6.5)), False),
        (asked_for_at(6.5, release=True), False),
        (
            written(
                booked(
                    a_lease(duration="12h", extendable_until=at(12)),
                    extension={"requested_end": at(12), "answer": "Refused"},
                ),
                at(6.5),
            ),
            False,
        ),
    ],
    ids=["asked in time", "asked after the end", "asked for nothing", "not extendable", "given back", "answered"],
)
def test_only_a_lease_that_asked_in_time_and_was_not_answered_outlasts_its_end(
    lease: GPULease, *, expected: bool
) -> None:
    """Everything else ends by the clock."""
    assert is_unanswered(lease, at(9)) is expected


def test_a_lease_is_shortened_as_of_when_that_was_written() -> None:
    """An end in the past means the moment of writing, however late the operator comes."""
    found = answered(written(running(duration="1h"), at(3)), now=at(6))
    assert found is not None
    assert found["endsAt"] == "2026-12-01T15:00:00Z"


def test_an_extension_respects_a_window_however_far_ahead() -> None:
    """Beyond the horizon too: the owner keeps a node of the two from 00:00 on New Year's Day."""
    window = {"start": "0 0 1 1 *", "duration": "1d", "nodes": 1}
    pool = a_pool(owner_floor={"windows": [window]}, terms={"horizon": "1d", "min_duration": "1h"})
    until = datetime(2027, 2, 1, tzinfo=NOON.tzinfo)
    found = answered(running(duration=None, end=until, extendable_until=until), pool=pool)
    assert found is not None
    assert found["extension"]["feasibleEnd"] == "2026-12-31T23:45:00Z"


def test_a_lease_that_fills_a_gap_keeps_its_hard_stop_when_it_is_shortened() -> None:
    """Others are promised the nodes after it, so no pod may reach for what could once have been extended."""
    early = {"reason": "FillsGap", "asked_end": at(12), "end": at(8), "noticed_at": NOON}
    lease = booked(a_lease(term="Interruptible", duration="4h", extendable_until=at(24)), early_end=early)
    found = answered(lease)
    assert found is not None
    assert found["endsAt"] == found["hardStopAt"] == "2026-12-01T16:00:00Z"


def refused_with(lease: GPULease, *others: GPULease, pool: GPUPool | None = None) -> str:
    """Why an extension is not granted at noon."""
    found = answered(lease, *others, pool=pool)
    assert found is not None
    assert found["extension"]["answer"] == "Refused"
    message: str = found["extension"]["message"]
    return message


def test_an_extension_is_told_that_the_owner_needs_the_nodes() -> None:
    """Nobody is promised them; the owner keeps both from midnight on."""
    pool = a_pool(owner_floor={"windows": [{"start": "0 0 * * *", "duration": "6h", "nodes": 2}]})
    assert refused_with(running(duration="20h", extendable_until=at(24)), pool=pool) == (
        "spec.duration: the owner needs the nodes by then; the latest end to be had is 2026-12-01T23:45:00Z"
    )


def test_an_extension_is_told_that_somebody_waits() -> None:
    """Who stands in the queue is promised nothing, and is delayed by no extension all the same."""
    waits = queued(a_lease("waits"))
    assert refused_with(running(duration="20h", extendable_until=at(24)), waits) == (
        "spec.duration: a lease that waits in the queue is to have the nodes by then; "
        "the latest end to be had is 2026-12-01T20:00:00Z"
    )


def test_an_extension_is_told_that_somebody_waits_for_other_nodes_that_the_owner_leaves() -> None:
    """The owner keeps one of two: whoever waits is to have the other, whichever that is."""
    lease = booked(a_lease(nodes=1, duration="20h", extendable_until=at(24)), ["gpu-1"])
    waits = queued(a_lease("waits", nodes=1))
    view = a_pool_view(lease, waits, nodes=some_nodes(2), pool=a_pool(owner_floor={"nodes": 1}))
    (found,) = (c.status for c in plan_pool(view, NOON).changes if c.lease is lease)
    assert "waits in the queue" in found["extension"]["message"]


def test_an_extension_that_meets_its_own_limit_first_is_told_of_that() -> None:
    """What lies behind the limit is in nobody's way."""
    following = booked(a_lease("following", start=at(16)), ["gpu-2"], start=at(16))
    lease = running(duration="20h", extendable_until=at(10))
    assert "further than spec.extendableUntil" in refused_with(lease, following)
    near = booked(a_lease("near", start=at(9)), ["gpu-2"], start=at(9))
    assert "promised to somebody else" in refused_with(lease, near)


def test_a_pool_that_sells_nothing_sells_no_extension() -> None:
    """Who waits for it is not served either, and must not be overtaken; the end can be moved to an earlier one."""
    pool = a_pool(isolation={"minToolkitVersion": "1.17.8"})
    no_sale = with_status(
        a_lease("waits"), conditions=({**a_condition("Accepted", "False"), "reason": "PoolNotAccepted"},)
    )
    assert refused_with(running(duration="20h", extendable_until=at(24)), no_sale, pool=pool) == (
        "spec.duration: the pool h100 is not accepted: spec.isolation.minToolkitVersion: not enforced by this version "
        "of Sublet; remove the field to sell without it"
    )
    shortened = answered(running(duration="4h"), pool=pool)
    assert shortened is not None
    assert shortened["endsAt"] == "2026-12-01T16:00:00Z"


def test_an_extension_is_granted_once_the_pool_is_accepted_again() -> None:
    """It stays asked for, and nobody was served in between."""
    before = {
        "requested_end": at(12),
        "answer": "Refused",
        "message": "spec.duration: the pool h100 is not accepted: x",
    }
    found = answered(booked(a_lease(duration="12h", extendable_until=at(24)), gpus=16, extension=before))
    assert found is not None
    assert found["extension"]["answer"] == "Granted"


def test_an_end_in_the_last_year_that_can_be_written_is_answered() -> None:
    """In UTC it lies in the year after."""
    found = answered(running(duration=None, end="2999-12-31T23:59:59-10:00"))
    assert found is not None
    assert found["extension"]["requestedEnd"] == "3000-01-01T09:59:59Z"


def test_a_reservation_that_may_be_moved_for_somebody_is_answered_once_that_is_settled() -> None:
    """Who waits is planned on its node, and it on another one; neither is recorded yet."""
    soon = booked(a_lease("soon", nodes=1), ["gpu-1"], end=at(5))
    long = booked(a_lease("long", nodes=1), ["gpu-2"], end=at(8))
    ahead: Raw = {"nodes": 1, "start": at(10), "duration": "3h", "extendable_until": at(24)}
    lease = booked(a_lease(**ahead), ["gpu-1"], start=at(10), end=at(12))
    waiting = queued(a_lease("waiting", nodes=1, duration="6h"))
    assert answered(lease, soon, long, waiting) is None
    assert answered(lease, soon, long) is not None


def test_one_extension_reaches_a_year_ahead() -> None:
    """Or as far as the pool sells at a time."""
    lease = running(duration="5000d", extendable_until=at(24 * 6000))
    found = answered(lease)
    assert found is not None
    assert found["extension"]["feasibleEnd"] == format_timestamp(at(8 + 24 * 366))
    longer = answered(lease, pool=a_pool(terms={"maxDuration": "1000d"}))
    assert longer is not None
    assert longer["extension"]["feasibleEnd"] == format_timestamp(at(8 + 24 * 1000))


def test_an_extension_delays_nobody_who_waits_for_a_node_that_just_failed() -> None:
    """It is expected back, and whoever waits with it."""
    waiting = queued(a_lease("waiting", start=at(5), duration="2h"))
    lease = booked(a_lease(nodes=1, duration="8h", extendable_until=at(24)), ["gpu-1"], end=at(4))
    nodes = [a_node("gpu-1"), a_node("gpu-2", ready=False, changed_at=at(0, seconds=-10))]
    found = {c.lease.metadata.name: c.status for c in plan_pool(a_pool_view(lease, waiting, nodes=nodes), NOON).changes}
    assert found["waiting"]["startsAt"] == "2026-12-01T17:00:00Z"
    assert found["acme-train"]["extension"]["answer"] == "Refused"
