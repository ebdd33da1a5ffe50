"""Rehoming: bookings that have not begun move to other nodes at the same times, so that another one finds room.

For nodes that are alike only their number matters, as long as nobody is on them yet. Blazar gives reservations that
have not started other hosts for the same reason (`_update_allocations` in its host plugin).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import seconds
from sublet.calendar.occupancy import Span
from sublet.calendar.topology import choose, positions

SETTLED = timedelta(minutes=5)
"""A booking stays where it is for so long before it begins: its lease is about to be given its nodes."""

_LOOKED_AT = 64
"""Of a large pool only so many nodes are looked at one by one, so that nobody's turn takes long."""


@dataclass(frozen=True)
class _Move:
    booking: Booking
    span: Span
    before: int
    after: int


class Rehoming:
    """The moves of one planning pass.

    A booking moves only to nodes that were free at its times before the pass began. So every move can be recorded on
    its own and in any order: no record, however many others are missing, books a node twice.

    Attributes:
        calendar: What is booked; moves are made in it.
        now: The instant of the pass.
        unknown: The leases that were placed in this pass: they move freely, since nobody knows of their nodes yet.
        moved: The other leases that were moved.
    """

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        """A pass in which nothing was moved yet."""
        self.calendar = calendar
        self.now = now
        self.unknown: set[str] = set()
        self.moved: set[str] = set()
        self._left: list[tuple[int, Span]] = []

    def make_room(self, nodes: int, span: Span) -> bool:
        """Make `nodes` nodes free throughout a span that takes its cleaning along; False if that cannot be done."""
        moves = self._moves(nodes, span)
        self._carry_out(moves or [])
        return moves is not None

    def could_make_room(self, nodes: int, span: Span) -> bool:
        """Whether `make_room` would; nothing is moved."""
        return self._moves(nodes, span) is not None

    def _moves(self, nodes: int, span: Span) -> list[_Move] | None:
        calendar = self.calendar
        if any(calendar.slack.short(nodes, *span)):
            return None
        free = calendar.occupancy.free(*span)
        missing = nodes - free.bit_count()
        if missing <= 0:
            return []
        candidates = self._candidates(free, span) if missing <= _LOOKED_AT else []
        if len(candidates) < missing:
            return None
        room, planned = free, list[_Move]()
        for left, (position, blockers) in zip(range(len(candidates), 0, -1), candidates, strict=True):
            if left < missing:
                return None
            moves = self._clear(position, blockers, room | 1 << position, planned)
            if moves is not None:
                room |= 1 << position
                planned += moves
                missing -= 1
            if not missing:
                return planned
        return None

    def _candidates(self, free: int, span: Span) -> list[tuple[int, list[Booking]]]:
        """Nodes on which nothing but what may move is in the way, those with the least of it first."""
        calendar = self.calendar
        # Of a node that was promised twice nobody can tell what is in the way.
        taken = calendar.layout.sound & ~free & ~calendar.occupancy.merged
        some = islice((position for position in positions(taken) if position in calendar.movable), _LOOKED_AT)
        found = [(position, b) for position in some if (b := self._blockers(position, span)) is not None]
        return sorted(found, key=lambda each: (len(each[1]), sum(b.interval.length.total_seconds() for b in each[1])))

    def _blockers(self, position: int, span: Span) -> list[Booking] | None:
        """What is in the way on a node; None if something of it may not move."""
        calendar = self.calendar
        soonest = self.now + SETTLED
        blockers = [
            booking
            for booking in calendar.movable[position]
            if booking.interval.start >= soonest
            and seconds(booking.interval.start) < span[1]
            and calendar.span(booking.interval)[1] > span[0]
            and len(calendar.of(booking.lease)) == 1
        ]
        return blockers if len(blockers) == calendar.occupancy.count(position, span) else None

    def _clear(self, position: int, blockers: list[Booking], room: int, planned: list[_Move]) -> list[_Move] | None:
        """The moves that clear a node; None if one of its bookings has nowhere to go."""
        moves: list[_Move] = []
        for booking in blockers:
            span = self.calendar.span(booking.interval)
            free = self._free(span, room)
            for other in (*planned, *moves):
                if _overlap(other.span, span):
                    free &= ~(1 << other.after)
            for left, when in self._left:
                if _overlap(when, span):
                    free &= ~(1 << left)
            if not free:
                return None
            moves.append(_Move(booking, span, position, self._best(free, span)))
        return moves

    def _free(self, span: Span, room: int) -> int:
        """Nodes that are free for a span, without those of `room`; of those that take a closer look only some."""
        occupancy = self.calendar.occupancy
        sure, doubtful = occupancy.judge(span[0], span[0], span[1] - span[0])
        looked_at = islice(positions(doubtful & ~room), _LOOKED_AT)
        return sure & ~room | sum(1 << position for position in looked_at if occupancy.is_free(position, *span))

    def _best(self, free: int, span: Span) -> int:
        return choose(self.calendar.layout, free, 1, close=False, idle=self.calendar.idle(span, self.now))[0]

    def _carry_out(self, moves: list[_Move]) -> None:
        names = self.calendar.layout.names
        for move in moves:
            lease = move.booking.lease
            (booking,) = self.calendar.of(lease)
            self.calendar.move(booking, names[move.before], names[move.after])
            if lease not in self.unknown:
                self.moved.add(lease)
                self._left.append((move.before, move.span))


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
