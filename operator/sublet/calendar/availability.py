"""Availability: when how many nodes can still be booked, within one calendar."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import pairwise

from sublet.calendar.allocator import longest_from
from sublet.calendar.booking import Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval, instant, seconds
from sublet.calendar.rehoming import Rehoming

_TRIES = 500
"""So often it is tried whether others make room, so that nobody waits long for an answer about a large pool."""


@dataclass(frozen=True)
class Free:
    """Nodes that can be booked.

    Attributes:
        interval: When.
        nodes: How many.
    """

    interval: Interval
    nodes: int


def free_nodes(calendar: Calendar, within: Interval) -> tuple[Free, ...]:
    """How many nodes a booking could hold at each moment, in order; moments at which there are none are left out.

    A booking needs its cleaning too, so a node counts until that long before it is taken. The nodes may be others from
    one moment to the next: what a single booking can have throughout is told by `free_spans`.
    """
    found: list[Free] = []
    for start, end in pairwise(_edges(calendar, within)):
        nodes = _most(calendar, start)
        if found and found[-1].nodes == nodes and found[-1].interval.end == instant(start):
            found[-1] = Free(Interval(found[-1].interval.start, instant(end)), nodes)
        elif nodes:
            found.append(Free(Interval(instant(start), instant(end)), nodes))
    return tuple(found)


def free_spans(rehoming: Rehoming, within: Interval, nodes: int, shortest: timedelta) -> tuple[Free, ...]:
    """Times for which one booking could hold that many nodes throughout, none within another, in order.

    Each of them is to be had as it stands, perhaps because bookings that have not begun make room. What is to be had
    without that lies in one of them; what is to be had only if others make room may be missing.

    Args:
        rehoming: Who may make room, in the calendar that is looked at.
        within: The time asked about.
        nodes: How many.
        shortest: No shorter time is of use.
    """
    calendar, least = rehoming.calendar, max(int(shortest.total_seconds()), 1)
    tries = iter(range(_TRIES))

    def has_room(start: int, end: int) -> bool:
        return next(tries, None) is not None and rehoming.could_make_room(nodes, (start, end + calendar.cleaning))

    edges = _edges(calendar, within)
    found: list[Free] = []
    reached = 0
    for start in edges[:-1]:
        over = edges[-1] + calendar.cleaning
        # In numbers there are enough nodes until then, though perhaps not the same ones throughout.
        last = next((begins for begins, _, _ in calendar.slack.short(nodes, start, over)), over) - calendar.cleaning
        soonest = max(reached + 1, start + least)
        if last < soonest:
            continue
        unmoved = longest_from(start, Request("", nodes, None, None, within.end), calendar)
        ends = [*edges[bisect_left(edges, soonest) : bisect_left(edges, last)], last]
        known = bisect_right(ends, unmoved[1]) - 1 if unmoved is not None else -1
        best = _furthest(ends, known, partial(has_room, start))
        if best >= 0:
            reached = ends[best]
            found.append(Free(Interval(instant(start), instant(reached)), nodes))
    return tuple(found)


def _furthest(ends: Sequence[int], known: int, has_room: Callable[[int], bool]) -> int:
    """The last of several ends until which there is room; at least the one that is known, which may be -1 for none.

    It is sought as if room for a longer time were always room for a shorter one, in steps that grow: bookings that
    have not begun make room for a little time more often than for much.
    """
    low, high, step = known, len(ends), 1
    while high - low > 1:
        middle = min(low + step, high - 1) if step else (low + high) // 2
        low, high, step = (middle, high, 2 * step) if has_room(ends[middle]) else (low, middle, 0)
    return low


def _edges(calendar: Calendar, within: Interval) -> list[int]:
    """The seconds at which the answer may change, with the first and the last one asked about."""
    first, last = seconds(within.start), seconds(within.end)
    inside = {edge for edge in _moments(calendar) if first < edge < last}
    return [first, *sorted(inside), last] if first < last else []


def _moments(calendar: Calendar) -> Iterator[int]:
    for spans in calendar.occupancy.taken:
        for taken, free in spans:
            yield taken - calendar.cleaning
            yield free
    for moment in calendar.floor.changes():
        yield moment - calendar.cleaning
        yield moment


def _most(calendar: Calendar, moment: int) -> int:
    """The most nodes that a booking could hold at a moment: those free until it is cleaned, above the owner's floor."""
    over = moment + 1 + calendar.cleaning
    free = calendar.occupancy.free(moment, over).bit_count()
    levels = (level for _, _, level in calendar.slack.short(free, moment, over))
    return max(min(levels, default=free), 0)
