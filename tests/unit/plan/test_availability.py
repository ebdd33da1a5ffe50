"""Free capacity, as it would be quoted."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.calendar.interval import Interval
from sublet.plan.availability import availability
from sublet.plan.observed import PoolView
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked, some_nodes
from tests.unit.plan.test_quoting import quoted, span, views


def spans(view: PoolView, nodes: int, days: float = 2) -> list[tuple[float, float]]:
    """The hours from noon of the times for which one lease could have that many nodes."""
    found = availability(view, Interval(NOON, at(24 * days)), NOON, nodes).free
    hour = timedelta(hours=1)
    return [((free.interval.start - NOON) / hour, (free.interval.end - NOON) / hour) for free in found]


@settings(max_examples=100, deadline=None)
@given(views(), st.integers(1, 3))
def test_every_time_that_is_shown_is_quoted(view: PoolView, nodes: int) -> None:
    """Whoever asks for one of them from its start to its end is quoted just that."""
    for start, end in spans(view, nodes):
        found = quoted(view, nodes=nodes, start=at(start), end=at(end))
        assert span(found.asked) == (at(start), at(end))


def test_what_a_quote_moves_reservations_for_is_shown() -> None:
    """Two reservations on two nodes are in nobody's way who wants one."""
    early = booked(a_lease("early", nodes=1), ["gpu-1"], start=at(2), end=at(4))
    late = booked(a_lease("late", nodes=1), ["gpu-2"], start=at(6), end=at(8))
    view = a_pool_view(early, late, nodes=some_nodes(2))
    assert quoted(view, nodes=1, start=NOON, end=at(48)).asked
    assert spans(view, 1) == [(0, 48)]


def test_what_the_pool_does_not_sell_is_not_shown() -> None:
    """Neither an hour where two are the least, nor what would drain at once, nor what begins too soon to be sold."""
    later = booked(a_lease("later", nodes=1), ["gpu-1"], start=at(1.25), end=at(4))
    for pool, expected in (
        (a_pool(terms={"min_duration": "1h"}), [(0, 1), (4.25, 48)]),
        (a_pool(terms={"min_duration": "2h"}), [(4.25, 48)]),
        (a_pool(terms={"min_duration": "1m"}, schedule={"drain_before": "1h"}), [(4.25, 48)]),
        (a_pool(terms={"min_duration": "1h", "lead_time": "6h"}), [(6, 48)]),
        (a_pool(terms={"min_duration": "1h", "lead_time": "3d"}), []),
    ):
        assert spans(a_pool_view(later, nodes=[a_node("gpu-1")], pool=pool), 1) == expected
