"""The pool that is measured: nodes, bookings, requests and the owner's floor, drawn at random."""

import heapq
import math
import random
from datetime import UTC, datetime, timedelta

from sublet.calendar.booking import Booking, Node, Request, Together
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval

GAP = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 12, 1, tzinfo=UTC)
NOW = START + 2 * DAY
HORIZON = 56 * DAY

SIZES = {1: 40, 2: 20, 4: 15, 8: 12, 16: 6, 32: 4, 64: 2, 512: 1}
"""Nodes of a lease, and how many leases of a hundred ask for so many."""

LENGTHS = {1: 10, 4: 15, 12: 20, 24: 25, 72: 15, 168: 10, 336: 5}
"""Hours of a request, in the same way. Bookings have lengths around what fills the pool."""

RACK, BLOCK, ZONE = 32, 256, 2560
FILL = 0.9


def draw(rng: random.Random, weights: dict[int, int]) -> int:
    """One value by its weight."""
    return rng.choices([*weights], [*weights.values()])[0]


def some_nodes(count: int) -> list[Node]:
    """Nodes in racks of 32, blocks of 8 racks and zones of 10 blocks."""
    return [
        Node(f"gpu-{n:05}", (f"zone-{n // ZONE:02}", f"block-{n // BLOCK:03}", f"rack-{n // RACK:04}"))
        for n in range(count)
    ]


def some_bookings(rng: random.Random, nodes: list[Node], count: int, kept: int) -> list[Booking]:
    """Bookings that fill the horizon of all but `kept` nodes: each on the nodes that are free first, after some idling.

    What a large booking waits for leaves holes, as in a real pool.
    """
    usable = rng.sample(nodes, len(nodes) - kept)
    average = len(usable) * HORIZON / HOUR * FILL / (count * mean_size(len(nodes)))
    begin = [(-rng.expovariate(1 / average), node.name) for node in usable]
    heapq.heapify(begin)
    bookings = []
    for number in range(count):
        size = min(draw(rng, SIZES), len(usable) // 4)
        taken = [heapq.heappop(begin) for _ in range(size)]
        start = max(at for at, _ in taken) + (rng.expovariate(1 / 2) if rng.random() < 0.5 else 0)  # noqa: PLR2004
        end = start + max(0.5, rng.lognormvariate(math.log(average) - 0.5, 1))
        interval = Interval(START + whole(start * HOUR), START + whole(end * HOUR))
        names = tuple(name for _, name in taken)
        bookings.append(Booking(f"l{number}", names, interval, rng.random() < 0.7, movable=rng.random() < 0.75))  # noqa: PLR2004
        for _, name in taken:
            heapq.heappush(begin, (end + GAP / HOUR + 1 / 3600, name))
    return bookings


def mean_size(nodes: int) -> float:
    """Nodes of a lease on average."""
    return sum(min(size, nodes // 4) * weight for size, weight in SIZES.items()) / sum(SIZES.values())


def whole(length: timedelta) -> timedelta:
    """Without fractions of a second."""
    return timedelta(seconds=int(length.total_seconds()))


def some_requests(rng: random.Random, nodes: int, count: int) -> list[Request]:
    """Requests of all sizes and lengths.

    Of a hundred 70 start as soon as possible, 15 at a fixed time, 15 within two days from one. 15 require one rack, or
    one block if they are larger than a rack; 10 prefer one rack. 512 nodes are more than a block and require nothing.
    """
    requests = []
    for number in range(count):
        size = min(draw(rng, SIZES), nodes // 4)
        length = draw(rng, LENGTHS) * HOUR
        start = NOW + whole(rng.uniform(0, 30) * DAY)
        when = rng.choices(["soon", "fixed", "flexible"], [70, 15, 15])[0]
        together = None
        if size <= BLOCK:
            level = 2 if size <= RACK else 1
            together = rng.choices([None, Together(level, required=True), Together(2, required=False)], [75, 15, 10])[0]
        requests.append(
            Request(
                f"q{number}",
                size,
                None if when == "soon" else start,
                length,
                None,
                latest_start=start + 2 * DAY if when == "flexible" else None,
                together=together,
            )
        )
    return requests


def some_floor(kept: int) -> Floor:
    """The owner keeps some nodes, and half as many more every Monday to Wednesday."""
    weeks = [START + week * 7 * DAY for week in range(8)]
    return Floor(kept, tuple(Window(Interval(week, week + 2 * DAY), kept + kept // 2) for week in weeks))
