"""Durations, instants and decimals keep their value through text, and refuse what they cannot keep."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sublet.api.scalars import (
    Amount,
    Duration,
    PositiveDuration,
    Price,
    Timestamp,
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)

LONGEST = parse_duration("9999d99999h9999999m99999999s")

durations = st.integers(0, int(LONGEST.total_seconds())).map(lambda seconds: timedelta(seconds=seconds))
amounts = st.tuples(st.integers(0, 9999), st.integers(0, 99_999), st.integers(0, 9_999_999), st.integers(0, 99_999_999))
instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the strategy adds the time zone
    max_value=datetime(2999, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the strategy adds the time zone
    timezones=st.integers(-19 * 60, 19 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(durations)
def test_a_duration_survives_being_written_and_read(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(amounts)
def test_every_text_that_can_be_read_can_be_written(parts: tuple[int, int, int, int]) -> None:
    text = "".join(f"{amount}{unit}" for amount, unit in zip(parts, "dhms", strict=True))
    assert parse_duration(format_duration(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("10m", 600), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5_400), ("1d2h3m4s", 93_784), ("007m", 420)],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("text", "written"), [("24h", "1d"), ("90m", "1h30m"), ("0d", "0s"), ("60s", "1m")])
def test_a_duration_is_written_in_its_widest_units(text: str, written: str) -> None:
    assert format_duration(parse_duration(text)) == written


@pytest.mark.parametrize(
    "text", ["", "7", "d", "1.5h", "-1h", "1h1h", "1m1h", "1 h", "1h ", "7D", "10000d", "٣d", "7d\n", "P7D", "1w"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 7d or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("value", [timedelta(seconds=-1), timedelta(milliseconds=1), LONGEST + timedelta(days=1), 5])
def test_a_duration_holds_whole_seconds_from_zero_up(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


@pytest.mark.parametrize("zero", ["0s", "0d0h", timedelta(0)])
def test_a_positive_duration_is_longer_than_zero(zero: object) -> None:
    assert TypeAdapter(Duration).validate_python(zero) == timedelta(0)
    with pytest.raises(ValidationError, match="longer than zero"):
        TypeAdapter(PositiveDuration).validate_python(zero)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2999-12-31T23:59:59-19:59", "3000-01-01T19:58:59Z"),
        ("2000-01-01T00:00:00+19:59", "1999-12-31T04:01:00Z"),
    ],
)
def test_the_first_and_the_last_instant_can_be_written(text: str, utc: str) -> None:
    """In UTC they lie in another year. What follows from them stands in a status, and must be taken there."""
    instant = TypeAdapter(Timestamp)
    assert instant.validate_python(instant.validate_python(text)) == parse_timestamp(text)
    assert format_timestamp(parse_timestamp(utc)) == format_timestamp(parse_timestamp(text)) == utc
    assert re.fullmatch(instant.json_schema()["pattern"], utc)
    for beyond in ("3000-01-01T00:00:00-01:00", "3000-01-02T00:00:00Z", "1999-12-30T00:00:00Z"):
        with pytest.raises(ValueError, match="is no instant"):
            parse_timestamp(beyond)


@given(instants)
def test_an_instant_survives_being_written_and_read_to_the_second(value: datetime) -> None:
    read = parse_timestamp(format_timestamp(value))
    assert read == value.replace(microsecond=0)
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T12:00:00.999999999Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T12:00:00+01:30", "2026-11-24T10:30:00Z"),
        ("2026-11-24T12:00:00-00:00", "2026-11-24T12:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc_to_the_second(text: str, written: str) -> None:
    assert format_timestamp(parse_timestamp(text)) == written


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T12:00:00",
        "2026-11-24 12:00:00Z",
        "2026-11-24T12:00:00z",
        "2026-11-24T24:00:00Z",
        "2026-02-30T12:00:00Z",
        "0001-01-01T00:00:00Z",
        "2026-11-24",
        "tomorrow",
        1_764_000_000,
        datetime(2026, 11, 24, 12),  # noqa: DTZ001 - the missing time zone is the point
    ],
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Timestamp).validate_python(value)


@pytest.mark.parametrize("text", ["0", "2.50", "3360.00", "0.000000001", "999999999999999999.999999999"])
def test_a_price_keeps_every_digit(text: str) -> None:
    price = TypeAdapter(Price).validate_python(text)
    assert price == Decimal(text)
    assert TypeAdapter(Price).dump_python(price, mode="json") == text


@pytest.mark.parametrize(
    "value", ["-1", "", "1,5", "1e3", ".5", "1.", "NaN", "1.0000000001", 2.5, True, Decimal("inf")]
)
def test_what_is_no_price_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Price).validate_python(value)


def test_an_amount_may_be_negative() -> None:
    assert TypeAdapter(Amount).validate_python("-12.50") == Decimal("-12.50")


def test_a_decimal_is_written_without_an_exponent() -> None:
    assert TypeAdapter(Amount).dump_python(Decimal("1E+3"), mode="json") == "1000"
