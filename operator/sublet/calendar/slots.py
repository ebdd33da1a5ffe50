"""Slots: the time line cut where bookings begin and end, so that each piece holds about as many of those moments.

The first slot reaches back without bound and the last one ahead.
"""

from bisect import bisect_right
from collections.abc import Iterable

FOREVER = 253_370_764_800
"""The second at which the year 9999 begins: later than any moment the calendar deals with, and still an instant."""

_MOMENTS = 2
"""So many moments are worth a slot: a slot costs a few machine words for every 64 nodes."""

_MOST = 512
"""With more slots the walk over them costs more than looking into them does."""


class Slots:
    """The slots, numbered from 0.

    Attributes:
        edges: Where each slot begins, in seconds, ascending; the first entry only bounds the next one's past.
    """

    __slots__ = ("edges",)

    def __init__(self, edges: list[int]) -> None:
        self.edges = edges

    @classmethod
    def of(cls, moments: Iterable[int], most: int = _MOST) -> "Slots":
        """Slots with about as many of the given moments in each."""
        ordered = sorted(moments)
        step = max(_MOMENTS, -(-len(ordered) // most))
        return cls(sorted(set(ordered[::step])) or [0])

    def __len__(self) -> int:
        return len(self.edges)

    def at(self, moment: int) -> int:
        """The slot in which a moment lies."""
        return max(bisect_right(self.edges, moment) - 1, 0)

    def within(self, slot: int, moment: int) -> int:
        """The first slot from `slot` on that does not end by `moment`; `slot` itself if there is none before."""
        return max(bisect_right(self.edges, moment) - 1, slot)
