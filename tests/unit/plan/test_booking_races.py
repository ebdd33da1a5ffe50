"""Planning under change: pools that shrink or grow, and requests that are answered in one and the same pass."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.api.lease import GPULease
from sublet.plan.booking import plan_pool
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked, queued, some_nodes, with_status

Raw = dict[str, Any]
GAP = timedelta(minutes=15)


def after(lease: GPULease, status: Raw) -> GPULease:
    """The lease once a change of its status was written."""
    raw = lease.status.dump() | status
    return with_status(lease, **{key: value for key, value in raw.items() if value is not None})


def held(leases: list[GPULease]) -> list[tuple[str, datetime, datetime]]:
    """Node, start and end with the cleaning of every booking."""
    return [
        (node, lease.status.starts_at, lease.status.ends_at + GAP)
        for lease in leases
        if lease.status.starts_at is not None and lease.status.ends_at is not None
        for node in lease.status.nodes
    ]


def planned(leases: list[GPULease], nodes: int) -> list[GPULease]:
    """The leases after a planning pass whose every change was written."""
    plan = plan_pool(a_pool_view(*leases, nodes=some_nodes(nodes)), NOON)
    written = {change.lease.metadata.name: after(change.lease, change.status) for change in plan.changes}
    return [written.get(lease.metadata.name, lease) for lease in leases]


def assert_no_node_is_held_twice(leases: list[GPULease]) -> None:
    """No two bookings of a node overlap, the cleaning after each included."""
    spans = sorted(held(leases))
    for (node, _, end), (next_node, start, _) in itertools.pairwise(spans):
        assert node != next_node or end <= start, f"{node} is held twice at {start}"


def test_an_extension_and_a_booking_in_one_pass_do_not_collide() -> None:
    """Both ask for the node's afternoon, in one apply: only one of them can have it."""
    extended = booked(a_lease("extended", nodes=1, duration="12h", extendable_until=at(24)), ["gpu-1"])
    new = queued(a_lease("new", nodes=1, start=at(9), duration="2h"))
    assert_no_node_is_held_twice(planned([extended, new], nodes=1))


def test_nobody_is_booked_on_hours_whose_return_is_not_recorded_yet() -> None:
    """The write that shortens the first lease may lose against a change of it, while the second one's succeeds."""
    shortened = booked(a_lease("shortened", nodes=1, duration="2h"), ["gpu-1"])
    new = queued(a_lease("new", nodes=1, start=at(4), duration="2h"))
    (_, after_pass) = planned([shortened, new], nodes=1)
    assert_no_node_is_held_twice([shortened, after_pass])


ASKS = st.lists(
    st.fixed_dictionaries(
        {"nodes": st.integers(1, 3), "duration": st.sampled_from(["1h", "3h", "8h"])},
        optional={"start": st.integers(0, 12).map(at)},
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(ASKS, st.integers(1, 4))
def test_no_node_is_held_twice_after_any_pass(asks: list[Raw], nodes: int) -> None:
    """Pass upon pass, with leases of every size and start, no booking meets another one or its cleaning."""
    leases: list[GPULease] = []
    for number, ask in enumerate(asks):
        leases = planned([*leases, queued(a_lease(f"lease-{number}", **ask))], nodes)
        assert_no_node_is_held_twice(leases)


def test_a_pool_that_lost_all_its_gpus_is_still_planned() -> None:
    """A lease in GPUs waits while no node has any; the others' changes are answered all the same."""
    waiting = queued(a_lease("waiting", gpus=8))
    running = booked(a_lease("running", duration="4h"))
    plan = plan_pool(a_pool_view(running, waiting, nodes=[a_node("gpu-1", gpus=0)]), NOON)
    assert "running" in {change.lease.metadata.name for change in plan.changes}


@pytest.mark.parametrize("gpus", [8, 24])
def test_a_lease_is_never_booked_on_fewer_gpus_than_it_asks_for(gpus: int) -> None:
    """Accepted when nodes had eight GPUs, it is not booked on nothing, or on half, now that they have sixteen."""
    plan = plan_pool(a_pool_view(queued(a_lease(gpus=gpus)), nodes=[a_node(gpus=16), a_node("gpu-2", gpus=16)]), NOON)
    assert [c.status["gpus"] for c in plan.changes if "gpus" in c.status and c.status["gpus"] < gpus] == []


def test_a_lease_that_missed_its_start_is_looked_at_when_a_node_is_clean() -> None:
    """Its start went by while the nodes were cleaned: the pool is planned again when that is over."""
    late = queued(a_lease("late", start=at(-1), duration="8h", created=at(-2)))
    cleaning = [a_node(name, reusable_at=at(0.25)) for name in ("gpu-1", "gpu-2")]
    assert plan_pool(a_pool_view(late, nodes=cleaning), NOON).look_again_at == at(0.25)


def test_a_lease_of_the_shortest_duration_is_booked_a_second_after_its_start() -> None:
    """Written at noon for noon and one hour, it is had at 12:00:01: planning takes a moment."""
    lease = queued(a_lease(start=NOON, duration="1h"))
    plan = plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=a_pool(terms={"min_duration": "1h"})), at(0, 0, 1))
    assert [change.status.get("endsAt") for change in plan.changes] == ["2026-12-01T13:00:00Z"]


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ({"start": at(-1), "duration": "8h"}, "2026-12-01T11:00:00Z"),
        ({"end": at(6), "duration": "8h"}, "2026-12-01T10:00:00Z"),
        ({"start": at(-1), "latest_start": at(1), "duration": "8h"}, None),
        ({"start": at(-1), "latest_start": at(1), "end": at(8)}, None),
        ({"start": at(1), "duration": "8h"}, None),
        ({"duration": "8h"}, None),
    ],
    ids=["fixed", "fixed by its end", "flexible", "flexible with an end", "ahead", "as soon as possible"],
)
def test_a_lease_that_is_booked_late_ends_when_it_was_to_end_from_then_on(spec: Raw, asked: str | None) -> None:
    """Only of a fixed start that was missed is it remembered; the booking asks for no other end than its own."""
    lease = queued(a_lease(created=at(-3), **spec))
    (change,) = plan_pool(a_pool_view(lease, nodes=some_nodes(2)), NOON).changes
    assert change.status.get("askedStart") == asked
    assert plan_pool(a_pool_view(after(lease, change.status), nodes=some_nodes(2)), NOON).changes == ()


def test_a_lease_with_an_end_alone_is_not_booked_below_the_pools_shortest_duration() -> None:
    """Asked for until 13:00 at noon, it cannot be had for the ten minutes that are left at 12:50."""
    waiting = queued(a_lease("waiting", end=at(1)))
    pool = a_pool(terms={"min_duration": "1h"})
    plan = plan_pool(a_pool_view(waiting, nodes=some_nodes(2), pool=pool), at(0, 50))
    assert not [change for change in plan.changes if change.status.get("nodes")]
