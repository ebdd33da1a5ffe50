"""What can be had in the place of a request, flexible starts, and shorter bookings that fill gaps."""

from datetime import timedelta
from typing import Any

import pytest

from sublet.calendar.allocator import earliest
from sublet.calendar.backfill import place
from sublet.calendar.booking import Booking, Node
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval
from sublet.calendar.offers import Nearest, Offer, nearest, offers
from tests.builders import at
from tests.unit.calendar.test_allocator import GAP, a_booking, a_calendar, a_request

HOUR = timedelta(hours=1)


def an_offer(nodes: int, start: float, end: float) -> Offer:
    """An offer between two hours."""
    return Offer(nodes, Interval(at(start), at(end)))


@pytest.mark.parametrize(("latest", "start"), [(1, None), (1.25, 1.25), (9, 1.25)])
def test_a_flexible_start_is_met_at_the_earliest(latest: float, start: float | None) -> None:
    """Not before 1 and not after `latestStart`: at 1.25 the node is clean."""
    request = a_request(start=at(1), latest_start=at(latest))
    booking = earliest(request, a_calendar(a_booking("old", 0, 1)), at(0))
    assert (booking and booking.interval.start) == (None if start is None else at(start))


def test_a_start_with_a_latest_hour_is_promised_at_once() -> None:
    """Who must begin by an hour cannot live with a forecast; who may begin at any can."""
    request = a_request(start=at(1), latest_start=at(9))
    assert [p.final for p in place([request], a_calendar(a_booking("old", 0, 3)), at(0)).each] == [True]
    assert [p.final for p in place([a_request()], a_calendar(a_booking("old", 0, 3)), at(0)).each] == [False]


def test_an_interruptible_lease_is_shortened_to_begin_at_once() -> None:
    """Four hours do not fit before the reservation at 3; two and three quarters do, and are worth having."""
    calendar = a_calendar(a_booking("next", 3, 5))
    wish: dict[str, Any] = {"duration": 4 * HOUR, "firm": False}
    assert earliest(a_request(**wish, shortest=2 * HOUR), calendar, at(0)) == Booking(
        "new", ("n1",), Interval(at(0), at(2.75)), firm=False
    )
    for too_much in ({"shortest": 3 * HOUR}, {"shortest": timedelta()}, {"shortest": 2 * HOUR, "firm": True}):
        booking = earliest(a_request(**wish | too_much), calendar, at(0))
        assert booking is not None
        assert booking.interval.start == at(5.25)


def test_a_start_ahead_is_not_bought_with_a_shorter_lease() -> None:
    """Only who can begin at once is shortened: a fixed start ahead is had in full or not at all."""
    wish: dict[str, Any] = {"duration": 4 * HOUR, "shortest": HOUR, "firm": False}
    assert earliest(a_request(start=at(1), **wish), a_calendar(a_booking("next", 3, 5)), at(0)) is None


def test_an_interruptible_lease_ends_in_time_for_a_window() -> None:
    """The owner wants the only node at 3, clean."""
    calendar = Calendar([Node("n1")], GAP, Floor(0, (Window(Interval(at(3), at(9)), 1),)))
    booking = earliest(a_request(duration=4 * HOUR, shortest=HOUR, firm=False), calendar, at(0))
    assert booking is not None
    assert booking.interval == Interval(at(0), at(2.75))


def test_what_comes_nearest_is_named_in_each_way() -> None:
    """Three nodes from 1 to 5 cannot be had: one can, all three later, and all three for a shorter time."""
    calendar = a_calendar(a_booking("next", 3, 8, "n1", "n2"), nodes=3)
    request = a_request(nodes=3, start=at(1), duration=4 * HOUR)
    assert earliest(request, calendar, at(0)) is None
    assert nearest(request, calendar, at(0)) == Nearest(
        fewer=an_offer(1, 1, 5), later=an_offer(3, 8.25, 12.25), shorter=an_offer(3, 1, 2.75)
    )


def test_more_than_the_pool_has_is_only_had_with_fewer() -> None:
    """No later and no shorter time brings more nodes than there are."""
    request = a_request(nodes=9, start=at(1))
    assert nearest(request, a_calendar(nodes=3), at(0)) == Nearest(an_offer(3, 1, 3), None, None)


def test_nothing_is_near_where_there_is_nothing() -> None:
    """An empty pool has nothing to offer."""
    assert nearest(a_request(start=at(1)), a_calendar(nodes=0), at(0)) == Nearest(None, None, None)
    assert offers(a_request(), a_calendar(nodes=0), at(0)) == ()


def test_a_quote_shows_different_offers_the_earliest_first() -> None:
    """Two nodes for four hours: what fits at once, as asked, half, a day later, twice as many, twice as long."""
    calendar = a_calendar(a_booking("next", 3, 8, "n1", "n2"), nodes=3)
    found = offers(a_request(nodes=2, duration=4 * HOUR), calendar, at(0))
    assert found == (
        an_offer(2, 0, 2.75),
        an_offer(1, 0, 4),
        an_offer(2, 8.25, 12.25),
        an_offer(2, 8.25, 16.25),
        an_offer(2, 32.25, 36.25),
    )


def test_every_offer_can_be_had() -> None:
    """Each of them, on its own, is booked as it stands."""
    calendar = a_calendar(a_booking("next", 3, 8, "n1", "n2"), nodes=5)
    found = offers(a_request(nodes=2, duration=4 * HOUR), calendar, at(0))
    assert 1 < len(found) <= 6
    for offer in found:
        request = a_request(
            nodes=offer.nodes,
            start=offer.interval.start,
            duration=offer.interval.length,
            latest_start=offer.interval.start,
        )
        booking = earliest(request, calendar, at(0))
        assert booking is not None
        assert booking.interval == offer.interval
