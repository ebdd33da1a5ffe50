"""The conditions: all ten from the first pass, each with a reason, and a transition time that means something."""

from typing import Any

import pytest

from sublet.api.meta import Condition
from sublet.api.reasons import Reason
from sublet.calendar.lifecycle import Stage
from sublet.plan.conditions import Situation, conditions
from sublet.policy.chain import Verdict
from tests.builders import NOON, a_condition, a_lease, a_node, at, booked, queued, some_nodes, with_status

TEN = {
    "Ready",
    "Accepted",
    "Scheduled",
    "NodesReady",
    "Isolated",
    "AccessGranted",
    "Draining",
    "Stalled",
    "Released",
    "Sanitized",
}
LEASE = booked(a_lease())
REFUSAL = Verdict(Reason.TOO_FEW_NODES, "spec.nodes: 9 asked for, but the pool h100 has 4 nodes for sale")
WORKING: dict[str, Any] = {"claimed": some_nodes(2, LEASE), "guarded": True, "admitted": True}

SITUATIONS = {
    "first pass": Situation(a_lease(), Stage.QUEUED),
    "refused": Situation(a_lease(), Stage.REFUSED, verdict=REFUSAL),
    "reserved": Situation(booked(a_lease(), start=at(5)), Stage.RESERVED),
    "provisioning": Situation(LEASE, Stage.PROVISIONING, waiting="something"),
    "active": Situation(LEASE, Stage.ACTIVE, **WORKING),
    "suspended": Situation(booked(a_lease(suspend=True)), Stage.SUSPENDED, **WORKING),
    "draining": Situation(LEASE, Stage.DRAINING, **WORKING),
    "releasing": Situation(LEASE, Stage.RELEASING, waiting="namespaces still being deleted: lease-acme-train"),
    "ended": Situation(LEASE, Stage.ENDED),
    "never booked": Situation(a_lease(deleted=NOON), Stage.ENDED),
}


def found(situation: Situation) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message of every condition."""
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in conditions(situation, NOON)}


@pytest.mark.parametrize("name", SITUATIONS)
def test_all_ten_conditions_are_always_there(name: str) -> None:
    """No tool has to ask whether a condition exists; `Ready` comes first, and each is one that the API admits."""
    written = conditions(SITUATIONS[name], NOON)
    assert {condition["type"] for condition in written} == TEN
    assert len(written) == 10
    assert written[0]["type"] == "Ready"
    for condition in written:
        Condition.model_validate(condition)


@pytest.mark.parametrize("name", SITUATIONS)
def test_ready_sums_up_the_five(name: str) -> None:
    """Ready is True if schedule, nodes, isolation and access are; else the first that is not explains it."""
    observed = found(SITUATIONS[name])
    needed = [observed[kind] for kind in ("Accepted", "Scheduled", "NodesReady", "Isolated", "AccessGranted")]
    failing = [finding for finding in needed if finding[0] != "True"]
    if not failing:
        assert observed["Ready"] == ("True", "LeaseActive", "the tenant can work")
    else:
        assert observed["Ready"][:2] == ("False", failing[0][1])
        assert observed["Ready"][2]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("first pass", "Accepted", ("True", "Accepted", "the lease can be had as it is written")),
        ("first pass", "Scheduled", ("False", "Pending", "waiting to be planned")),
        ("first pass", "NodesReady", ("False", "WaitingForStart", "")),
        ("first pass", "Sanitized", ("Unknown", "NotYet", "")),
        ("refused", "Accepted", ("False", "TooFewNodes", REFUSAL.message)),
        ("refused", "Stalled", ("True", "TooFewNodes", REFUSAL.message)),
        ("refused", "Ready", ("False", "TooFewNodes", REFUSAL.message)),
        ("refused", "Scheduled", ("False", "NotYet", "nothing is booked")),
        ("reserved", "Scheduled", ("True", "Booked", "2 nodes from 2026-12-01T17:00:00Z to 2026-12-02T01:00:00Z")),
        ("reserved", "Ready", ("False", "WaitingForStart", "NodesReady is not True yet")),
        ("provisioning", "NodesReady", ("False", "Claiming", "")),
        ("provisioning", "Isolated", ("False", "GuardsMissing", "something")),
        ("provisioning", "AccessGranted", ("False", "NotYet", "something")),
        ("active", "NodesReady", ("True", "NodesClaimed", "2 nodes are claimed and ready")),
        ("active", "Isolated", ("True", "GuardsInPlace", "guards are in place and answered their probes")),
        ("active", "AccessGranted", ("True", "Granted", "the tenant's subjects have access")),
        ("active", "Draining", ("False", "NotYet", "")),
        ("active", "Stalled", ("False", "NotStalled", "")),
        ("suspended", "AccessGranted", ("False", "Suspended", "spec.suspend is true; set it to false to resume")),
        ("suspended", "Ready", ("False", "Suspended", "spec.suspend is true; set it to false to resume")),
        (
            "draining",
            "Draining",
            ("True", "EndNear", "the end is near: no new pods start, running ones may finish"),
        ),
        ("draining", "Ready", ("True", "LeaseActive", "the tenant can work")),
        ("releasing", "AccessGranted", ("False", "Revoked", "the lease has ended")),
        ("releasing", "NodesReady", ("False", "Ended", "")),
        (
            "releasing",
            "Released",
            ("False", "Removing", "namespaces still being deleted: lease-acme-train"),
        ),
        ("ended", "Released", ("True", "Removed", "nothing of the lease is left")),
        (
            "ended",
            "Sanitized",
            ("Unknown", "NotConfigured", "the pool names no sanitizing steps; nothing was run"),
        ),
        ("never booked", "Scheduled", ("False", "NotYet", "nothing is booked")),
        ("never booked", "Sanitized", ("Unknown", "NotYet", "")),
    ],
)
def test_what_a_condition_says(name: str, kind: str, expected: tuple[str, str, str]) -> None:
    """Status, reason and sentence of a condition in each situation."""
    assert found(SITUATIONS[name])[kind] == expected


@pytest.mark.parametrize(
    ("queue", "message"),
    [
        ({"position": 2, "earliest_start": at(8)}, "number 2 in the queue, earliest start 2026-12-01T20:00:00Z"),
        ({"position": 1}, "number 1 in the queue, no start within reach"),
    ],
)
def test_who_waits_is_told_place_and_hour(queue: dict[str, Any], message: str) -> None:
    """The sentence that people see names the place in the queue and when it is their turn."""
    situation = Situation(queued(a_lease(), queue=queue), Stage.QUEUED)
    assert found(situation)["Scheduled"] == ("False", "WaitingForNodes", message)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"missing": ["gpu-1"]}, ("False", "NodeUnhealthy", "not to be had: gpu-1")),
        ({"missing": list("abcdefg")}, ("False", "NodeUnhealthy", "not to be had: a, b, c, d, e")),
        ({"claimed": some_nodes(1, LEASE), "failure": "stale"}, ("False", "Claiming", "stale")),
        (
            {"claimed": (a_node("gpu-1", LEASE), a_node("gpu-2", LEASE, ready=False))},
            ("False", "NodeUnhealthy", "not ready: gpu-2"),
        ),
    ],
)
def test_nodes_that_fail_are_named(facts: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """Up to five nodes are named, so that a message stays readable however large the lease."""
    assert found(Situation(LEASE, Stage.PROVISIONING, **facts))["NodesReady"] == expected


def test_a_guard_that_could_not_be_written_says_why() -> None:
    """A failure goes before what is waited for."""
    situation = Situation(LEASE, Stage.PROVISIONING, waiting="something", failure="the API server is away")
    assert found(situation)["Isolated"] == ("False", "ApplyFailed", "the API server is away")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ("False", "Removing", "volumes")),
        ({"volumes_stuck": True}, ("False", "VolumesLeft", "volumes")),
        ({"volumes_stuck": True, "failure": "stale"}, ("False", "Removing", "stale")),
    ],
)
def test_a_volume_that_needs_somebody_has_a_reason_of_its_own(
    facts: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """So that an alert can tell it from a volume that is on its way."""
    assert found(Situation(LEASE, Stage.RELEASING, waiting="volumes", **facts))["Released"] == expected


@pytest.mark.parametrize(("before", "since"), [("True", at(-5)), ("False", NOON), ("Unknown", NOON)])
def test_the_transition_time_moves_only_with_the_status(before: str, since: Any) -> None:  # noqa: ANN401 - an instant
    """A reason or a message may change within a status; its time stays that of the last change of status."""
    known = (a_condition("Isolated", before, since=at(-5)),)
    situation = Situation(with_status(LEASE, conditions=known), Stage.ACTIVE, **WORKING)
    (isolated,) = [c for c in conditions(situation, NOON) if c["type"] == "Isolated"]
    assert isolated["lastTransitionTime"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_conditions_tell_which_specification_they_speak_of() -> None:
    """The generation stands on each, so that a change that is not seen yet is told from one that is."""
    situation = Situation(a_lease(generation=7), Stage.QUEUED)
    assert {c["observedGeneration"] for c in conditions(situation, NOON)} == {7}


def test_a_message_is_never_too_long_for_the_api() -> None:
    """A failure of any length is cut, so that the status can always be written."""
    situation = Situation(LEASE, Stage.PROVISIONING, failure="x" * 5000)
    assert max(len(c["message"]) for c in conditions(situation, NOON)) == 1024


def test_a_lost_node_is_degraded_until_another_is_claimed() -> None:
    """The outage that lasts goes before everything else that is wrong with nodes; one that is over is history."""
    lasting = {"node": "gpu-1", "gpus": 8, "start": NOON}
    lost = with_status(LEASE, outages=(lasting,))
    found = {c["type"]: c for c in conditions(Situation(lost, Stage.ACTIVE, **WORKING), at(1))}
    assert (found["NodesReady"]["status"], found["NodesReady"]["reason"]) == ("False", "Degraded")
    assert found["NodesReady"]["message"].startswith("not to be had: gpu-1; another node takes its place")
    assert found["Ready"]["reason"] == "Degraded"
    over = with_status(LEASE, outages=(lasting | {"end": at(1)},))
    found = {c["type"]: c for c in conditions(Situation(over, Stage.ACTIVE, **WORKING), at(1))}
    assert found["NodesReady"]["status"] == "True"
