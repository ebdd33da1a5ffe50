"""Free capacity against what can in truth be booked."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.calendar.allocator import earliest
from sublet.calendar.availability import free_nodes, free_spans
from sublet.calendar.booking import Booking, Node
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from tests.builders import NOON
from tests.unit.calendar.oracle import Ask, Oracle
from tests.unit.calendar.worlds import a_calendar, a_request, asks, pools, second, span

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
            calendar.book(booking)
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


@settings(max_examples=100, deadline=None)
@given(calendars(), st.integers(1, 4))
def test_each_span_can_be_booked_whole_and_none_is_missing(calendar: Calendar, nodes: int) -> None:
    """Every span shown can be booked from its start to its end, and whatever can be booked lies in one of them."""
    last = 40
    spans = [
        (second(free.interval.start), second(free.interval.end)) for free in free_spans(calendar, span(0, last), nodes)
    ]
    assert all(can_book(calendar, nodes, start, end) for start, end in spans)
    for start in range(last):
        longest = next((end for end in range(last, start, -1) if can_book(calendar, nodes, start, end)), None)
        assert longest is None or any(begin <= start and longest <= end for begin, end in spans)
    assert not any(a != b and a[0] <= b[0] and b[1] <= a[1] for a in spans for b in spans)


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
