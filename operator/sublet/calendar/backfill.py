"""Placing a queue: in strict order, each at the earliest start that delays nobody before it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sublet.calendar.allocator import booked, earliest, level_of, starts_of
from sublet.calendar.booking import Booking, Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import seconds
from sublet.calendar.occupancy import Span
from sublet.calendar.rehoming import Rehoming
from sublet.calendar.search import Query, earliest_start


@dataclass(frozen=True)
class Placement:
    """What the queue's turn brought one request.

    Attributes:
        lease: Whose request it was.
        position: 1 for the first in the queue; 0 for one that is served.
        booking: The earliest booking that delays nobody before it; None if there is none, ever: see `offers.nearest`.
        final: Whether the booking is to be recorded now: it starts now, or when the tenant wanted it at the earliest,
            or there is a latest start that would otherwise be at risk. The others stay in the queue, where an early
            release may move them forward.
    """

    lease: str
    position: int
    booking: Booking | None
    final: bool


@dataclass(frozen=True)
class Placements:
    """What the queue's turn brought.

    Attributes:
        each: In the order of the queue.
        moved: Bookings that have not begun and were given other nodes, so that a final placement finds room. They can
            be recorded one by one and in any order, but all of them before anything that was placed.
        rehoming: The moves of the pass: who else could be made room for after it.
    """

    each: tuple[Placement, ...]
    moved: tuple[Booking, ...]
    rehoming: Rehoming


def place(queue: Iterable[Request], calendar: Calendar, now: datetime) -> Placements:
    """Place a queue in its order, in `calendar`; nobody's placement delays anybody who stands before it.

    Every request that finds a place is booked so that the next one sees it, which is conservative backfill (Mu'alem
    and Feitelson, IEEE TPDS 12(6), 2001): a later, smaller request may start first, but only on nodes and hours that
    no earlier request will use. Bookings that have not begun keep their times, and may get other nodes.
    """
    rehoming = Rehoming(calendar, now)
    found: list[tuple[Request, bool]] = []
    moved: set[str] = set()
    for request in queue:
        booking = earliest(request, calendar, now)
        booking = _sooner(request, booking, rehoming) or booking
        at_once = booking is not None and booking.interval.start <= max(request.start or now, now)
        final = booking is not None and (at_once or request.latest_start is not None)
        found.append((request, final))
        if booking is not None:
            calendar.book(replace(booking, movable=request.together is None))
            rehoming.unknown.add(request.lease)
        if final:
            moved = {*rehoming.moved}
    each: list[Placement] = []
    waiting = 0
    for request, final in found:
        waiting += not final
        # Read anew: somebody behind it may have asked it to make room.
        booking = next(iter(calendar.of(request.lease)), None)
        each.append(Placement(request.lease, 0 if final else waiting, booking, final))
    return Placements(tuple(each), tuple(calendar.of(lease)[0] for lease in sorted(moved)), rehoming)


def _sooner(request: Request, otherwise: Booking | None, rehoming: Rehoming) -> Booking | None:
    """A booking that is to be had if others make room, if it is better than the one that is to be had without."""
    calendar, now = rehoming.calendar, rehoming.now
    if level_of(request) is not None or not calendar.movable:
        return None
    span = _by_number(request, calendar, now, None if otherwise is None else seconds(otherwise.interval.start))
    if span is None or (otherwise is not None and not _is_better(span, otherwise)):
        return None
    if not rehoming.make_room(request.nodes, (span[0], span[1] + calendar.cleaning)):
        return None
    return booked(request, calendar, span, now)


def _is_better(span: Span, booking: Booking) -> bool:
    """Whether a span begins earlier than a booking, or at the same time and is longer."""
    start, end = seconds(booking.interval.start), seconds(booking.interval.end)
    return span[0] < start or (span[0] == start and span[1] > end)


def _by_number(request: Request, calendar: Calendar, now: datetime, latest: int | None) -> Span | None:
    """The first span in which there are enough nodes at every moment, though perhaps not the same ones throughout.

    One that starts later than `latest` need not be found.
    """
    first, last = starts_of(request, calendar, now)
    if first > last:
        return None
    if request.duration is None:
        assert request.end is not None  # noqa: S101 - one of the two is given
        return first, seconds(request.end)
    wanted = int(request.duration.total_seconds())
    last = last if latest is None else min(last, latest)
    query = Query(request.nodes, wanted + calendar.cleaning, first, last, None)
    start = earliest_start(query, None, calendar.slack)
    return None if start is None else (start, start + wanted)
