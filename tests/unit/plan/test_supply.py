"""What the owner keeps is known for as long as anything may be sold."""

from datetime import timedelta
from typing import Any

import pytest

from sublet.plan.booking import plan_pool
from sublet.plan.quoting import quote, unwritten
from sublet.plan.supply import supply_of
from tests.builders import NOON, a_condition, a_lease, a_pool, a_pool_view, at, queued, some_nodes, with_status

YEARLY = {"start": "0 0 20 12 *", "duration": "1d", "nodes": 1}
"""One node of two on 20 December, which lies 18.5 days after noon on the first."""

POOL = a_pool(owner_floor={"windows": [YEARLY]}, terms={"horizon": "1d", "min_duration": "1h"})

THROUGH = {
    "until an end": {"end": at(24 * 25)},
    "from a start to an end": {"start": at(2), "end": at(24 * 25)},
    "from a start for a time": {"start": at(2), "duration": "25d"},
    "for a time before an end": {"end": at(24 * 25 + 2), "duration": "25d"},
    "from a flexible start for a time": {"start": at(1), "latest_start": at(24), "duration": "25d"},
    "from a flexible start to an end": {"start": at(1), "latest_start": at(24), "end": at(24 * 25)},
    "as soon as possible": {"duration": "25d"},
    "far later than the pool sells": {"start": at(24 * 15), "end": at(24 * 25)},
    "far later than the pool sells, flexibly": {"start": at(1), "latest_start": at(24 * 15), "duration": "5d"},
}


@pytest.mark.parametrize("spec", THROUGH.values(), ids=THROUGH.keys())
def test_nobody_is_booked_through_a_window_however_the_end_is_given(spec: dict[str, Any]) -> None:
    """Far beyond the horizon the owner keeps one of the two nodes for a day: who wants both gets neither then."""
    lease = queued(a_lease(**spec))
    (change,) = plan_pool(a_pool_view(lease, nodes=some_nodes(2), pool=POOL), NOON).changes
    ends_at = change.status.get("endsAt")
    assert ends_at is None or ends_at < "2026-12-20"


@pytest.mark.parametrize("spec", THROUGH.values(), ids=THROUGH.keys())
def test_nothing_is_quoted_through_a_window_however_the_end_is_given(spec: dict[str, Any]) -> None:
    """A quote is planned like a lease, and so is all that it offers instead."""
    pool = a_pool(owner_floor={"windows": [YEARLY]}, terms={"horizon": "16d", "min_duration": "1h"})
    lease = unwritten("new", a_lease(**spec).spec, NOON)
    found = quote(lease, a_pool_view(nodes=some_nodes(2), pool=pool), {}, NOON)
    assert all(len(offer.nodes) == 1 or offer.interval.end < at(24 * 18.5) for offer in found.offers)


def test_what_was_refused_needs_no_window() -> None:
    """However far its end lies, no window is made for what its own pass refused."""
    refused = with_status(a_lease(end=at(24 * 365 * 900)), conditions=(a_condition("Accepted", "False"),))
    supply = supply_of(a_pool_view(refused, nodes=some_nodes(2), pool=POOL), NOON)
    assert all(window.interval.start < NOON + timedelta(days=2) for window in supply.floor.windows)
