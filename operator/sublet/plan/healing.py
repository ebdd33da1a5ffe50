"""Healing: a booked node that fails is written down, replaced when it stays away, and its time is credited."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease, Outage, OutageReason
from sublet.api.pool import GPUPool
from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.healing import replacement
from sublet.plan.observed import NodeSeen
from sublet.plan.supply import PATIENCE, was_ready
from sublet.plan.translate import together_of

Raw = dict[str, Any]

_LISTED = 200
"""So many outages that are over are listed one by one."""

_MOST = 4_000
"""As many outages as the status can hold: with the names of 10,000 nodes they stay below the 1.5 MiB of etcd."""


@dataclass(frozen=True)
class Ward:
    """The nodes of a pool, as far as their health is concerned.

    Attributes:
        pool: The pool.
        nodes: Its nodes by name.
        per_node: GPUs of one node, as many as any of them has.
    """

    pool: GPUPool
    nodes: Mapping[str, NodeSeen]
    per_node: int

    def is_lost(self, name: str) -> bool:
        """Whether there is nothing to wait for: the node is gone, or its owner keeps it from use."""
        node = self.nodes.get(name)
        return node is None or node.quarantined

    def ailment(self, name: str, gpus: int, since: datetime) -> OutageReason | None:
        """Why the node cannot be used, nor could after `since`; None if it can, with the GPUs that were promised.

        That another node of the pool has more of them is no failure of this one.
        """
        node = self.nodes.get(name)
        if node is None:
            return OutageReason.GONE
        if node.quarantined:
            return OutageReason.QUARANTINED
        if not was_ready(node, since):
            return OutageReason.NOT_READY
        return OutageReason.GPUS_MISSING if node.allocatable.get(self.pool.spec.resource_name, 0) < gpus else None

    def near(self, name: str, others: Iterable[str]) -> str | None:
        """A node that tells where `name` lies or lay, since one that is gone has taken its labels along.

        None if all are gone.
        """
        return next((node for node in (name, *others) if node in self.nodes), None)


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
    # Where no node has as many GPUs as were promised, no other one is any better.
    is_curable = ward.per_node >= gpus
    for index, name in enumerate(booking.nodes):
        outage = outages.get(name)
        if begun:
            stays_away = outage is not None and outage.end is None and now - outage.start >= PATIENCE
        else:
            stays_away = ward.ailment(name, gpus, now - PATIENCE) is not None
        if not is_curable or not (ward.is_lost(name) or stays_away):
            continue
        found = replacement(calendar, booking, ward.near(name, nodes), now, together_of(lease, ward.pool))
        if found is None:
            continue
        calendar.book(found)
        nodes[index] = found.nodes[0]
        if outage is not None:
            outages[name] = outage.model_copy(update={"end": now})
    moved = {"nodes": nodes} if tuple(nodes) != booking.nodes else {}
    return {**moved, **_written_down(lease, outages.values(), nodes, now)} or None


def _written_down(lease: GPULease, outages: Iterable[Outage], nodes: Collection[str], now: datetime) -> Raw:
    """What changes in the status with the outages that last or end now, for a lease that is to have `nodes`."""
    status = lease.status
    listed, unlisted = _listed([*(o for o in status.outages if o.end is not None), *outages], nodes)
    change: Raw = {"outages": [outage.dump() for outage in listed]} if listed != status.outages else {}
    if unlisted:
        ready = status.ready_at or status.active_at or now
        more = sum(missed_seconds(outage, ready, now) for outage in unlisted)
        change["unlistedOutageGPUSeconds"] = status.unlisted_outage_gpu_seconds + more
    return change


def missed_seconds(outage: Outage, ready_at: datetime, until: datetime) -> int:
    """The GPU-seconds of an outage up to `until`. What was missing before everything was in place is its own credit."""
    length = min(outage.end or until, until) - max(outage.start, ready_at)
    return outage.gpus * max(int(length.total_seconds()), 0)


def _listed(outages: Iterable[Outage], nodes: Collection[str]) -> tuple[tuple[Outage, ...], Sequence[Outage]]:
    """The outages to list, in order of time, and those that are over and too many: the ones that were over first.

    An outage of a node that was given up stays listed as long as there is room: by it the node is known. Of those that
    last, the latest are left out if there is none; they are found anew.
    """
    known = sorted(outages, key=lambda o: (o.end is None, o.end or o.start, o.start, o.node))
    over = [outage for outage in known if outage.end is not None]
    held = [outage for outage in over if outage.node in nodes]
    given_up = [outage for outage in over if outage.node not in nodes]
    too_many = max(min(len(over) - _LISTED, len(held)), len(known) - _MOST, 0)
    unlisted = [*held, *given_up][:too_many]
    dropped = {id(outage) for outage in unlisted}
    listed = sorted((o for o in known if id(o) not in dropped), key=lambda o: (o.start, o.node))
    return tuple(listed[:_MOST]), unlisted


def _outages(lease: GPULease, ward: Ward, gpus: int, now: datetime) -> dict[str, Outage]:
    """The outages that last or end now, by node."""
    known = {outage.node: outage for outage in lease.status.outages if outage.end is None}
    found: dict[str, Outage] = {}
    for name in lease.status.nodes:
        outage = known.pop(name, None)
        reason = ward.ailment(name, gpus, now)
        if reason is not None:
            begun = outage or Outage(node=name, gpus=gpus, start=_began(lease, ward.nodes.get(name), now))
            # What it lacks last is what it must get back: a node that was not ready may come back without its GPUs.
            found[name] = begun.model_copy(update={"reason": reason})
        elif outage is not None:
            found[name] = outage.model_copy(update={"end": _came_back(outage, ward.nodes[name], now)})
    # What is no longer booked is nobody's loss any more.
    return found | {name: outage.model_copy(update={"end": now}) for name, outage in known.items()}


def _began(lease: GPULease, node: NodeSeen | None, now: datetime) -> datetime:
    """Since when a node is missed: since it ceased to be ready, where that is known, and not before the lease began."""
    starts_at = lease.status.starts_at or now
    since = node.changed_at if node is not None and not node.ready and node.changed_at is not None else now
    return max(starts_at, min(since, now))


def _came_back(outage: Outage, node: NodeSeen, now: datetime) -> datetime:
    """When a node was to be had again: when it turned ready, if that was what it lacked. Nobody notes other ends."""
    noted = node.changed_at if outage.reason is OutageReason.NOT_READY else None
    # A kubelet stamps with its own clock. Where that cannot be right, the tenant gets the benefit.
    return noted if noted is not None and outage.start < noted < now else now


def outages_of(lease: GPULease, nodes: Mapping[str, NodeSeen | None], until: datetime) -> Iterator[Outage]:
    """The outages of a lease that ended at `until`, with what its nodes tell and no planning pass wrote down.

    That is a node that came back since, and one that is not ready since before the end.
    """
    lasting = {outage.node for outage in lease.status.outages if outage.end is None}
    for outage in lease.status.outages:
        node = nodes.get(outage.node) if outage.end is None else None
        is_back = node is not None and node.ready and outage.reason is OutageReason.NOT_READY
        yield outage.model_copy(update={"end": _came_back(outage, node, until)}) if node and is_back else outage
    gpus = (lease.status.gpus or 0) // max(len(lease.status.nodes), 1)
    for name in lease.status.nodes:
        node = nodes.get(name)
        if name not in lasting and node is not None and not node.ready and (node.changed_at or until) < until:
            yield Outage(node=name, gpus=gpus, reason=OutageReason.NOT_READY, start=_began(lease, node, until))
