"""Intervals are half-open: they touch without overlapping."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublet.calendar.interval import Interval
from tests.builders import at

MINUTES = st.integers(0, 30)


def span(start: int, end: int) -> Interval:
    """The interval between two minutes."""
    return Interval(at(minutes=start), at(minutes=end))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ((0, 10), (10, 20), False),
        ((0, 10), (9, 20), True),
        ((0, 30), (10, 20), True),
        ((0, 10), (20, 30), False),
        ((5, 5), (0, 10), False),
        ((5, 5), (5, 5), False),
        ((0, 10), (0, 10), True),
    ],
)
def test_overlap_needs_a_common_instant(one: tuple[int, int], other: tuple[int, int], *, overlap: bool) -> None:
    """Two intervals overlap if, and only if, some instant lies in both."""
    assert span(*one).overlaps(span(*other)) is overlap
    assert span(*other).overlaps(span(*one)) is overlap


@given(st.tuples(MINUTES, MINUTES), st.tuples(MINUTES, MINUTES))
def test_overlap_agrees_with_counting_minutes(one: tuple[int, int], other: tuple[int, int]) -> None:
    """The answer is that of comparing the two minute by minute."""
    a, b = sorted(one), sorted(other)
    common = set(range(*a)) & set(range(*b))
    assert span(*a).overlaps(span(*b)) is bool(common)


def test_length_is_from_start_to_end() -> None:
    """An interval is as long as its end lies after its start."""
    assert span(10, 25).length == timedelta(minutes=15)


def test_a_gap_is_added_at_the_end() -> None:
    """Cleaning follows the interval and leaves its start alone."""
    assert span(10, 20).then(timedelta(minutes=5)) == span(10, 25)


def test_an_end_before_the_start_is_refused() -> None:
    """Time does not run backwards."""
    with pytest.raises(ValueError, match=r"cannot end .* before it starts"):
        span(10, 9)


@pytest.mark.parametrize("which", ["start", "end"])
def test_naive_instants_are_refused(which: str) -> None:
    """An instant without a time zone could mean any of 24 hours."""
    naive = datetime(2026, 12, 1, 12)  # noqa: DTZ001 - a naive instant is the point
    with pytest.raises(ValueError, match="aware"):
        Interval(**{"start": at(0), "end": at(1), which: naive})
