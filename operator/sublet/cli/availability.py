"""`sublet availability`: when how many nodes of a pool are free for sale."""

import argparse
import sys
from datetime import datetime, timedelta
from typing import Any, Final

from sublet.api.pool import GPUPool
from sublet.api.scalars import format_duration, format_timestamp, parse_timestamp
from sublet.calendar.interval import Interval
from sublet.cli import output
from sublet.cli.reading import read
from sublet.cli.wanted import UsageError
from sublet.clock import SystemClock
from sublet.cluster.observe import pool_view
from sublet.errors import SubletError
from sublet.plan.availability import Availability, availability
from sublet.plan.observed import PoolView
from sublet.policy import pools

Raw = dict[str, Any]

_DAYS: Final = 14
_DIGITS: Final = 9


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the words by which free capacity is asked for."""
    parser.add_argument("pool", metavar="POOL")
    parser.add_argument("--from", dest="begin", metavar="T", help="such as 2026-12-01T08:00:00Z; left out: now")
    parser.add_argument("--days", metavar="N", help=f"how many days; left out: {_DAYS}, or as far as the pool sells")
    parser.add_argument(
        "--nodes", metavar="N", help="only times for which one lease could have so many nodes throughout"
    )


def run(given: argparse.Namespace) -> int:
    """Look and print; 0 if the pool sells, though perhaps all is taken, 1 if it does not, 2 if that is not known."""
    now = SystemClock().now().replace(microsecond=0)
    try:
        view = _view(given.pool)
        within = _within(given, view.pool, now)
        nodes = None if given.nodes is None else _nodes(given.nodes, view)
    except (UsageError, SubletError) as error:
        print(f"sublet availability: {error}", file=sys.stderr)
        return 2
    objection = pools.judge(view.pool, view.classes)
    if objection is not None:
        print(f"the pool {given.pool} is not accepted: {objection.message}", file=sys.stderr)
        return 1
    _print(given.pool, availability(view, within, now, nodes), within, given.output, now)
    return 0


def _view(pool: str) -> PoolView:
    view = pool_view(read(), pool)
    if view is None:
        raise UsageError(f"POOL: there is no GPUPool {pool}; name one of `kubectl get gpupools`")
    return view


def _within(given: argparse.Namespace, pool: GPUPool, now: datetime) -> Interval:
    """The time asked about: never further than the pool sells, for beyond that the owner's windows are not known."""
    horizon = pool.spec.terms.horizon
    start = now if given.begin is None else _instant("--from", given.begin)
    if start < now:
        raise UsageError(f"--from: {format_timestamp(start)} has passed; give a later time, or leave it out for now")
    if start >= now + horizon:
        raise UsageError(f"--from: further ahead than the {format_duration(horizon)} for which the pool sells")
    left = now + horizon - start
    if given.days is None:
        return Interval(start, start + min(timedelta(days=_DAYS), left))
    days = _whole("--days", given.days, max(left.days, 1), f"the pool sells {format_duration(horizon)} ahead")
    return Interval(start, start + min(timedelta(days=days), left))


def _instant(flag: str, text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from error


def _nodes(text: str, view: PoolView) -> int:
    most = len(view.nodes) - view.pool.spec.owner_floor.nodes
    if most < 1:
        raise UsageError(f"--nodes: the pool {view.pool.metadata.name} has no nodes for sale; leave it out")
    return _whole("--nodes", text, most, f"the pool {view.pool.metadata.name} has {most} nodes for sale")


def _whole(flag: str, text: str, most: int, why: str) -> int:
    # Longer texts of digits are not worth reading; Python refuses the longest.
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS and 1 <= int(text) <= most:
        return int(text)
    raise UsageError(f"{flag}: {text!r} given, but it must be a whole number from 1 to {most}; {why}")


def _print(pool: str, found: Availability, within: Interval, form: str, now: datetime) -> None:
    span = f"{format_timestamp(within.start)} to {format_timestamp(within.end)}"
    nothing = f"{pool}: nothing is free for sale from {span}."
    match form:
        case "json":
            print(output.as_json(_as_json(pool, found, within, now)))
        case "ical" if found.free:
            print(output.as_ical(_as_events(pool, found), now), end="")
        case "ical":
            print(nothing, file=sys.stderr)
        case _:
            print(_as_table(pool, found, span) if found.free else nothing)


def _as_json(pool: str, found: Availability, within: Interval, now: datetime) -> Raw:
    return {
        "pool": pool,
        "askedAt": format_timestamp(now),
        "start": format_timestamp(within.start),
        "end": format_timestamp(within.end),
        "free": [
            {
                "start": format_timestamp(free.interval.start),
                "end": format_timestamp(free.interval.end),
                "nodes": free.nodes,
                "gpus": free.nodes * found.per_node,
            }
            for free in found.free
        ],
    }


def _as_events(pool: str, found: Availability) -> list[output.Event]:
    return [
        output.Event(
            free.interval,
            f"{free.nodes} node{'s' if free.nodes > 1 else ''} ({free.nodes * found.per_node} GPUs) of {pool} free",
        )
        for free in found.free
    ]


def _as_table(pool: str, found: Availability, span: str) -> str:
    rows = [
        (
            format_timestamp(free.interval.start),
            format_timestamp(free.interval.end),
            format_duration(free.interval.length),
            str(free.nodes),
            str(free.nodes * found.per_node),
        )
        for free in found.free
    ]
    shown = output.table(("FROM", "TO", "LENGTH", "NODES", "GPUS"), rows, numbers=(3, 4))
    return f"{pool}: free for sale, {span}\n\n{shown}"
