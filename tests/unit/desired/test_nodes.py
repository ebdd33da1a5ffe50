"""The claim on a node: label, annotation and taint together, and everybody else's taints left alone."""

from typing import Any

import pytest

from sublet.desired import naming
from sublet.desired.nodes import claimed, is_claimed_whole, returned, sanitizing
from tests.builders import at

OURS = {"key": "sublet.dev/lease", "value": "acme-train", "effect": "NoExecute"}
THEIRS = {"key": "sublet.dev/lease", "value": "other", "effect": "NoExecute"}
CLEANED = {"key": "sublet.dev/sanitizing", "effect": "NoExecute"}
OWNERS = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-12-01T11:00:00Z"}


def test_a_claim_is_label_annotation_and_taint() -> None:
    """One write marks the node for people, for guards and for the scheduler."""
    assert claimed("acme-train", "uid-1", "h100", ()) == {
        "metadata": {
            "labels": {"sublet.dev/lease": "acme-train", "sublet.dev/pool": "h100", "sublet.dev/sanitizing": None},
            "annotations": {
                "sublet.dev/lease-uid": "uid-1",
                "sublet.dev/reusable-at": None,
                "sublet.dev/sanitized": None,
                "sublet.dev/quarantined-after": None,
                "sublet.dev/quarantine-reason": None,
            },
        },
        "spec": {"taints": [OURS]},
    }


def test_a_claim_keeps_other_peoples_taints() -> None:
    """Taints are one list that is written whole: what others put on the node goes with it, in its order."""
    change = claimed("acme-train", "uid-1", "h100", (OWNERS, THEIRS, UNREACHABLE))
    assert change["spec"]["taints"] == [OWNERS, UNREACHABLE, OURS]


def test_a_returned_node_remembers_when_it_may_be_used_again() -> None:
    """Label, UID and taint go; the end of the cleaning gap stays on the node itself."""
    assert returned((OWNERS, OURS, CLEANED), at(0.25), "uid-1") == {
        "metadata": {
            "labels": {"sublet.dev/lease": None, "sublet.dev/pool": None, "sublet.dev/sanitizing": None},
            "annotations": {
                "sublet.dev/lease-uid": None,
                "sublet.dev/reusable-at": "2026-12-01T12:15:00Z",
                "sublet.dev/sanitized": "uid-1",
            },
        },
        "spec": {"taints": [OWNERS]},
    }


def test_a_node_that_is_cleaned_keeps_its_claim() -> None:
    """Nobody can book it meanwhile, nothing runs beside the cleaning, and what was said of an earlier one is gone."""
    assert sanitizing("uid-1", (OWNERS, OURS)) == {
        "metadata": {
            "labels": {"sublet.dev/sanitizing": "uid-1"},
            "annotations": {"sublet.dev/sanitized": None},
        },
        "spec": {"taints": [OWNERS, OURS, CLEANED]},
    }


def test_a_node_whose_only_taint_was_ours_has_no_list_afterwards() -> None:
    """An empty list is taken off altogether, as it was before the lease."""
    assert returned((OURS,), at(0))["spec"] == {"taints": None}


@pytest.mark.parametrize(
    ("taints", "whole"),
    [
        ((OURS,), True),
        ((OWNERS, OURS), True),
        ((), False),
        ((OWNERS,), False),
        ((THEIRS,), False),
        ((OURS, THEIRS), False),
        ((OURS, CLEANED), False),
        (({**OURS, "effect": "NoSchedule"},), False),
        ((OURS, {**OURS, "effect": "NoSchedule"}), False),
    ],
)
def test_a_claim_is_whole_with_exactly_its_own_taint(taints: tuple[dict[str, Any], ...], *, whole: bool) -> None:
    """Neither a weaker effect nor a second lease's taint counts as a whole claim."""
    assert is_claimed_whole("acme-train", taints) is whole


def test_names_of_namespaces() -> None:
    """The first namespace is named by the lease, the others by the lease and their suffixes, in order."""
    assert naming.namespace_names("acme", ()) == ("lease-acme",)
    assert naming.namespace_names("acme", ("b", "a")) == ("lease-acme", "lease-acme-b", "lease-acme-a")
