"""The baseline: the simple algorithm that the calendar replaced, asked the same."""

import random
import statistics
import time
from collections.abc import Iterable
from datetime import datetime

from hack.bench.planner.report import p99
from hack.bench.planner.workload import GAP, HOUR, NOW, some_bookings, some_nodes, some_requests
from sublet.calendar.allocator import earliest
from sublet.calendar.booking import Booking, Node, Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval


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
