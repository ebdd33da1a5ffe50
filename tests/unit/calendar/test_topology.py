"""Where nodes are taken: close together where that is asked for, and so that whole blocks stay whole."""

import pytest

from sublet.calendar.allocator import earliest
from sublet.calendar.booking import Booking, Node, Request, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval
from tests.builders import at
from tests.unit.calendar.test_allocator import GAP, a_request

RACK, ZONE = 1, 0


def a_pool(**racks: int) -> list[Node]:
    """Nodes `a1-0`, `a1-1` and so on, for racks named by a zone's letter and a number."""
    return [Node(f"{rack}-{n}", (rack[0], rack)) for rack, size in racks.items() for n in range(size)]


def taken(*nodes: str, until: float = 100) -> Booking:
    """A booking of nodes that began before."""
    return Booking(f"old-{nodes[0]}", nodes, Interval(at(-1), at(until)))


def booked(request: Request, nodes: list[Node], *bookings: Booking) -> tuple[float, set[str]]:
    """The hour at which a request begins, and its nodes."""
    booking = earliest(request, Calendar(nodes, GAP, bookings=bookings), at(0))
    assert booking is not None
    return (booking.interval.start - at(0)).total_seconds() / 3600, set(booking.nodes)


def together(nodes: int, level: int = RACK, *, required: bool = True) -> Request:
    """A request for two hours of nodes in one block."""
    return a_request(nodes=nodes, together=Together(level, required=required))


def test_the_smallest_rack_that_holds_it_is_taken() -> None:
    """Three nodes go into the rack of four, and the rack of eight stays whole."""
    assert booked(together(3), a_pool(a1=8, a2=4, a3=2)) == (0, {"a2-0", "a2-1", "a2-2"})


def test_free_nodes_count_and_not_the_size_of_the_rack() -> None:
    """The large rack has the fewest free, so it is filled up."""
    nodes = a_pool(a1=4, a2=3)
    assert booked(together(2), nodes, taken("a1-0", "a1-1")) == (0, {"a1-2", "a1-3"})


def test_what_requires_one_rack_waits_for_it() -> None:
    """Four nodes are free at once, but in two racks; the first rack is free as a whole after 2 hours and the gap."""
    nodes = a_pool(a1=4, a2=4)
    used = [taken("a1-0", "a1-1", until=2), taken("a2-0", "a2-1", until=5)]
    assert booked(together(4), nodes, *used) == (2.25, {"a1-0", "a1-1", "a1-2", "a1-3"})


def test_what_only_prefers_one_rack_does_not_wait() -> None:
    """It starts at once, in the narrowest block that holds it: the zone."""
    nodes = a_pool(a1=4, a2=4, b1=4, b2=2)
    used = [taken("a1-0", "a1-1", until=2), taken("a2-0", "a2-1"), taken("b1-0", "b1-1", "b1-2")]
    assert booked(together(4, required=False), nodes, *used) == (0, {"a1-2", "a1-3", "a2-2", "a2-3"})


def test_a_rack_goes_before_a_zone_that_would_do() -> None:
    """The first zone would be used up and its racks are too small; the rack that holds all three is in the second."""
    nodes = a_pool(a1=2, a2=2, b1=4, b2=4)
    assert booked(together(3, required=False), nodes) == (0, {"b1-0", "b1-1", "b1-2"})


def test_without_one_block_it_is_spread_over_the_fewest() -> None:
    """Six nodes of racks with 4, 3 and 2 free: all of the first, and the rest where two are left."""
    assert booked(together(6, required=False), a_pool(a1=3, b1=2, c1=4)) == (
        0,
        {*("c1-0", "c1-1", "c1-2", "c1-3"), *("b1-0", "b1-1")},
    )


def test_no_rack_is_large_enough_ever() -> None:
    """A request for more than any rack has is not booked, however long it waits."""
    assert earliest(together(5), Calendar(a_pool(a1=4, a2=4), GAP), at(0)) is None


def test_a_pool_without_that_level_has_no_such_block() -> None:
    """Nodes without topology lie in no block: what requires one is not booked, what prefers one is."""
    plain = Calendar([Node("n1"), Node("n2")], GAP)
    assert earliest(together(2), plain, at(0)) is None
    assert earliest(together(2, required=False), plain, at(0)) is not None


def test_a_node_without_a_label_is_in_no_block() -> None:
    """Two unlabelled nodes are not together, though both lack the same label."""
    nodes = [Node("n1", ("a", "")), Node("n2", ("a", ""))]
    assert earliest(together(2), Calendar(nodes, GAP), at(0)) is None
    assert booked(together(2, ZONE), nodes) == (0, {"n1", "n2"})


def test_nodes_without_a_rack_are_not_counted_as_the_next_rack() -> None:
    """Behind two racks of one node lie five unlabelled nodes; nowhere are three in one rack."""
    nodes = [Node("n0", ("", "1")), Node("n1", ("a", "1")), *(Node(f"n{n}", ("b", "")) for n in range(2, 7))]
    assert earliest(together(3), Calendar(nodes, GAP), at(0)) is None


def test_racks_of_the_same_name_in_two_zones_are_two() -> None:
    """A block is told by its path."""
    nodes = [Node("n1", ("a", "r1")), Node("n2", ("b", "r1"))]
    assert earliest(together(2), Calendar(nodes, GAP), at(0)) is None


def test_without_a_wish_used_racks_are_filled_up_first() -> None:
    """A single node goes where one is taken already; a whole rack is broken only when nothing else is left."""
    nodes = a_pool(a1=2, a2=4, a3=2)
    assert booked(a_request(nodes=1), nodes, taken("a2-0")) == (0, {"a2-1"})
    assert booked(a_request(nodes=4), nodes, taken("a2-0")) == (0, {"a2-1", "a2-2", "a2-3", "a1-0"})


def test_the_node_with_the_tightest_hole_is_taken() -> None:
    """Two hours go before the booking that begins after 2.25, not where days are free."""
    nodes = [Node("n1"), Node("n2"), Node("n3")]
    ahead = [
        Booking("x", ("n2",), Interval(at(2.25), at(9))),
        Booking("y", ("n3",), Interval(at(5), at(9))),
    ]
    assert booked(a_request(), nodes, *ahead) == (0, {"n2"})


@pytest.mark.parametrize("size", [1, 7, 8, 9, 31, 33])
def test_racks_of_any_size_are_counted(size: int) -> None:
    """Whole racks of regular and irregular sizes are found full, node by node."""
    nodes = a_pool(a1=size, a2=size, a3=size)
    assert booked(together(size), nodes, taken("a1-0"), taken("a3-0")) == (0, {f"a2-{n}" for n in range(size)})
    assert earliest(together(size + 1), Calendar(nodes, GAP), at(0)) is None
