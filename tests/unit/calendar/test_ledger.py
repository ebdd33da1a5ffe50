"""The ledger keeps the cleaning gap on both sides of every booking and never books a node twice."""

from datetime import timedelta

import pytest

from sublet.calendar.interval import Interval
from sublet.calendar.ledger import Booking, Ledger
from tests.builders import at

GAP = timedelta(minutes=15)


def span(start: float, end: float) -> Interval:
    """The interval between two hours."""
    return Interval(at(start), at(end))


ONE_BOOKED = Ledger.of(["n1", "n2"], GAP, [Booking("first", ("n1",), span(2, 4))])


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
    assert ONE_BOOKED.is_free("n1", span(start, end)) is free


def test_a_lease_may_be_ignored() -> None:
    """A lease does not stand in its own way."""
    assert ONE_BOOKED.is_free("n1", span(3, 5), ignoring="first")
    assert not ONE_BOOKED.is_free("n1", span(3, 5), ignoring="second")


def test_free_nodes_keep_the_order_of_preference() -> None:
    """The nodes come as the ledger was given them, not by name."""
    ledger = Ledger.of(["n3", "n1", "n2"], GAP, [Booking("first", ("n1",), span(2, 4))])
    assert ledger.free_nodes(span(3, 5)) == ("n3", "n2")


def test_booking_a_taken_node_is_refused_and_names_it() -> None:
    """The second booking of a node for the same time raises, with whose and which."""
    with pytest.raises(ValueError, match=r"second: already booked at that time: n1"):
        ONE_BOOKED.book(Booking("second", ("n1", "n2"), span(4.1, 5)))


def test_booking_returns_a_new_ledger() -> None:
    """The ledger itself stays as it was, so that a plan can be thrown away."""
    booked = ONE_BOOKED.book(Booking("second", ("n2",), span(2, 4)))
    assert not booked.is_free("n2", span(2, 4))
    assert ONE_BOOKED.is_free("n2", span(2, 4))


def test_bookings_of_a_node_stand_in_order_of_start() -> None:
    """However they came, a node's bookings are read from the earliest on."""
    ledger = ONE_BOOKED.book(Booking("zero", ("n1",), span(0, 1)))
    assert [booking.lease for booking in ledger.by_node["n1"]] == ["zero", "first"]


def test_a_ledger_takes_in_what_was_promised_even_twice() -> None:
    """What was promised is recorded, also if it overlaps; only new bookings are checked."""
    promises = [Booking("a", ("n1",), span(0, 2)), Booking("b", ("n1",), span(1, 3))]
    assert Ledger.of(["n1"], GAP, promises).by_node["n1"] == tuple(promises)


def test_openings_are_the_ends_with_their_gap() -> None:
    """A start can lie now, or where a node of the pool has been cleaned; nodes outside of it do not count."""
    bookings = [
        Booking("past", ("n1",), span(-4, -2)),
        Booking("first", ("n1",), span(2, 4)),
        Booking("also", ("n2",), span(1, 4)),
        Booking("elsewhere", ("n9",), span(1, 3)),
    ]
    assert Ledger.of(["n1", "n2"], GAP, bookings).openings(at(0)) == (at(0), at(4.25))


def test_a_gap_that_still_runs_is_an_opening() -> None:
    """A lease that is over opens its node only once the cleaning time has passed."""
    ledger = Ledger.of(["n1"], GAP, [Booking("past", ("n1",), span(-2, -0.1))])
    assert ledger.openings(at(0)) == (at(0), at(minutes=9))
