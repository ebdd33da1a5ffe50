"""The owner's windows: when they open, and whether they can be read at all.

Schedules are those of cron(8), read by the library `cronsim` and always in UTC.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from typing import Final

from cronsim import CronSim, CronSimError

from sublet.api.pool import OwnerFloor, OwnerWindow
from sublet.api.scalars import format_duration
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval

_SHORTEST_BREAK: Final = timedelta(minutes=15)
"""Windows may begin no more often, so that a year of them stays a small number."""

_LONGEST: Final = timedelta(days=366)
"""A window is open no longer, so that only a bounded past has to be looked at."""

_SAMPLE: Final = 100
_A_LEAP_YEAR: Final = datetime(2024, 1, 1, tzinfo=UTC)


def objection(windows: tuple[OwnerWindow, ...]) -> str | None:
    """Why the windows cannot be kept, in one sentence that names the field; None if they can."""
    for index, window in enumerate(windows):
        field = f"spec.ownerFloor.windows[{index}]"
        if wrong := _wrong_with(window.start):
            return f"{field}.start: {window.start!r} {wrong}"
        if window.duration > _LONGEST:
            return f"{field}.duration: longer than {format_duration(_LONGEST)}; raise spec.ownerFloor.nodes instead"
    return None


@lru_cache(maxsize=256)
def _wrong_with(schedule: str) -> str | None:
    try:
        begins = list(islice(CronSim(schedule, _A_LEAP_YEAR), _SAMPLE))
    except CronSimError as error:
        return f"is no cron schedule ({error}); write minute, hour, day, month, weekday"
    if not begins:
        return "never comes; write a day that there is"
    if any(later - earlier < _SHORTEST_BREAK for earlier, later in pairwise(begins)):
        return f"comes more often than every {format_duration(_SHORTEST_BREAK)}; write a longer duration instead"
    return None


def floor_of(owner: OwnerFloor, now: datetime, until: datetime) -> Floor:
    """What the owner keeps from `now` to `until`; beyond that only the usual number is known.

    A window that cannot be kept opens never: the pool is not accepted, and its other windows hold all the same.
    """
    kept = [window for window in owner.windows if objection((window,)) is None]
    open_then = tuple(opening for window in kept for opening in _openings(window, now, until))
    return Floor(owner.nodes, open_then)


def kept_at(owner: OwnerFloor, now: datetime) -> int:
    """How many nodes the owner keeps at a moment."""
    opened = floor_of(owner, now, now + timedelta(seconds=1)).windows
    return max([owner.nodes, *(window.nodes for window in opened if window.interval.start <= now)])


def _openings(window: OwnerWindow, now: datetime, until: datetime) -> Iterator[Window]:
    """The times a window is open, the one that is open now included."""
    begins = takewhile(lambda begin: begin < until, CronSim(window.start, now - window.duration))
    return (Window(Interval(begin, begin + window.duration), window.nodes) for begin in begins)
