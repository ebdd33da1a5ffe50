"""Rehoming: bookings that have not begun make room, and nothing else of what was promised changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from sublet.calendar.backfill import Placements, place
from sublet.calendar.booking import Booking, Node, Request, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor
from sublet.calendar.interval import Interval
from sublet.calendar.rehoming import Rehoming
from tests.builders import at
from tests.unit.calendar.oracle import Ask, Held, Oracle
from tests.unit.calendar.test_allocator import GAP, a_booking, a_calendar, a_request
from tests.unit.calendar.worlds import SETTLED, check_moves, held_of, second, settled_soon
from tests.unit.calendar.worlds import a_calendar as calendar_of
from tests.unit.calendar.worlds import a_request as request_of


def movable(lease: str, start: float, end: float, *nodes: str) -> Booking:
    """A booking that may be given other nodes."""
    return replace(a_booking(lease, start, end, *nodes), movable=True)


EARLY, LATE = movable("early", 2, 4, "n1"), movable("late", 5, 7, "n2")
"""Two reservations, each on a node of its own, of which one node would do for both."""

FROM_3_TO_6 = a_request(start=at(3), duration=timedelta(hours=3))


def answer(*bookings: Booking, request: Request = FROM_3_TO_6, nodes: int = 2) -> Placements:
    """What becomes of one request at noon."""
    return place([request], a_calendar(*bookings, nodes=nodes), at(0))


def none_of(found: Placements) -> bool:
    """Whether nobody found a place, and nobody was moved in vain."""
    return not any(placement.booking for placement in found.each) and not found.moved


def test_a_reservation_makes_room_on_its_node() -> None:
    """From 3 to 6 neither node is free; once both reservations share one, the other is."""
    found = answer(EARLY, LATE)
    (placement,), (moved,) = found.each, found.moved
    assert placement.final
    assert placement.booking is not None
    assert {*moved.nodes, *placement.booking.nodes} == {"n1", "n2"}
    assert moved == replace(EARLY if moved.lease == "early" else LATE, nodes=moved.nodes)


@pytest.mark.parametrize(
    "stays",
    [
        lambda booking: replace(booking, movable=False),
        lambda booking: replace(booking, interval=replace(booking.interval, start=at(0, 4))),
    ],
    ids=["which asked for a block", "which begins in minutes"],
)
def test_a_reservation_stays(stays: object) -> None:
    """Where neither may be moved the request finds no room, as it would have found none before."""
    assert callable(stays)
    bookings = [stays(EARLY), replace(LATE, movable=False)]
    assert none_of(answer(*bookings))


def test_a_booking_whose_node_was_replaced_stays() -> None:
    """It has two parts, and what its lease is told of its nodes is told by healing."""
    part = movable("early", 2, 4, "n3")
    bookings = [EARLY, part, replace(LATE, movable=False)]
    calendar = Calendar([Node("n1"), Node("n2"), Node("n3", sound=False)], GAP, bookings=bookings)
    assert none_of(place([FROM_3_TO_6], calendar, at(0)))


def test_a_request_for_one_block_moves_nobody() -> None:
    """Whether others could make room in one block is not looked into."""
    nodes = [Node("n1", ("a",)), Node("n2", ("a",))]
    request = replace(FROM_3_TO_6, together=Together(0, required=True))
    assert none_of(place([request], Calendar(nodes, GAP, bookings=[EARLY, LATE]), at(0)))


def test_nobody_moves_for_one_who_only_waits() -> None:
    """A forecast needs no record; whoever is moved for it is moved when it comes true."""
    found = answer(a_booking("old", -1, 2.5, "n1"), a_booking("old", -1, 2.5, "n2"), EARLY, LATE, request=a_request())
    assert [placement.final for placement in found.each] == [False]
    assert found.moved == ()


@pytest.mark.parametrize("wish", [{"duration": timedelta(hours=3)}, {"duration": None, "end": at(6)}])
def test_the_owners_nodes_are_no_room(wish: dict[str, Any]) -> None:
    """Two nodes hold two reservations, and the owner keeps one: that nothing need lie apart gives nobody a node."""
    calendar = Calendar([Node("n1"), Node("n2")], GAP, Floor(1), [EARLY, LATE])
    assert none_of(place([a_request(start=at(3), **wish)], calendar, at(0)))


def test_what_is_cleared_is_not_filled_again() -> None:
    """The one lease could only go where the request itself is to be."""
    elsewhere = a_booking("stays", 5, 7, "n2"), a_booking("before", 1.9, 2.4, "n2")
    assert none_of(answer(EARLY, *elsewhere, request=replace(FROM_3_TO_6, nodes=2), nodes=3))


def test_two_do_not_move_to_the_same_place() -> None:
    """For each n3 is the best, and one of them takes n4."""
    both = movable("one", 3, 4, "n1"), movable("other", 3, 4, "n2")
    after = a_booking("next", 5, 7, "n3"), a_booking("later", 5.5, 7, "n4")
    found = answer(*both, *after, request=replace(FROM_3_TO_6, nodes=2), nodes=4)
    assert sorted(moved.nodes for moved in found.moved) == [("n3",), ("n4",)]


def test_nobody_moves_to_where_another_has_just_left() -> None:
    """Until it is recorded that the other one left, a record would book the node twice."""
    calendar = a_calendar(
        EARLY, a_booking("stays", 5, 7, "n2"), movable("third", 1.5, 2.5, "n3"), a_booking("next", 4, 5, "n3"), nodes=3
    )
    behind = a_request("behind", start=at(1), duration=timedelta(hours=1.9))
    found = place([FROM_3_TO_6, behind], calendar, at(0))
    assert [moved.lease for moved in found.moved] == ["early"]
    assert [placement.booking is not None for placement in found.each] == [True, False]


def test_a_node_that_was_promised_twice_is_not_cleared() -> None:
    """Two bookings on it are one span in the index, and one of them stays."""
    twice = a_booking("stays", 3, 5, "n1"), movable("moves", 4, 6, "n1")
    assert none_of(answer(*twice, a_booking("before", 3, 3.5, "n2"), a_booking("next", 5.5, 7, "n3"), nodes=3))


def test_a_node_that_failed_is_no_room() -> None:
    """Nobody is booked on it, whoever leaves it."""
    stay = replace(LATE, movable=False), a_booking("before", 3, 3.5, "n3")
    calendar = Calendar([Node("n1", sound=False), Node("n2"), Node("n3")], GAP, bookings=[EARLY, *stay])
    assert none_of(place([FROM_3_TO_6], calendar, at(0)))


def test_who_was_placed_in_the_same_pass_needs_no_record_of_a_move() -> None:
    """Nobody knows of its nodes yet."""
    rehoming = Rehoming(a_calendar(EARLY, LATE, nodes=2), at(0))
    rehoming.unknown |= {"early", "late"}
    assert rehoming.make_room(1, rehoming.calendar.span(Interval(at(3), at(6))))
    assert rehoming.moved == set()


def test_a_lease_that_would_be_cut_short_gets_its_whole_time() -> None:
    """An interruptible lease fills a gap only where nobody can make a longer one."""
    request = a_request(duration=timedelta(hours=5), shortest=timedelta(hours=1), firm=False)
    blocking = movable("late", 3, 7, "n2")
    (placement,) = answer(a_booking("old", -2, -1, "n1"), blocking, a_booking("next", 8, 9, "n1"), request=request).each
    assert placement.booking is not None
    assert (placement.booking.nodes, placement.booking.interval.length) == (("n1",), timedelta(hours=5))


@st.composite
def full_pools(draw: st.DrawFn) -> Oracle:
    """Pools of three to five nodes, of which short bookings that may mostly be moved take a good part."""
    names = [f"n{number}" for number in range(draw(st.integers(3, 5)))]
    unsound = draw(st.sets(st.sampled_from(names), max_size=1))
    oracle = Oracle(dict.fromkeys(names, ()), draw(st.integers(0, 2)), {*names} - unsound)
    spots = st.tuples(st.sets(st.sampled_from(names), min_size=1, max_size=2), st.integers(0, 30), st.integers(1, 10))
    for number, (nodes, start, length) in enumerate(draw(st.lists(spots, min_size=6, max_size=24))):
        held = Held(
            f"l{number}", tuple(sorted(nodes)), start, start + length, firm=True, movable=draw(st.integers(0, 5)) > 0
        )
        if not replace(oracle, held=[*oracle.held, held]).broken():
            oracle.held.append(held)
    return oracle


@given(
    oracle=full_pools(),
    asks=st.lists(
        st.builds(Ask, nodes=st.integers(1, 3), start=st.integers(0, 30), duration=st.integers(3, 15)), max_size=3
    ),
)
@settings(max_examples=max(settings().max_examples, 1000))
def test_all_that_was_promised_is_kept(oracle: Oracle, asks: list[Ask]) -> None:
    """Nobody is booked twice, no time changes, and every move stands on its own; nobody finds less than without."""
    requests = [request_of(f"q{number}", ask) for number, ask in enumerate(asks)]
    calendar = calendar_of(oracle)
    with settled_soon():
        found = place(requests, calendar, at(0))
    after = [held_of(booking) for booking in calendar.bookings]
    assert replace(oracle, held=after).broken() == []
    moves = check_moves(oracle, [held for held in after if held.lease.startswith("l")], SETTLED)
    target(float(moves))
    known = {held.lease: replace(held, nodes=()) for held in after}
    assert all(known[held.lease] == replace(held, nodes=()) for held in oracle.held)
    recorded = {booking.lease: held_of(booking) for booking in found.moved}
    placed = [held_of(p.booking) for p in found.each if p.final and p.booking is not None]
    written = [*(recorded.get(held.lease, held) for held in oracle.held), *placed]
    assert replace(oracle, held=written).broken() == []
    for ask, placement in zip(asks, found.each, strict=True):
        if placement.booking is not None:
            assert {*placement.booking.nodes} <= oracle.sound
            assert second(placement.booking.interval.start) >= (ask.start or 0)
    first = oracle.answer(asks[0], 0) if asks else None
    assert first is None or found.each[0].booking is not None
