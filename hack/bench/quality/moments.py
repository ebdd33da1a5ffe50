"""Moments at which something may be decided, and what was sold at them."""

from collections.abc import Callable, Iterator
from datetime import datetime

from hack.bench.quality.stream import GAP, START, UNIT, Ask

Sold = list[tuple[int, int, int]]
"""Start, end and nodes of what was sold."""


def sold_in(horizon: int, sold: Sold) -> int:
    """Node-quarters within the horizon."""
    return sum(nodes * (min(end, horizon) - start) for start, end, nodes in sold if start < horizon)


def moments(asks: list[Ask], ends: Callable[[], list[datetime]]) -> Iterator[tuple[int, dict[int, Ask]]]:
    """Every moment at which something may be decided, with those who wait; who waited too long is gone."""
    waiting: dict[int, Ask] = {}
    arrived, now = 0, -1
    while True:
        ahead = [quarter(end) + GAP for end in ends()] + [ask.arrival for ask in asks[arrived:]]
        now = min((moment for moment in ahead if moment > now), default=-1)
        if now < 0:
            return
        while arrived < len(asks) and asks[arrived].arrival <= now:
            waiting[arrived] = asks[arrived]
            arrived += 1
        for number in [number for number, ask in waiting.items() if ask.latest < now]:
            del waiting[number]
        yield now, waiting


def instant(quarters: int) -> datetime:
    """The instant after so many quarters of an hour."""
    return START + quarters * UNIT


def quarter(moment: datetime) -> int:
    """The quarters of an hour until an instant."""
    return (moment - START) // UNIT
