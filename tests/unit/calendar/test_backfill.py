"""The queue: strict order, and backfill that delays nobody."""

from dataclasses import replace
from datetime import timedelta

from sublet.calendar.backfill import Placement, place
from sublet.calendar.booking import Booking, Request
from sublet.calendar.calendar import Calendar
from tests.builders import at
from tests.unit.calendar.test_allocator import a_booking, a_calendar, a_request


def placed(queue: list[Request], calendar: Calendar) -> tuple[Placement, ...]:
    """What becomes of a queue at noon."""
    return place(queue, calendar, at(0)).each


def movable(booking: Booking) -> Booking:
    """A booking that may be given other nodes until it begins."""
    return replace(booking, movable=True)


def test_the_queue_is_served_in_its_order() -> None:
    """Of two requests for the only node, the first gets it now and the second afterwards."""
    first, second = placed([a_request("a"), a_request("b")], a_calendar())
    assert (first.booking, first.final, first.position) == (movable(a_booking("a", 0, 2)), True, 0)
    assert (second.booking, second.final, second.position) == (movable(a_booking("b", 2.25, 4.25)), False, 1)


def test_a_small_request_does_not_delay_a_large_one_before_it() -> None:
    """The large lease waits for n1; the small one behind it may use n2 only where it is out of its way."""
    calendar = a_calendar(a_booking("old", -1, 2), nodes=2)
    large = a_request("large", nodes=2)
    too_long, short = a_request("long", duration=timedelta(hours=3)), a_request("short", duration=timedelta(hours=2))
    assert [p.booking for p in placed([large, too_long], calendar.copy())] == [
        movable(a_booking("large", 2.25, 4.25, "n1", "n2")),
        movable(a_booking("long", 4.5, 7.5)),
    ]
    assert [(p.booking, p.final) for p in placed([large, short], calendar.copy())] == [
        (movable(a_booking("large", 2.25, 4.25, "n1", "n2")), False),
        (movable(a_booking("short", 0, 2, "n2")), True),
    ]


def test_a_fixed_start_ahead_is_booked_at_once() -> None:
    """A start that the tenant fixed is a promise now; one that the queue found is only a forecast."""
    fixed = a_request("fixed", start=at(5), duration=None, end=at(6))
    (placement,) = placed([fixed], a_calendar())
    assert (placement.final, placement.position) == (True, 0)


def test_positions_count_only_those_who_wait() -> None:
    """Who is served, or has a fixed start, holds no place in the queue; who can never be served does."""
    calendar = a_calendar(a_booking("old", 0, 1))
    fixed = a_request("fixed", start=at(1.5), duration=None, end=at(2))
    queue = [a_request("a"), fixed, a_request("huge", nodes=9), a_request("b")]
    found = [(p.lease, p.position, p.booking is not None) for p in placed(queue, calendar)]
    assert found == [("a", 1, True), ("fixed", 2, False), ("huge", 3, False), ("b", 4, True)]
