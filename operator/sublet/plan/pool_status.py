"""The status of a pool: its nodes counted, when one is next free, and whether the owner has what is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sublet.api.pool import GPUPool
from sublet.api.reasons import ConditionType, Reason
from sublet.api.scalars import format_timestamp
from sublet.calendar.interval import Interval, instant
from sublet.calendar.reclaim import Shortfall
from sublet.calendar.slots import FOREVER
from sublet.plan.observed import PoolView
from sublet.plan.supply import held_by, is_healthy
from sublet.plan.translate import booking_of, gpus_per_node
from sublet.policy import pools
from sublet.policy.windows import kept_at

Raw = dict[str, Any]


def report(view: PoolView, short: Sequence[Shortfall], now: datetime) -> Raw:
    """The whole status of the pool, as JSON; `short` is when the owner lacks nodes."""
    pool = view.pool
    resource = pool.spec.resource_name
    per_node = gpus_per_node(view.nodes, resource)
    healthy = [n for n in view.nodes if is_healthy(n, resource, per_node, now)]
    claimed = {n.name for n in view.nodes if n.lease is not None}
    dirty = {n.name for n in view.nodes if n.sanitizing_after is not None}
    leased = claimed - dirty
    by_name = {node.name: node for node in view.nodes}
    reserved = {name for lease in view.leases for name in held_by(lease, by_name)} - claimed
    cleaning = dirty | {n.name for n in view.nodes if n.reusable_at is not None and n.reusable_at > now} - claimed
    taken = leased | reserved | cleaning
    free = [n for n in healthy if n.name not in taken]
    kept = kept_at(pool.spec.owner_floor, now)
    counts = {
        "total": len(view.nodes),
        "healthy": len(healthy),
        "forSale": max(len(healthy) - kept, 0),
        "leased": len(leased),
        "reserved": len(reserved),
        "sanitizing": len(cleaning),
        "quarantined": sum(node.quarantined for node in view.nodes),
    }
    return {
        "nodes": counts,
        "nextFree": _next_free(view, has_free=len(free) > kept, now=now),
        "conditions": [_accepted(view, now), _floor_kept(view, short, now)],
        "observedGeneration": pool.metadata.generation,
    }


def _next_free(view: PoolView, *, has_free: bool, now: datetime) -> str | None:
    """None while a node is free now: that is no forecast, and a time that runs on would be news for ever."""
    if has_free:
        return None
    ends = [lease.status.reusable_at for lease in view.leases if lease.status.released_at is None]
    ends += [node.reusable_at for node in view.nodes]
    upcoming = [end for end in ends if end is not None and end > now]
    return format_timestamp(min(upcoming)) if upcoming else None


def _accepted(view: PoolView, now: datetime) -> Raw:
    objection = pools.judge(view.pool, view.classes)
    if objection is not None:
        return _condition(view.pool, ConditionType.ACCEPTED, "False", objection.reason, objection.message, now)
    return _condition(view.pool, ConditionType.ACCEPTED, "True", Reason.ACCEPTED, "the pool can be sold from", now)


def _floor_kept(view: PoolView, short: Sequence[Shortfall], now: datetime) -> Raw:
    """Whether the owner has, and will have, the nodes that are kept."""
    if not short:
        return _condition(view.pool, ConditionType.FLOOR_KEPT, "True", Reason.FLOOR_KEPT, "", now)
    first = short[0]
    since = "now" if first.interval.start <= now else format_timestamp(first.interval.start)
    until = "on" if first.interval.end >= instant(FOREVER) else f"to {format_timestamp(first.interval.end)}"
    missing = f"{first.nodes} node{'s' if first.nodes > 1 else ''}"
    why = (
        "what is leased then is firm, or has its notice still to run"
        if _is_leased(view, first.interval, now)
        else "the pool has too few sound nodes, and none is leased then; add some, or lower spec.ownerFloor"
    )
    message = f"{missing} short of spec.ownerFloor from {since} {until}: {why}"
    return _condition(view.pool, ConditionType.FLOOR_KEPT, "False", Reason.TOO_FEW_NODES, message, now)


def _is_leased(view: PoolView, within: Interval, now: datetime) -> bool:
    """Whether a lease, or the cleaning after it, keeps a node of the pool at some time."""
    gap = view.pool.spec.schedule.cleaning_gap
    bookings = (booking_of(lease, now) for lease in view.leases)
    return any(booking.interval.then(gap).overlaps(within) for booking in bookings if booking is not None)


def _condition(pool: GPUPool, kind: ConditionType, status: str, reason: Reason, message: str, now: datetime) -> Raw:
    known = {condition.type: condition for condition in pool.status.conditions}
    before = known.get(kind.value)
    since = before.last_transition_time if before is not None and before.status == status else now
    return {
        "type": kind.value,
        "status": status,
        "reason": reason.value,
        "message": message,
        "lastTransitionTime": format_timestamp(since),
        "observedGeneration": pool.metadata.generation,
    }


def is_news(pool: GPUPool, status: Raw) -> bool:
    """Whether a status says more than the one the pool has."""
    known = dict.fromkeys(status) | pool.status.dump()
    return any(known[key] != value for key, value in status.items())
