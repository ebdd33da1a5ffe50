"""The calendar against the oracle, in the course of bookings, extensions, releases, failures and changes of windows."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sublet.calendar.allocator import earliest
from sublet.calendar.backfill import place
from sublet.calendar.booking import Booking, Request, Together
from sublet.calendar.healing import replacement
from sublet.calendar.reclaim import reclaim
from tests.builders import at
from tests.unit.calendar.oracle import EDGE, Ask, Held, Oracle
from tests.unit.calendar.worlds import (
    SETTLED,
    a_calendar,
    a_request,
    asks,
    booking_of,
    check_moves,
    held_of,
    pools,
    second,
    settled_soon,
    windows,
)

LAST = at(seconds=EDGE - 150)
"""Nothing is booked beyond it, so that whole queues fit behind."""


def _cut_to(held: Held, soonest: int) -> Held | None:
    """An interruptible booking cut as early as it may be; None if it need not begin."""
    if held.firm:
        return held
    return replace(held, end=min(held.end, soonest)) if held.start < soonest else None


class Life(RuleBasedStateMachine):
    """One calendar that lives through everything, beside an oracle that is told of every booking."""

    @initialize(pool=pools())
    def begin(self, pool: Oracle) -> None:
        """An empty pool at noon."""
        self.oracle = pool
        self.calendar = a_calendar(pool)
        self.now = 0
        self.leases = 0

    def _booked(self, ask: Ask, booking: Booking) -> None:
        """Check a booking against the request and tell the oracle."""
        assert len(set(booking.nodes)) == ask.nodes
        assert set(booking.nodes) <= self.oracle.sound
        if ask.level is not None:
            assert any(set(booking.nodes) <= block for block in self.oracle.in_blocks(ask.level))
        held = held_of(booking)
        kept = self.oracle.slack()
        assert all(kept[moment] >= ask.nodes for moment in range(held.start, held.end + self.oracle.gap))
        self.oracle.held.append(held)

    @rule(data=st.data())
    def book(self, data: st.DataObject) -> None:
        """A request is answered with exactly the oracle's start and end, and is booked."""
        ask = data.draw(asks(self.now))
        self.leases += 1
        booking = earliest(a_request(f"l{self.leases}", ask), self.calendar, at(seconds=self.now))
        found = None if booking is None else (second(booking.interval.start), second(booking.interval.end))
        assert found == self.oracle.answer(ask, self.now)
        if booking is not None and booking.interval.end < LAST:
            booking = replace(booking, movable=ask.level is None)
            self.calendar.book(booking)
            self._booked(ask, booking)

    @rule(data=st.data())
    def queue(self, data: st.DataObject) -> None:
        """In a queue each gets no less than the oracle gives it after those before; who stands behind changes nothing.

        What is final is recorded, and so is who was moved for it.
        """
        queue = data.draw(st.lists(asks(self.now), min_size=1, max_size=4))
        requests = [a_request(f"q{self.leases + number}", ask) for number, ask in enumerate(queue)]
        self.leases += len(queue)
        now = at(seconds=self.now)
        before = [*self.oracle.held]
        with settled_soon():
            placements = place(requests, self.calendar, now)
            again = place(requests[:-1], a_calendar(self.oracle), now)
            seen = [self._seen_by(requests[: number + 1], now) for number in range(len(requests))]
        spans = [booking and booking.interval for booking in (p.booking for p in placements.each)]
        assert [placement.booking and placement.booking.interval for placement in again.each] == spans[:-1]
        # By the order of the queue, on what the pool carries when all moves are made.
        self.oracle.held = [held_of(b) for b in self.calendar.bookings if b.lease not in {r.lease for r in requests}]
        check_moves(replace(self.oracle, held=before), self.oracle.held, self.now + SETTLED)
        for ask, placement, pool in zip(queue, placements.each, seen, strict=True):
            found, booking = pool.answer(ask, self.now), placement.booking
            if booking is not None:
                span = second(booking.interval.start), second(booking.interval.end)
                assert found is None or (span[0], -span[1]) <= (found[0], -found[1])
                self._booked(ask, booking)
            else:
                assert found is None
        assert self.oracle.broken() == []
        final = {p.lease for p in placements.each if p.final and p.booking and p.booking.interval.end < LAST}
        moved = {booking.lease: held_of(booking) for booking in placements.moved}
        self.oracle.held = [moved.get(held.lease, held) for held in before] + [
            held_of(b) for b in self.calendar.bookings if b.lease in final
        ]
        self.calendar = a_calendar(self.oracle)

    def _seen_by(self, requests: list[Request], now: datetime) -> Oracle:
        """The pool without the last one of a queue, when all moves are made for it and those before it.

        What is moved for somebody behind it may leave a whole block free, which it is not placed anew for in this turn.
        """
        calendar = a_calendar(self.oracle)
        place(requests, calendar, now)
        return replace(self.oracle, held=[held_of(b) for b in calendar.bookings if b.lease != requests[-1].lease])

    @precondition(lambda self: self.oracle.held)
    @rule(data=st.data(), at_moment=st.integers(0, 60))
    def give_back(self, data: st.DataObject, at_moment: int) -> None:
        """A lease ends early, or is given up before it began."""
        lease = data.draw(st.sampled_from(sorted({held.lease for held in self.oracle.held})))
        end = self.now + at_moment
        self.calendar.end(lease, at(seconds=end))
        theirs = [held for held in self.oracle.held if held.lease == lease]
        shorter = [replace(held, end=min(held.end, end)) for held in theirs if held.start < end]
        self.oracle.held = [*(held for held in self.oracle.held if held.lease != lease), *shorter]

    @precondition(lambda self: self.oracle.held)
    @rule(data=st.data(), by=st.integers(0, 40))
    def extend(self, data: st.DataObject, by: int) -> None:
        """The longest end is the oracle's, and is had on the same nodes."""
        held = data.draw(st.sampled_from(self.oracle.held))
        until = min(held.end + by, second(LAST))
        longest = self.calendar.longest_extension(booking_of(held), at(seconds=until))
        assert second(longest) == self.oracle.longest_extension(held, until)
        known = next(b for b in self.calendar.of(held.lease) if held_of(b) == held)
        self.calendar.extend(known, longest)
        self.oracle.held[self.oracle.held.index(held)] = replace(held, end=second(longest))

    @rule(data=st.data())
    def break_or_mend(self, data: st.DataObject) -> None:
        """A node fails or is sound again; the calendar is made anew, as after a restart."""
        node = data.draw(st.sampled_from(sorted(self.oracle.blocks)))
        self.oracle.sound ^= {node}
        self.calendar = a_calendar(self.oracle)

    @rule(data=st.data())
    def move_windows(self, data: st.DataObject) -> None:
        """The owner changes the windows."""
        self.oracle.windows = data.draw(windows(self.now))
        self.calendar = a_calendar(self.oracle)

    @rule(by=st.integers(1, 20))
    def wait(self, by: int) -> None:
        """Time passes."""
        self.now = min(self.now + by, EDGE // 3)

    @precondition(lambda self: any(set(held.nodes) - self.oracle.sound for held in self.oracle.held))
    @rule(data=st.data(), level=st.sampled_from([None, 0, 1]))
    def heal(self, data: st.DataObject, level: int | None) -> None:
        """A node that failed is replaced, as near as any that is free; if none is named, none can be."""
        struck = [(held, node) for held in self.oracle.held for node in held.nodes if node not in self.oracle.sound]
        held, failed = data.draw(st.sampled_from(struck))
        together = None if level is None else Together(level, required=True)
        found = replacement(self.calendar, booking_of(held), failed, at(seconds=self.now), together)
        start = max(self.now, held.start)
        able = [n for n in self.oracle.blocks if start < held.end and self.oracle.may_replace(n, start, held.end)]
        if level is not None:
            able = [n for n in able if self._shared(n, failed) > level]
        assert (found is not None) == bool(able)
        if found is not None:
            (node,) = found.nodes
            assert node in able
            assert self._shared(node, failed) == max(self._shared(n, failed) for n in able)
            self.calendar.book(found)
            self.oracle.held.append(held_of(found))

    def _shared(self, one: str, other: str) -> int:
        """How narrow the narrowest block is that holds both nodes; 0 for none."""
        paths = self.oracle.blocks[one], self.oracle.blocks[other]
        return max(
            (level + 1 for level in (0, 1) if paths[0][: level + 1] == paths[1][: level + 1] and paths[0][level]),
            default=0,
        )

    @rule(notice=st.integers(0, 15))
    def reclaim(self, notice: int) -> None:
        """Only interruptible leases are cut, in time; what is short after that is short whatever is cut."""
        now = at(seconds=self.now)
        answer = reclaim(self.calendar, now, timedelta(seconds=notice))
        before = [*self.oracle.held]
        lacking = self.oracle.shortest_supply(self.now)
        for cut in answer.cuts:
            assert not any(held.firm for held in before if held.lease == cut.lease)
            assert second(cut.end) >= self.now + notice
            self.calendar.end(cut.lease, cut.end)
        self.oracle.held = [held_of(booking) for booking in self.calendar.bookings]
        short = self.oracle.shortest_supply(self.now)
        assert short == [
            sum(s.nodes for s in answer.short if s.interval.start <= at(seconds=moment) < s.interval.end)
            for moment in range(self.now, 2 * EDGE)
        ]
        assert all(after <= was for after, was in zip(short, lacking, strict=True))
        utmost = [held for each in before if (held := _cut_to(each, self.now + notice)) is not None]
        assert short == replace(self.oracle, held=utmost).shortest_supply(self.now)

    @invariant()
    def holds(self) -> None:
        """No node is in two bookings, and both sides know the same bookings."""
        if hasattr(self, "oracle"):
            assert self.oracle.broken() == []
            known = sorted((held_of(b) for b in self.calendar.bookings), key=repr)
            assert known == sorted(self.oracle.held, key=repr)

    @invariant()
    def a_restart_changes_nothing(self) -> None:
        """A calendar made anew from the bookings gives the same answer, node by node."""
        if hasattr(self, "oracle"):
            anew = a_calendar(self.oracle)
            for ask in (Ask(1, duration=7), Ask(3, duration=12), Ask(2, duration=5, level=1)):
                request, now = a_request("probe", ask), at(seconds=self.now)
                assert earliest(request, anew, now) == earliest(request, self.calendar, now)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=max(settings().max_examples, 250),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
