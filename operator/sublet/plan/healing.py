"""Healing: a booked node that fails is written down, replaced when it stays away, and its time is credited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease, Outage
from sublet.api.pool import GPUPool
from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.healing import replacement
from sublet.plan.observed import NodeSeen
from sublet.plan.supply import PATIENCE, is_healthy
from sublet.plan.translate import together_of

Raw = dict[str, Any]

_MOST_OUTAGES = 200
"""As many as the status holds."""


@dataclass(frozen=True)
class Ward:
    """The nodes of a pool, as far as their health is concerned.

    Attributes:
        pool: The pool.
        nodes: Its nodes by name.
    """

    pool: GPUPool
    nodes: Mapping[str, NodeSeen]

    def is_lost(self, name: str) -> bool:
        """Whether there is nothing to wait for: the node is gone, or its owner keeps it from use."""
        node = self.nodes.get(name)
        return node is None or node.quarantined

    def is_sound(self, name: str, gpus: int, since: datetime) -> bool:
        """Whether the node is healthy, or was until after `since`, with the GPUs that were promised.

        That another node of the pool has more of them is no failure of this one.
        """
        node = self.nodes.get(name)
        has = node.allocatable.get(self.pool.spec.resource_name, 0) if node is not None else 0
        return node is not None and is_healthy(node, self.pool.spec.resource_name, max(has, gpus), since)

    def near(self, name: str, others: Iterable[str]) -> str:
        """A node that tells where `name` lies or lay: one that is gone has taken its labels along."""
        return name if name in self.nodes else next((other for other in others if other in self.nodes), name)


def heal(lease: GPULease, booking: Booking, ward: Ward, calendar: Calendar, now: datetime) -> Raw | None:
    """The change of status for a booked lease whose nodes failed or came back; None if nothing is to change.

    What takes the place of a failed node is booked in `calendar`. A lease that has not begun is only moved.
    """
    if lease.status.ended_at is not None or now >= booking.interval.end:
        return None
    begun = now >= booking.interval.start
    gpus = (lease.status.gpus or 0) // max(len(booking.nodes), 1)
    outages = _outages(lease, ward, gpus, now) if begun else {}
    nodes = list(booking.nodes)
    for index, name in enumerate(booking.nodes):
        outage = outages.get(name)
        since = outage.start if outage is not None else now
        stays_away = now - since >= PATIENCE if begun else not ward.is_sound(name, gpus, now - PATIENCE)
        if not ward.is_lost(name) and not stays_away:
            continue
        near = ward.near(name, booking.nodes)
        found = replacement(calendar, booking, near, now, together_of(lease, ward.pool))
        if found is None:
            continue
        calendar.book(found)
        nodes[index] = found.nodes[0]
        if outage is not None:
            outages[name] = outage.model_copy(update={"end": now})
    closed = [outage for outage in lease.status.outages if outage.end is not None]
    written = _as_many_as_fit([*closed, *outages.values()], now)
    change: Raw = {}
    if tuple(nodes) != booking.nodes:
        change["nodes"] = nodes
    if written != lease.status.outages:
        change["outages"] = [outage.dump() for outage in written]
    return change or None


def _as_many_as_fit(outages: Iterable[Outage], now: datetime) -> tuple[Outage, ...]:
    """The outages in order of time; of too many the longest, and before them those that last, which are acted on."""
    weighed = sorted(outages, key=lambda o: (o.end is not None, o.start - (o.end or now), o.node))
    return tuple(sorted(weighed[:_MOST_OUTAGES], key=lambda o: (o.start, o.node)))


def _outages(lease: GPULease, ward: Ward, gpus: int, now: datetime) -> dict[str, Outage]:
    """The outages that last or end now, by node."""
    known = {outage.node: outage for outage in lease.status.outages if outage.end is None}
    found: dict[str, Outage] = {}
    for name in lease.status.nodes:
        outage = known.pop(name, None)
        if ward.is_sound(name, gpus, now):
            if outage is not None:
                found[name] = outage.model_copy(update={"end": now})
        else:
            found[name] = outage or Outage(node=name, gpus=gpus, start=_began(lease, ward.nodes.get(name), now))
    # What is no longer booked is nobody's loss any more.
    return found | {name: outage.model_copy(update={"end": now}) for name, outage in known.items()}


def _began(lease: GPULease, node: NodeSeen | None, now: datetime) -> datetime:
    """Since when a node is missed: since it ceased to be ready, where that is known, and not before the lease began."""
    starts_at = lease.status.starts_at or now
    since = node.changed_at if node is not None and not node.ready and node.changed_at is not None else now
    return max(starts_at, min(since, now))
