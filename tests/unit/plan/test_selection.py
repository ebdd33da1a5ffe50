"""Selectors mean what they mean to the API server."""

from typing import Any

import pytest

from sublet.api.pool import LabelSelector
from sublet.plan.selection import selects

NODE = {"gpu": "h100", "zone": "a", "empty": ""}


def says(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A selector of one expression."""
    return {"match_expressions": [{"key": key, "operator": operator, "values": values}]}


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"match_labels": {"gpu": "h100"}},
        {"match_labels": {"gpu": "h100", "zone": "a"}},
        {"match_labels": {"empty": ""}},
        says("zone", "In", "b", "a"),
        says("zone", "NotIn", "b", "c"),
        says("missing", "NotIn", "a"),
        says("zone", "Exists"),
        says("empty", "Exists"),
        says("missing", "DoesNotExist"),
        {"match_labels": {"gpu": "h100"}} | says("zone", "In", "a"),
    ],
)
def test_a_node_that_meets_all_of_it_is_selected(selector: dict[str, Any]) -> None:
    """Labels and expressions must all hold; a label that is missing is in no list, and so outside of every one."""
    assert selects(LabelSelector.model_validate(selector), NODE)


@pytest.mark.parametrize(
    "selector",
    [
        {"match_labels": {"gpu": "a100"}},
        {"match_labels": {"gpu": "h100", "zone": "b"}},
        {"match_labels": {"missing": ""}},
        says("zone", "In", "b"),
        says("missing", "In", "a"),
        says("missing", "In", ""),
        says("zone", "NotIn", "a", "b"),
        says("missing", "Exists"),
        says("empty", "DoesNotExist"),
        {"match_labels": {"gpu": "h100"}} | says("zone", "In", "b"),
    ],
)
def test_a_node_that_fails_any_of_it_is_not_selected(selector: dict[str, Any]) -> None:
    """One demand that does not hold is enough; an empty label is not a missing one."""
    assert not selects(LabelSelector.model_validate(selector), NODE)
