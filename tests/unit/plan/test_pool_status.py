"""The status of a pool: its nodes counted, and when one is next free."""

from typing import Any

import pytest

from sublet.api.pool import GPUPool, GPUPoolStatus
from sublet.calendar.interval import Interval
from sublet.calendar.reclaim import Shortfall
from sublet.plan.booking import plan_pool
from sublet.plan.observed import PoolView
from sublet.plan.pool_status import is_news, report
from tests.builders import NOON, a_condition, a_lease, a_node, a_pool, a_pool_view, at, booked, queued, some_nodes

RUNNING = booked(a_lease("running"))
LATER = booked(a_lease("later"), ["gpu-3"], start=at(30))
OVER = booked(a_lease("over"), ["gpu-4"], start=at(-9), released_at=at(-1))


def counts(view: PoolView) -> dict[str, int]:
    """The counts that are not zero."""
    found: dict[str, int] = report(view, (), NOON)["nodes"]
    return {name: count for name, count in found.items() if count}


def test_an_empty_pool_has_nothing() -> None:
    """Every count is written, and is zero."""
    assert report(a_pool_view(), (), NOON)["nodes"] == {
        "total": 0,
        "healthy": 0,
        "forSale": 0,
        "leased": 0,
        "reserved": 0,
        "sanitizing": 0,
        "quarantined": 0,
    }


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (a_pool_view(nodes=some_nodes(3)), {"total": 3, "healthy": 3, "forSale": 3}),
        (
            a_pool_view(nodes=[a_node(reusable_at=at(0.25)), a_node("gpu-2", reusable_at=at(-1))]),
            {"total": 2, "healthy": 2, "forSale": 2, "sanitizing": 1},
        ),
        (
            a_pool_view(nodes=(a_node("a"), a_node("b", ready=False), a_node("c", gpus=7))),
            {"total": 3, "healthy": 1, "forSale": 1},
        ),
        (
            a_pool_view(nodes=some_nodes(3), pool=a_pool(owner_floor={"nodes": 1})),
            {"total": 3, "healthy": 3, "forSale": 2},
        ),
        (a_pool_view(nodes=some_nodes(1), pool=a_pool(owner_floor={"nodes": 5})), {"total": 1, "healthy": 1}),
        (
            a_pool_view(RUNNING, LATER, OVER, nodes=(*some_nodes(2, RUNNING), a_node("gpu-3"), a_node("gpu-4"))),
            {"total": 4, "healthy": 4, "forSale": 4, "leased": 2, "reserved": 1},
        ),
        (
            a_pool_view(booked(a_lease("more"), start=at(30)), nodes=some_nodes(2, RUNNING)),
            {"total": 2, "healthy": 2, "forSale": 2, "leased": 2},
        ),
    ],
    ids=["free", "cleaning", "broken", "kept", "all kept", "leased and reserved", "reserved behind a lease"],
)
def test_nodes_are_counted(view: PoolView, expected: dict[str, int]) -> None:
    """Total, healthy, for sale, leased and reserved, each node in one of the last two at most."""
    assert counts(view) == expected


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (a_pool_view(nodes=some_nodes(2)), None),
        (a_pool_view(RUNNING, nodes=some_nodes(3, None)), None),
        (a_pool_view(RUNNING, nodes=some_nodes(2, RUNNING)), "2026-12-01T20:15:00Z"),
        (
            a_pool_view(
                RUNNING, nodes=(*some_nodes(2, RUNNING), a_node("gpu-3")), pool=a_pool(owner_floor={"nodes": 1})
            ),
            "2026-12-01T20:15:00Z",
        ),
        (
            a_pool_view(
                RUNNING,
                booked(a_lease("first"), ["gpu-3"], end=at(2)),
                nodes=(*some_nodes(2, RUNNING), a_node("gpu-3", RUNNING)),
            ),
            "2026-12-01T14:15:00Z",
        ),
        (a_pool_view(nodes=[a_node(ready=False)]), None),
    ],
    ids=["free now", "one free", "all leased", "the free one is kept", "the earliest counts", "none to come"],
)
def test_the_next_free_node_is_forecast_while_none_is_free(view: PoolView, expected: str | None) -> None:
    """The earliest end with its cleaning; nothing while a node that is for sale is free."""
    assert report(view, (), NOON)["nextFree"] == expected


def test_a_node_that_is_being_cleaned_is_not_free_yet() -> None:
    """A quarter of an hour after a lease, the only node is free then and not now."""
    view = a_pool_view(OVER, nodes=[a_node("gpu-4", reusable_at=at(0.25))])
    assert report(view, (), NOON)["nextFree"] == "2026-12-01T12:15:00Z"


def accepted(pool: GPUPool) -> dict[str, Any]:
    """The condition `Accepted`."""
    found: dict[str, Any] = report(a_pool_view(pool=pool), (), NOON)["conditions"][0]
    return found


def test_an_owner_is_told_of_nodes_that_are_missing() -> None:
    """From when to when, and how many; an owner who has what is kept is told so too."""
    kept = report(a_pool_view(), (), NOON)["conditions"][1]
    assert (kept["type"], kept["status"], kept["reason"]) == ("FloorKept", "True", "FloorKept")
    leased = a_pool_view(booked(a_lease(), start=at(1)))
    short = report(leased, (Shortfall(Interval(at(2), at(4)), 3),), NOON)["conditions"][1]
    assert (short["type"], short["status"], short["reason"]) == ("FloorKept", "False", "TooFewNodes")
    assert short["message"] == (
        "3 nodes short of spec.ownerFloor from 2026-12-01T14:00:00Z to 2026-12-01T16:00:00Z: "
        "what is leased then is firm, or has its notice still to run"
    )


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            a_pool_view(nodes=some_nodes(1), pool=a_pool(owner_floor={"nodes": 5})),
            (
                "4 nodes short of spec.ownerFloor from now on: "
                "the pool has too few sound nodes, and none is leased then; add some, or lower spec.ownerFloor"
            ),
        ),
        (
            a_pool_view(
                nodes=some_nodes(2),
                pool=a_pool(owner_floor={"windows": [{"start": "0 14 * * *", "duration": "2h", "nodes": 3}]}),
            ),
            (
                "1 node short of spec.ownerFloor from 2026-12-01T14:00:00Z to 2026-12-01T16:00:00Z: "
                "the pool has too few sound nodes, and none is leased then; add some, or lower spec.ownerFloor"
            ),
        ),
        (
            a_pool_view(RUNNING, nodes=some_nodes(2, RUNNING), pool=a_pool(owner_floor={"nodes": 2})),
            (
                "2 nodes short of spec.ownerFloor from now to 2026-12-01T20:15:00Z: "
                "what is leased then is firm, or has its notice still to run"
            ),
        ),
        (
            a_pool_view(
                booked(a_lease(), start=at(1), end=at(2)), nodes=some_nodes(1), pool=a_pool(owner_floor={"nodes": 2})
            ),
            (
                "1 node short of spec.ownerFloor from now to 2026-12-01T13:00:00Z: "
                "the pool has too few sound nodes, and none is leased then; add some, or lower spec.ownerFloor"
            ),
        ),
    ],
    ids=["nothing leased", "a window", "leased", "too small before a lease begins"],
)
def test_an_owner_is_told_why_nodes_are_missing(view: PoolView, message: str) -> None:
    """A lease, or too few nodes; what never ends is given no date."""
    short = report(view, plan_pool(view, NOON).short, NOON)["conditions"][1]
    assert short["message"] == message


def test_a_pool_says_whether_it_can_be_sold_from() -> None:
    """An accepted pool says so; one that asks for what is not enforced says which field."""
    assert accepted(a_pool()) == {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "the pool can be sold from",
        "lastTransitionTime": "2026-12-01T12:00:00Z",
        "observedGeneration": 1,
    }
    refused = accepted(a_pool(isolation={"minToolkitVersion": "1.17.8"}))
    assert (refused["status"], refused["reason"]) == ("False", "NotOffered")
    assert refused["message"].startswith("spec.isolation.minToolkitVersion: ")


def test_the_transition_time_moves_only_with_the_status() -> None:
    """A pool that was accepted for hours says since when."""
    known = {"conditions": [a_condition("Accepted", since=at(-5))]}
    assert accepted(a_pool(status=known))["lastTransitionTime"] == "2026-12-01T07:00:00Z"
    refused = a_pool(status=known, isolation={"minToolkitVersion": "1.17.8"})
    assert accepted(refused)["lastTransitionTime"] == "2026-12-01T12:00:00Z"


def test_a_node_that_is_being_cleaned_counts_as_that() -> None:
    """It is neither its lease's any more nor anybody's yet; the other one of the lease is back."""
    over = booked(a_lease(), ended_at=at(-1))
    nodes = [a_node("gpu-1", over, sanitizing_after="uid-acme-train"), a_node("gpu-2")]
    counts = report(a_pool_view(over, nodes=nodes), (), NOON)["nodes"]
    assert (counts["sanitizing"], counts["leased"], counts["reserved"]) == (1, 0, 0)


def test_a_pass_that_finds_the_same_writes_nothing() -> None:
    """Read back and reported again later, the status of a pool holds no news; a node more does."""
    view = a_pool_view(RUNNING, queued(a_lease("waiting")), nodes=some_nodes(2, RUNNING))
    first = report(view, (), NOON)
    assert is_news(view.pool, first)
    status = GPUPoolStatus.model_validate(first)
    known = view.pool.model_copy(update={"status": status})
    assert not is_news(known, report(a_pool_view(RUNNING, nodes=view.nodes, pool=known), (), at(1)))
    assert is_news(known, report(a_pool_view(RUNNING, nodes=some_nodes(3), pool=known), (), at(1)))


def test_an_open_window_is_not_for_sale() -> None:
    """While the owner keeps three of four, one is; the pool is looked at again when the window closes."""
    pool = a_pool(owner_floor={"windows": [{"start": "0 11 * * *", "duration": "2h", "nodes": 3}]})
    view = a_pool_view(nodes=some_nodes(4), pool=pool)
    assert report(view, (), NOON)["nodes"]["forSale"] == 1
    assert report(view, (), at(1))["nodes"]["forSale"] == 4
    assert plan_pool(view, NOON).look_again_at == at(1)
