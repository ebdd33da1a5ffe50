"""Obstacles: what keeps a booking from being stretched any further."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto

from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import seconds
from sublet.calendar.topology import positions


class Obstacle(Enum):
    """What stands in the way."""

    BOOKED = auto()
    """Somebody is booked on a node of it."""
    PLANNED = auto()
    """Somebody who waits is planned on a node of it, or on so many others that the owner keeps these."""
    KEPT = auto()
    """The owner keeps so many nodes."""


def obstacle(booking: Booking, end: datetime, calendar: Calendar, waiting: Iterable[str]) -> Obstacle:
    """What stands in the way of a booking beyond the latest `end` that it can have on its own nodes.

    Args:
        booking: The booking.
        end: From `Calendar.longest_extension`.
        calendar: With the bookings of those who wait.
        waiting: The leases that wait.
    """
    over = seconds(end) + calendar.cleaning
    planned = [b for lease in waiting for b in calendar.of(lease) if _holds(calendar, b, over)]
    chosen = calendar.layout.members(booking.nodes)
    if any(calendar.occupancy.next_taken(position, over) == over for position in positions(chosen)):
        is_planned = any(calendar.layout.members(other.nodes) & chosen for other in planned)
        return Obstacle.PLANNED if is_planned else Obstacle.BOOKED
    needed = (chosen & calendar.layout.sound).bit_count()
    lacking = max((needed - level for _, _, level in calendar.slack.short(needed, over, over + 1)), default=0)
    return Obstacle.PLANNED if 0 < lacking <= sum(len(other.nodes) for other in planned) else Obstacle.KEPT


def _holds(calendar: Calendar, booking: Booking, moment: int) -> bool:
    start, over = calendar.span(booking.interval)
    return start <= moment < over
