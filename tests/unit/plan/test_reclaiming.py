"""Taking back for the owner: interruptible leases end early, with notice; firm ones never."""

from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.plan.booking import PoolPlan, plan_pool
from sublet.plan.observed import NodeSeen
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked

Raw = dict[str, Any]


def keeping(nodes: int, **floor: object) -> GPUPool:
    """A pool whose owner keeps so many nodes, with an hour of notice."""
    return a_pool(owner_floor={"nodes": nodes, **floor}, schedule={"reclaim_notice": "1h", "cleaning_gap": "15m"})


def lease(name: str, node: str, term: str = "Interruptible", **spec: Any) -> GPULease:  # noqa: ANN401 - any field
    """A lease of one node from noon to 20:00."""
    return booked(a_lease(name, nodes=1, term=term, **spec), [node])


def planned(pool: GPUPool, *leases: GPULease, now: datetime = NOON, nodes: list[NodeSeen] | None = None) -> PoolPlan:
    """A pass over a pool in which every node is leased."""
    held = nodes if nodes is not None else [a_node(n, each) for each in leases for n in each.status.nodes]
    return plan_pool(a_pool_view(*leases, nodes=held, pool=pool), now)


def changes(plan: PoolPlan) -> dict[str, Raw]:
    """The changes by lease."""
    return {change.lease.metadata.name: change.status for change in plan.changes}


def test_a_lease_is_cut_to_the_end_of_its_notice_and_told_why() -> None:
    """Draining, hard stop, cleaning and the early end move together."""
    found = changes(planned(keeping(1), lease("a", "gpu-1", extendable_until=at(24)), now=at(1)))
    assert found == {
        "a": {
            "startsAt": "2026-12-01T12:00:00Z",
            "drainAt": "2026-12-01T13:30:00Z",
            "endsAt": "2026-12-01T14:00:00Z",
            "hardStopAt": "2026-12-01T14:00:00Z",
            "reusableAt": "2026-12-01T14:15:00Z",
            "quote": None,
            "earlyEnd": {
                "reason": "Reclaimed",
                "askedEnd": "2026-12-01T20:00:00Z",
                "end": "2026-12-01T14:00:00Z",
                "noticedAt": "2026-12-01T13:00:00Z",
            },
        }
    }


def test_what_has_been_cut_is_cut_once() -> None:
    """The pass after it changes nothing, and what is short ends when the nodes are clean."""
    early = {"reason": "Reclaimed", "asked_end": at(8), "end": at(2), "noticed_at": at(1)}
    cut = booked(a_lease("a", nodes=1, term="Interruptible"), ["gpu-1"], end=at(2), early_end=early)
    plan = planned(keeping(1), cut, now=at(1.5))
    assert plan.changes == ()
    assert [(s.nodes, s.interval.end) for s in plan.short] == [(1, at(2.25))]


def test_a_firm_lease_is_never_taken_back() -> None:
    """What is missing is told instead, however large the floor."""
    plan = planned(keeping(5), lease("a", "gpu-1", "Firm"))
    assert plan.changes == ()
    assert plan.short


def test_the_lease_with_the_least_to_lose_goes() -> None:
    """One node is wanted, and one of two gives it."""
    long, short = lease("long", "gpu-1"), booked(a_lease("short", nodes=1, term="Interruptible"), ["gpu-2"], end=at(2))
    assert list(changes(planned(keeping(1), long, short))) == ["short"]


def test_a_window_ahead_is_kept_a_gap_before_it_opens() -> None:
    """From 16:00 the owner keeps the node; the lease ends at 15:45."""
    window = {"start": "0 16 * * *", "duration": "2h", "nodes": 1}
    found = changes(planned(keeping(0, windows=[window]), lease("a", "gpu-1")))
    assert found["a"]["endsAt"] == "2026-12-01T15:45:00Z"


def test_a_reservation_that_is_not_to_begin_ends_at_its_start() -> None:
    """A lease of no length, which is over at once."""
    late = booked(a_lease("a", nodes=1, term="Interruptible", start=at(4)), ["gpu-1"], start=at(4))
    found = changes(planned(keeping(1), late, nodes=[a_node("gpu-1")]))
    assert found["a"]["startsAt"] == found["a"]["endsAt"] == "2026-12-01T16:00:00Z"


def test_a_node_that_failed_a_moment_ago_is_no_reason_to_take_another() -> None:
    """It may be back within five minutes; after that the owner's nodes come first."""
    held = lease("a", "gpu-1")
    for minutes, cut in ((4, False), (6, True)):
        nodes = [a_node("gpu-1", held), a_node("gpu-2", ready=False, changed_at=NOON)]
        assert bool(changes(planned(keeping(1), held, now=at(0, minutes), nodes=nodes))) is cut


def test_a_window_that_is_no_schedule_opens_never_and_the_others_do() -> None:
    """The pool is not accepted; its leases are planned all the same."""
    broken = {"start": "99 8 * * *", "duration": "1h", "nodes": 1}
    kept = {"start": "0 16 * * *", "duration": "2h", "nodes": 1}
    assert planned(keeping(0, windows=[broken]), lease("a", "gpu-1")).changes == ()
    assert "a" in changes(planned(keeping(0, windows=[broken, kept]), lease("a", "gpu-1")))


def test_a_lease_that_asks_for_more_is_told_that_the_owner_comes_first() -> None:
    """No extension reaches beyond the early end; the end that was asked for first needs no answer."""
    early = {"reason": "Reclaimed", "asked_end": at(8), "end": at(2), "noticed_at": at(1)}
    for duration, answered in (("8h", False), ("12h", True)):
        spec = a_lease("a", nodes=1, term="Interruptible", duration=duration, extendable_until=at(24))
        plan = planned(keeping(1), booked(spec, ["gpu-1"], end=at(2), early_end=early), now=at(1.5))
        assert bool(plan.changes) is answered
        if answered:
            answer = changes(plan)["a"]["extension"]
            assert answer["message"] == "spec.duration: the owner takes the nodes back at 2026-12-01T14:00:00Z"
