"""Planning one pool: which leases are booked now, what the others wait for, and how a change of end is answered.

The single place where bookings are decided. It returns changes of status; nothing is done before they are
recorded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease, Phase
from sublet.api.reasons import ConditionType
from sublet.api.scalars import format_timestamp, parse_timestamp
from sublet.calendar.allocator import Placement, Request, place
from sublet.calendar.interval import Interval
from sublet.calendar.ledger import Booking, Ledger
from sublet.desired import naming
from sublet.plan.extension import answer
from sublet.plan.observed import LeaseView, PoolView
from sublet.plan.supply import Supply, supply_of
from sublet.plan.translate import booking_of, gpus_per_node, node_count, promise, request_of
from sublet.policy import pools
from sublet.policy.chain import Input

Raw = dict[str, Any]


@dataclass(frozen=True)
class StatusChange:
    """A change of one lease's status.

    Attributes:
        lease: The lease as it was seen; the change holds only if nobody wrote since.
        status: The fields to change; None removes one.
    """

    lease: GPULease
    status: Raw


@dataclass(frozen=True)
class PoolPlan:
    """What a planning pass decided.

    Attributes:
        changes: The statuses to change, in the order in which they were decided.
        look_again_at: When the queue may move by the clock alone; None if it cannot.
    """

    changes: tuple[StatusChange, ...]
    look_again_at: datetime | None


def plan_pool(view: PoolView, now: datetime) -> PoolPlan:
    """Decide everything that can be decided at `now`. Same view, same plan.

    A pool that is not accepted sells nothing; the leases that it has are answered all the same.
    """
    supply = supply_of(view)
    changes, booked = _answer_changes_of_end(view, now)
    gap = view.pool.spec.schedule.cleaning_gap
    ledger = Ledger.of(supply.offered, gap, [*booked, *supply.cleaning])
    queue = list(_requests(view, supply)) if pools.judge(view.pool) is None else []
    placements = place((request for _, request in queue), ledger, now)
    for (lease, _), placement in zip(queue, placements, strict=True):
        status = _booked(lease, placement, view, supply, now) if placement.firm else _queued(placement)
        if _differs(lease, status):
            changes.append(StatusChange(lease, status))
    return PoolPlan(tuple(changes), _next_look(view, placements, now))


def _answer_changes_of_end(view: PoolView, now: datetime) -> tuple[list[StatusChange], list[Booking]]:
    """Answer every booked lease whose end is to move, the oldest first; each sees what was granted before it."""
    gap = view.pool.spec.schedule.cleaning_gap
    held = {b.lease: b for lease in view.leases if (b := booking_of(lease, now)) is not None}
    promised = Ledger.of((), gap, held.values())
    changes = []
    for lease in view.leases:
        booking = held.get(lease.metadata.name)
        status = answer(lease, booking, view.pool, promised, now) if booking is not None else None
        if booking is None or status is None:
            continue
        changes.append(StatusChange(lease, status))
        if "endsAt" in status:
            # The later of both ends: a shortening may yet be refused by the API server, and nothing is lost by
            # booking its nodes in the next pass.
            end = max(booking.interval.end, parse_timestamp(status["endsAt"]))
            interval = Interval(booking.interval.start, end)
            held[booking.lease] = replace(booking, interval=interval)
            promised = Ledger.of((), gap, held.values())
    return changes, list(held.values())


def _requests(view: PoolView, supply: Supply) -> Iterator[tuple[GPULease, Request]]:
    """The queue: what waits for capacity, the oldest first."""
    for lease in view.leases:
        nodes = node_count(lease, supply.per_node)
        if nodes is not None and _is_waiting(lease) and _is_accepted(lease):
            yield lease, request_of(lease, view.pool, nodes)


def lease_input(view: LeaseView, now: datetime) -> Input:
    """What the policy looks at in a lease's own pass."""
    per_node = gpus_per_node(view.pool_nodes, view.pool.spec.resource_name) if view.pool else 0
    kept = view.pool.spec.owner_floor.nodes if view.pool else 0
    for_sale = max(len(view.pool_nodes) - kept, 0)
    return Input(view.lease, view.pool, per_node, for_sale, view.namespaces, now)


def is_promised(lease: GPULease) -> bool:
    """Whether the lease has, or had, a booking."""
    return lease.status.starts_at is not None


def _is_waiting(lease: GPULease) -> bool:
    return (
        lease.status.starts_at is None
        and lease.metadata.deletion_timestamp is None
        and not lease.spec.release
        and lease.status.ended_at is None
    )


def _is_accepted(lease: GPULease) -> bool:
    """Whether the lease's own pass, which comes first, found nothing to object to in this very specification."""
    return any(
        c.type == ConditionType.ACCEPTED.value
        and c.status == "True"
        and c.observed_generation == lease.metadata.generation
        for c in lease.status.conditions
    )


def _booked(lease: GPULease, placement: Placement, view: PoolView, supply: Supply, now: datetime) -> Raw:
    booking = placement.booking
    assert booking is not None  # noqa: S101 - a firm placement has a booking
    gpus = len(booking.nodes) * supply.per_node
    phase = Phase.RESERVED if booking.interval.start > now else Phase.PROVISIONING
    return {
        "phase": phase.value,
        "nodes": list(booking.nodes),
        "nodeCount": len(booking.nodes),
        "gpus": gpus,
        "namespaces": list(naming.namespace_names(lease.metadata.name, lease.spec.namespaces)),
        **promise(lease, view.pool, booking.interval.start, booking.interval.end, gpus),
        "queue": None,
    }


def _queued(placement: Placement) -> Raw:
    start = format_timestamp(placement.booking.interval.start) if placement.booking else None
    return {"queue": {"position": placement.position, "earliestStart": start}}


def _differs(lease: GPULease, status: Raw) -> bool:
    if set(status) != {"queue"}:
        return True
    known = lease.status.queue
    return known is None or {"earliestStart": None, **known.dump()} != status["queue"]


def _next_look(view: PoolView, placements: Iterable[Placement], now: datetime) -> datetime | None:
    """When the clock alone changes something: somebody in the queue may start, or a node is clean."""
    moments = [p.booking.interval.start for p in placements if p.booking is not None and not p.firm]
    moments += [node.reusable_at for node in view.nodes if node.reusable_at is not None]
    return min((moment for moment in moments if moment > now), default=None)
