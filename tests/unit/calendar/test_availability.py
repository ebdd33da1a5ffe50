"""Free capacity against what can in truth be booked."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.calendar import availability
from sublet.calendar.allocator import earliest
from sublet.calendar.availability import free_nodes, free_spans
from sublet.calendar.backfill import place
from sublet.calendar.booking import Booking, Node
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from sublet.calendar.rehoming import Rehoming
from tests.builders import NOON
from tests.unit.calendar.oracle import Ask, Oracle
from tests.unit.calendar.worlds import a_calendar, a_request, asks, pools, second, settled_soon, span

_END = 70


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Calendars of pools of every kind, some of whose nodes are booked and some not sound."""
    oracle: Oracle = draw(pools())
    calendar = a_calendar(oracle)
    wanted: list[Ask] = draw(st.lists(asks(), max_size=5))
    for number, ask in enumerate(wanted):
        booking = earliest(a_request(f"l{number}", ask), calendar, NOON)
        if booking is not None and second(booking.interval.end) < _END:
            calendar.book(replace(booking, movable=draw(st.booleans())))
    broken = draw(st.sets(st.sampled_from(sorted(oracle.sound)), max_size=2))
    nodes = [Node(name, node.blocks, sound=name not in broken) for name, node in calendar.nodes.items()]
    return Calendar(nodes, calendar.gap, calendar.floor, calendar.bookings)


def can_book(calendar: Calendar, nodes: int, start: int, end: int) -> bool:
    """Whether so many nodes can be booked then, found out by doing it."""
    interval = span(start, end)
    chosen = calendar.free(interval)[:nodes]
    if len(chosen) < nodes:
        return False
    try:
        calendar.copy().book(Booking("new", chosen, interval))
    except ValueError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(calendars())
def test_at_each_moment_exactly_so_many_nodes_can_be_booked(calendar: Calendar) -> None:
    """At every second the number shown can be booked, and one more cannot; where none is shown, none can."""
    shown = dict.fromkeys(range(_END), 0)
    for free in free_nodes(calendar, span(0, _END)):
        shown |= dict.fromkeys(range(second(free.interval.start), second(free.interval.end)), free.nodes)
    for moment, nodes in shown.items():
        assert not nodes or can_book(calendar, nodes, moment, moment + 1)
        assert not can_book(calendar, nodes + 1, moment, moment + 1)


def spans_of(calendar: Calendar, last: int, nodes: int, shortest: int = 0) -> list[tuple[int, int]]:
    """The spans shown from noon to `last`, in seconds."""
    with settled_soon():
        shown = free_spans(Rehoming(calendar, NOON), span(0, last), nodes, timedelta(seconds=shortest))
    assert all(free.nodes == nodes for free in shown)
    return [(second(free.interval.start), second(free.interval.end)) for free in shown]


def is_had(calendar: Calendar, nodes: int, start: int, end: int) -> bool:
    """Whether the planner books exactly that, for one who asks for it."""
    ask = a_request("new", Ask(nodes, start=start, end=end))
    with settled_soon():
        (found,) = place([ask], calendar.copy(), NOON).each
    return found.booking is not None and found.booking.interval == span(start, end)


@settings(max_examples=150, deadline=None)
@given(calendars(), st.integers(1, 4), st.integers(0, 10))
def test_each_span_can_be_booked_whole_and_none_is_missing(calendar: Calendar, nodes: int, shortest: int) -> None:
    """Every span shown is booked if it is asked for; whatever is free without a move lies in one of them."""
    last = 40
    spans = spans_of(calendar, last, nodes, shortest)
    assert all(is_had(calendar, nodes, start, end) for start, end in spans)
    assert all(end - start >= shortest for start, end in spans)
    for start in range(last):
        longest = next((end for end in range(last, start, -1) if can_book(calendar, nodes, start, end)), None)
        if longest is not None and longest - start >= shortest:
            assert any(begin <= start and longest <= end for begin, end in spans)
    assert not any(a != b and a[0] <= b[0] and b[1] <= a[1] for a in spans for b in spans)


def two_reservations(*, movable: bool = True) -> Calendar:
    """Two nodes with a reservation each, after one another: one node would do for both."""
    early = Booking("early", ("n1",), span(10, 15), movable=movable)
    late = Booking("late", ("n2",), span(20, 25), movable=movable)
    return Calendar([Node("n1"), Node("n2")], timedelta(seconds=1), Floor(0), [early, late])


def test_what_reservations_make_room_for_is_shown() -> None:
    """One node is free throughout once both reservations share the other, which they do for whoever asks."""
    assert spans_of(two_reservations(), 40, 1) == [(0, 40)]
    assert spans_of(two_reservations(movable=False), 40, 1) == [(0, 19), (16, 40)]


def test_looking_moves_nobody() -> None:
    """The calendar is as it was."""
    calendar = two_reservations()
    before = [*calendar.bookings]
    spans_of(calendar, 40, 1)
    assert [*calendar.bookings] == before


def test_what_is_free_without_a_move_is_shown_however_large_the_pool() -> None:
    """Whether others make room is tried only so often."""
    with patch.object(availability, "_TRIES", 0):
        assert spans_of(two_reservations(), 40, 1) == [(0, 19), (16, 40)]


def test_a_node_is_free_until_its_cleaning_would_meet_the_next_booking() -> None:
    """What is booked from 30 s on, with 5 s of cleaning, can be had until 25 s, and again 5 s after its end."""
    held = Booking("held", ("n1",), span(30, 40))
    calendar = Calendar([Node("n1"), Node("n2")], timedelta(seconds=5), Floor(0), [held])
    found = [(second(f.interval.start), second(f.interval.end), f.nodes) for f in free_nodes(calendar, span(0, 60))]
    assert found == [(0, 25, 2), (25, 45, 1), (45, 60, 2)]


def test_the_owners_window_is_kept_clear_of_cleaning_too() -> None:
    """A lease before a window must be cleaned when it opens."""
    floor = Floor(0, (Window(span(30, 40), 2),))
    calendar = Calendar([Node("n1"), Node("n2")], timedelta(seconds=5), floor)
    found = [(second(f.interval.start), second(f.interval.end), f.nodes) for f in free_nodes(calendar, span(0, 60))]
    assert found == [(0, 25, 2), (40, 60, 2)]
