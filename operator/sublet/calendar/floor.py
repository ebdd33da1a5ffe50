"""The owner's floor: how many sound nodes stay unsold, as a step function of time."""

from dataclasses import dataclass
from heapq import heappop, heappush

from sublet.calendar.interval import Interval, seconds


@dataclass(frozen=True)
class Window:
    """A time in which the owner keeps more.

    Attributes:
        interval: When.
        nodes: How many nodes are kept then.
    """

    interval: Interval
    nodes: int


@dataclass(frozen=True)
class Floor:
    """What the owner keeps.

    At every instant at least that many sound nodes carry no booking; a booked node counts from its start until the
    cleaning after its end is over. Of windows that overlap, and of the usual number, the largest counts.

    Attributes:
        nodes: How many are usually kept.
        windows: When it is more.
    """

    nodes: int = 0
    windows: tuple[Window, ...] = ()

    def changes(self) -> dict[int, int]:
        """By how much the number rises or falls, for each second of 1970 at which it does; starts from `nodes`."""
        spans = sorted((seconds(w.interval.start), seconds(w.interval.end), w.nodes) for w in self.windows)
        edges = sorted({moment for begins, ends, _ in spans for moment in (begins, ends)})
        kept, changes = self.nodes, {}
        opened: list[tuple[int, int]] = []
        at = 0
        for edge in edges:
            while at < len(spans) and spans[at][0] <= edge:
                heappush(opened, (-spans[at][2], spans[at][1]))
                at += 1
            while opened and opened[0][1] <= edge:
                heappop(opened)
            most = max(self.nodes, -opened[0][0]) if opened else self.nodes
            if most != kept:
                changes[edge] = most - kept
            kept = most
        return changes
