"""Placing: first come, first served, at the earliest start that fits."""

from datetime import timedelta
from typing import Any

import pytest

from sublet.calendar.allocator import earliest
from sublet.calendar.booking import Booking, Node, Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval
from tests.builders import at

GAP = timedelta(minutes=15)


def a_request(lease: str = "new", nodes: int = 1, **fields: Any) -> Request:  # noqa: ANN401 - a field of any kind
    """A request for two hours as soon as possible."""
    usual: dict[str, Any] = {"start": None, "duration": timedelta(hours=2), "end": None}
    return Request(lease=lease, nodes=nodes, **usual | fields)


def a_booking(lease: str, start: float, end: float, *nodes: str) -> Booking:
    """A booking between two hours, of n1 unless nodes are named."""
    return Booking(lease, nodes or ("n1",), Interval(at(start), at(end)))


def a_calendar(*bookings: Booking, nodes: int = 1) -> Calendar:
    """A calendar of the nodes n1 to nN."""
    return Calendar([Node(f"n{number}") for number in range(1, nodes + 1)], GAP, bookings=bookings)


def test_an_empty_pool_gives_its_first_nodes_now() -> None:
    """With everything free, a request starts at once on the first nodes in the order of preference."""
    assert earliest(a_request(nodes=2), a_calendar(nodes=3), at(0)) == a_booking("new", 0, 2, "n1", "n2")


def test_a_request_waits_for_the_gap_after_the_booking_before() -> None:
    """The earliest start after a booking lies a cleaning gap behind its end."""
    assert earliest(a_request(), a_calendar(a_booking("old", -1, 1)), at(0)) == a_booking("new", 1.25, 3.25)


def test_a_hole_is_used_only_if_the_gap_fits_behind_the_lease() -> None:
    """Two hours fit before a booking that starts in 2.25 hours, and do not before one in 2.2 hours."""
    fits, too_tight = a_calendar(a_booking("old", 2.25, 4)), a_calendar(a_booking("old", 2.2, 4))
    assert earliest(a_request(), fits, at(0)) == a_booking("new", 0, 2)
    assert earliest(a_request(), too_tight, at(0)) == a_booking("new", 4.25, 6.25)


def test_more_nodes_than_there_are_never_fit() -> None:
    """A request for more nodes than the pool has gets no booking at all."""
    assert earliest(a_request(nodes=4), a_calendar(nodes=3), at(0)) is None


def test_a_fixed_start_is_met_exactly_or_not_at_all() -> None:
    """A start that was fixed is not moved to where the nodes are free."""
    calendar = a_calendar(a_booking("old", 0, 2))
    fixed: dict[str, Any] = {"duration": None, "end": at(6)}
    assert earliest(a_request(start=at(2), **fixed), calendar, at(0)) is None
    assert earliest(a_request(start=at(3), **fixed), calendar, at(0)) == a_booking("new", 3, 6)


def test_a_fixed_start_that_has_passed_starts_now_and_keeps_its_end() -> None:
    """A lease that could not start in time loses the time, and does not push its end."""
    late = a_request(start=at(-1), duration=None, end=at(6))
    assert earliest(late, a_calendar(), at(0)) == a_booking("new", 0, 6)


def test_an_end_alone_shortens_a_lease_that_starts_late() -> None:
    """As soon as possible until 6: on a node that is free from 1.25 on, it runs from there to 6."""
    until_six = a_request(duration=None, end=at(6))
    assert earliest(until_six, a_calendar(a_booking("old", 0, 1)), at(0)) == a_booking("new", 1.25, 6)


def test_a_missed_start_is_caught_up_when_the_nodes_are_free() -> None:
    """A start that has passed is no longer one moment: the lease takes the next that there is, up to its end."""
    late = a_request(start=at(-1), duration=None, end=at(6))
    assert earliest(late, a_calendar(a_booking("old", -2, 1)), at(0)) == a_booking("new", 1.25, 6)


@pytest.mark.parametrize(("end", "booked"), [(3.25, True), (3.24, False)])
def test_less_than_the_shortest_length_is_no_booking(end: float, *, booked: bool) -> None:
    """A lease that could only have a remnant is not booked for it."""
    request = a_request(duration=None, end=at(end), shortest=timedelta(hours=2))
    assert (earliest(request, a_calendar(a_booking("old", 0, 1)), at(0)) is not None) is booked


@pytest.mark.parametrize("end", [1.25, 1])
def test_an_end_alone_that_leaves_nothing_is_no_booking(end: float) -> None:
    """A lease of no length at all is not booked."""
    request = a_request(duration=None, end=at(end))
    assert earliest(request, a_calendar(a_booking("old", 0, 1)), at(0)) is None


@pytest.mark.parametrize(
    ("others", "until", "latest"),
    [
        ([], 9, 9),
        ([a_booking("next", 6, 8)], 9, 5.75),
        ([a_booking("next", 6, 8)], 5, 5),
        ([a_booking("next", 4.25, 8)], 9, 4),
        ([a_booking("next", 4.1, 8)], 9, 4),
        ([a_booking("later", 8, 9), a_booking("next", 6, 7, "n2")], 9, 5.75),
        ([a_booking("elsewhere", 5, 8, "n3")], 9, 9),
        ([a_booking("before", 0, 1)], 9, 9),
    ],
    ids=[
        "free",
        "up to the gap",
        "as asked",
        "nothing left",
        "too close",
        "nearest of all nodes",
        "other node",
        "past",
    ],
)
def test_the_longest_extension_stops_a_gap_before_the_next_booking(
    others: list[Booking], until: float, latest: float
) -> None:
    """A booking of n1 and n2 from 2 to 4 is stretched as far as its own nodes are free."""
    booking = a_booking("mine", 2, 4, "n1", "n2")
    assert a_calendar(booking, *others).longest_extension(booking, at(until)) == at(latest)
