"""Healing: another node for one that failed under a booking."""

from datetime import datetime

from sublet.calendar.booking import Booking, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval
from sublet.calendar.topology import Block, Layout, positions


def replacement(
    calendar: Calendar, booking: Booking, near: str | None, now: datetime, together: Together | None = None
) -> Booking | None:
    """One node for the rest of a booking, in the place of a node that failed.

    It comes from the narrowest block around `near` that has one free, so that the lease stays as close together as it
    was; within the block, the node that is left idle the least.

    Args:
        calendar: With the failed node no longer sound, so that it is neither chosen nor counted as the owner's.
        booking: The booking that lost the node; it need not have begun.
        near: The node, or another one of the booking if it is gone; None if all are. The booking then begins anew,
            where it must be together in the block that has the most free.
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
    bound = together.level if together is not None and together.required else -1
    for block in _around(calendar.layout, near, bound, free):
        if candidates := free & block.sound:
            found = calendar.layout.names[min(positions(candidates), key=idle)]
            return Booking(booking.lease, (found,), rest, booking.firm)
    return None


def _around(layout: Layout, near: str | None, bound: int, free: int) -> list[Block]:
    """The blocks to look in, the best first; none that is wider than one of the level `bound`, -1 for the pool."""
    if near is not None:
        return [block for level, block in layout.around(layout.position[near]) if level >= bound]
    if bound < 0:
        return [layout.root]
    return sorted(layout.level(bound), key=lambda block: (free & block.sound).bit_count(), reverse=True)[:1]
