"""Occupancy: when each node is taken, indexed so that thousands of nodes are judged by a few operations.

For each slot of time two sets of nodes are kept, those that are taken at some moment of it and those that are taken
throughout. Whether a node can be free for a length of time follows from the slots between for nearly all nodes; only
where a booking begins or ends in the first or last slot is the node itself looked at. Slurm's backfill plans with
bitmaps of nodes for slots of time as well (`node_space_map_t` in src/plugins/sched/backfill/backfill.c).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import reduce
from itertools import accumulate, pairwise
from operator import and_, or_, xor

from sublet.calendar.slots import FOREVER, Slots
from sublet.calendar.topology import Layout, members, positions

Span = tuple[int, int]
"""From and to, in seconds; half-open."""


class Occupancy:
    """Which node is taken when.

    Attributes:
        layout: The positions of the nodes.
        slots: The slots of the index.
        taken: For each position its spans, in order and apart from each other.
        touched: For each slot the nodes that are taken at some moment of it.
        filled: For each slot the nodes that one span takes throughout; none where the slot has no bound.
        merged: The nodes on which spans overlapped and were made one.
    """

    __slots__ = ("filled", "layout", "merged", "slots", "taken", "touched")

    def __init__(self, layout: Layout, slots: Slots, bookings: Iterable[tuple[Sequence[int], Span]]) -> None:
        """Each booking is the positions of its nodes and its span; of one node, spans that overlap are made one."""
        self.layout = layout
        self.slots = slots
        self.taken: list[list[Span]] = [[] for _ in layout.names]
        self.merged = 0
        self.touched: list[int] = [0] * len(slots)
        # A node is filled from one turn to the next. Two operations for a booking, however many slots it spans.
        turns = [0] * (len(slots) + 1)
        for chosen, span in bookings:
            if span[0] < span[1]:
                nodes = members(chosen, layout.root.last)
                for position in chosen:
                    self.taken[position].append(span)
                for slot in self._outer(span):
                    self.touched[slot] |= nodes
                for slot in self._inner(span):
                    turns[slot] ^= nodes
        for position, spans in enumerate(self.taken):
            spans.sort()
            if any(before[1] > after[0] for before, after in pairwise(spans)):
                self.taken[position] = _apart(spans)
                self.merged |= 1 << position
        self.filled: list[int] = [turn & ~self.merged for turn in accumulate(turns[:-1], xor)]
        self.touched = [*map(or_, self.touched, self.filled)]
        for position in positions(self.merged):
            for span in self.taken[position]:
                self._mark(1 << position, span)

    def copy(self) -> "Occupancy":
        """The same occupancy, to be changed on its own."""
        twin = copy(self)
        twin.taken = [[*spans] for spans in self.taken]
        twin.touched, twin.filled = [*self.touched], [*self.filled]
        return twin

    def take(self, chosen: int, span: Span) -> None:
        """Take nodes that are free for a span."""
        for position in positions(chosen):
            insort(self.taken[position], span)
        self._mark(chosen, span)

    def give_back(self, chosen: int, span: Span) -> None:
        """Free nodes from a span that stands so in `taken`."""
        first, last = self._outer(span)
        for slot in range(first, last + 1):
            self.touched[slot] &= ~chosen
            self.filled[slot] &= ~chosen
        begins, ends = self._bounds(first, last)
        for position in positions(chosen):
            spans = self.taken[position]
            index = bisect_left(spans, span)
            del spans[index]
            # What else the node carries in the outer slots is marked again.
            for other in reversed(spans[:index]):
                if other[1] <= begins:
                    break
                self._mark(1 << position, other)
            for other in spans[index:]:
                if other[0] >= ends:
                    break
                self._mark(1 << position, other)

    def free(self, start: int, end: int) -> int:
        """The sound nodes that are free throughout [start, end)."""
        sure, doubtful = self.judge(start, start, end - start)
        for position in positions(doubtful):
            if self.is_free(position, start, end):
                sure |= 1 << position
        return sure

    def is_free(self, position: int, start: int, end: int) -> bool:
        """Whether a node is sound and free throughout [start, end)."""
        return self.next_taken(position, start) >= end and bool(self.layout.sound >> position & 1)

    def gap(self, position: int, moment: int) -> Span:
        """The free time around a moment at which the node is free."""
        spans = self.taken[position]
        index = bisect_right(spans, (moment, FOREVER))
        begins = spans[index - 1][1] if index else -FOREVER
        return begins, spans[index][0] if index < len(spans) else FOREVER

    def count(self, position: int, span: Span) -> int:
        """How many spans of a node lie in the way of another one."""
        spans = self.taken[position]
        first = bisect_right(spans, (span[0], FOREVER))
        first -= first > 0 and spans[first - 1][1] > span[0]
        return bisect_left(spans, (span[1], span[1])) - first

    def next_taken(self, position: int, moment: int) -> int:
        """When a node is next taken from a moment on; the moment itself if it is then."""
        spans = self.taken[position]
        index = bisect_left(spans, (moment, moment))
        if index and spans[index - 1][1] > moment:
            return moment
        return spans[index][0] if index < len(spans) else FOREVER

    def may_start(self, first: int, count: int, begin: int, length: int) -> int:
        """No sound node outside of this set is free for `length` from any start in some slots.

        Args:
            first: The first of the slots.
            count: How many there are.
            begin: The first start, in slot `first`.
            length: In seconds.
        """
        between = first + count
        until = self.slots.within(between, begin + length)
        blocked = reduce(or_, self.touched[between:until], reduce(and_, self.filled[first:between]))
        return self.layout.sound & ~blocked

    def judge(self, first: int, last: int, length: int) -> tuple[int, int]:
        """The sound nodes that are free for `length` from every start in [first, last], which lie in one slot.

        Returns:
            Those that surely are, and those that have to be looked at: they may be free from some of the starts.
        """
        slot = self.slots.at(first)
        until = self.slots.within(slot + 1, first + length)
        end = self.slots.at(last + length - 1)
        inner = reduce(or_, self.touched[slot + 1 : until], self.filled[slot])
        outer = reduce(or_, self.touched[until : end + 1], self.touched[slot])
        maybe = self.layout.sound & ~inner
        return maybe & ~outer, maybe & outer

    def openings(self, position: int, first: int, last: int, length: int) -> Iterator[Span]:
        """The starts in [first, last] from which a node is free for `length`, as ranges with both ends."""
        spans = self.taken[position]
        index = bisect_right(spans, (first, FOREVER))
        begins = max(spans[index - 1][1], first) if index else first
        while begins <= last:
            ends = spans[index][0] if index < len(spans) else FOREVER
            if begins <= ends - length:
                yield begins, min(ends - length, last)
            if index == len(spans):
                return
            begins = spans[index][1]
            index += 1

    def _mark(self, chosen: int, span: Span) -> None:
        first, last = self._outer(span)
        for slot in range(first, last + 1):
            self.touched[slot] |= chosen
        for slot in range(*self._inner(span)):
            self.filled[slot] |= chosen

    def _outer(self, span: Span) -> tuple[int, int]:
        """The first and the last slot that a span touches; every slot between is filled."""
        return self.slots.at(span[0]), self.slots.at(span[1] - 1)

    def _inner(self, span: Span) -> tuple[int, int]:
        """From the first slot that a span fills to the first behind; the first and last of all have no outer bound."""
        first = self.slots.at(span[0])
        first = max(first + (self.slots.edges[first] < span[0]), 1)
        return first, self.slots.within(first, span[1])

    def _bounds(self, first: int, last: int) -> Span:
        edges = self.slots.edges
        return edges[first] if first else -FOREVER, edges[last + 1] if last + 1 < len(edges) else FOREVER


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of their start, with those that overlap made one."""
    apart: list[Span] = []
    for start, end in spans:
        if apart and start < apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], end)
        else:
            apart.append((start, end))
    return apart
