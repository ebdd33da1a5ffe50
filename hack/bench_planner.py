"""The planner's bench: how fast the calendar of a large pool answers, beside the simple algorithm it replaced.

    python -m hack.bench_planner [--nodes N] [--bookings N] [--queries N]

It prints figures and asserts nothing. Everything is drawn from a fixed seed.
"""

import argparse
import gc
import heapq
import math
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sublet.calendar.allocator import earliest
from sublet.calendar.booking import Booking, Node, Request, Together
from sublet.calendar.calendar import Calendar
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
        bookings.append(Booking(f"l{number}", tuple(name for _, name in taken), interval, rng.random() < 0.7))  # noqa: PLR2004
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


@dataclass(frozen=True)
class Figures:
    """What was measured for one pool; times in milliseconds; `entries` are nodes of bookings."""

    entries: int
    load: float
    find: list[tuple[float, float]]
    place: list[tuple[float, float]]
    at_once: int
    later: int
    never: int


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """How many milliseconds it takes: by the clock, and of the processor, which others may be using as well."""
    begin, used = time.perf_counter(), time.thread_time()
    work()
    return (time.perf_counter() - begin) * 1e3, (time.thread_time() - used) * 1e3


def measure(nodes: int, bookings: int, queries: int, kept: int, seed: int = 1) -> Figures:
    """Load one pool, ask, and place."""
    rng = random.Random(seed)  # noqa: S311 - a bench
    pool = some_nodes(nodes)
    booked = some_bookings(rng, pool, bookings, kept)
    requests = some_requests(rng, nodes, queries)
    gc.collect()
    begin = time.perf_counter()
    calendar = Calendar(pool, GAP, some_floor(kept), booked)
    load = (time.perf_counter() - begin) * 1e3
    find, place, starts = [], [], []
    for request in requests:
        found: list[Booking | None] = []

        def look(request: Request = request, found: list[Booking | None] = found) -> None:
            found.append(earliest(request, calendar, NOW))

        def book(request: Request = request) -> None:
            booking = earliest(request, calendar, NOW)
            if booking is not None:
                calendar.book(booking)

        find.append(timed(look))
        place.append(timed(book))
        # Given back outside of the time taken, so that every request meets the same pool.
        booking = found[0]
        if booking is not None:
            calendar.end(request.lease, booking.interval.start)
        starts.append(booking.interval.start if booking is not None else None)
    at_once = sum(start == NOW for start in starts)
    never = starts.count(None)
    entries = sum(len(booking.nodes) for booking in booked)
    return Figures(entries, load, find, place, at_once, len(starts) - at_once - never, never)


class Simple:
    """The algorithm that this one replaced: every opening is tried, with every booking of every node.

    It knows no floor and no topology, so it does less.
    """

    def __init__(self, nodes: Iterable[Node], bookings: Iterable[Booking]) -> None:
        self.nodes = [node.name for node in nodes]
        self.by_node: dict[str, list[Interval]] = {}
        for booking in bookings:
            for node in booking.nodes:
                self.by_node.setdefault(node, []).append(booking.interval)

    def earliest(self, request: Request) -> tuple[datetime, list[str]] | None:
        """The first opening at which enough nodes are free, and the first of them."""
        first = request.start or NOW
        if request.start is not None and request.latest_start is None:
            openings: Iterable[datetime] = (first,)
        else:
            ends = {i.end + GAP for node in self.nodes for i in self.by_node.get(node, ())}
            openings = (first, *sorted(end for end in ends if end > first))
        for start in openings:
            if request.latest_start is not None and start > request.latest_start:
                return None
            wanted = Interval(start, start + (request.duration or HOUR) + GAP)
            free = [
                node
                for node in self.nodes
                if not any(wanted.overlaps(other.then(GAP)) for other in self.by_node.get(node, ()))
            ]
            if len(free) >= request.nodes:
                return start, free[: request.nodes]
        return None


def compare(nodes: int, bookings: int, queries: int) -> None:
    """The same queries by both algorithms, on a pool that the simple one can manage."""
    rng = random.Random(2)  # noqa: S311 - a bench
    pool = some_nodes(nodes)
    booked = some_bookings(rng, pool, bookings, 0)
    requests = [r for r in some_requests(rng, nodes, queries) if r.together is None or not r.together.required]
    simple, calendar = Simple(pool, booked), Calendar(pool, GAP, bookings=booked)
    old, new = [], []
    for request in requests:
        begin = time.perf_counter()
        theirs = simple.earliest(request)
        old.append((time.perf_counter() - begin) * 1e3)
        begin = time.perf_counter()
        ours = earliest(request, calendar, NOW)
        new.append((time.perf_counter() - begin) * 1e3)
        if (theirs and theirs[0]) != (ours and ours.interval.start):
            raise AssertionError(f"{request}: {theirs} and {ours}")
    print(
        f"\nbaseline: the simple algorithm on {nodes:,} nodes and {bookings:,} bookings, {len(requests)} same queries"
    )
    print(f"  simple    mean {statistics.mean(old):9.2f} ms   p99 {p99(old):9.2f} ms")
    print(f"  calendar  mean {statistics.mean(new):9.2f} ms   p99 {p99(new):9.2f} ms   same start for every query")
    print(f"  ratio     mean {statistics.mean(old) / statistics.mean(new):9.0f}      p99 {p99(old) / p99(new):9.0f}")


def p99(figures: list[float]) -> float:
    """The value that one of a hundred exceeds."""
    return sorted(figures)[min(math.ceil(len(figures) * 0.99) - 1, len(figures) - 1)]


def resident() -> float:
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def describe_machine() -> None:
    """Say what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    print(f"machine: {os.cpu_count()} x {model}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")


def show(title: str, figures: Figures) -> None:
    """One line of a curve."""
    parts = []
    for name, times in (("find", figures.find), ("place", figures.place)):
        wall, used = [each[0] for each in times], [each[1] for each in times]
        tail = f"p99 {p99(wall):6.2f} (CPU {p99(used):5.2f})  max {max(wall):6.2f} ms"
        parts.append(f"{name} p50 {statistics.median(wall):5.2f}  {tail}")
    counts = f"{figures.at_once}/{figures.later}/{figures.never}"
    print(f"  {title:<25} load {figures.load / 1e3:5.2f} s   {'   '.join(parts)}   {counts}", flush=True)


def mean(times: list[tuple[float, float]]) -> float:
    """Of the processor's time."""
    return statistics.mean(used for _, used in times)


def growth(title: str, curve: list[Figures]) -> None:
    """How the means grow from the first to the last size, beside n log n for the nodes of all bookings."""
    low, high = curve[0].entries, curve[-1].entries
    bound = high * math.log(high) / (low * math.log(low))
    find = mean(curve[-1].find) / mean(curve[0].find)
    place = mean(curve[-1].place) / mean(curve[0].place)
    print(f"  {title}: nodes of bookings from {low:,} to {high:,}, x {high / low:.1f}; n log n would be x {bound:.1f}")
    print(f"  find x {find:.1f}, place x {place:.1f}, load x {curve[-1].load / curve[0].load:.1f}\n")


def main() -> int:
    """Measure one pool, then how the figures grow, then the baseline."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_planner", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=2_000)
    given = parser.parse_args()
    describe_machine()
    print(
        f"leases of {SIZES} nodes (of 100), requests of {LENGTHS} hours (of 100); horizon 56 days, filled to {FILL:.0%}"
    )
    print(
        "15 of 100 requests require one rack or block, 10 prefer one; the owner keeps 2 %, and 3 % on two days a week"
    )
    print("columns: found at once / later / never\n")
    before = resident()
    figures = measure(given.nodes, given.bookings, given.queries, given.nodes // 50)
    show(f"{given.nodes:,} nodes, {given.bookings:,} b.", figures)
    print(f"  memory of the process {resident():.0f} MiB, of which {before:.0f} MiB before the pool was made\n")
    queries = max(given.queries // 4, 1)
    parts = (8, 4, 2, 1)
    nodes = [given.nodes // part for part in parts]
    curve = [measure(n, given.bookings * n // given.nodes, queries, n // 50) for n in nodes]
    for n, each in zip(nodes, curve, strict=True):
        show(f"{n:,} nodes, {given.bookings * n // given.nodes:,} b.", each)
    growth("nodes and bookings x 8", curve)
    bookings = [given.bookings // part for part in parts]
    curve = [measure(given.nodes, b, queries, given.nodes // 50) for b in bookings]
    for b, each in zip(bookings, curve, strict=True):
        show(f"{given.nodes:,} nodes, {b:,} b.", each)
    growth("bookings x 8", curve)
    compare(250, 1250, 60)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
