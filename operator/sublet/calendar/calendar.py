"""The calendar of one pool: what is booked when, kept so that it is searched fast."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from sublet.calendar.booking import Booking, Node
from sublet.calendar.floor import Floor
from sublet.calendar.interval import Interval, instant, seconds
from sublet.calendar.occupancy import Occupancy, Span
from sublet.calendar.slack import Slack
from sublet.calendar.slots import Slots
from sublet.calendar.topology import Layout, positions

_NOTHING_KEPT = Floor()


class Calendar:
    """The nodes, the owner's floor and the bookings of a pool.

    It changes by `book`, `move`, `end` and `extend` alone, and each keeps what must hold: no node carries two bookings
    at any moment, a booking is followed by its gap, and the owner's floor is kept. What was promised before is taken in
    as it is. A calendar made anew from the same bookings answers the same.

    Attributes:
        nodes: The nodes, by name; of those that serve equally well the first given is booked.
        gap: Cleaning that follows every booking on its nodes.
        cleaning: The gap in seconds.
        floor: What the owner keeps.
        layout: The nodes as positions.
        occupancy: When each node is taken, gaps included.
        slack: How many nodes may still be booked, at each moment.
        quiet_from: From this second on nothing changes any more.
        movable: For each position that has some, the bookings that may be given other nodes.
    """

    layout: Layout
    occupancy: Occupancy
    slack: Slack
    quiet_from: int
    movable: dict[int, list[Booking]]
    _changes: int
    _indexed: int

    def __init__(
        self, nodes: Iterable[Node], gap: timedelta, floor: Floor = _NOTHING_KEPT, bookings: Iterable[Booking] = ()
    ) -> None:
        """A calendar with the given bookings, whether or not they overlap or leave the floor: they were promised.

        A booking may name nodes that are not among `nodes`; they are not booked anew.
        """
        self.nodes = {node.name: node for node in nodes}
        self.gap = gap
        self.floor = floor
        self.cleaning = int(gap.total_seconds())
        self._held: dict[str, tuple[Booking, ...]] = {}
        for booking in bookings:
            self._held[booking.lease] = (*self.of(booking.lease), booking)
        self._index()

    def copy(self) -> "Calendar":
        """The same calendar, to be changed on its own."""
        twin = copy(self)
        twin._held = dict(self._held)  # noqa: SLF001 - a copy of this very object
        twin.occupancy, twin.slack = self.occupancy.copy(), self.slack.copy()
        twin.movable = {position: [*theirs] for position, theirs in self.movable.items()}
        return twin

    @property
    def bookings(self) -> Iterator[Booking]:
        """All bookings."""
        return (booking for theirs in self._held.values() for booking in theirs)

    def of(self, lease: str) -> tuple[Booking, ...]:
        """The bookings of a lease; more than one if a node of it was replaced."""
        return self._held.get(lease, ())

    def free(self, interval: Interval) -> tuple[str, ...]:
        """The sound nodes that are unbooked for an interval, with the gap before and after it."""
        names = self.layout.names
        return tuple(names[position] for position in positions(self.occupancy.free(*self.span(interval))))

    def idle(self, span: Span, now: datetime) -> Callable[[int], int]:
        """For how long a position that is free for a span would be left idle before and after it, in seconds."""
        start, over = span

        def around(position: int) -> int:
            begins, ends = self.occupancy.gap(position, start)
            return start - max(begins, seconds(now)) + ends - over

        return around

    def book(self, booking: Booking) -> None:
        """Add a booking.

        Raises:
            ValueError: A node is not free for the whole interval and the gaps around it, is not sound or not of the
                pool, or the owner's floor would not be kept.
        """
        span = self.span(booking.interval)
        if strange := [node for node in booking.nodes if node not in self.layout.position]:
            raise ValueError(f"{booking.lease}: not of this pool: {', '.join(strange)}")
        chosen = self.layout.members(booking.nodes)
        if taken := [node for node in booking.nodes if not self.occupancy.is_free(self.layout.position[node], *span)]:
            raise ValueError(f"{booking.lease}: not free at that time: {', '.join(taken)}")
        if any(self.slack.short(chosen.bit_count(), *span)):
            raise ValueError(f"{booking.lease}: the owner keeps too many nodes at that time")
        self._add(booking)

    def move(self, booking: Booking, before: str, after: str) -> Booking:
        """Give a booking that has one sound node another one in its place.

        Raises:
            ValueError: The other node is not free at that time.
        """
        old, new, span = self.layout.position[before], self.layout.position[after], self.span(booking.interval)
        if not self.occupancy.is_free(new, *span):
            raise ValueError(f"{booking.lease}: not free at that time: {after}")
        moved = replace(booking, nodes=tuple(after if node == before else node for node in booking.nodes))
        self._held[booking.lease] = tuple(moved if other is booking else other for other in self.of(booking.lease))
        self.occupancy.give_back(1 << old, span)
        self.occupancy.take(1 << new, span)
        self._forget_movable(booking, self._places(booking))
        self._note_movable(moved, self._places(moved))
        return moved

    def end(self, lease: str, at: datetime) -> None:
        """Shorten what a lease has to `at`; what would begin later is given up."""
        for booking in self.of(lease):
            if at < booking.interval.end:
                self._remove(booking)
                if at > booking.interval.start:
                    self._add(replace(booking, interval=Interval(booking.interval.start, at)))

    def extend(self, booking: Booking, end: datetime) -> None:
        """Stretch a booking on its own nodes.

        Raises:
            ValueError: It cannot be stretched as far as that.
        """
        if self.longest_extension(booking, end) < end:
            raise ValueError(f"{booking.lease}: cannot be extended to {end}")
        self._remove(booking)
        self._add(replace(booking, interval=Interval(booking.interval.start, end)))

    def longest_extension(self, booking: Booking, until: datetime) -> datetime:
        """The latest end up to `until` to which `booking` can be stretched on its own nodes.

        Returns:
            `until` if nobody else is booked before it (and its gap) and the owner's floor stays kept; else the last
            instant that leaves both; never earlier than the end that the booking has.
        """
        end = seconds(booking.interval.end) + self.cleaning
        limit = seconds(until) + self.cleaning
        chosen = self.layout.members(booking.nodes)
        for position in positions(chosen):
            limit = min(limit, self.occupancy.next_taken(position, end))
        sound = (chosen & self.layout.sound).bit_count()
        for begins, _, _ in self.slack.short(sound, end, limit):
            limit = begins
            break
        return max(instant(limit - self.cleaning), booking.interval.end)

    def span(self, interval: Interval) -> Span:
        """The seconds for which a booking takes its nodes: the interval and the gap after it."""
        return seconds(interval.start), seconds(interval.end) + self.cleaning

    def _add(self, booking: Booking) -> None:
        self._held[booking.lease] = (*self.of(booking.lease), booking)
        self._changes += 1
        if self._changes > self._indexed:
            self._index()
            return
        self._note_movable(booking, self._places(booking))
        start, end = self.span(booking.interval)
        self.quiet_from = max(self.quiet_from, end)
        if start < end:
            chosen = self.layout.members(booking.nodes)
            self.occupancy.take(chosen, (start, end))
            self.slack.take((chosen & self.layout.sound).bit_count(), start, end)

    def _remove(self, booking: Booking) -> None:
        rest = tuple(other for other in self.of(booking.lease) if other is not booking)
        if rest:
            self._held[booking.lease] = rest
        else:
            del self._held[booking.lease]
        self._forget_movable(booking, self._places(booking))
        start, end = self.span(booking.interval)
        chosen = self.layout.members(booking.nodes)
        if chosen & self.occupancy.merged:
            self._index()
        elif start < end:
            self.occupancy.give_back(chosen, (start, end))
            self.slack.take(-(chosen & self.layout.sound).bit_count(), start, end)

    def _index(self) -> None:
        """Make the index anew, with slots where the bookings are now."""
        known = self.nodes
        strange = {*chain.from_iterable(booking.nodes for booking in self.bookings)} - known.keys()
        depth = max((len(node.blocks) for node in known.values()), default=0)
        self.layout = Layout([*known.values(), *(Node(name, ("",) * depth, sound=False) for name in sorted(strange))])
        # Two lists and not one of pairs: with pairs the collector of garbage looks at all of them, again and again.
        chosen = [self._places(booking) for booking in self.bookings]
        spans = [self.span(booking.interval) for booking in self.bookings]
        moments = [*chain.from_iterable(spans)]
        taken = self.floor.changes()
        slots = Slots.of([*moments, *taken])
        self.quiet_from = max([*moments, *taken], default=0)
        self.occupancy = Occupancy(self.layout, slots, zip(chosen, spans, strict=True))
        fallen = self._taken(zip(chosen, spans, strict=True), taken)
        self.slack = Slack(slots, self.layout.sound.bit_count() - self.floor.nodes, fallen)
        self.movable = {}
        for booking, places in zip(self.bookings, chosen, strict=True):
            self._note_movable(booking, places)
        self._indexed = max(len(moments), 8)
        self._changes = 0

    def _note_movable(self, booking: Booking, places: Iterable[int]) -> None:
        if booking.movable:
            for position in places:
                self.movable.setdefault(position, []).append(booking)

    def _forget_movable(self, booking: Booking, places: Iterable[int]) -> None:
        if booking.movable:
            for position in places:
                rest = [other for other in self.movable.pop(position) if other is not booking]
                if rest:
                    self.movable[position] = rest

    def _places(self, booking: Booking) -> tuple[int, ...]:
        return tuple(map(self.layout.position.__getitem__, booking.nodes))

    def _taken(self, held: Iterable[tuple[tuple[int, ...], Span]], taken: dict[int, int]) -> dict[int, int]:
        """By how much the slack falls, for each moment: what the floor takes, and every sound node that is taken."""
        # A node that was promised twice counts once, so its spans are counted as they were made one.
        merged = self.occupancy.merged & self.layout.sound
        once = self.layout.sound & ~merged
        left_out = {*positions(~once & (1 << len(self.layout.names)) - 1)}
        counted = [(len(chosen) - len(left_out.intersection(chosen)), span) for chosen, span in held]
        counted += [(1, span) for position in positions(merged) for span in self.occupancy.taken[position]]
        for nodes, (start, end) in counted:
            taken[start] = taken.get(start, 0) + nodes
            taken[end] = taken.get(end, 0) - nodes
        return taken
