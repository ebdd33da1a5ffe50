"""The owner's windows: cron in UTC, the one that is open now included, and what cannot be kept named."""

from typing import Any

import pytest

from sublet.api.pool import OwnerFloor
from sublet.policy.windows import floor_of, kept_at, objection
from tests.builders import NOON, at


def owner(*windows: tuple[str, str], nodes: int = 1) -> OwnerFloor:
    """A floor with windows in which four nodes are kept, each by its schedule and length."""
    raw: dict[str, Any] = {
        "nodes": nodes,
        "windows": [{"start": start, "duration": length, "nodes": 4} for start, length in windows],
    }
    return OwnerFloor.model_validate(raw)


def test_windows_open_by_their_schedule_in_utc() -> None:
    """2026-12-01 is a Tuesday: the weekday window opens on that day and the next."""
    floor = floor_of(owner(("0 14 * * MON-FRI", "2h")), NOON, at(48))
    assert [(w.interval.start, w.interval.end, w.nodes) for w in floor.windows] == [
        (at(2), at(4), 4),
        (at(26), at(28), 4),
    ]
    assert floor.nodes == 1


def test_a_window_that_is_open_now_counts() -> None:
    """It opened at eleven."""
    floor = floor_of(owner(("0 11 * * *", "2h")), NOON, at(5))
    assert [w.interval.start for w in floor.windows] == [at(-1)]


def test_a_window_ends_half_open() -> None:
    """One that closes now is over, and one that opens at the last moment is none."""
    assert floor_of(owner(("0 10 * * *", "2h"), ("0 17 * * *", "2h")), NOON, at(5)).windows == ()


@pytest.mark.parametrize(
    ("start", "length", "said"),
    [
        ("99 8 * * *", "1h", "windows[0].start: '99 8 * * *' is no cron schedule"),
        ("0 8 31 2 *", "1h", "windows[0].start: '0 8 31 2 *'"),
        ("*/5 * * * *", "1m", "comes more often than every 15m"),
        ("0 8 1 1 *", "400d", "windows[0].duration: longer than 366d"),
    ],
)
def test_what_cannot_be_kept_is_named_and_opens_never(start: str, length: str, said: str) -> None:
    """An objection names the field; a pass over the pool is not ended by it."""
    wrong = owner((start, length))
    assert said in (objection(wrong.windows) or "")
    assert floor_of(wrong, NOON, at(48)).windows == ()


def test_the_second_window_is_named_as_such() -> None:
    """Counted from 0, as in the API."""
    windows = owner(("0 8 * * *", "1h"), ("0 99 * * *", "1h")).windows
    assert (objection(windows) or "").startswith("spec.ownerFloor.windows[1].start")
    assert objection(owner(("0 8 29 2 *", "1h"), ("*/15 * * * *", "15m")).windows) is None


@pytest.mark.parametrize(("hour", "kept"), [(1.9, 1), (2, 4), (3.9, 4), (4, 1)])
def test_so_many_are_kept_while_a_window_is_open(hour: float, kept: int) -> None:
    """From the second in which it opens to the one in which it closes; the usual number is the least."""
    assert kept_at(owner(("0 14 * * *", "2h")), at(hour)) == kept
    assert kept_at(owner(("0 14 * * *", "2h"), nodes=6), at(hour)) == 6
