"""What tenants ask for on a day: leases of every kind, and what they change their minds about.

Arrivals: 15 % in the first minute, the rest by a triangle that is highest after a third of the day and ends at 80 %.
Sizes: 1, 2, 4, 8, 16, 32 or 64 nodes for 20, 20, 20, 15, 12, 8 and 5 %, up to a quarter of the pool.
Lengths: lognormal around the median (sigma 0.6), cut at the shortest and the longest, whole minutes.
Starts: 55 % as soon as possible, 30 % fixed and 15 % flexible, both up to a sixth of the day ahead, on 5 minutes.
Terms: 60 % firm. Placement: 25 % prefer a rack, 10 % require a block (up to 16 nodes). 40 % can be extended.
Edits: 12 % ask for more time, 8 % shorten, 6 % release, 5 % suspend and resume, 5 % are deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from hack.day.actions import Delete, Edit, Planned, Write
from hack.day.size import Size
from sublet.api.scalars import format_duration, format_timestamp

Raw = dict[str, Any]

POOL: Final = "day"
RACK: Final = "topology.example.com/rack"
BLOCK: Final = "topology.example.com/block"
ZONE: Final = "topology.kubernetes.io/zone"

_SIZES: Final = {1: 20, 2: 20, 4: 20, 8: 15, 16: 12, 32: 8, 64: 5}
_MOST_IN_A_BLOCK: Final = 16
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class _Draft:
    """A lease in the making: its name, when it is written, when it hopes to start, and for how long."""

    name: str
    after: timedelta
    start: timedelta
    length: timedelta


def demand(size: Size, base: datetime, dice: Random) -> Iterator[Planned]:
    """Every lease with its edits; the times count from `base`."""
    for number in range(size.leases):
        early = dice.random() < 0.15  # noqa: PLR2004 - see above
        after = _MINUTE * dice.random() if early else size.length * dice.triangular(0, 0.8, 0.33)
        length = size.median * dice.lognormvariate(0, 0.6)
        length = min(max(length, size.shortest), size.longest) // _MINUTE * _MINUTE
        draft = _Draft(f"day-{number:04d}", after, after, length)
        yield from _lease(draft, size, base, dice)


def _lease(draft: _Draft, size: Size, base: datetime, dice: Random) -> Iterator[Planned]:
    times, start = _times(draft, size, base, dice)
    spec: Raw = {
        "pool": POOL,
        "tenant": {"name": "acme", "subjects": [{"kind": "User", "name": "alice@acme.example"}]},
        "nodes": _nodes(size, dice),
        "term": dice.choices(("Firm", "Interruptible"), (60, 40))[0],
        **times,
    }
    wish = dice.random()
    if wish < 0.25:  # noqa: PLR2004 - see above
        spec["placement"] = {"level": RACK, "mode": "Preferred"}
    elif wish < 0.35 and spec["nodes"] <= _MOST_IN_A_BLOCK:  # noqa: PLR2004 - see above
        spec["placement"] = {"level": BLOCK, "mode": "Required"}
    if dice.random() < 0.4:  # noqa: PLR2004 - see above
        spec["extendableUntil"] = _instant(base + start + 3 * draft.length + size.length / 6)
    manifest = {"apiVersion": "sublet.dev/v1alpha1", "kind": "GPULease", "metadata": {"name": draft.name}, "spec": spec}
    yield Planned(draft.after, Write(manifest))
    begun = _Draft(draft.name, draft.after, start, draft.length)
    yield from _changes(begun, spec, base, dice)


def _times(draft: _Draft, size: Size, base: datetime, dice: Random) -> tuple[Raw, timedelta]:
    """The fields of time, and the start that is hoped for."""
    kind = dice.choices(("now", "until", "fixed", "from-to", "flexible"), (45, 10, 20, 10, 15))[0]
    duration = {"duration": format_duration(draft.length)}
    if kind == "now":
        return duration, draft.start
    if kind == "until":
        return {"end": _instant(base + draft.after + draft.length)}, draft.start
    ahead = draft.after + size.shortest / 2 + dice.random() * size.length / 6
    start = -(-ahead // (5 * _MINUTE)) * 5 * _MINUTE
    fixed = {"start": _instant(base + start)}
    if kind == "fixed":
        return {**fixed, **duration}, start
    if kind == "from-to":
        return {**fixed, "end": _instant(base + start + draft.length)}, start
    latest = base + start + size.length / 24 * dice.uniform(1, 3)
    return {**fixed, "latestStart": _instant(latest), **duration}, start


def _changes(draft: _Draft, spec: Raw, base: datetime, dice: Random) -> Iterator[Planned]:
    """What becomes of it later, by somebody's wish."""
    moment = draft.start + draft.length * dice.uniform(0.2, 0.7)
    kind = dice.choices(("more", "less", "release", "suspend", "delete", "none"), (12, 8, 6, 5, 5, 64))[0]
    if kind == "more":
        yield Planned(moment, Edit(draft.name, _length(draft, spec, base, draft.length * dice.uniform(1.2, 1.8))))
    elif kind == "less":
        yield Planned(moment, Edit(draft.name, _length(draft, spec, base, draft.length * dice.uniform(0.75, 0.95))))
    elif kind == "release":
        yield Planned(moment, Edit(draft.name, {"release": True}))
    elif kind == "suspend":
        yield Planned(moment, Edit(draft.name, {"suspend": True}))
        yield Planned(moment + draft.length * 0.15, Edit(draft.name, {"suspend": False}))
    elif kind == "delete":
        # Some of them before they have begun.
        yield Planned(draft.after + (moment - draft.after) * dice.random(), Delete(draft.name))


def _length(draft: _Draft, spec: Raw, base: datetime, length: timedelta) -> Raw:
    length = length // _MINUTE * _MINUTE
    if "end" in spec:
        return {"end": _instant(base + draft.start + length)}
    return {"duration": format_duration(length)}


def _nodes(size: Size, dice: Random) -> int:
    offered = {nodes: weight for nodes, weight in _SIZES.items() if nodes <= size.nodes / 4}
    return dice.choices(list(offered), list(offered.values()))[0]


def _instant(moment: datetime) -> str:
    return format_timestamp(moment.replace(microsecond=0))
