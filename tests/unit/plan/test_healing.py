"""Healing: failed nodes are waited for, written down, replaced, and never in the way of somebody else's booking."""

from datetime import datetime
from typing import Any

import pytest

from sublet.api.lease import GPULease, GPULeaseStatus
from sublet.plan.booking import plan_pool
from sublet.plan.observed import NodeSeen
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked, queued, with_status

Raw = dict[str, Any]

RACK = "example.com/rack"


def running(**status: Any) -> GPULease:  # noqa: ANN401 - a field of any kind
    """A lease from noon to 20:00 on gpu-1 and gpu-2."""
    return booked(a_lease(), **status)


def nodes(lease: GPULease, *failed: NodeSeen, spare: int = 1) -> list[NodeSeen]:
    """The two nodes of a lease, some of them failed, and some that are free."""
    sound = {f"gpu-{n}": a_node(f"gpu-{n}", lease) for n in (1, 2)}
    free = [a_node(f"gpu-{n}") for n in range(3, 3 + spare)]
    return [*(sound | {node.name: node for node in failed}).values(), *free]


def healed(lease: GPULease, seen: list[NodeSeen], now: datetime, *others: GPULease) -> Raw | None:
    """What a planning pass changes in the lease's status; None for nothing."""
    plan = plan_pool(a_pool_view(lease, *others, nodes=seen), now)
    return next((c.status for c in plan.changes if c.lease.metadata.name == lease.metadata.name), None)


def away(lease: GPULease, since: datetime = NOON) -> NodeSeen:
    """gpu-1, claimed and not Ready since a moment."""
    return a_node("gpu-1", lease, ready=False, changed_at=since)


def outage(start: str, end: str | None = None, node: str = "gpu-1", reason: str = "NotReady") -> Raw:
    """An outage as it stands in a status."""
    return {"node": node, "gpus": 8, "reason": reason, "start": start} | ({"end": end} if end else {})


def test_a_failed_node_is_written_down_from_when_it_failed_and_waited_for() -> None:
    """Within five minutes nothing is moved, and the next look is when they are over."""
    lease = running()
    view = a_pool_view(lease, nodes=nodes(lease, away(lease, at(1))))
    plan = plan_pool(view, at(1, minutes=2))
    assert [c.status for c in plan.changes] == [{"outages": [outage("2026-12-01T13:00:00Z")]}]
    assert plan.look_again_at == at(1, minutes=5)


def test_a_node_that_stays_away_is_replaced_and_its_outage_ends() -> None:
    """After five minutes another one is booked for the rest."""
    lease = running(outages=[outage("2026-12-01T13:00:00Z")])
    assert healed(lease, nodes(lease, away(lease, at(1))), at(1, minutes=5)) == {
        "nodes": ["gpu-3", "gpu-2"],
        "outages": [outage("2026-12-01T13:00:00Z", "2026-12-01T13:05:00Z")],
    }


def test_a_node_that_failed_before_the_lease_began_is_missed_from_its_start() -> None:
    """Before that the tenant had nothing to miss."""
    lease = running()
    found = healed(lease, nodes(lease, away(lease, at(-3)), spare=0), at(0, minutes=1))
    assert found == {"outages": [outage("2026-12-01T12:00:00Z")]}


@pytest.mark.parametrize("what", ["gone", "quarantined"])
def test_nothing_is_waited_for_where_the_node_is_lost(what: str) -> None:
    """It is replaced in the same pass."""
    lease = running()
    seen = nodes(lease, a_node("gpu-1", lease, quarantined=True))
    found = healed(lease, seen if what == "quarantined" else seen[1:], at(1))
    assert found is not None
    assert found["nodes"] == ["gpu-3", "gpu-2"]


def test_a_node_that_comes_back_ends_its_outage_and_stays() -> None:
    """Nothing else changes."""
    lease = running(outages=[outage("2026-12-01T13:00:00Z")])
    assert healed(lease, nodes(lease), at(1, minutes=3)) == {
        "outages": [outage("2026-12-01T13:00:00Z", "2026-12-01T13:03:00Z")]
    }


def test_without_a_free_node_the_outage_goes_on_and_nothing_is_written_twice() -> None:
    """A pass that finds the same writes nothing."""
    lease = running(outages=[outage("2026-12-01T13:00:00Z")])
    assert healed(lease, nodes(lease, away(lease, at(1)), spare=0), at(2)) is None


def test_a_node_with_fewer_gpus_is_replaced_and_one_beside_larger_ones_is_not() -> None:
    """A node is measured by what was promised of it, not by the largest of the pool."""
    lease = running()
    lame = nodes(lease, a_node("gpu-1", lease, gpus=7))
    assert healed(lease, lame, at(1)) == {"outages": [outage("2026-12-01T13:00:00Z", reason="GPUsMissing")]}
    assert healed(lease, [*nodes(lease), a_node("gpu-9", gpus=16)], at(1)) is None


def test_a_reservation_is_moved_without_an_outage() -> None:
    """It has not begun, so there is nothing to credit."""
    lease = booked(a_lease(start=at(4)), start=at(4))
    assert healed(lease, nodes(lease, away(lease, at(-1))), NOON) == {"nodes": ["gpu-3", "gpu-2"]}


def test_a_node_that_others_are_promised_is_no_replacement() -> None:
    """gpu-3 is booked from 14:00, so nothing is free for the rest of the lease."""
    lease = running(outages=[outage("2026-12-01T12:00:00Z")])
    other = booked(a_lease("other", start=at(2), nodes=1), ["gpu-3"], start=at(2))
    assert healed(lease, nodes(lease, away(lease)), at(1), other) is None


def test_two_failed_nodes_get_two_different_ones() -> None:
    """What takes the place of the first is taken for the second."""
    lease = running()
    found = healed(lease, nodes(lease, spare=2)[2:], at(1))
    assert found is not None
    assert sorted(found["nodes"]) == ["gpu-3", "gpu-4"]


def test_a_lease_that_is_over_is_not_healed() -> None:
    """Its nodes are being given back."""
    lease = running(ended_at=at(1))
    assert healed(lease, nodes(lease, away(lease)), at(1)) is None


def test_a_lease_is_not_extended_in_the_pass_that_moves_it() -> None:
    """The node that it moves to was booked for the old end only; whoever waits may have it after that."""
    lease = booked(a_lease(duration="12h", extendable_until=at(24)))
    waiting = queued(a_lease("waiting", nodes=1, start=at(9), duration="8h"))
    view = a_pool_view(lease, waiting, nodes=nodes(lease)[1:])
    found = {c.lease.metadata.name: c.status for c in plan_pool(view, at(1)).changes}
    assert found["acme-train"]["nodes"] == ["gpu-3", "gpu-2"]
    assert "extension" not in found["acme-train"]
    assert "nodes" in found["waiting"]


def test_a_required_rack_is_kept_also_for_a_node_that_took_its_labels_along() -> None:
    """The other nodes of the lease tell where it lay."""
    lease = booked(a_lease(placement={"level": RACK, "mode": "Required"}))
    pool = a_pool(topology=[RACK])

    def node(number: int, rack: str, claim: GPULease | None = None) -> NodeSeen:
        return a_node(f"gpu-{number}", claim, labels={RACK: rack})

    elsewhere, near = node(3, "r2"), node(4, "r1")
    for spare, expected in (((elsewhere, near), ["gpu-4", "gpu-2"]), ((elsewhere,), None)):
        view = a_pool_view(lease, nodes=[node(2, "r1", lease), *spare], pool=pool)
        (change,) = plan_pool(view, at(1)).changes
        assert change.status.get("nodes") == expected


def test_the_outage_of_a_node_that_was_not_ready_ends_when_it_was() -> None:
    """Kubernetes noted that, whoever was away meanwhile; when GPUs came back nobody noted."""
    back = nodes(running(), a_node("gpu-1", running(), changed_at=at(1, minutes=2)))
    not_ready = running(outages=[outage("2026-12-01T13:00:00Z")])
    assert healed(not_ready, back, at(3)) == {"outages": [outage("2026-12-01T13:00:00Z", "2026-12-01T13:02:00Z")]}
    lame = running(outages=[outage("2026-12-01T13:00:00Z", reason="GPUsMissing")])
    ended = outage("2026-12-01T13:00:00Z", "2026-12-01T15:00:00Z", reason="GPUsMissing")
    assert healed(lame, back, at(3)) == {"outages": [ended]}


def many_outages(node: str = "gpu-1") -> list[Raw]:
    """200 outages of a second each, from noon on."""
    return [
        outage(f"2026-12-01T12:{n // 60:02}:{n % 60:02}Z", f"2026-12-01T12:{(n + 1) // 60:02}:{(n + 1) % 60:02}Z", node)
        for n in range(200)
    ]


def test_of_more_outages_than_are_listed_the_first_are_summed_up() -> None:
    """Nothing is lost of what will be credited."""
    last = outage("2026-12-01T13:00:00Z")
    lease = running(ready_at=NOON, outages=[*many_outages(), last], unlisted_outage_gpu_seconds=100)
    back = nodes(lease, a_node("gpu-1", lease, changed_at=at(1, minutes=1)))
    found = healed(lease, back, at(1, minutes=1))
    ended = outage("2026-12-01T13:00:00Z", "2026-12-01T13:01:00Z")
    assert found == {"outages": [*many_outages()[1:], ended], "unlistedOutageGPUSeconds": 108}
    GPULeaseStatus.model_validate(found)


def test_outages_that_last_are_all_listed_and_so_are_those_of_nodes_that_were_given_up() -> None:
    """Both are acted on: those nodes are quarantined by what the list says of them."""
    lease = running(ready_at=NOON, outages=[*many_outages(), *many_outages("gpu-9")[:1]])
    found = healed(lease, nodes(lease, away(lease, at(1)), spare=0), at(1, minutes=1))
    assert found is not None
    listed = [(o["node"], "end" in o) for o in found["outages"]]
    assert (listed.count(("gpu-9", True)), listed.count(("gpu-1", True)), listed[-1]) == (1, 199, ("gpu-1", False))
    assert found["unlistedOutageGPUSeconds"] == 8


def test_what_was_missing_before_everything_was_in_place_is_not_summed_up() -> None:
    """That time has a credit of its own."""
    lease = running(ready_at=at(0, 0, 1), outages=[*many_outages(), outage("2026-12-01T13:00:00Z")])
    found = healed(lease, nodes(lease), at(1, minutes=1))
    assert found is not None
    assert found["unlistedOutageGPUSeconds"] == 0


def test_a_lease_that_must_be_together_begins_anew_where_the_most_are_free() -> None:
    """All its nodes are gone, and with them the block in which they lay."""
    lease = booked(a_lease(placement={"level": RACK, "mode": "Required"}))
    racks = {"gpu-4": "r1", "gpu-5": "r2", "gpu-6": "r2"}
    nodes = [a_node(name, labels={RACK: rack}) for name, rack in racks.items()]
    (change,) = plan_pool(a_pool_view(lease, nodes=nodes, pool=a_pool(topology=[RACK])), at(1)).changes
    assert sorted(change.status["nodes"]) == ["gpu-5", "gpu-6"]


def test_a_second_node_is_looked_for_near_the_first_that_was_found() -> None:
    """All are gone: what takes the place of the first tells where the lease now lies."""
    lease = booked(a_lease(placement={"level": RACK, "mode": "Preferred"}))
    racks = {"gpu-4": "r1", "gpu-5": "r2", "gpu-6": "r1"}
    nodes = [a_node(name, labels={RACK: rack}) for name, rack in racks.items()]
    (change,) = plan_pool(a_pool_view(lease, nodes=nodes, pool=a_pool(topology=[RACK])), at(1)).changes
    assert sorted(change.status["nodes"]) == ["gpu-4", "gpu-6"]


@pytest.mark.parametrize("what", [{"gpus": 0}, {"quarantined": True}])
def test_an_outage_lasts_until_nothing_is_lacking_any_more(what: Raw) -> None:
    """A node that reboots is Ready before it has its GPUs again: the time until then is missed as well."""
    lease = running(outages=[outage("2026-12-01T13:00:00Z")])
    lame = nodes(lease, a_node("gpu-1", lease, changed_at=at(1, 4), **what), spare=0)
    found = healed(lease, lame, at(1, 4))
    assert found is not None
    (lasting,) = found["outages"]
    assert "end" not in lasting
    whole = nodes(lease, a_node("gpu-1", lease, changed_at=at(1, 4)), spare=0)
    over = healed(running(outages=[lasting]), whole, at(6))
    assert over is not None
    assert over["outages"][0]["end"] == "2026-12-01T18:00:00Z"


@pytest.mark.parametrize("start", [NOON, at(4)])
def test_a_lease_is_not_moved_to_nodes_that_are_no_better(start: datetime) -> None:
    """All nodes of the pool lost a GPU: what was promised is to be had on none of them."""
    lease = booked(a_lease(start=start), start=start, outages=[outage("2026-12-01T12:00:00Z")] if start == NOON else [])
    lame = [a_node(f"gpu-{n}", lease if n < 3 else None, gpus=7) for n in (1, 2, 3, 4)]
    found = healed(lease, lame, at(1)) or {}
    assert "nodes" not in found


def test_of_more_outages_than_the_status_holds_the_earliest_of_those_that_last_are_listed() -> None:
    """The others are found anew, by the nodes; and nothing is written twice."""
    names = [f"gpu-{n:04}" for n in range(4_100)]
    lease = booked(a_lease(nodes=4_100), names, ready_at=NOON)
    away = [a_node(name, lease, ready=False, changed_at=at(0, 0, n)) for n, name in enumerate(names)]
    found = healed(lease, away, at(2))
    assert found is not None
    assert [o["node"] for o in found["outages"]] == names[:4_000]
    GPULeaseStatus.model_validate(found)
    assert healed(with_status(lease, outages=found["outages"]), away, at(2, 1)) is None
