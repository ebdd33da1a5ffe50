"""The owner's windows: what is cut for them, and a node that failed."""

from datetime import timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.calendar.booking import Booking, Node, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from sublet.calendar.healing import replacement
from sublet.calendar.interval import Interval
from sublet.calendar.reclaim import Cut, Reclaim, Shortfall, reclaim
from tests.builders import at
from tests.unit.calendar.test_allocator import GAP

DAY = timedelta(days=1)


def a_pool(nodes: int, kept: list[tuple[float, float, int]], *bookings: Booking) -> Calendar:
    """A calendar of nodes n1 to nN whose owner keeps some in windows, given in hours."""
    windows = tuple(Window(Interval(at(start), at(end)), count) for start, end, count in kept)
    return Calendar([Node(f"n{n}") for n in range(1, nodes + 1)], GAP, Floor(0, windows), bookings)


def a_lease(lease: str, start: float, end: float, *nodes: str, firm: bool = False) -> Booking:
    """A booking that may be cut."""
    return Booking(lease, nodes, Interval(at(start), at(end)), firm)


def test_nothing_is_cut_while_the_floor_is_kept() -> None:
    """The third node is enough for the owner."""
    calendar = a_pool(3, [(30, 40, 1)], a_lease("a", 0, 99, "n1"), a_lease("b", 0, 99, "n2"))
    assert reclaim(calendar, at(0), DAY) == Reclaim((), ())


def test_a_lease_is_cut_so_that_its_nodes_are_clean_in_time() -> None:
    """The window opens at 30: the lease ends a gap before."""
    assert reclaim(a_pool(1, [(30, 40, 1)], a_lease("a", 0, 99, "n1")), at(0), DAY) == Reclaim(
        (Cut("a", at(29.75)),), ()
    )


def test_a_firm_lease_is_never_cut() -> None:
    """The owner is told what is missing, and when."""
    calendar = a_pool(1, [(30, 40, 1)], a_lease("a", 0, 99, "n1", firm=True))
    assert reclaim(calendar, at(0), DAY) == Reclaim((), (Shortfall(Interval(at(30), at(40)), 1),))


def test_the_notice_is_kept_and_the_time_until_then_is_short() -> None:
    """The window opens in an hour; the lease ends a day from now, and its node is clean a gap later."""
    calendar = a_pool(1, [(1, 40, 1)], a_lease("a", 0, 99, "n1"))
    assert reclaim(calendar, at(0), DAY) == Reclaim((Cut("a", at(24)),), (Shortfall(Interval(at(1), at(24.25)), 1),))


def test_the_fewest_node_hours_are_lost() -> None:
    """Cutting one lease of two nodes loses less than two leases of one that last longer."""
    leases = [a_lease("a", 0, 60, "n1"), a_lease("b", 0, 60, "n2"), a_lease("c", 0, 50, "n3", "n4")]
    assert reclaim(a_pool(4, [(30, 31, 2)], *leases), at(0), DAY).cuts == (Cut("c", at(29.75)),)
    assert reclaim(a_pool(4, [(30, 31, 1)], *leases), at(0), DAY).cuts == (Cut("a", at(29.75)),)


def test_a_reservation_that_the_window_meets_is_given_up_whole() -> None:
    """It would begin within the window, and more than the notice ahead."""
    calendar = a_pool(1, [(30, 40, 1)], a_lease("a", 32, 99, "n1"))
    assert reclaim(calendar, at(0), DAY).cuts == (Cut("a", at(32)),)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(31, 60)), min_size=1, max_size=6), st.integers(0, 12))
def test_for_one_window_no_other_set_of_leases_loses_less(leases: list[tuple[int, int]], kept: int) -> None:
    """Every set of leases is tried; none that gives enough loses fewer node-hours."""
    bookings, first = [], 1
    for number, (size, end) in enumerate(leases):
        bookings.append(a_lease(f"l{number}", 0, end, *(f"n{n}" for n in range(first, first + size))))
        first += size
    total = first - 1
    answer = reclaim(a_pool(total, [(30, 31, min(kept, total))], *bookings), at(0), DAY)

    def lost(chosen: tuple[Booking, ...]) -> float:
        return sum(len(b.nodes) * (b.interval.end - at(29.75)).total_seconds() for b in chosen)

    enough = [
        chosen
        for count in range(len(bookings) + 1)
        for chosen in combinations(bookings, count)
        if sum(len(b.nodes) for b in chosen) >= min(kept, total)
    ]
    cut = {c.lease for c in answer.cuts}
    assert lost(tuple(b for b in bookings if b.lease in cut)) == min(map(lost, enough))
    assert answer.short == ()


def a_rack(*broken: str) -> list[Node]:
    """Two racks of two nodes in one zone and one rack in another."""
    names = {"a1-0": ("a", "1"), "a1-1": ("a", "1"), "a2-0": ("a", "2"), "a2-1": ("a", "2"), "b1-0": ("b", "1")}
    return [Node(name, blocks, sound=name not in broken) for name, blocks in names.items()]


def test_a_node_is_replaced_within_its_rack_or_as_near_as_can_be() -> None:
    """First the rack, then the zone, then anywhere; for the rest of the time only."""
    mine = a_lease("mine", 0, 9, "a1-0")
    other = a_lease("other", 0, 9, "a1-1")
    last = a_lease("last", 0, 9, "a2-0", "a2-1")
    for others, expected in (((), "a1-1"), ((other,), "a2-0"), ((other, last), "b1-0")):
        calendar = Calendar(a_rack("a1-0"), GAP, bookings=[mine, *others])
        assert replacement(calendar, mine, "a1-0", at(3)) == a_lease("mine", 3, 9, expected)


def test_a_required_block_is_not_left() -> None:
    """No node of the rack is free, so there is none."""
    mine, other = a_lease("mine", 0, 9, "a1-0"), a_lease("other", 0, 9, "a1-1")
    calendar = Calendar(a_rack("a1-0"), GAP, bookings=[mine, other])
    assert replacement(calendar, mine, "a1-0", at(3), Together(1, required=True)) is None
    assert replacement(calendar, mine, "a1-0", at(3), Together(0, required=True)) is not None


def test_there_is_none_if_all_are_booked_later_or_the_owner_keeps_them() -> None:
    """A node must be free for the whole rest with its gap, and may not be the owner's."""
    mine, soon = a_lease("mine", 0, 9, "n1"), a_lease("soon", 9.1, 10, "n2")
    nodes = [Node("n1", sound=False), Node("n2")]
    assert replacement(Calendar(nodes, GAP, bookings=[mine, soon]), mine, "n1", at(3)) is None
    assert replacement(Calendar(nodes, GAP, Floor(1), bookings=[mine]), mine, "n1", at(3)) is None
    assert replacement(Calendar(nodes, GAP, bookings=[mine]), mine, "n1", at(3)) is not None


def test_a_lease_that_is_over_needs_no_node() -> None:
    """At its end nothing is replaced any more."""
    mine = a_lease("mine", 0, 9, "n1")
    assert replacement(Calendar([Node("n1", sound=False), Node("n2")], GAP, bookings=[mine]), mine, "n1", at(9)) is None
