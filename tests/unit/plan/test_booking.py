"""Planning a pool: who is booked now, on which nodes, and what the owner and the cleaning keep from sale."""

from typing import Any

import pytest

from sublet.api.lease import GPULease
from sublet.plan.booking import PoolPlan, is_promised, plan_pool
from sublet.plan.judging import lease_input
from sublet.plan.observed import NodeSeen, PoolView
from sublet.plan.supply import Supply
from tests.builders import (
    NOON,
    a_condition,
    a_lease,
    a_lease_view,
    a_node,
    a_pool,
    a_pool_view,
    at,
    booked,
    queued,
    some_nodes,
    with_status,
)

Raw = dict[str, Any]


def changes(plan: PoolPlan) -> dict[str, Raw]:
    """The changes of status by the lease they are for."""
    found = {change.lease.metadata.name: change.status for change in plan.changes}
    assert len(found) == len(plan.changes)
    return found


def booked_nodes(view: PoolView) -> dict[str, list[str]]:
    """The nodes that a pass at noon books, by lease."""
    return {name: status["nodes"] for name, status in changes(plan_pool(view, NOON)).items() if "nodes" in status}


def test_a_booking_is_the_whole_promise() -> None:
    """Nodes, times, price and namespaces are recorded in one write, and the place in the queue is given up."""
    pool = a_pool(pricing={"currency": "EUR", "firm": "2.50"})
    lease = queued(a_lease(namespaces=["staging"], extendable_until=at(24)))
    assert changes(plan_pool(a_pool_view(lease, nodes=some_nodes(3), pool=pool), NOON)) == {
        "acme-train": {
            "phase": "Provisioning",
            "nodes": ["gpu-1", "gpu-2"],
            "nodeCount": 2,
            "gpus": 16,
            "namespaces": ["lease-acme-train", "lease-acme-train-staging"],
            "startsAt": "2026-12-01T12:00:00Z",
            "drainAt": "2026-12-01T19:30:00Z",
            "endsAt": "2026-12-01T20:00:00Z",
            "hardStopAt": "2026-12-02T12:00:00Z",
            "reusableAt": "2026-12-01T20:15:00Z",
            "quote": {
                "currency": "EUR",
                "gpuHours": "128.000000",
                "amount": "320.00",
                "pricePerGPUHour": "2.50",
            },
            "queue": None,
        }
    }


def test_an_absurd_price_sells_nothing_and_stops_nobody() -> None:
    """Stored before prices had a limit: what is in the queue waits, and a lease that runs is shortened all the same."""
    pool = a_pool(pricing={"currency": "EUR", "firm": "999999999999999"})
    running, waiting = booked(a_lease("running", duration="4h"), gpus=16), queued(a_lease("waiting"))
    found = changes(plan_pool(a_pool_view(running, waiting, nodes=some_nodes(4), pool=pool), NOON))
    assert set(found) == {"running"}
    assert found["running"]["endsAt"] == "2026-12-01T16:00:00Z"


def test_a_fixed_start_is_reserved_at_once() -> None:
    """A lease with a start ahead is booked now, on nodes that another lease uses until then."""
    running = booked(a_lease("running"))
    later = queued(a_lease("later", start=at(8.25)))
    view = a_pool_view(running, later, nodes=some_nodes(2, running))
    assert changes(plan_pool(view, NOON))["later"]["phase"] == "Reserved"
    assert booked_nodes(view) == {"later": ["gpu-1", "gpu-2"]}


def test_gpus_are_turned_into_whole_nodes() -> None:
    """Sixteen GPUs of nodes with eight are two nodes."""
    assert booked_nodes(a_pool_view(queued(a_lease(gpus=16)), nodes=some_nodes(4))) == {
        "acme-train": ["gpu-1", "gpu-2"]
    }


def test_the_second_lease_waits_and_then_gets_the_nodes() -> None:
    """It stands in the queue with the hour at which the nodes are clean, and is booked when that has come."""
    first, second = booked(a_lease("first")), queued(a_lease("second"))
    view = a_pool_view(first, second, nodes=some_nodes(2, first))
    plan = plan_pool(view, NOON)
    assert changes(plan) == {
        "second": {"queue": {"position": 1, "earliestStart": "2026-12-01T20:15:00Z", "refusal": None}}
    }
    assert plan.look_again_at == at(8.25)

    over = with_status(first, phase="Ended", ended_at=at(8), released_at=at(8, 0, 30))
    cleaning = [a_node(name, reusable_at=at(8.25)) for name in ("gpu-1", "gpu-2")]
    waiting = a_pool_view(over, second, nodes=cleaning)
    assert changes(plan_pool(waiting, at(8.1)))["second"]["queue"] == {
        "position": 1,
        "earliestStart": "2026-12-01T20:15:00Z",
        "refusal": None,
    }
    assert changes(plan_pool(waiting, at(8.25)))["second"]["nodes"] == ["gpu-1", "gpu-2"]


def test_a_place_in_the_queue_is_written_only_when_it_changes() -> None:
    """A pass that finds the same place and the same hour writes nothing."""
    first = booked(a_lease("first"))
    known = {"position": 1, "earliestStart": "2026-12-01T20:15:00Z", "refusal": None}
    waiting = queued(a_lease("second"), queue=known)
    same = plan_pool(a_pool_view(first, waiting, nodes=some_nodes(2, first)), NOON)
    assert (same.changes, same.forecasts) == ((), ())
    moved = queued(a_lease("second"), queue={"position": 2, "earliestStart": "2026-12-01T20:15:00Z", "refusal": None})
    (news,) = plan_pool(a_pool_view(first, moved, nodes=some_nodes(2, first)), NOON).forecasts
    assert (news.lease, news.status["queue"]) == (moved, known)


def test_the_oldest_lease_is_served_first() -> None:
    """Of three that want the only two nodes, the first is booked and the others are told their places and hours."""
    leases = [queued(a_lease(name)) for name in ("a", "b", "c")]
    found = changes(plan_pool(a_pool_view(*leases, nodes=some_nodes(2)), NOON))
    assert found["a"]["nodes"] == ["gpu-1", "gpu-2"]
    assert found["b"]["queue"] == {"position": 1, "earliestStart": "2026-12-01T20:15:00Z", "refusal": None}
    assert found["c"]["queue"] == {"position": 2, "earliestStart": "2026-12-02T04:30:00Z", "refusal": None}


def test_a_lease_that_can_never_be_had_is_told_what_could() -> None:
    """More nodes than there ever are: it has no place in the queue, and nobody behind it is held up."""
    large, small = queued(a_lease("large", nodes=3)), queued(a_lease("small", nodes=1))
    found = changes(plan_pool(a_pool_view(large, small, nodes=some_nodes(2)), NOON))
    refusal = "spec.duration: the pool never has 3 nodes free then; to be had: 2 nodes at the time asked for"
    assert found["large"] == {"queue": {"position": None, "earliestStart": None, "refusal": refusal}}
    assert found["small"]["nodes"] == ["gpu-1"]


def test_a_lease_that_no_break_between_windows_is_long_enough_for_is_refused() -> None:
    """The owner's windows come every day, and as far as leases are sold; what lies behind is no forecast."""
    daily = a_pool(owner_floor={"windows": [{"start": "0 20 * * *", "duration": "4h", "nodes": 1}]})
    lease = queued(a_lease(duration="24h"))
    queue = changes(plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=daily), NOON))["acme-train"]["queue"]
    assert (queue["position"], queue["earliestStart"]) == (None, None)
    assert queue["refusal"] == (
        "spec.duration: the pool never has 2 nodes free then; "
        "to be had: one node at the time asked for, or 2 nodes until 2026-12-01T19:45:00Z"
    )


def test_however_many_can_never_be_had_the_calendar_is_made_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass looks at all of them again, and on thousands of nodes a calendar takes long to make."""
    made = []
    whole = Supply.repaired

    def counted(supply: Supply) -> Supply:
        made.append(supply)
        return whole(supply)

    monkeypatch.setattr(Supply, "repaired", counted)
    leases = [queued(a_lease(f"large-{number}", nodes=3)) for number in range(5)]
    found = changes(plan_pool(a_pool_view(*leases, nodes=some_nodes(2)), NOON))
    assert len([status for status in found.values() if status["queue"]["refusal"]]) == 5
    assert len(made) == 1


def test_a_lease_that_only_failed_nodes_keep_waiting_stands_in_the_queue_without_an_hour() -> None:
    """Nodes may come back: nothing is forecast, and nothing is refused."""
    nodes = [a_node("gpu-1"), a_node("gpu-2", ready=False)]
    found = changes(plan_pool(a_pool_view(queued(a_lease()), nodes=nodes), NOON))
    assert found["acme-train"] == {"queue": {"position": 1, "earliestStart": None, "refusal": None}}


@pytest.mark.parametrize(
    "lease",
    [
        a_lease(),
        with_status(a_lease(), conditions=(a_condition("Accepted", "False"),)),
        with_status(a_lease(generation=2), conditions=(a_condition("Accepted", generation=1),)),
        queued(a_lease(release=True)),
        queued(a_lease(deleted=NOON)),
        queued(a_lease(), ended_at=NOON),
    ],
    ids=["unseen", "refused", "changed since", "released", "deleted", "over"],
)
def test_only_an_accepted_lease_that_still_wants_nodes_is_booked(lease: GPULease) -> None:
    """Nothing is promised to a lease that was not judged in this very form, or that was given back."""
    assert plan_pool(a_pool_view(lease, nodes=some_nodes(4)), NOON).changes == ()


def test_the_owner_keeps_the_last_free_nodes() -> None:
    """With two kept of three, one node is for sale, and it is the first by name."""
    pool = a_pool(owner_floor={"nodes": 2})
    one, two = queued(a_lease("one", nodes=1)), queued(a_lease("two", nodes=1))
    assert booked_nodes(a_pool_view(one, two, nodes=some_nodes(3), pool=pool)) == {"one": ["gpu-1"]}


def test_the_owners_nodes_are_not_taken_from_a_tenant() -> None:
    """The owner keeps two among the nodes that nobody holds, so a lease on the last node stays where it is."""
    pool = a_pool(owner_floor={"nodes": 2})
    tenant = booked(a_lease("tenant", nodes=1), ["gpu-4"])
    new = queued(a_lease("new", nodes=1))
    nodes = (*some_nodes(3), a_node("gpu-4", tenant))
    assert booked_nodes(a_pool_view(tenant, new, nodes=nodes, pool=pool)) == {"new": ["gpu-1"]}


@pytest.mark.parametrize(
    "node",
    [
        a_node("gpu-1", ready=False),
        a_node("gpu-1", gpus=7),
        a_node("gpu-1", gpus=0),
        a_node("gpu-1", booked(a_lease("a-ghost"))),
        a_node("gpu-1", lease_uid="uid-a-ghost"),
        a_node("gpu-1", reusable_at=at(0, 1)),
        a_node("gpu-1", lease="a-ghost"),
    ],
    ids=["not ready", "lost a GPU", "lost all", "claimed by a ghost", "half a claim", "being cleaned", "other half"],
)
def test_a_node_that_is_not_sound_is_not_promised(node: NodeSeen) -> None:
    """Broken, dirty or claimed by a lease that nobody knows: the next node is taken instead."""
    lease = queued(a_lease(nodes=1))
    assert booked_nodes(a_pool_view(lease, nodes=(node, a_node("gpu-2")))) == {"acme-train": ["gpu-2"]}


def test_a_node_that_was_given_up_for_another_is_not_promised_while_it_carries_the_claim() -> None:
    """It failed under its lease, and is quarantined as soon as the claim is taken off."""
    tenant = booked(a_lease("tenant"), nodes=("gpu-3",))
    given_up, theirs = a_node("gpu-1", tenant), a_node("gpu-3", tenant)
    new = queued(a_lease("new", nodes=1))
    assert booked_nodes(a_pool_view(tenant, new, nodes=(given_up, a_node("gpu-2"), theirs))) == {"new": ["gpu-2"]}


def test_a_lease_that_is_over_keeps_its_nodes_until_they_are_given_back() -> None:
    """An end that is hours ago frees nothing while the lease's things are still there."""
    overdue = booked(a_lease("overdue"), start=at(-20), ended_at=at(-12))
    new = queued(a_lease("new"))
    (change,) = plan_pool(a_pool_view(overdue, new, nodes=some_nodes(2, overdue)), NOON).changes
    assert change.lease.metadata.name == "new"
    assert change.status == {"queue": {"position": 1, "earliestStart": "2026-12-01T23:00:20Z", "refusal": None}}
    later = plan_pool(a_pool_view(overdue, new, nodes=some_nodes(2, overdue)), at(1)).changes
    assert [c.status for c in later] == [change.status]


def test_nobody_is_booked_onto_a_node_that_is_being_cleaned() -> None:
    """Also where the pool keeps no gap; and the other node of that lease, which is clean already, is for sale."""
    pool = a_pool(schedule={"cleaningGap": "0s"}, sanitize={"mode": "External"})
    over = booked(a_lease("over"), start=at(-20), ended_at=at(-12))
    dirty, clean = a_node("gpu-1", over, sanitizing_after="uid-over"), a_node("gpu-2")
    one, two = queued(a_lease("one", nodes=1)), queued(a_lease("two", nodes=1))
    assert booked_nodes(a_pool_view(over, one, two, nodes=[dirty, clean], pool=pool)) == {"one": ["gpu-2"]}


def test_an_early_release_moves_the_queue_forward() -> None:
    """Once the lease before is gone and its nodes are clean, who waited for its planned end starts at once."""
    released = booked(a_lease("released", release=True), ended_at=at(-1), released_at=at(-0.9))
    new = queued(a_lease("new"), queue={"position": 1, "earliestStart": "2026-12-01T20:15:00Z", "refusal": None})
    nodes = [a_node(name, reusable_at=at(-0.75)) for name in ("gpu-1", "gpu-2")]
    assert booked_nodes(a_pool_view(released, new, nodes=nodes)) == {"new": ["gpu-1", "gpu-2"]}


def test_the_same_view_gives_the_same_plan() -> None:
    """A pass that is repeated before anything was written decides the same again."""
    leases = [queued(a_lease(name)) for name in ("a", "b", "c")]
    view = a_pool_view(booked(a_lease("z"), ["gpu-3"]), *leases, nodes=some_nodes(5))
    assert plan_pool(view, NOON) == plan_pool(view, NOON)


def test_a_promise_is_a_booking_that_is_or_was() -> None:
    """A lease is promised from its booking on, also after its end; the queue is no promise."""
    assert not is_promised(queued(a_lease()))
    assert is_promised(booked(a_lease(), start=at(5)))
    assert is_promised(booked(a_lease(), released_at=at(9)))


def test_the_policy_sees_what_the_owner_sells() -> None:
    """The owner's nodes are not counted, the broken ones are: they may be mended before the lease starts."""
    nodes = (*some_nodes(3), a_node("gpu-4", ready=False), a_node("gpu-5", gpus=4))
    given = lease_input(a_lease_view(a_lease(), nodes, pool=a_pool(owner_floor={"nodes": 2})), NOON)
    assert (given.gpus_per_node, given.nodes_for_sale, given.now) == (8, 3, NOON)
    small = lease_input(a_lease_view(a_lease(), some_nodes(1), pool=a_pool(owner_floor={"nodes": 2})), NOON)
    assert small.nodes_for_sale == 0


def test_a_node_that_failed_a_moment_ago_costs_nobody_the_place_in_the_queue() -> None:
    """The first is to have it tonight. Who comes later gets no nodes for a month meanwhile."""
    held = booked(a_lease("held", nodes=1), ["gpu-2"])
    first, second = queued(a_lease("first")), queued(a_lease("second", nodes=1, duration="720h"))
    blink = a_node("gpu-2", held, ready=False, changed_at=at(0, seconds=-10))
    plan = plan_pool(a_pool_view(held, first, second, nodes=[a_node("gpu-1"), blink]), NOON)
    found = {c.lease.metadata.name: c.status["queue"] for c in plan.changes if "queue" in c.status}
    assert found["first"]["earliestStart"] == "2026-12-01T20:15:00Z"
    assert found["second"]["earliestStart"] == "2026-12-02T04:30:00Z"


@pytest.mark.parametrize("gap", ["0s", "15m"])
def test_nobody_starts_on_a_node_that_failed_a_moment_ago(gap: str) -> None:
    """It is had once it is back, or when it has been waited for long enough to be given up."""
    pool, new = a_pool(schedule={"cleaningGap": gap}), queued(a_lease("new", nodes=1))
    blink = a_node("gpu-1", ready=False, changed_at=at(0, seconds=-10))
    for now in (NOON, at(0, 4, 49)):
        (change,) = plan_pool(a_pool_view(new, nodes=[blink], pool=pool), now).changes
        assert change.status["queue"]["earliestStart"] == "2026-12-01T12:04:50Z"
    assert plan_pool(a_pool_view(new, nodes=[blink], pool=pool), NOON).look_again_at == at(0, 4, 50)
    (given_up,) = plan_pool(a_pool_view(new, nodes=[blink], pool=pool), at(0, 4, 50)).changes
    assert given_up.status["queue"]["earliestStart"] is None
    (back,) = plan_pool(a_pool_view(new, nodes=[a_node("gpu-1")], pool=pool), at(0, 1)).changes
    assert back.status["startsAt"] == "2026-12-01T12:01:00Z"
