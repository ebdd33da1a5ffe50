"""The owner's windows: when they open, and whether they can be read at all.

Schedules are those of cron(8), read by the library `cronsim` and always in UTC.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Final

from cronsim import CronSim, CronSimError

from sublet.api.pool import OwnerFloor, OwnerWindow
from sublet.api.scalars import format_duration
from sublet.calendar.floor import Floor, Window
from sublet.calendar.interval import Interval

_SHORTEST_BREAK: Final = timedelta(minutes=15)
"""Windows may begin no more often, so that a year of them stays a small number."""

_SAMPLE: Final = 100
_A_LEAP_YEAR: Final = datetime(2024, 1, 1, tzinfo=UTC)


def objection(windows: tuple[OwnerWindow, ...]) -> str | None:
    """Why the windows cannot be kept, in one sentence that names the field; None if they can."""
    for index, window in enumerate(windows):
        field = f"spec.ownerFloor.windows[{index}].start"
        try:
            begins = list(islice(CronSim(window.start, _A_LEAP_YEAR), _SAMPLE))
        except CronSimError as error:
            return f"{field}: {window.start!r} is no cron schedule ({error}); write minute, hour, day, month, weekday"
        if not begins:
            return f"{field}: {window.start!r} never comes; write a day that there is"
        if any(later - earlier < _SHORTEST_BREAK for earlier, later in pairwise(begins)):
            least = format_duration(_SHORTEST_BREAK)
            return f"{field}: {window.start!r} comes more often than every {least}; write a longer duration instead"
    return None


def floor_of(owner: OwnerFloor, now: datetime, until: datetime) -> Floor:
    """What the owner keeps from `now` to `until`; beyond that only the usual number is known."""
    open_then = tuple(window for each in owner.windows for window in _openings(each, now, until))
    return Floor(owner.nodes, open_then)


def _openings(window: OwnerWindow, now: datetime, until: datetime) -> Iterator[Window]:
    """The times a window is open, the one that is open now included."""
    begins = takewhile(lambda begin: begin < until, CronSim(window.start, now - window.duration))
    return (Window(Interval(begin, begin + window.duration), window.nodes) for begin in begins)
