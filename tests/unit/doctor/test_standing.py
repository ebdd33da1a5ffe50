"""How long a measured answer counts, and what it rests on."""

from datetime import timedelta

import pytest

from sublet.doctor.judge import Verdict
from sublet.doctor.policies import NAMESPACES, digest, policies
from sublet.doctor.standing import Measured, due, passed
from tests.builders import NOON, a_pool, at

PASSED = Measured(Verdict.PASSED, NOON, "abc")


def test_a_node_that_passed_counts_for_a_day() -> None:
    """To the second."""
    assert passed(PASSED, "abc", None, at(23, 59, 59))
    assert not passed(PASSED, "abc", None, at(24))
    assert due(PASSED, "abc", None) == at(24)


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.UNKNOWN])
def test_a_node_that_did_not_pass_is_measured_again_soon(verdict: Verdict) -> None:
    """And lets nobody in meanwhile."""
    measured = Measured(verdict, NOON, "abc", "the way is open")
    assert not passed(measured, "abc", None, NOON)
    assert due(measured, "abc", None) == NOON + timedelta(minutes=1)


def test_an_answer_about_other_policies_counts_for_nothing() -> None:
    """Nor one from before the node went away and came back."""
    for rests_on, changed in (("other", None), ("abc", at(1))):
        assert due(PASSED, rests_on, changed) is None
        assert not passed(PASSED, rests_on, changed, at(2))
    assert passed(PASSED, "abc", at(-1), at(2))


def test_an_answer_survives_the_annotation() -> None:
    """Word for word, up to a length that an annotation bears."""
    measured = Measured(Verdict.FAILED, NOON, "abc", "the way is open; close it")
    assert Measured.parse(measured.dump()) == measured
    long = Measured.parse(Measured(Verdict.FAILED, NOON, "abc", "x" * 9999).dump())
    assert long is not None
    assert len(long.message) == 600


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Passed",
        "[]",
        "{}",
        '{"verdict": "Fine", "at": "2026-12-01T12:00:00+00:00", "restsOn": "abc", "message": ""}',
        '{"verdict": "Passed", "at": "today", "restsOn": "abc", "message": ""}',
        '{"verdict": "Passed", "at": "2026-12-01T12:00:00", "restsOn": "abc", "message": ""}',
        '{"verdict": "Passed", "at": 5, "restsOn": "abc", "message": ""}',
    ],
)
def test_an_annotation_that_cannot_be_read_is_no_answer(text: str | None) -> None:
    """Whoever wrote it."""
    assert Measured.parse(text) is None


def test_the_answer_rests_on_the_policies_and_the_image() -> None:
    """What changes them asks for a new one; what does not, does not."""
    pool = a_pool(isolation={"egress": ["0.0.0.0/0"], "clusterCIDRs": ["10.0.0.0/8"]})
    narrower = a_pool(isolation={"egress": ["203.0.113.0/24"], "clusterCIDRs": ["10.0.0.0/8"]})
    dearer = a_pool(isolation={"egress": ["0.0.0.0/0"], "clusterCIDRs": ["10.0.0.0/8"]}, ownerFloor={"nodes": 1})
    assert digest(pool, "a:1") == digest(dearer, "a:1")
    assert len({digest(pool, "a:1"), digest(narrower, "a:1"), digest(pool, "a:2")}) == 3


def test_the_made_up_leases_ask_for_all_that_the_pool_allows() -> None:
    """So that no lease has more open than what was measured."""
    pool = a_pool(isolation={"egress": ["0.0.0.0/0"], "clusterCIDRs": ["10.0.0.0/8"]})
    found = policies(pool)
    assert {each["metadata"]["namespace"] for each in found} == set(NAMESPACES[1:])
    opened = [each["spec"]["egress"] for each in found if each["metadata"]["name"] == "sublet-allow"]
    for egress in opened:
        (block,) = [to["ipBlock"] for rule in egress for to in rule["to"] if "ipBlock" in to]
        assert block["cidr"] == "0.0.0.0/0"
        assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(block["except"])
