"""Durations, instants and decimals: texts with a meaning, in a form that models and API server both accept.

Every text is bounded, so that the API server can price the CEL rules that read it, and so that no value it
lets through can overflow the operator's arithmetic.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from sublet.api.markers import Rule, rules

_UNITS: Final = (("d", 86_400, 9_999), ("h", 3_600, 99_999), ("m", 60, 9_999_999), ("s", 1, 99_999_999))
"""Letter, seconds and largest amount of each unit, widest first."""

_SECONDS: Final = {unit: seconds for unit, seconds, _ in _UNITS}

_DURATION: Final = "^" + "".join(f"([0-9]{{1,{len(str(most))}}}{unit})?" for unit, _, most in _UNITS) + "$"

# Years 2000 to 2999 and offsets below 20 hours: narrower than RFC 3339, so that all can be read and added to. In UTC
# the first of them lie in the year before, and the last in the year after.
_TIMESTAMP: Final = (
    r"^(2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])"
    r"|(1999-12-31|3000-01-01)T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$"
)

_PRICE: Final = r"^[0-9]{1,18}(\.[0-9]{1,9})?$"
_AMOUNT: Final = r"^-?[0-9]{1,18}(\.[0-9]{1,9})?$"

PRICES_BELOW: Final = 1_000_000
"""No price of one GPU for one hour reaches this, so that every amount has a place in the ledger."""


def parse_duration(text: str) -> timedelta:
    """Read `7d`, `1h30m` or `0s`: units d, h, m and s, each at most once and in that order."""
    if not text or not re.fullmatch(_DURATION, text):
        raise ValueError(f"{text!r} is no duration: write days, hours, minutes and seconds, such as 7d or 1h30m")
    return timedelta(seconds=sum(int(part[:-1]) * _SECONDS[part[-1]] for part in re.findall("[0-9]+[dhms]", text)))


def format_duration(value: timedelta) -> str:
    """Write a duration in its widest units: `1d` rather than `24h`, and `0s` when there is none."""
    if value < timedelta(0) or value.microseconds:
        raise ValueError(f"{value} is no duration: it must be whole seconds and not negative")
    rest = value.days * _SECONDS["d"] + value.seconds
    text = ""
    for unit, seconds, most in _UNITS:
        amount = min(rest // seconds, most)
        rest -= amount * seconds
        text += f"{amount}{unit}" if amount else ""
    if rest:
        raise ValueError(f"{value} is longer than a duration can say")
    return text or "0s"


def seconds_in_cel(text: str) -> str:
    """Write a CEL expression for the seconds of a duration, given one for its text: CEL itself knows no days."""
    # Of parts that are found by a pattern the API server knows no bound, and prices them as endless.
    days = f"({text}.contains('d') ? int({text}.substring(0, {text}.indexOf('d'))) * {_SECONDS['d']} : 0)"
    return f"{days} + duration({text}.substring({text}.indexOf('d') + 1) + '0s').getSeconds()"


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 instant as UTC; a fraction of a second is cut off."""
    if not re.fullmatch(_TIMESTAMP, text):
        raise ValueError(f"{text!r} is no instant: write it as 2026-11-24T12:00:00Z")
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def format_timestamp(value: datetime) -> str:
    """Write an aware instant as `2026-11-24T12:00:00Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_decimal(value: Decimal) -> str:
    """Write a decimal without an exponent: `0.25` or `1200`."""
    return format(value, "f")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return parse_duration(format_duration(value))
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError("a duration is a text such as 7d or 1h30m")


def _positive_duration(value: object) -> timedelta:
    found = _duration(value)
    if not found:
        raise ValueError("the duration must be longer than zero")
    return found


def _timestamp(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return parse_timestamp(format_timestamp(value))
    if isinstance(value, str):
        return parse_timestamp(value)
    raise ValueError("an instant is a text such as 2026-11-24T12:00:00Z, or a datetime with a time zone")


def _amount(value: object) -> Decimal:
    if isinstance(value, Decimal):
        value = format_decimal(value)
    if isinstance(value, str) and re.fullmatch(_AMOUNT, value):
        return Decimal(value)
    raise ValueError(f"{value!r} is no amount: write a text such as 2.50, with at most 9 digits after the point")


def _price(value: object) -> Decimal:
    found = _amount(value)
    if found.is_signed():
        raise ValueError("a price is not negative")
    return found


def _text(pattern: str, longest: int, shortest: int = 1, **more: object) -> WithJsonSchema:
    bounds = {"minLength": shortest, "maxLength": longest}
    return WithJsonSchema({"type": "string", "pattern": pattern, **bounds, **more})


_DURATION_LENGTH: Final = sum(len(f"{most}{unit}") for unit, _, most in _UNITS)


def _duration_text(cel: str, message: str) -> WithJsonSchema:
    # The rule says in words what the pattern means. The shortest duration, 0s, has two characters; the
    # pattern alone would let the empty text pass.
    return _text(_DURATION, _DURATION_LENGTH, shortest=2, **rules(Rule(cel=cel, message=message)))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, when_used="json"),
    _duration_text(
        f"self.matches('{_DURATION}')",
        "write days, hours, minutes and seconds in this order, for example 7d or 1h30m",
    ),
]
"""A span of time in whole seconds, written `7d` or `1h30m`; a day has 24 hours."""

PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(_positive_duration),
    PlainSerializer(format_duration, when_used="json"),
    _duration_text(
        f"self.matches('{_DURATION}') && self.matches('[1-9]')",
        "write days, hours, minutes and seconds in this order, more than none, for example 7d or 1h30m",
    ),
]
"""A span of time longer than zero."""

Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    PlainSerializer(format_timestamp, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _TIMESTAMP, "maxLength": 35}),
]
"""An instant in UTC, to the second."""

Price = Annotated[
    Decimal, BeforeValidator(_price), PlainSerializer(format_decimal, when_used="json"), _text(_PRICE, 28)
]
"""A decimal number from zero up, exact, with at most nine digits after the point."""

# The bound is for the API server alone: a pool that was stored before must be read, to say what is wrong with it.
AskedPrice = Annotated[
    Decimal,
    BeforeValidator(_price),
    PlainSerializer(format_decimal, when_used="json"),
    _text(
        _PRICE,
        28,
        **rules(
            Rule(
                cel=f"double(self) < {PRICES_BELOW}.0",
                message=(
                    f"the price of one GPU for one hour must be less than {PRICES_BELOW}, "
                    "or amounts would not fit into the ledger"
                ),
            )
        ),
    ),
]
"""A price of one GPU for one hour, as an owner asks it."""

Amount = Annotated[
    Decimal, BeforeValidator(_amount), PlainSerializer(format_decimal, when_used="json"), _text(_AMOUNT, 29)
]
"""A decimal number of either sign, exact, with at most nine digits after the point."""
