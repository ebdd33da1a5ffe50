"""The scenario of a day: the pool, what tenants ask for, what becomes of nodes, and of the operator.

Nodes: 1.5 % fail and are repaired later, 0.5 % are quarantined by their owner, 0.5 % are deleted and come back; 0.5 %
join at noon; of a small pool no fewer than six, two, two and two. The owner keeps 5 % of the nodes, 15 % in two
windows, and from 60 % of the day on what the size says. The operator is killed and started again at 45 % of the day,
and a second one runs beside it from 65 % to 75 %.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from hack.cluster.nodes import PREFIX_LABEL
from hack.day.actions import Fate, Node, Operator, Planned, RaiseFloor, Turn
from hack.day.demand import BLOCK, POOL, RACK, ZONE, demand
from hack.day.size import Size
from sublet.api.scalars import format_duration

Raw = dict[str, Any]

FIRST: Final = "operator"
SECOND: Final = "operator-2"
_AWAY_SECONDS: Final = 2
"""For how long the operator is away when it is killed, by the machine's clock."""


def pool(size: Size, base: datetime) -> Raw:
    """The pool of the day."""
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPUPool",
        "metadata": {"name": POOL},
        "spec": {
            "nodeSelector": {"matchLabels": {PREFIX_LABEL: POOL}},
            "ownerFloor": {"nodes": size.nodes // 20, "windows": [_window(size, base, part) for part in (0.25, 0.7)]},
            "terms": {"minDuration": "30m", "extendLatest": "10m"},
            "schedule": {
                "drainBefore": "10m",
                "cleaningGap": format_duration(size.gap),
                "reclaimNotice": format_duration(size.notice),
            },
            "topology": [ZONE, BLOCK, RACK],
            "pricing": {"currency": "EUR", "firm": "2.50", "interruptible": "1.50"},
        },
    }


def scenario(size: Size, base: datetime) -> list[Planned]:
    """Everything that happens, in its order. The same size and seed, the same day."""
    dice = Random(size.seed)  # noqa: S311 - a scenario, not a secret
    planned = [*demand(size, base, dice), *_nodes(size, dice), *_owner_and_operator(size)]
    return sorted(planned, key=lambda each: each.after)


def _window(size: Size, base: datetime, part: float) -> Raw:
    opens = base + size.length * part
    return {
        "start": f"{opens.minute} {opens.hour} * * *",
        "duration": format_duration(size.length / 12),
        "nodes": size.nodes * 3 // 20,
    }


def _nodes(size: Size, dice: Random) -> Iterator[Planned]:
    several = max(size.nodes // 200, 2)
    struck = dice.sample(range(size.nodes), several * 5)
    fates = [Fate.FAILS] * several * 3 + [Fate.QUARANTINED] * several + [Fate.LEAVES] * several
    for number, fate in zip(struck, fates, strict=True):
        moment = size.length * dice.uniform(0.1, 0.75)
        back = moment + size.length * dice.uniform(0.02, 0.12)
        yield Planned(moment, Node(number, fate))
        yield Planned(back, Node(number, Fate.JOINS if fate is Fate.LEAVES else Fate.REPAIRED))
    for number in range(size.nodes, size.nodes + several):
        yield Planned(size.length / 2, Node(number, Fate.JOINS))


def _owner_and_operator(size: Size) -> Iterator[Planned]:
    yield Planned(size.length * 0.6, RaiseFloor(size.raised))
    yield Planned(size.length * 0.45, Operator(FIRST, Turn.KILLED))
    away = timedelta(seconds=_AWAY_SECONDS * size.factor)
    yield Planned(size.length * 0.45 + away, Operator(FIRST, Turn.STARTED))
    yield Planned(size.length * 0.65, Operator(SECOND, Turn.STARTED))
    yield Planned(size.length * 0.75, Operator(SECOND, Turn.KILLED))
