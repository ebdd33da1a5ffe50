"""The bridge between the oracle's seconds and the library's instants, and examples of both."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

from hypothesis import strategies as st

from sublet.calendar import rehoming
from sublet.calendar.booking import Booking, Node, Request, Together
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval
from tests.builders import NOON, at
from tests.unit.calendar.oracle import Ask, Held, Oracle

SETTLED = 3
"""Seconds for which a booking stays before it begins, in the place of minutes: no example lasts longer than those."""


def settled_soon() -> AbstractContextManager[object]:
    """While it lasts, bookings stay for `SETTLED` before they begin."""
    return patch.object(rehoming, "SETTLED", timedelta(seconds=SETTLED))


def check_moves(before: Oracle, after: list[Held], soonest: int) -> int:
    """Whoever was moved may be, keeps the times, and each move can be recorded whether or not the others are.

    Returns:
        How many were moved.
    """
    pairs = [
        (was, held) for held in after for was in before.held if was.lease == held.lease and held not in before.held
    ]
    for was, held in pairs:
        assert was.movable
        assert was.start >= soonest
        assert replace(was, nodes=held.nodes) == held
        assert set(held.nodes) - set(was.nodes) <= before.sound
        others = replace(before, held=[each for each in before.held if each != was])
        assert all(others.busy()[node].isdisjoint(range(held.start, held.end + before.gap)) for node in held.nodes)
    return len(pairs)


def a_calendar(oracle: Oracle) -> Calendar:
    """A calendar of the oracle's pool, made anew."""
    return Calendar(
        [Node(name, blocks, sound=name in oracle.sound) for name, blocks in oracle.blocks.items()],
        timedelta(seconds=oracle.gap),
        Floor(oracle.usually_kept, tuple(Window(span(start, end), n) for start, end, n in oracle.windows)),
        [booking_of(held) for held in oracle.held],
    )


def a_request(lease: str, ask: Ask) -> Request:
    """What is asked, in the library's words."""
    return Request(
        lease=lease,
        nodes=ask.nodes,
        start=maybe(ask.start),
        latest_start=maybe(ask.latest),
        duration=None if ask.duration is None else timedelta(seconds=ask.duration),
        end=maybe(ask.end),
        shortest=timedelta(seconds=ask.shortest),
        firm=ask.firm,
        together=None if ask.level is None else Together(ask.level, required=True),
    )


def held_of(booking: Booking) -> Held:
    """A booking in the oracle's words."""
    start, end = second(booking.interval.start), second(booking.interval.end)
    return Held(booking.lease, booking.nodes, start, end, booking.firm, booking.movable)


def booking_of(held: Held) -> Booking:
    """A booking in the library's words."""
    return Booking(held.lease, held.nodes, span(held.start, held.end), held.firm, held.movable)


def span(start: int, end: int) -> Interval:
    """An interval in seconds."""
    return Interval(at(seconds=start), at(seconds=end))


def second(moment: datetime) -> int:
    """The second of an instant."""
    return round((moment - NOON).total_seconds())


def maybe(moment: int | None) -> datetime | None:
    """The instant of a second, if there is one."""
    return None if moment is None else at(seconds=moment)


@st.composite
def asks(draw: st.DrawFn, now: int = 0) -> Ask:
    """Requests of every kind; from time to time one for a start that was missed."""
    kind = draw(st.sampled_from(["soon", "soon", "soon", "fixed", "flexible", "until", "fixed until", "both"]))
    duration = draw(st.integers(1, 25))
    ask = Ask(
        nodes=draw(st.integers(1, 5)),
        duration=duration,
        firm=draw(st.booleans()),
        level=draw(st.sampled_from([None, None, 0, 1])),
    )
    start = draw(st.integers(now - 5, now + 40))
    times: dict[str, dict[str, int | None]] = {
        "soon": {"shortest": draw(st.integers(0, duration))},
        "fixed": {"start": start, "shortest": draw(st.integers(0, duration))},
        "flexible": {"start": start, "latest": start + draw(st.integers(0, 40))},
        "until": {"duration": None, "end": now + draw(st.integers(-3, 60)), "shortest": draw(st.integers(0, 15))},
        "fixed until": {
            "start": start,
            "duration": None,
            "end": start + duration,
            "shortest": draw(st.integers(0, 15)),
        },
        "both": {"end": now + draw(st.integers(1, 60))},
    }
    return Ask(**{**ask.__dict__, **times[kind]})


@st.composite
def pools(draw: st.DrawFn) -> Oracle:
    """Pools of up to eight nodes in zones and racks, some nodes in none, with a floor and perhaps windows."""
    paths = draw(
        st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "1", "2"])), min_size=1, max_size=8)
    )
    blocks: dict[str, tuple[str, ...]] = {f"n{number}": path for number, path in enumerate(paths)}
    return Oracle(blocks, draw(st.integers(0, 5)), set(blocks), draw(st.integers(0, 1)), draw(windows()))


def windows(now: int = 0) -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Windows ahead in which the owner keeps more."""
    window = st.tuples(st.integers(now, now + 60), st.integers(1, 30), st.integers(0, 6))
    return st.lists(window.map(lambda w: (w[0], w[0] + w[1], w[2])), max_size=2)
