"""What the policy is asked: about a lease in its own pass, and about what could be had in its place."""

from datetime import datetime

from sublet.api.lease import GPULease
from sublet.api.lease_form import objection_to
from sublet.calendar.interval import Interval
from sublet.plan.observed import LeaseView, PoolView
from sublet.plan.translate import gpus_per_node
from sublet.policy.chain import Input
from sublet.policy.rules import judge


def lease_input(view: LeaseView, now: datetime) -> Input:
    """What the policy looks at in a lease's own pass."""
    per_node = gpus_per_node(view.pool_nodes, view.pool.spec.resource_name) if view.pool else 0
    kept = view.pool.spec.owner_floor.nodes if view.pool else 0
    for_sale = max(len(view.pool_nodes) - kept, 0)
    volumes = tuple((volume.name, volume.namespace) for volume in view.volumes)
    return Input(view.lease, view.pool, per_node, for_sale, view.namespaces, now, view.classes, volumes)


def with_nodes(lease: GPULease, nodes: int) -> GPULease:
    """The same lease of so many nodes, before the queue has looked for them."""
    spec = lease.spec.model_copy(update={"nodes": nodes, "gpus": None})
    return lease.model_copy(update={"spec": spec, "status": lease.status.model_copy(update={"queue": None})})


def in_its_place(lease: GPULease, nodes: int, interval: Interval, now: datetime) -> GPULease:
    """The lease that asks for so many nodes at that very time, as if it were written now."""
    start = interval.start if interval.start > now else None
    other = with_nodes(lease, nodes)
    accepted = tuple(c.model_copy(update={"last_transition_time": now}) for c in other.status.conditions)
    times = {"start": start, "latest_start": None, "end": interval.end, "duration": None}
    return other.model_copy(
        update={
            "spec": other.spec.model_copy(update=times),
            "metadata": lease.metadata.model_copy(update={"creation_timestamp": now, "times_written_at": now}),
            "status": other.status.model_copy(update={"conditions": accepted}),
        }
    )


def is_for_sale(lease: GPULease, view: PoolView, now: datetime) -> bool:
    """Whether the API server and the policy would take the lease; its names are not looked at."""
    seen = LeaseView(lease, view.pool, view.nodes, {}, (), {}, view.classes, ())
    return objection_to(lease.spec) is None and judge(lease_input(seen, now)) is None
