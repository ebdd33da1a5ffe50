"""The supply of a pool: which of its nodes can be promised to somebody, from when, and what the owner keeps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sublet.api.lease import GPULease, GPULeaseSpec
from sublet.api.reasons import ConditionType, Reason
from sublet.calendar.booking import Booking, Node
from sublet.calendar.calendar import Calendar
from sublet.calendar.floor import Floor
from sublet.calendar.interval import Interval
from sublet.plan.observed import NodeSeen, PoolView
from sublet.plan.translate import booking_of, gpus_per_node
from sublet.policy.times import booked_end, fixed_start, furthest_end, wanted_end
from sublet.policy.windows import floor_of

PATIENCE = timedelta(minutes=5)
"""How long a failed node is waited for before anything is decided on its account. The same time for which Kubernetes
leaves pods on a node that is not ready (`--default-not-ready-toleration-seconds`)."""


@dataclass(frozen=True)
class Supply:
    """What a pool has to sell.

    Attributes:
        per_node: GPUs of one node.
        nodes: Every node of the pool, by name; one that may not be booked now is not sound.
        cleaning: The gaps after leases that are over, and the time for which a failed node is waited for, as bookings
            of nobody.
        floor: What the owner keeps.
        gap: Cleaning after every booking.
        last_start: By then every booking is over, and the owner's windows are known not much further: what would have
            to begin later, though nobody stood before it, never can.
    """

    per_node: int
    nodes: tuple[Node, ...]
    cleaning: tuple[Booking, ...]
    floor: Floor
    gap: timedelta
    last_start: datetime

    def calendar(self, bookings: Iterable[Booking]) -> Calendar:
        """The calendar of the pool with what is booked, and the nodes that are being cleaned."""
        return Calendar(self.nodes, self.gap, self.floor, [*bookings, *self.cleaning])

    def repaired(self) -> "Supply":
        """The same, as if every node were sound: what does not fit even then never will."""
        return replace(self, nodes=tuple(replace(node, sound=True) for node in self.nodes))


def supply_of(view: PoolView, now: datetime) -> Supply:
    """The supply as it is seen. A node that is not ready is waited for: it is to be had once that is over."""
    last_start = _last_start(view, now)
    return Supply(
        per_node=gpus_per_node(view.nodes, view.pool.spec.resource_name),
        nodes=_nodes(view, now - PATIENCE),
        cleaning=(*_cleaning(view), *_waited_for(view, now)),
        floor=floor_of(view.pool.spec.owner_floor, now, _sold_until(view, last_start, now)),
        gap=view.pool.spec.schedule.cleaning_gap,
        last_start=last_start,
    )


def _nodes(view: PoolView, since: datetime) -> tuple[Node, ...]:
    """The nodes of the pool; one that was ready until after `since` counts as ready."""
    resource = view.pool.spec.resource_name
    per_node = gpus_per_node(view.nodes, resource)
    held: dict[tuple[str | None, str | None], set[str]] = {
        (lease.metadata.name, lease.metadata.uid): {*lease.status.nodes} for lease in view.leases if holds_nodes(lease)
    }

    def is_sound(node: NodeSeen) -> bool:
        """Whole, and not claimed by a lease that nobody knows or that gave it up for another node."""
        claim = (node.lease, node.lease_uid)
        known = claim == (None, None) or node.name in held.get(claim, ())
        return known and is_healthy(node, resource, per_node, since)

    levels = view.pool.spec.topology
    return tuple(Node(n.name, tuple(n.labels.get(key, "") for key in levels), is_sound(n)) for n in view.nodes)


def is_healthy(node: NodeSeen, resource: str, per_node: int, since: datetime) -> bool:
    """Whether a node can carry a lease: it is ready, or was at `since`, with all its GPUs, and not quarantined."""
    return was_ready(node, since) and not node.quarantined and node.allocatable.get(resource, 0) == per_node > 0


def was_ready(node: NodeSeen, since: datetime) -> bool:
    """Whether a node is ready, or was until after `since`."""
    return node.ready or (node.changed_at is not None and node.changed_at > since)


def holds_nodes(lease: GPULease) -> bool:
    """Whether the lease holds nodes in the calendar."""
    return lease.status.starts_at is not None and lease.status.released_at is None


def waits(lease: GPULease) -> bool:
    """Whether the lease stands in the queue: it still wants nodes, and is accepted as it is written now."""
    status, metadata = lease.status, lease.metadata
    is_over = status.ended_at is not None or metadata.deletion_timestamp is not None or lease.spec.release
    # That there is no room for it is the queue's own finding, and looked into anew.
    is_accepted = any(
        c.type == ConditionType.ACCEPTED.value
        and (c.status == "True" or c.reason == Reason.NO_ROOM.value)
        and c.observed_generation == metadata.generation
        for c in status.conditions
    )
    return status.starts_at is None and not is_over and is_accepted


def held_by(lease: GPULease, nodes: Mapping[str, NodeSeen]) -> tuple[str, ...]:
    """The nodes that the lease holds: those that were booked, and of a lease that is over those not yet given back.

    One node may be free again while another one is still being cleaned.
    """
    if not holds_nodes(lease):
        return ()
    if lease.status.ended_at is None:
        return lease.status.nodes
    uid = lease.metadata.uid
    return tuple(name for name in lease.status.nodes if (node := nodes.get(name)) and node.lease_uid == uid)


def bookings_of(view: PoolView, now: datetime) -> dict[str, Booking]:
    """What the calendar holds, by lease."""
    nodes = {node.name: node for node in view.nodes}
    found = ((booking_of(lease, now), held_by(lease, nodes)) for lease in view.leases)
    return {booking.lease: replace(booking, nodes=held) for booking, held in found if booking is not None and held}


def _sold_until(view: PoolView, last_start: datetime, now: datetime) -> datetime:
    """No booking, made or to be made, reaches further than this: so far the owner's windows matter."""
    terms, gap = view.pool.spec.terms, view.pool.spec.schedule.cleaning_gap
    extended = [
        min(booked_end(lease), furthest_end(lease, view.pool))
        for lease in view.leases
        if holds_nodes(lease) and lease.spec.extendable_until is not None
    ]
    asked = [_latest_end(lease.spec, last_start, now) for lease in view.leases if waits(lease)]
    return max([last_start + terms.min_duration, *extended, *asked]) + gap


def _latest_end(spec: GPULeaseSpec, last_start: datetime, now: datetime) -> datetime:
    """No end of a lease that waits lies later, nor one of the same length that is offered in its place."""
    first = fixed_start(spec) or now
    last = max(last_start, spec.latest_start or first)
    return last + (wanted_end(spec, first) - first)


def _last_start(view: PoolView, now: datetime) -> datetime:
    gap = view.pool.spec.schedule.cleaning_gap
    booked = [booking.interval.end for lease in view.leases if (booking := booking_of(lease, now)) is not None]
    return max([now + view.pool.spec.terms.horizon, *(end + gap for end in booked)])


def _cleaning(view: PoolView) -> tuple[Booking, ...]:
    """The nodes themselves remember until when they are kept free."""
    gap = view.pool.spec.schedule.cleaning_gap
    return tuple(
        Booking("", (node.name,), Interval(node.reusable_at - gap, node.reusable_at - gap))
        for node in view.nodes
        if node.reusable_at is not None
    )


def _waited_for(view: PoolView, now: datetime) -> Iterator[Booking]:
    """The nodes that failed a moment ago and that nobody holds: none is given to anybody before they are back.

    They are in the plan all the same. Without them somebody further back in the queue would get nodes for a month that
    the first one is to have tonight.
    """
    gap = view.pool.spec.schedule.cleaning_gap
    for node in view.nodes:
        if node.ready or node.lease is not None or node.changed_at is None or not was_ready(node, now - PATIENCE):
            continue
        until = node.changed_at + PATIENCE - gap
        yield Booking("", (node.name,), Interval(min(node.changed_at, until), until))
