"""Offers: what can be had in the place of, or beside, what was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sublet.calendar.allocator import earliest, longest_from
from sublet.calendar.booking import Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval, instant, seconds
from sublet.calendar.slots import FOREVER

_MOST = 6
"""As many as AWS shows for a search of capacity blocks."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Offer:
    """Nodes that could be had, at the moment of asking.

    Attributes:
        nodes: How many.
        interval: From when to when.
    """

    nodes: int
    interval: Interval


@dataclass(frozen=True)
class Nearest:
    """What comes nearest to a request that cannot be had; each is None if there is nothing of its kind.

    Attributes:
        fewer: The most nodes that can be had within the times asked for.
        later: The same nodes for the same length, at the earliest after those times.
        shorter: The same nodes from the first start asked for, for as long as they are free.
    """

    fewer: Offer | None
    later: Offer | None
    shorter: Offer | None


def nearest(request: Request, calendar: Calendar, now: datetime) -> Nearest:
    """What comes nearest to a request for which there is no booking."""
    firm = replace(request, firm=True)
    return Nearest(
        fewer=_most_nodes(firm, calendar, now),
        later=_offer(_at_any_time(firm, now), calendar, now),
        shorter=_longest(firm, calendar, now),
    )


def offers(request: Request, calendar: Calendar, now: datetime) -> tuple[Offer, ...]:
    """Up to six different offers around a request, the earliest first.

    As asked; with the nodes, or for the time, that can be had at once; with half of the nodes; a day later; with twice
    the nodes; for twice the time. Nothing is booked by it, and each is offered on its own.
    """
    found = dict.fromkeys(offer for offer in _around(replace(request, firm=True), calendar, now) if offer is not None)
    return tuple(sorted([*found][:_MOST], key=lambda offer: (offer.interval, -offer.nodes)))


def _around(request: Request, calendar: Calendar, now: datetime) -> Iterator[Offer | None]:
    wanted = _at_any_time(request, now)
    first = _offer(wanted, calendar, now)
    yield _offer(request, calendar, now) or first
    at_once = max(now, request.start or now)
    yield _most_nodes(replace(wanted, start=at_once, latest_start=at_once), calendar, now)
    yield _longest(wanted, calendar, now)
    if request.nodes > 1:
        yield _offer(replace(wanted, nodes=request.nodes // 2), calendar, now)
    if first is not None:
        a_day_on = first.interval.start + _DAY
        yield _offer(replace(wanted, start=a_day_on), calendar, now)
    yield _offer(replace(wanted, nodes=request.nodes * 2), calendar, now)
    if wanted.duration is not None:
        yield _offer(replace(wanted, duration=wanted.duration * 2), calendar, now)


def _at_any_time(request: Request, now: datetime) -> Request:
    """The same nodes and length, with no bound on how late."""
    start = max(request.start or now, now)
    duration = request.duration
    if duration is None:
        assert request.end is not None  # noqa: S101 - one of the two is given
        duration = max(request.end - start, request.shortest, timedelta(seconds=1))
    return replace(request, start=start, duration=duration, end=None, latest_start=instant(FOREVER))


def _offer(request: Request, calendar: Calendar, now: datetime) -> Offer | None:
    booking = earliest(request, calendar, now)
    return Offer(request.nodes, booking.interval) if booking is not None else None


def _most_nodes(request: Request, calendar: Calendar, now: datetime) -> Offer | None:
    """The most nodes, fewer than asked for, that the request could be had with."""
    low, high, best = 1, request.nodes - 1, None
    while low <= high:
        nodes = (low + high) // 2
        offer = _offer(replace(request, nodes=nodes), calendar, now)
        low, high, best = (nodes + 1, high, offer) if offer is not None else (low, nodes - 1, best)
    return best


def _longest(request: Request, calendar: Calendar, now: datetime) -> Offer | None:
    """The nodes asked for, for as long as they are free from the first start, if that is shorter than asked for."""
    start = max(request.start or now, now)
    span = longest_from(seconds(start), request, calendar)
    if span is None:
        return None
    interval = Interval(instant(span[0]), instant(span[1]))
    wanted = _at_any_time(request, now).duration
    return Offer(request.nodes, interval) if wanted is not None and interval.length < wanted else None
