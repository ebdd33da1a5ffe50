"""Reclaiming: which interruptible bookings are cut when the owner wants nodes back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice

from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval, instant, seconds
from sublet.calendar.slots import FOREVER


@dataclass(frozen=True)
class Cut:
    """A lease that has to end early.

    Attributes:
        lease: Whose bookings are cut.
        end: Its new end; its start if it is not to begin at all.
    """

    lease: str
    end: datetime


@dataclass(frozen=True)
class Shortfall:
    """Nodes that the owner lacks whatever is cut.

    Attributes:
        interval: When.
        nodes: How many.
    """

    interval: Interval
    nodes: int


@dataclass(frozen=True)
class Reclaim:
    """What is to be taken back, and what cannot be.

    Attributes:
        cuts: By lease.
        short: In order of time.
    """

    cuts: tuple[Cut, ...]
    short: tuple[Shortfall, ...]


@dataclass(frozen=True)
class _Candidate:
    """What cutting a lease to `end` gives back, as (nodes, from, to), for so many node-seconds lost."""

    lease: str
    end: int
    nodes: int
    freed: tuple[tuple[int, int, int], ...]
    lost: int


_Way = tuple[int, "tuple[_Candidate, _Way] | None"]
"""What a choice of leases loses; its last one, and the way before that."""


def reclaim(calendar: Calendar, now: datetime, notice: timedelta) -> Reclaim:
    """Which interruptible leases to cut, and to which end, so that the owner's floor is kept from `now` on.

    No lease ends before `now` + `notice`, and a firm one never does. From the earliest moment at which nodes are
    missing to the latest, that set of leases is cut which gives enough for the fewest node-seconds lost. With several
    windows the sum need not be the fewest of all. The cuts are for the caller to carry out, by `Calendar.end`.
    """
    leases = _interruptible(calendar.bookings)
    spans = [(*calendar.span(booking.interval), lease) for lease, theirs in leases.items() for booking in theirs]
    slack, cuts = calendar.slack.copy(), dict[str, _Candidate]()
    soonest = seconds(now) + int(notice.total_seconds())
    # The earliest moment by which a lease that runs can be gone; it may lie in the middle of a shortage.
    relief = soonest + calendar.cleaning
    moment = seconds(now)
    while (missing := next(slack.short(0, moment, FOREVER), None)) is not None:
        begins, ends, level = missing
        there = {lease for start, over, lease in spans if start <= begins < over and lease not in cuts}
        offered = [_cut(calendar, leases[lease], begins, soonest) for lease in sorted(there)]
        for candidate in _cheapest([c for c in offered if c is not None], -level):
            cuts[candidate.lease] = candidate
            for nodes, since, until in candidate.freed:
                slack.take(-nodes, since, until)
        moment = relief if begins < relief < ends else ends
    found = tuple(Cut(lease, instant(cut.end)) for lease, cut in sorted(cuts.items()))
    short = tuple(
        Shortfall(Interval(instant(begins), instant(ends)), -level)
        for begins, ends, level in _joined(slack.short(0, seconds(now), FOREVER))
    )
    return Reclaim(found, short)


def _interruptible(bookings: Iterable[Booking]) -> dict[str, list[Booking]]:
    """The bookings of each lease that may be cut."""
    leases: dict[str, list[Booking]] = {}
    for booking in bookings:
        if not booking.firm:
            leases.setdefault(booking.lease, []).append(booking)
    return leases


def _cut(calendar: Calendar, bookings: list[Booking], moment: int, soonest: int) -> _Candidate | None:
    """What a lease gives by `moment` if it ends just in time to be cleaned, or as soon as it may; None if nothing."""
    end = max(moment - calendar.cleaning, soonest)
    nodes, lost, freed = 0, 0, []
    for booking in bookings:
        start, over = calendar.span(booking.interval)
        if max(end, start) < over - calendar.cleaning:
            sound = (calendar.layout.members(booking.nodes) & calendar.layout.sound).bit_count()
            begins = start if end <= start else end + calendar.cleaning
            freed.append((sound, begins, over))
            nodes += sound if begins <= moment < over else 0
            lost += len(booking.nodes) * (over - calendar.cleaning - max(end, start))
    first = min(seconds(booking.interval.start) for booking in bookings)
    return _Candidate(bookings[0].lease, max(end, first), nodes, tuple(freed), lost) if nodes else None


def _cheapest(candidates: list[_Candidate], nodes: int) -> list[_Candidate]:
    """The candidates that together give `nodes` for the least loss; all, if all give too few."""
    if sum(candidate.nodes for candidate in candidates) <= nodes:
        return candidates
    # For each number of nodes the cheapest way to give at least that many, as in the knapsack problem.
    ways: list[_Way | None] = [(0, None), *[None] * nodes]
    for candidate in _worth_trying(candidates, nodes):
        for wanted in range(nodes, 0, -1):
            way, known = ways[max(wanted - candidate.nodes, 0)], ways[wanted]
            if way is not None and (known is None or way[0] + candidate.lost < known[0]):
                ways[wanted] = way[0] + candidate.lost, (candidate, way)
    chosen, way = [], ways[nodes]
    while way is not None and way[1] is not None:
        candidate, way = way[1]
        chosen.append(candidate)
    return chosen


def _worth_trying(candidates: list[_Candidate], nodes: int) -> Iterator[_Candidate]:
    """Of those that give equally many nodes, the cheapest that are enough: no cheapest way needs another."""
    for size, group in groupby(sorted(candidates, key=lambda c: (c.nodes, c.lost, c.lease)), key=lambda c: c.nodes):
        yield from islice(group, -(-nodes // size))


def _joined(pieces: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Pieces that follow one another with the same value, made one."""
    joined: list[tuple[int, int, int]] = []
    for begins, ends, level in pieces:
        if joined and joined[-1][1:] == (begins, level):
            joined[-1] = joined[-1][0], ends, level
        else:
            joined.append((begins, ends, level))
    return joined
