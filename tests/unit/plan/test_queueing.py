"""The queue: who is booked, who fills a gap, who waits, and who can never be served and is told what could be had."""

from typing import Any

import pytest

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_timestamp
from sublet.plan.booking import PoolPlan, plan_pool
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

RUNNING = booked(a_lease("running"))
"""Two nodes until 20:00, clean at 20:15."""


def planned(*leases: GPULease, pool: GPUPool | None = None, nodes: int = 2) -> PoolPlan:
    """A pass at noon over the running lease and those that wait, on so many nodes."""
    free = [a_node(f"gpu-{n}") for n in range(3, nodes + 1)]
    return plan_pool(a_pool_view(RUNNING, *leases, nodes=[*some_nodes(2, RUNNING), *free], pool=pool), NOON)


def status(plan: PoolPlan, lease: str = "acme-train") -> Raw:
    """What changes for a lease."""
    return next(change.status for change in plan.changes if change.lease.metadata.name == lease)


def refusal(plan: PoolPlan) -> str:
    """The refusal of the lease; it has no place in the queue and no hour then."""
    queue = status(plan)["queue"]
    assert (queue["position"], queue["earliestStart"]) == (None, None)
    found: str = queue["refusal"]
    return found


def test_a_flexible_start_is_booked_for_the_first_hour_that_fits() -> None:
    """It is recorded at once, although it lies ahead."""
    found = status(planned(queued(a_lease(start=at(1), latest_start=at(12)))))
    assert (found["phase"], found["startsAt"]) == ("Reserved", "2026-12-01T20:15:00Z")
    assert found["endsAt"] == "2026-12-02T04:15:00Z"


def test_a_flexible_start_that_never_comes_is_refused_with_the_next_hour() -> None:
    """Later, fewer, and for how long from the first hour are looked at."""
    assert refusal(planned(queued(a_lease(start=at(1), latest_start=at(2))), nodes=3)) == (
        "spec.latestStart: the pool never has 2 nodes free then; to be had: "
        "2 nodes from 2026-12-01T20:15:00Z, or one node at the time asked for"
    )


def test_a_refusal_says_the_same_a_second_later() -> None:
    """A time that runs on would be news on every pass."""
    windows = [{"start": "0 18 * * *", "duration": "6h", "nodes": 2}]
    pool = a_pool(owner_floor={"windows": windows})
    lease = queued(a_lease(duration="20h"))
    answers = [
        status(plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=pool), at(0, seconds=s))) for s in (0, 1, 59)
    ]
    assert answers[0] == answers[1] == answers[2]


def test_a_lease_that_only_the_owners_windows_keep_out_is_refused() -> None:
    """Every night the owner wants the nodes, so twenty hours in one piece never come."""
    pool = a_pool(owner_floor={"windows": [{"start": "0 18 * * *", "duration": "6h", "nodes": 2}]})
    assert refusal(plan_pool(a_pool_view(queued(a_lease(duration="20h")), nodes=some_nodes(2), pool=pool), NOON)) == (
        "spec.duration: the pool never has 2 nodes free then; to be had: 2 nodes until 2026-12-01T17:45:00Z"
    )


def test_a_long_queue_is_no_refusal() -> None:
    """The horizon bounds fixed starts; who waits for others to end may wait longer."""
    pool = a_pool(terms={"horizon": "1h"})
    found = status(planned(queued(a_lease()), queued(a_lease("second")), pool=pool), "second")
    assert found["queue"] == {"position": 2, "earliestStart": "2026-12-02T04:30:00Z", "refusal": None}


def test_a_refused_lease_is_looked_at_anew_and_booked_when_there_is_room() -> None:
    """What the queue found before is no objection to a new look."""
    known = {"position": None, "earliestStart": None, "refusal": "spec.latestStart: no"}
    no_room = {**a_condition("Accepted", "False"), "reason": "NoRoom"}
    lease = with_status(a_lease(start=at(1), latest_start=at(2)), conditions=(no_room,), queue=known)
    assert status(planned(lease, nodes=4))["startsAt"] == "2026-12-01T13:00:00Z"
    assert status(planned(lease, nodes=4))["queue"] is None


def test_a_flexible_start_that_failed_nodes_keep_waiting_is_looked_at_when_it_is_over() -> None:
    """Nothing else would tell it that it can no longer be had."""
    lease = queued(a_lease(start=at(1), latest_start=at(2)))
    view = a_pool_view(lease, nodes=[a_node("gpu-1"), a_node("gpu-2", ready=False)])
    plan = plan_pool(view, NOON)
    assert status(plan)["queue"]["refusal"] is None
    assert plan.look_again_at == at(2, seconds=1)
    assert "refusal" in status(plan_pool(view, at(2, seconds=1)))["queue"]


def test_an_interruptible_lease_fills_a_gap_and_is_told_so() -> None:
    """From now to a gap before the next booking; the hard stop is that end, whatever may be extended."""
    later = booked(a_lease("later", start=at(4)), start=at(4))
    lease = queued(a_lease(term="Interruptible", extendable_until=at(48)))
    found = status(plan_pool(a_pool_view(later, lease, nodes=some_nodes(2)), NOON))
    assert (found["endsAt"], found["hardStopAt"], found["reclaimNotice"]) == (
        "2026-12-01T15:45:00Z",
        "2026-12-01T15:45:00Z",
        "1d",
    )
    assert found["earlyEnd"] == {
        "reason": "FillsGap",
        "askedEnd": "2026-12-01T20:00:00Z",
        "end": "2026-12-01T15:45:00Z",
        "noticedAt": "2026-12-01T12:00:00Z",
    }


def test_a_gap_that_is_too_short_or_a_firm_lease_waits() -> None:
    """Below the pool's shortest duration nothing is worth having."""
    later = booked(a_lease("later", start=at(1)), start=at(1))
    for term, least in (("Interruptible", "1h"), ("Firm", "1m")):
        lease = queued(a_lease(term=term))
        pool = a_pool(terms={"min_duration": least})
        found = status(plan_pool(a_pool_view(later, lease, nodes=some_nodes(2), pool=pool), NOON))
        assert found["queue"]["position"] == 1


def test_nodes_of_one_rack_are_booked_together() -> None:
    """One node of the first rack is taken, so a required block comes from the second."""
    racks = {1: "r1", 2: "r1", 3: "r2", 4: "r2"}
    nodes = [a_node(f"gpu-{n}", labels={"example.com/rack": rack}) for n, rack in racks.items()]
    one = booked(a_lease("one", nodes=1), ["gpu-1"])
    pool = a_pool(topology=["example.com/rack"])
    lease = queued(a_lease(placement={"level": "example.com/rack", "mode": "Required"}))
    view = a_pool_view(one, lease, nodes=nodes, pool=pool)
    assert status(plan_pool(view, NOON))["nodes"] == ["gpu-3", "gpu-4"]


def test_who_makes_room_is_recorded_before_who_gets_it() -> None:
    """Of two reservations on two nodes one moves to the other's, with its times; between them there is a node then."""
    early = booked(a_lease("early", nodes=1, duration="2h"), ["gpu-1"], start=at(2), end=at(4))
    late = booked(a_lease("late", nodes=1, duration="2h"), ["gpu-2"], start=at(5), end=at(7))
    between = queued(a_lease("between", nodes=1, start=at(3), duration="3h"))

    plan = plan_pool(a_pool_view(early, late, between, nodes=some_nodes(2)), NOON)

    (move,), (booking,) = plan.moves, plan.changes
    assert move.status == {"nodes": ["gpu-2" if move.lease is early else "gpu-1"]}
    assert booking.lease is between
    assert booking.status["nodes"] == [{"early": "gpu-1", "late": "gpu-2"}[move.lease.metadata.name]]


def test_news_of_another_hour_is_told_apart_from_what_is_decided() -> None:
    """A first place, a booking and a refusal are decisions; a place that moved is a forecast, which can wait."""
    told = {"position": 4, "earliestStart": at(20)}
    moved = queued(a_lease("moved", duration="1h"), queue=told)
    new = queued(a_lease("new", duration="1h"))
    never = queued(a_lease("never", nodes=9), queue=told)
    at_once = queued(a_lease("at-once", nodes=1, duration="1h"), queue=told)
    plan = planned(moved, new, never, at_once, nodes=3)
    assert {change.lease.metadata.name for change in plan.changes} == {"new", "never", "at-once"}
    ((lease, status),) = ((change.lease, change.status) for change in plan.forecasts)
    assert (lease, status["queue"]["position"]) == (moved, 1)


TERMS = {"min_duration": "1h"}
MISSED = {
    "a start and an end": ({"start": at(-2), "end": at(0, 10)}, "spec.end: ", "give a later time"),
    "a start and a time": (
        {"start": at(-2), "duration": "2h10m"},
        "spec.start: 2026-12-01T10:00:00Z has passed, and ",
        "give a later time, or leave it out to start as soon as possible",
    ),
    "a time before an end": ({"end": at(0, 10), "duration": "2h10m"}, "spec.end: ", "give a later time"),
    "an end": ({"end": at(0, 10)}, "spec.end: ", "give a later time"),
    "a flexible start": ({"start": at(-2), "latest_start": at(0, 5), "end": at(0, 10)}, "spec.end: ", None),
}


@pytest.mark.parametrize(("spec", "field", "remedy"), MISSED.values(), ids=MISSED.keys())
def test_nobody_is_booked_for_a_tail(spec: Raw, field: str, remedy: str | None) -> None:
    """The operator was down when it was to start, and what is left would drain at once."""
    lease = queued(a_lease(created=at(-3), **spec))
    found = refusal(plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=a_pool(terms=TERMS)), NOON))
    assert found.startswith(f"{field}less than 1h is left until 2026-12-01T12:10:00Z")
    assert remedy is None or found.endswith(f"; {remedy}")


@pytest.mark.parametrize(
    ("terms", "minutes", "is_booked"),
    [(TERMS, 59, False), (TERMS, 60, True), ({"min_duration": "1m"}, 30, False), ({"min_duration": "1m"}, 31, True)],
    ids=["less than is sold", "what is sold", "draining", "more than draining"],
)
@pytest.mark.parametrize("with_start", [True, False])
def test_what_is_left_must_be_worth_booking(terms: Raw, minutes: int, *, with_start: bool, is_booked: bool) -> None:
    """The pool's shortest duration, and more than it drains; the same with and without a start that was missed."""
    start: Raw = {"start": at(-2)} if with_start else {}
    lease = queued(a_lease(created=at(-3), end=at(0, minutes), **start))
    found = status(plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=a_pool(terms=terms)), NOON))
    assert ("startsAt" in found) is is_booked


@pytest.mark.parametrize("late", [0, 5, 60])
@pytest.mark.parametrize("with_start", [True, False])
def test_a_start_that_is_hardly_late_is_booked_as_asked(late: int, *, with_start: bool) -> None:
    """The shortest lease that the pool sells leaves no time to plan in, and is booked all the same."""
    start: Raw = {"start": NOON} if with_start else {}
    for shortest, length in (("1h", 60), ("1m", 31)):
        pool = a_pool(terms={"min_duration": shortest})
        lease = queued(a_lease(end=at(0, length), **start))
        found = status(plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=pool), at(0, seconds=late)))
        assert found["endsAt"] == format_timestamp(at(0, length))


def test_who_waits_for_failed_nodes_is_looked_at_when_too_little_is_left() -> None:
    """Nothing else would tell it that it can no longer be had."""
    lease = queued(a_lease(start=at(1), end=at(4)))
    view = a_pool_view(lease, nodes=[a_node("gpu-1"), a_node("gpu-2", ready=False)], pool=a_pool(terms=TERMS))
    plan = plan_pool(view, at(2))
    assert status(plan)["queue"]["refusal"] is None
    assert plan.look_again_at == at(3, seconds=1)
    assert refusal(plan_pool(view, at(3, seconds=1)))


def test_nothing_is_advised_that_lies_beyond_the_horizon() -> None:
    """The nodes are free again at 20:15, and the pool sells until 18:00: fewer nodes are all that can be had."""
    pool = a_pool(terms={"horizon": "6h"})
    found = refusal(planned(queued(a_lease(start=at(1), duration="2h")), pool=pool, nodes=3))
    assert found.endswith("; to be had: one node at the time asked for")
    near = refusal(planned(queued(a_lease(start=at(1), duration="2h")), pool=a_pool(), nodes=3))
    assert near.endswith("; to be had: 2 nodes from 2026-12-01T20:15:00Z, or one node at the time asked for")


def test_nothing_is_advised_inside_of_the_lead_time() -> None:
    """Whoever follows the advice writes other times now, however long ago the lease itself was written."""
    old = written(queued(a_lease(created=at(-24), start=at(1), duration="2h")), at(-24))
    old = with_status(old, conditions=(a_condition("Accepted", since=at(-24)),))
    for lead, later in (("8h", True), ("9h", False)):
        found = refusal(planned(old, pool=a_pool(terms={"leadTime": lead}), nodes=3))
        assert ("2 nodes from 2026-12-01T20:15:00Z" in found) == later


@pytest.mark.parametrize(
    ("spec", "minutes"),
    [({"min_duration": "1h"}, 30), ({"min_duration": "1m"}, 15)],
    ids=["less than is sold", "draining"],
)
def test_nothing_is_advised_that_is_too_short_for_the_pool(spec: Raw, minutes: int) -> None:
    """What is free until the owner's window is not for sale, and then nothing is."""
    pool = a_pool(terms=spec, owner_floor={"windows": [{"start": "0 18 * * *", "duration": "6h", "nodes": 2}]})
    late = at(6, -15 - minutes)
    found = refusal(plan_pool(a_pool_view(queued(a_lease(duration="20h")), nodes=some_nodes(2), pool=pool), late))
    assert found == (
        "spec.duration: the pool never has 2 nodes free then; nothing near it is for sale either, ask for another time"
    )


def test_nothing_is_advised_that_the_api_server_would_not_take() -> None:
    """After 20:15 the lease could last as long, but not be extended as far as it wants at least."""
    lease = queued(a_lease(start=at(1), duration="2h", extendable_until=at(9)))
    assert "from" not in refusal(planned(lease, nodes=3))
