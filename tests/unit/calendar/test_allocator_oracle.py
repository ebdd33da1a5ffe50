"""The allocator against an oracle that is slow and obvious: one boolean for each node and minute."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.calendar.allocator import Placement, Request, longest_extension, place
from sublet.calendar.interval import Interval
from sublet.calendar.ledger import Booking, Ledger
from tests.builders import at

END_OF_TIME = 400
"""Minutes that the oracle knows; no booking of the examples reaches it."""

Ask = tuple[int, int | None, int | None, int | None]
"""How many nodes, and the minutes of start, duration and end."""

Hold = tuple[int, int, int]
"""A node, the minute at which its booking starts, and how long it is."""

SIZE = st.integers(1, 4)
asks = st.one_of(
    st.tuples(SIZE, st.none(), st.integers(1, 25), st.none()),
    st.tuples(SIZE, st.none(), st.none(), st.integers(-5, 60)),
    st.tuples(SIZE, st.integers(-5, 30), st.none(), st.integers(31, 60)),
)
queues = st.lists(asks, max_size=6)
holds = st.lists(st.tuples(st.integers(0, 3), st.integers(-10, 40), st.integers(1, 20)), max_size=6)
gaps = st.integers(0, 6)
pools = st.integers(1, 4)


class Grid:
    """Which node is taken in which minute, by a booking or by the cleaning after it."""

    def __init__(self, nodes: int, gap: int) -> None:
        self.gap = gap
        self.taken: list[set[int]] = [set() for _ in range(nodes)]

    def is_free(self, node: int, start: int, end: int) -> bool:
        """Whether a booking, with its own cleaning, meets no minute that is taken."""
        return not any(minute in self.taken[node] for minute in range(start, end + self.gap))

    def take(self, node: int, start: int, end: int) -> None:
        """Book a node that must be free."""
        assert self.is_free(node, start, end)
        self.taken[node] |= set(range(start, end + self.gap))

    def serve(self, ask: Ask, shortest: int) -> tuple[int, int, list[int]] | None:
        """The first minute at which enough nodes are free, tried one after the other."""
        nodes, fixed, duration, end = ask
        starts = range(END_OF_TIME // 2) if fixed is None or fixed <= 0 else (fixed,)
        for start in starts:
            until = start + duration if duration is not None else end
            if until is None or until <= start or until - start < shortest:
                return None
            free = [node for node in range(len(self.taken)) if self.is_free(node, start, until)]
            if len(free) >= nodes:
                for node in free[:nodes]:
                    self.take(node, start, until)
                return start, until, free[:nodes]
        return None


def a_world(nodes: int, gap: int, wanted: list[Hold]) -> tuple[Grid, Ledger]:
    """The same bookings on a grid and on a ledger; those that do not fit are left out."""
    grid, bookings = Grid(nodes, gap), []
    for number, (node, start, length) in enumerate(wanted):
        if node < nodes and grid.is_free(node, start, start + length):
            grid.take(node, start, start + length)
            bookings.append(a_booking(f"old-{number}", start, start + length, [node]))
    return grid, Ledger.of([f"n{node}" for node in range(nodes)], timedelta(minutes=gap), bookings)


def a_booking(lease: str, start: int, end: int, nodes: list[int]) -> Booking:
    """A booking in minutes."""
    return Booking(lease, tuple(f"n{node}" for node in nodes), Interval(at(minutes=start), at(minutes=end)))


def requests(queue: list[Ask], shortest: int) -> list[Request]:
    """The requests of a queue, named by their places."""
    return [
        Request(
            lease=f"new-{place}",
            nodes=nodes,
            start=None if start is None else at(minutes=start),
            duration=None if duration is None else timedelta(minutes=duration),
            end=None if end is None else at(minutes=end),
            shortest=timedelta(minutes=shortest),
        )
        for place, (nodes, start, duration, end) in enumerate(queue)
    ]


def run(queue: list[Ask], ledger: Ledger, shortest: int = 0) -> tuple[Placement, ...]:
    """Place a queue at minute 0."""
    return place(requests(queue, shortest), ledger, at(0))


@settings(max_examples=250, deadline=None)
@given(pools, gaps, holds, queues, st.integers(0, 8))
def test_every_placement_is_the_one_that_counting_minutes_finds(
    nodes: int, gap: int, wanted: list[Hold], queue: list[Ask], shortest: int
) -> None:
    """Start, end and nodes of each request are those of trying every minute: none sooner, none twice, none moved."""
    grid, ledger = a_world(nodes, gap, wanted)
    served = [grid.serve(ask, shortest) for ask in queue]
    expected = [answer and a_booking(f"new-{place}", *answer) for place, answer in enumerate(served)]
    assert [placement.booking for placement in run(queue, ledger, shortest)] == expected


@settings(max_examples=150, deadline=None)
@given(pools, gaps, holds, queues)
def test_no_node_is_booked_twice_at_any_minute(nodes: int, gap: int, wanted: list[Hold], queue: list[Ask]) -> None:
    """In no minute does a node belong to two bookings or to one and the cleaning after another."""
    _, ledger = a_world(nodes, gap, wanted)
    old = {booking for bookings in ledger.by_node.values() for booking in bookings}
    new = [placement.booking for placement in run(queue, ledger) if placement.booking is not None]
    minutes = [
        (node, minute)
        for booking in [*old, *new]
        for node in booking.nodes
        for minute in range(-20, END_OF_TIME)
        if booking.interval.start <= at(minutes=minute) < booking.interval.end + timedelta(minutes=gap)
    ]
    assert len(minutes) == len(set(minutes))


@settings(max_examples=100, deadline=None)
@given(pools, gaps, holds, queues, st.integers(0, 6))
def test_who_stands_behind_changes_nothing_for_those_before(
    nodes: int, gap: int, wanted: list[Hold], queue: list[Ask], cut: int
) -> None:
    """The first of a queue get exactly what they would get if nobody stood behind them."""
    _, ledger = a_world(nodes, gap, wanted)
    assert run(queue, ledger)[:cut] == run(queue[:cut], ledger)


@settings(max_examples=50, deadline=None)
@given(pools, gaps, holds, queues)
def test_the_same_input_gives_the_same_output(nodes: int, gap: int, wanted: list[Hold], queue: list[Ask]) -> None:
    """Bookings that are listed the other way round give the same plan."""
    _, ledger = a_world(nodes, gap, wanted)
    turned = [booking for bookings in reversed([*ledger.by_node.values()]) for booking in reversed(bookings)]
    assert run(queue, Ledger.of(ledger.nodes, ledger.gap, turned)) == run(queue, ledger)


@settings(max_examples=150, deadline=None)
@given(pools, gaps, holds, st.integers(1, 60))
def test_the_longest_extension_is_the_one_that_counting_minutes_finds(
    nodes: int, gap: int, wanted: list[Hold], until: int
) -> None:
    """The end moves minute by minute for as long as the lease's own node is free behind it."""
    grid, ledger = a_world(nodes, gap, wanted)
    for node, bookings in ledger.by_node.items():
        for booking in bookings:
            minutes = grid.taken[int(node[1:])]
            end = round((booking.interval.end - at(0)).total_seconds() / 60)
            latest = end
            while latest < until and latest + gap not in minutes:
                latest += 1
            assert longest_extension(booking, at(minutes=until), ledger) == at(minutes=max(latest, end))
