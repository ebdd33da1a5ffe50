"""The calendar keeps the cleaning gap on both sides of every booking and never books a node twice."""

from datetime import timedelta

import pytest

from sublet.calendar.booking import Booking, Node
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval
from tests.builders import at

GAP = timedelta(minutes=15)


def span(start: float, end: float) -> Interval:
    """The interval between two hours."""
    return Interval(at(start), at(end))


def a_calendar(*bookings: Booking, nodes: int = 2, floor: Floor = Floor()) -> Calendar:  # noqa: B008 - frozen
    """A calendar of the nodes n1 to nN."""
    return Calendar([Node(f"n{number}") for number in range(1, nodes + 1)], GAP, floor, bookings)


FIRST = Booking("first", ("n1",), span(2, 4))


@pytest.mark.parametrize(
    ("start", "end", "free"),
    [
        (0, 1.75, True),
        (0, 1.76, False),
        (4.25, 6, True),
        (4.24, 6, False),
        (3, 3.5, False),
        (0, 6, False),
        (2, 4, False),
    ],
)
def test_a_node_is_free_with_the_gap_before_and_after(start: float, end: float, *, free: bool) -> None:
    """A lease that ends, or starts, within 15 minutes of another's is too close to it."""
    assert ("n1" in a_calendar(FIRST).free(span(start, end))) is free


def test_booking_a_taken_node_is_refused_and_names_it() -> None:
    """The second booking of a node for the same time raises, with whose and which, and changes nothing."""
    calendar = a_calendar(FIRST)
    with pytest.raises(ValueError, match=r"second: not free at that time: n1$"):
        calendar.book(Booking("second", ("n1", "n2"), span(4.1, 5)))
    assert calendar.free(span(4.1, 5)) == ("n2",)
    assert calendar.of("second") == ()


def test_booking_a_node_of_another_pool_is_refused() -> None:
    """A name that the calendar does not know is said."""
    with pytest.raises(ValueError, match=r"second: not of this pool: n9"):
        a_calendar().book(Booking("second", ("n9",), span(0, 1)))


def test_a_node_that_is_not_sound_is_not_booked_anew() -> None:
    """It keeps the booking that it has, which can be extended."""
    calendar = Calendar([Node("n1", sound=False)], GAP, bookings=[FIRST])
    assert calendar.free(span(6, 8)) == ()
    assert calendar.longest_extension(FIRST, at(9)) == at(9)
    with pytest.raises(ValueError, match=r"not free at that time: n1"):
        calendar.book(Booking("second", ("n1",), span(6, 8)))


def test_a_booking_that_breaks_the_floor_is_refused() -> None:
    """The owner keeps one of two nodes from 6 to 8: a second booking may end a gap before, and no later."""
    floor = Floor(0, (Window(span(6, 8), 1),))
    calendar = a_calendar(Booking("first", ("n1",), span(2, 9)), floor=floor)
    with pytest.raises(ValueError, match=r"second: the owner keeps too many nodes at that time"):
        calendar.book(Booking("second", ("n2",), span(3, 5.8)))
    calendar.book(Booking("second", ("n2",), span(3, 5.75)))


def test_a_copy_is_changed_on_its_own() -> None:
    """A plan on a copy can be thrown away."""
    calendar = a_calendar(FIRST)
    trial = calendar.copy()
    trial.book(Booking("second", ("n2",), span(2, 4)))
    trial.end("first", at(2))
    assert (trial.free(span(2, 4)), calendar.free(span(2, 4))) == (("n1",), ("n2",))
    assert [*calendar.bookings] == [FIRST]


def test_a_lease_that_ends_early_gives_back_the_rest() -> None:
    """From the gap after the new end on the node is free; an end at or before the start gives back everything."""
    calendar = a_calendar(FIRST, nodes=1)
    calendar.end("first", at(3))
    assert calendar.of("first") == (Booking("first", ("n1",), span(2, 3)),)
    assert calendar.free(span(3.25, 9)) == ("n1",)
    assert calendar.free(span(3.24, 9)) == ()
    calendar.end("first", at(2))
    assert calendar.free(span(0, 9)) == ("n1",)


def test_an_end_that_lies_behind_changes_nothing() -> None:
    """Shortening does not lengthen."""
    calendar = a_calendar(FIRST)
    calendar.end("first", at(5))
    assert calendar.of("first") == (FIRST,)


def test_an_extension_is_booked_up_to_the_next_gap_and_no_further() -> None:
    """What cannot be had is refused and changes nothing."""
    calendar = a_calendar(FIRST, Booking("next", ("n1",), span(6, 8)))
    with pytest.raises(ValueError, match=r"first: cannot be extended"):
        calendar.extend(FIRST, at(5.76))
    calendar.extend(FIRST, at(5.75))
    assert calendar.of("first") == (Booking("first", ("n1",), span(2, 5.75)),)


def test_promises_that_overlap_are_taken_in() -> None:
    """What was promised is recorded, also if it overlaps; when one of the two goes, the other still holds."""
    promises = [Booking("a", ("n1",), span(0, 3)), Booking("b", ("n1",), span(1, 2))]
    calendar = a_calendar(*promises)
    calendar.end("a", at(0))
    assert calendar.free(span(1, 2)) == ("n2",)
    assert calendar.free(span(2.25, 4)) == ("n1", "n2")


def test_a_node_that_was_promised_twice_counts_once_for_the_floor() -> None:
    """With one of two nodes kept, none is left beside it; without a floor the other one is."""
    promises = [Booking("a", ("n1",), span(0, 3)), Booking("b", ("n1",), span(1, 2))]
    a_calendar(*promises).book(Booking("c", ("n2",), span(0, 3)))
    with pytest.raises(ValueError, match="the owner keeps"):
        a_calendar(*promises, floor=Floor(1)).book(Booking("c", ("n2",), span(0, 3)))
