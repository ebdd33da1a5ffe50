"""Reservations that lie so that a third one fits between them only if one of them moves to the other's node."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.apiserver.site import Site

Raw = dict[str, Any]

_TIMES = {"early": (2.0, "2h"), "aside": (3.0, "90m"), "late": (4.6, "2h")}
"""In how many hours, and for how long."""


@dataclass(frozen=True)
class Spot:
    """Where and when a lease is booked."""

    nodes: tuple[str, ...]
    start: datetime
    end: datetime


def spot_of(lease: Raw) -> Spot:
    """The booking that a lease's status tells of."""
    status = lease["status"]
    start, end = (datetime.fromisoformat(status[key]) for key in ("startsAt", "endsAt"))
    return Spot(tuple(status["nodes"]), start, end)


async def reservations_apart(site: Site, tag: str = "") -> dict[str, Spot]:
    """Reserve two hours early and two hours late, on different nodes of a pool of two.

    The three hours from one hour after the start of the early one are then free on neither node. A third
    reservation, which is released again, keeps the late one from the early one's node.

    Args:
        site: With an operator and a pool of two nodes.
        tag: Put at the end of the leases' names.
    """
    now = site.clock.now()
    spots = {}
    for name, (hours, duration) in _TIMES.items():
        start = (now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await site.lease(f"{name}{tag}", nodes=1, start=start, duration=duration)
        spots[f"{name}{tag}"] = spot_of(await site.reach(f"{name}{tag}", "Reserved"))
    await site.edit(f"aside{tag}", release=True)
    await site.reach(f"aside{tag}", "Ended")
    del spots[f"aside{tag}"]
    early, late = spots.values()
    assert early.nodes != late.nodes
    return spots
