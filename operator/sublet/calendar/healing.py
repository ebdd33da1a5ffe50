"""Healing: another node for one that failed under a booking."""

from datetime import datetime

from sublet.calendar.booking import Booking, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval
from sublet.calendar.topology import positions


def replacement(
    calendar: Calendar, booking: Booking, failed: str, now: datetime, together: Together | None = None
) -> Booking | None:
    """One node for the rest of a booking, in the place of a node that failed.

    It comes from the narrowest block of the failed node that has one free, so that the lease stays as close together
    as it was; within the block, the node that is left idle the least.

    Args:
        calendar: With the failed node no longer sound, so that it is neither chosen nor counted as the owner's.
        booking: The booking that lost the node; it need not have begun.
        failed: The node.
        now: No earlier than this.
        together: If required, a node outside of the block is none.

    Returns:
        What to book beside the rest of the booking; None if no node is free for so long, or the owner keeps them.
    """
    start = max(now, booking.interval.start)
    if start >= booking.interval.end:
        return None
    rest = Interval(start, booking.interval.end)
    begins, over = calendar.span(rest)
    if any(calendar.slack.short(1, begins, over)):
        return None

    idle, free = calendar.idle((begins, over), now), calendar.occupancy.free(begins, over)
    bound = together.level if together is not None and together.required else None
    for level, block in calendar.layout.around(calendar.layout.position[failed]):
        if bound is not None and level < bound:
            return None
        if near := free & block.sound:
            return Booking(booking.lease, (calendar.layout.names[min(positions(near), key=idle)],), rest, booking.firm)
    return None
