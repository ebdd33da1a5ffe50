"""Comparing a live object with what is wanted: fields that we have no opinion on do not count."""

import pytest

from sublet.plan.diff import matches

ALLOW = {"namespaceSelector": {"matchLabels": {"a": "1"}}}


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}),
        ({}, {}),
        ({}, {"ingress": []}),
        ({"ingress": []}, {"ingress": []}),
        ([1, 2], [1, 2]),
        ([{"a": 1}], [{"a": 1, "ports": []}]),
        ({"podSelector": {}, "policyTypes": ["Ingress"]}, {"podSelector": {}}),
        ("x", "x"),
    ],
)
def test_more_than_what_is_wanted_is_no_difference(live: object, wanted: object) -> None:
    """A field that the server or somebody else added to an object is left alone, outside of lists."""
    assert matches(live, wanted)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 2}, {"a": 1}),
        ({}, {"a": 1}),
        ({"a": None}, {"a": {}}),
        ({"a": {"b": 1}}, {"a": {}}),
        ([1, 2, 3], [1, 2]),
        ([1], [1, 2]),
        ([2, 1], [1, 2]),
        ([], [1]),
        ({"ingress": [{}]}, {"ingress": []}),
        ({}, {"podSelector": {}}),
        ([{"a": 2}], [{"a": 1}]),
        ([{"a": 1, "added": True}], [{"a": 1}]),
        ([{"a": {"b": 1, "added": [1]}}], [{"a": {"b": 1}}]),
        ("1", 1),
        ("x", {"a": 1}),
        ({"a": 1}, [1]),
        (None, []),
    ],
)
def test_what_is_missing_or_other_is_a_difference(live: object, wanted: object) -> None:
    """A value that differs, a list that is longer or in another order, a selector that somebody narrowed."""
    assert not matches(live, wanted)


def test_a_selector_that_was_narrowed_is_a_difference() -> None:
    """An empty selector means all pods, so one with a label in it means fewer than we wanted."""
    assert not matches({"podSelector": {"matchLabels": {"safe": "yes"}}}, {"podSelector": {}})


def test_a_rule_that_was_narrowed_is_a_difference() -> None:
    """A denial of one protocol is not the denial of all that we wrote."""
    denial = {"action": "Deny", "to": [{"namespaces": {}}]}
    assert not matches({"egress": [{**denial, "protocols": [{"tcp": {}}]}]}, {"egress": [denial]})


def test_a_peer_that_was_added_is_a_difference() -> None:
    """Lists in our manifests are ours: one more source of traffic is not overlooked."""
    everywhere = {"ipBlock": {"cidr": "0.0.0.0/0"}}
    assert not matches({"from": [ALLOW, everywhere]}, {"from": [ALLOW]})
