"""Half-open intervals [start, end) of aware UTC instants, and the whole seconds that the calendar counts in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(moment: datetime) -> int:
    """The whole seconds from 1970 to an aware instant; a fraction is dropped."""
    return int(moment.timestamp())


def instant(moment: int) -> datetime:
    """The instant that many seconds after 1970, in UTC."""
    return _EPOCH + timedelta(seconds=moment)


@dataclass(frozen=True, order=True)
class Interval:
    """The instants from `start`, included, to `end`, excluded.

    Half-open, so that one lease may start at the very instant another ends.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError("an interval needs aware instants")
        if self.end < self.start:
            raise ValueError(f"an interval cannot end ({self.end}) before it starts ({self.start})")

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        """Whether some instant lies in both; an empty interval has none."""
        return max(self.start, other.start) < min(self.end, other.end)

    def then(self, gap: timedelta) -> "Interval":
        """The interval with `gap` of cleaning after it."""
        return Interval(self.start, self.end + gap)
