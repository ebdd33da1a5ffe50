"""The status of a pool: its nodes counted, and when one is next free."""

from datetime import datetime
from typing import Any

from sublet.api.pool import GPUPool
from sublet.api.reasons import ConditionType, Reason
from sublet.api.scalars import format_timestamp
from sublet.plan.observed import PoolView
from sublet.plan.supply import holds_nodes
from sublet.plan.translate import gpus_per_node
from sublet.policy import pools

Raw = dict[str, Any]


def report(view: PoolView, now: datetime) -> Raw:
    """The whole status of the pool, as JSON."""
    pool = view.pool
    resource = pool.spec.resource_name
    per_node = gpus_per_node(view.nodes, resource)
    healthy = [n for n in view.nodes if n.ready and n.allocatable.get(resource, 0) == per_node > 0]
    leased = {n.name for n in view.nodes if n.lease is not None}
    reserved = {name for lease in view.leases if holds_nodes(lease) for name in lease.status.nodes} - leased
    cleaning = {n.name for n in view.nodes if n.reusable_at is not None and n.reusable_at > now} - leased
    free = [n for n in healthy if n.name not in leased | reserved | cleaning]
    kept = pool.spec.owner_floor.nodes
    counts = {
        "total": len(view.nodes),
        "healthy": len(healthy),
        "forSale": max(len(healthy) - kept, 0),
        "leased": len(leased),
        "reserved": len(reserved),
        "sanitizing": len(cleaning),
        "quarantined": 0,
    }
    return {
        "nodes": counts,
        "nextFree": _next_free(view, has_free=len(free) > kept, now=now),
        "conditions": [_accepted(view, now)],
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
    objection = pools.judge(view.pool)
    if objection is not None:
        status, reason, message = "False", objection.reason, objection.message
    else:
        status, reason, message = "True", Reason.ACCEPTED, "the pool can be sold from"
    known = {condition.type: condition for condition in view.pool.status.conditions}
    before = known.get(ConditionType.ACCEPTED.value)
    since = before.last_transition_time if before is not None and before.status == status else now
    return {
        "type": ConditionType.ACCEPTED.value,
        "status": status,
        "reason": reason.value,
        "message": message,
        "lastTransitionTime": format_timestamp(since),
        "observedGeneration": view.pool.metadata.generation,
    }


def is_news(pool: GPUPool, status: Raw) -> bool:
    """Whether a status says more than the one the pool has."""
    known = dict.fromkeys(status) | pool.status.dump()
    return any(known[key] != value for key, value in status.items())
