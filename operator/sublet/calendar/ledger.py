"""The ledger: which node is booked for whom, and when. Immutable; booking returns a new ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sublet.calendar.interval import Interval


@dataclass(frozen=True)
class Booking:
    """Some nodes for one lease for one interval."""

    lease: str
    nodes: tuple[str, ...]
    interval: Interval


@dataclass(frozen=True)
class Ledger:
    """The bookings of one pool.

    Attributes:
        nodes: Every node of the pool that can be sold now, in the order of preference.
        gap: Cleaning time that follows every booking on its nodes.
        by_node: For each node its bookings, in order of start.
    """

    nodes: tuple[str, ...]
    gap: timedelta
    by_node: Mapping[str, tuple[Booking, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, nodes: Iterable[str], gap: timedelta, bookings: Iterable[Booking] = ()) -> "Ledger":
        """A ledger with the given bookings, whether or not they overlap: it records what was promised."""
        by_node: dict[str, list[Booking]] = {}
        for booking in bookings:
            for node in booking.nodes:
                by_node.setdefault(node, []).append(booking)
        ordered = {n: tuple(sorted(bs, key=lambda b: (b.interval, b.lease))) for n, bs in by_node.items()}
        return cls(tuple(nodes), gap, MappingProxyType(ordered))

    def book(self, booking: Booking) -> "Ledger":
        """The ledger with one more booking.

        Raises:
            ValueError: A node is not free for the whole interval and the gaps around it.
        """
        taken = [node for node in booking.nodes if not self.is_free(node, booking.interval)]
        if taken:
            raise ValueError(f"{booking.lease}: already booked at that time: {', '.join(taken)}")
        changed = {
            node: tuple(sorted((*self.by_node.get(node, ()), booking), key=lambda b: (b.interval, b.lease)))
            for node in booking.nodes
        }
        return replace(self, by_node=MappingProxyType({**self.by_node, **changed}))

    def is_free(self, node: str, interval: Interval, *, ignoring: str | None = None) -> bool:
        """Whether `node` is unbooked for `interval`, with the cleaning gap before and after it."""
        wanted = interval.then(self.gap)
        return not any(
            wanted.overlaps(other.interval.then(self.gap))
            for other in self.by_node.get(node, ())
            if other.lease != ignoring
        )

    def free_nodes(self, interval: Interval) -> tuple[str, ...]:
        """The nodes that are free for the whole interval, in the order of preference."""
        return tuple(node for node in self.nodes if self.is_free(node, interval))

    def openings(self, after: datetime) -> tuple[datetime, ...]:
        """The instants from `after` on at which some node becomes free: where an earliest start can lie."""
        ends = {
            booking.interval.end + self.gap
            for node in self.nodes
            for booking in self.by_node.get(node, ())
            if booking.interval.end + self.gap > after
        }
        return (after, *sorted(ends))
