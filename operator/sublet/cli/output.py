"""How answers are printed: aligned text of at most 80 columns, JSON, and iCalendar (RFC 5545)."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sublet import __version__
from sublet.calendar.interval import Interval

FORMATS: Final = ("table", "json", "ical")

_COLUMNS: Final = 80
_GAP: Final = "  "


@dataclass(frozen=True)
class Event:
    """A time in a calendar.

    Attributes:
        interval: From when to when.
        summary: What it is about, in a line.
        description: More of it.
    """

    interval: Interval
    summary: str
    description: str = ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int]) -> str:
    """Aligned columns; those at the positions `numbers` to the right."""
    whole = [header, *rows]
    widths = [max(len(row[column]) for row in whole) for column in range(len(header))]
    right = set(numbers)

    def line(row: Sequence[str]) -> str:
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        return _GAP.join(cells).rstrip()

    return "\n".join(map(line, whole))


def wrapped(text: str) -> str:
    """A paragraph of text in lines that a terminal shows whole; a name is never broken."""
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def as_json(answer: dict[str, Any]) -> str:
    """JSON for programs."""
    return json.dumps(answer, indent=2)


def as_ical(events: Sequence[Event], now: datetime) -> str:
    """A calendar of these events. The same event has the same UID whenever it is asked for; none block any time.

    There must be at least one: RFC 5545 knows no empty calendar. It ends its last line too.
    """
    # `sublet run` never needs it, and would hold it in memory.
    import icalendar  # noqa: PLC0415

    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//Sublet//sublet {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for event in events:
        start, end = event.interval.start, event.interval.end
        component = icalendar.Event()
        component.add("uid", str(uuid5(NAMESPACE_URL, f"sublet.dev/{start}/{end}/{event.summary}")))
        component.add("dtstamp", now)
        component.add("dtstart", start)
        component.add("dtend", end)
        component.add("summary", event.summary)
        if event.description:
            component.add("description", event.description)
        component.add("transp", "TRANSPARENT")
        calendar.add_component(component)
    text: bytes = calendar.to_ical()
    return text.decode()
