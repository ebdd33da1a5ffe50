"""Availability: when how many nodes can still be booked, within one calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sublet.calendar.allocator import longest_from
from sublet.calendar.booking import Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval, instant, seconds


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


def free_spans(calendar: Calendar, within: Interval, nodes: int) -> tuple[Free, ...]:
    """Every time for which one booking could hold that many nodes throughout, none within another, in order."""
    last = seconds(within.end)
    found: list[Free] = []
    for start in _edges(calendar, within)[:-1]:
        request = Request("", nodes, instant(start), None, within.end)
        span = longest_from(start, request, calendar)
        if span is None:
            continue
        interval = Interval(instant(start), instant(min(span[1], last)))
        if not found or interval.end > found[-1].interval.end:
            found.append(Free(interval, nodes))
    return tuple(found)


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
