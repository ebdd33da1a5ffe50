"""The earliest moment from which enough nodes are free for long enough."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from sublet.calendar.occupancy import Occupancy, Span
from sublet.calendar.slack import Slack
from sublet.calendar.topology import positions


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        nodes: How many nodes.
        length: For how many seconds, with the cleaning.
        first: The earliest start.
        last: The latest start.
        level: All nodes in one block of this level; None for anywhere.
    """

    nodes: int
    length: int
    first: int
    last: int
    level: int | None


def earliest_start(query: Query, occupancy: Occupancy | None, slack: Slack) -> int | None:
    """The earliest start, exactly; None if there is none.

    Without an occupancy, there are enough nodes at every moment, though perhaps not the same ones throughout.

    Slots of starts are judged in groups first, by what all starts of a group have in common, and a group that can
    hold none is passed over as a whole.
    """
    slots = slack.slots
    slot, last = slots.at(query.first), slots.at(query.last)
    while slot <= last:
        # All windows that start within half a length have the other half in common.
        half = slots.at(max(slots.edges[slot], query.first) + query.length // 2)
        count = min(max(half - slot, 1), last + 1 - slot)
        found = _in_group(query, occupancy, slack, slot, count)
        if found is not None:
            return found
        slot += count
    return None


def _in_group(query: Query, occupancy: Occupancy | None, slack: Slack, slot: int, count: int) -> int | None:
    slots = slack.slots
    begin = max(query.first, slots.edges[slot]) if slot else query.first
    low = slack.low[slot + count : slots.within(slot + count, begin + query.length)]
    if low and min(low) < query.nodes:
        return None
    if occupancy is not None:
        candidates = occupancy.may_start(slot, count, begin, query.length)
        if not occupancy.layout.fits(candidates, query.nodes, query.level):
            return None
    if count == 1:
        end = slots.edges[slot + 1] - 1 if slot + 1 < len(slots) else query.last
        return _in_slot(query, occupancy, slack, begin, min(query.last, end))
    half = count // 2
    found = _in_group(query, occupancy, slack, slot, half)
    return found if found is not None else _in_group(query, occupancy, slack, slot + half, count - half)


def _in_slot(query: Query, occupancy: Occupancy | None, slack: Slack, first: int, last: int) -> int | None:
    """Among the starts in [first, last], all in one slot."""
    allowed = slack.starts(query.nodes, query.length, first, last)
    if not allowed:
        return None
    if occupancy is None:
        return allowed[0][0]
    layout = occupancy.layout
    sure, doubtful = occupancy.judge(first, last, query.length)
    if layout.fits(sure, query.nodes, query.level):
        return allowed[0][0]
    if query.level is None:
        return _first_with(query, occupancy, sure, doubtful, allowed)
    tally = layout.tally(sure | doubtful)
    found = None
    for block in layout.level(query.level):
        if tally[block.last] - tally[block.first] < query.nodes:
            continue
        start = _first_with(query, occupancy, sure & block.sound, doubtful & block.sound, allowed)
        if start is not None:
            found = start
            # Of the other blocks only an earlier start is of interest.
            allowed = [(begin, min(end, start - 1)) for begin, end in allowed if begin < start]
            if not allowed:
                break
    return found


def _first_with(query: Query, occupancy: Occupancy, sure: int, doubtful: int, allowed: list[Span]) -> int | None:
    """The first allowed start at which enough nodes are free, of those that are always and those that may be."""
    begins: list[int] = []
    ends: list[int] = []
    first, last = allowed[0][0], allowed[-1][1]
    always = sure.bit_count()
    hopeful = always + doubtful.bit_count()
    for position in positions(doubtful):
        known = len(begins)
        for begin, end in occupancy.openings(position, first, last, query.length):
            begins.append(begin)
            ends.append(end)
        hopeful -= len(begins) == known
        if hopeful < query.nodes:
            return None
    begins.sort()
    ends.sort()
    for begin, end in allowed:
        # Nodes become free only at an opening, or where the owner's floor lets go.
        for start in (begin, *begins[bisect_right(begins, begin) : bisect_right(begins, end)]):
            if always + bisect_right(begins, start) - bisect_left(ends, start) >= query.nodes:
                return start
    return None
