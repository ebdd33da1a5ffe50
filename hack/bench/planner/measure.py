"""Times of one pool: to load it, to find a place for a request, and to book it."""

import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from hack.bench.planner.workload import GAP, NOW, some_bookings, some_floor, some_nodes, some_requests
from sublet.calendar.allocator import earliest
from sublet.calendar.backfill import place as place_queue
from sublet.calendar.booking import Booking, Request
from sublet.calendar.calendar import Calendar


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
            place_queue([request], calendar, NOW)

        find.append(timed(look))
        place.append(timed(book))
        # Given back outside of the time taken, so that every request meets the same pool.
        for placed in calendar.of(request.lease):
            calendar.end(request.lease, placed.interval.start)
        booking = found[0]
        starts.append(booking.interval.start if booking is not None else None)
    at_once = sum(start == NOW for start in starts)
    never = starts.count(None)
    entries = sum(len(booking.nodes) for booking in booked)
    return Figures(entries, load, find, place, at_once, len(starts) - at_once - never, never)
