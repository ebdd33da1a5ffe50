"""The supply of a pool: which of its nodes can be promised to somebody, and from when."""

from dataclasses import dataclass

from sublet.api.lease import GPULease
from sublet.calendar.interval import Interval
from sublet.calendar.ledger import Booking
from sublet.plan.observed import NodeSeen, PoolView
from sublet.plan.translate import gpus_per_node


@dataclass(frozen=True)
class Supply:
    """What a pool has to sell.

    Attributes:
        per_node: GPUs of one node.
        offered: The nodes that may be booked, by name.
        cleaning: The gaps after leases that are over, as bookings of nobody.
    """

    per_node: int
    offered: tuple[str, ...]
    cleaning: tuple[Booking, ...]


def supply_of(view: PoolView) -> Supply:
    """The supply as it is seen: sound nodes, less what the owner keeps."""
    resource = view.pool.spec.resource_name
    per_node = gpus_per_node(view.nodes, resource)
    claims = {(None, None), *((lease.metadata.name, lease.metadata.uid) for lease in view.leases if holds_nodes(lease))}

    def is_sound(node: NodeSeen) -> bool:
        """Healthy, whole, and not claimed by a lease that nobody knows."""
        known = (node.lease, node.lease_uid) in claims
        return node.ready and known and node.allocatable.get(resource, 0) == per_node > 0

    offered = tuple(node.name for node in _not_kept(view) if is_sound(node))
    return Supply(per_node, offered, _cleaning(view))


def holds_nodes(lease: GPULease) -> bool:
    """Whether the lease holds nodes in the calendar."""
    return lease.status.starts_at is not None and lease.status.released_at is None


def _not_kept(view: PoolView) -> list[NodeSeen]:
    """The nodes that are for sale: the owner keeps the last ones by name among those that nobody holds."""
    kept = view.pool.spec.owner_floor.nodes
    held = {name for lease in view.leases if holds_nodes(lease) for name in lease.status.nodes}
    free = [node for node in view.nodes if node.name not in held]
    sold = [node for node in view.nodes if node.name in held]
    return sorted((*sold, *free[: max(len(free) - kept, 0)]), key=lambda node: node.name)


def _cleaning(view: PoolView) -> tuple[Booking, ...]:
    """The nodes themselves remember until when they are kept free."""
    gap = view.pool.spec.schedule.cleaning_gap
    return tuple(
        Booking("", (node.name,), Interval(node.reusable_at - gap, node.reusable_at - gap))
        for node in view.nodes
        if node.reusable_at is not None
    )
