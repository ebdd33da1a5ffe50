"""Slack: how many sound nodes are neither booked nor kept by the owner, at every moment."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from copy import copy

from sublet.calendar.slots import FOREVER, Slots


class Slack:
    """A step function of time that bookings lower; negative where more is promised than the floor leaves.

    Each slot knows its lowest value, so that only slots in which the slack runs short are looked into.

    Attributes:
        slots: The slots.
        before: The value with which each slot begins, before what happens at its very edge.
        moments: The moments in each slot at which the value changes, in order.
        taken: By how much it falls at each of these moments.
        low: The lowest value in each slot.
    """

    __slots__ = ("before", "low", "moments", "slots", "taken")

    def __init__(self, slots: Slots, usual: int, taken: Mapping[int, int]) -> None:
        """The function that has the value `usual` at first and falls by `taken` at each of its moments."""
        self.slots = slots
        self.moments: list[list[int]] = [[] for _ in slots.edges]
        self.taken: list[list[int]] = [[] for _ in slots.edges]
        for moment in sorted(taken):
            slot = slots.at(moment)
            self.moments[slot].append(moment)
            self.taken[slot].append(taken[moment])
        self.before = []
        level = usual
        for fallen in self.taken:
            self.before.append(level)
            level -= sum(fallen)
        self.low = [self._lowest(slot) for slot in range(len(slots))]

    def copy(self) -> "Slack":
        """The same function, to be changed on its own."""
        twin = copy(self)
        twin.moments, twin.taken = [[*m] for m in self.moments], [[*t] for t in self.taken]
        twin.before, twin.low = [*self.before], [*self.low]
        return twin

    def take(self, nodes: int, start: int, end: int) -> None:
        """Lower it by `nodes` in [start, end); a negative number gives them back."""
        first, last = self.slots.at(start), self.slots.at(end)
        self._fall(first, start, nodes)
        self._fall(last, end, -nodes)
        for slot in range(first + 1, last + 1):
            self.before[slot] -= nodes
            self.low[slot] -= nodes
        self.low[first] = self._lowest(first)
        self.low[last] = self._lowest(last)

    def short(self, nodes: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Where in [start, end) the value lies below `nodes`: from when, to when, and the value, in order."""
        if start >= end:
            return
        for slot in range(self.slots.at(start), self.slots.at(end - 1) + 1):
            if self.low[slot] >= nodes:
                continue
            for begins, ends, level in self._pieces(slot):
                if level < nodes and max(begins, start) < min(ends, end):
                    yield max(begins, start), min(ends, end), level

    def starts(self, nodes: int, length: int, first: int, last: int) -> list[tuple[int, int]]:
        """The starts in [first, last] from which the value stays at `nodes` or more for `length`, as ranges."""
        ranges = []
        for begins, ends, _ in self.short(nodes, first, last + length):
            if first <= begins - length:
                ranges.append((first, begins - length))
            first = ends
        return [*ranges, (first, last)] if first <= last else ranges

    def _fall(self, slot: int, moment: int, nodes: int) -> None:
        moments, taken = self.moments[slot], self.taken[slot]
        at = bisect_left(moments, moment)
        if at == len(moments) or moments[at] != moment:
            moments.insert(at, moment)
            taken.insert(at, 0)
        taken[at] += nodes

    def _pieces(self, slot: int) -> Iterator[tuple[int, int, int]]:
        """The constant pieces of a slot: start, end and value."""
        edges = self.slots.edges
        begins = edges[slot] if slot else -FOREVER
        level = self.before[slot]
        for moment, nodes in zip(self.moments[slot], self.taken[slot], strict=True):
            if moment > begins:
                yield begins, moment, level
            begins, level = moment, level - nodes
        yield begins, edges[slot + 1] if slot + 1 < len(edges) else FOREVER, level

    def _lowest(self, slot: int) -> int:
        return min(level for _, _, level in self._pieces(slot))
