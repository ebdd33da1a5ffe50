"""Placing requests: first come, first served, on a ledger, at the earliest start that fits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sublet.calendar.interval import Interval
from sublet.calendar.ledger import Booking, Ledger


@dataclass(frozen=True)
class Request:
    """What one lease asks for.

    Attributes:
        lease: Whose request it is.
        nodes: How many whole nodes.
        start: The fixed start; None for as soon as possible.
        duration: The length wanted; None where `end` alone bounds it.
        end: The latest end; None where `duration` alone bounds it.
        shortest: No shorter booking is worth having.
    """

    lease: str
    nodes: int
    start: datetime | None
    duration: timedelta | None
    end: datetime | None
    shortest: timedelta = timedelta()

    def interval_at(self, start: datetime) -> Interval | None:
        """The interval if it began at `start`; None if too little would be left of it."""
        end = start + self.duration if self.duration is not None else self.end or start
        return Interval(start, end) if end > start and end - start >= self.shortest else None


def earliest(request: Request, ledger: Ledger, now: datetime) -> Booking | None:
    """The first booking that fits, or None if none ever does.

    Free capacity only grows at an opening, so only openings need to be tried. A fixed start that lies ahead has
    just one candidate: it is met on the second or not at all. One that was missed is caught up when it can be.
    """
    candidates = ledger.openings(now) if request.start is None or request.start <= now else (request.start,)
    for start in candidates:
        interval = request.interval_at(start)
        if interval is None:
            return None
        free = ledger.free_nodes(interval)
        if len(free) >= request.nodes:
            return Booking(request.lease, free[: request.nodes], interval)
    return None


@dataclass(frozen=True)
class Placement:
    """What the queue's turn brought one request.

    Attributes:
        lease: Whose request it was.
        position: 1 for the first in the queue.
        booking: The earliest booking that delays nobody before it; None if there is none.
        firm: Whether the booking is to be recorded now: it starts now, or its start was fixed by the tenant.
            The others stay in the queue, where an early release may move them forward.
    """

    lease: str
    position: int
    booking: Booking | None
    firm: bool


def place(queue: Iterable[Request], ledger: Ledger, now: datetime) -> tuple[Placement, ...]:
    """Place a queue in its order; nobody's placement delays anybody who stands before it.

    Every request that finds a place is booked on the ledger that the next one sees, which is conservative
    backfill (Mu'alem and Feitelson, IEEE TPDS 12(6), 2001): a later, smaller request may start first, but
    only on nodes and hours that no earlier request will use.
    """
    placements: list[Placement] = []
    waiting = 0
    for request in queue:
        booking = earliest(request, ledger, now)
        firm = booking is not None and booking.interval.start in {request.start, now}
        if booking is not None:
            ledger = ledger.book(booking)
        waiting += not firm
        placements.append(Placement(request.lease, 0 if firm else waiting, booking, firm))
    return tuple(placements)


def longest_extension(booking: Booking, until: datetime, ledger: Ledger) -> datetime:
    """The latest end up to `until` to which `booking` can be stretched on its own nodes.

    Returns:
        `until` if nobody else is booked before it (and its gap); else the last instant that leaves the gap
        before the next booking; never earlier than the end that the booking has.
    """
    latest = until
    for node in booking.nodes:
        for other in ledger.by_node.get(node, ()):
            if other.lease != booking.lease and other.interval.start >= booking.interval.end:
                latest = min(latest, other.interval.start - ledger.gap)
    return max(latest, booking.interval.end)
