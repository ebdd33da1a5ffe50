"""The bridge between the API's words and the calendar's, and from a booked lease to its tenancy."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sublet.api.lease import GPULease, PlacementMode, Quote, Term
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_timestamp
from sublet.calendar.booking import Booking, Request, Together
from sublet.calendar.interval import Interval
from sublet.calendar.lifecycle import Stage
from sublet.desired import naming
from sublet.desired.tenancy import Allowed, Capacity, Egress, Tenancy
from sublet.plan.observed import NodeSeen
from sublet.policy import storage
from sublet.policy.times import fixed_end, fixed_start, shortest_worth_booking

_HOUR = Decimal(3600)

_NOT_YET_FREE = timedelta(seconds=10)
"""How long it is taken to last, at first, until a node is emptied and cleaned. Once it is, plans are made anew."""


def gpus_per_node(nodes: Iterable[NodeSeen], resource_name: str) -> int:
    """GPUs of one node of the pool: the largest count seen, so that a node that lost some does not shrink it."""
    return max((node.allocatable.get(resource_name, 0) for node in nodes), default=0)


def node_count(lease: GPULease, per_node: int) -> int | None:
    """How many nodes the lease wants; None if its GPUs do not fill whole nodes of `per_node` each."""
    if lease.spec.nodes is not None:
        return lease.spec.nodes
    gpus = lease.spec.gpus or 0
    return gpus // per_node if per_node and gpus % per_node == 0 else None


def request_of(lease: GPULease, pool: GPUPool, nodes: int) -> Request:
    """What an unbooked lease asks of the calendar, for that many nodes.

    The end of a lease with a fixed start stays where it is, also if it starts late.
    """
    spec, end = lease.spec, fixed_end(lease.spec)
    return Request(
        lease=lease.metadata.name,
        nodes=nodes,
        start=fixed_start(spec),
        duration=spec.duration if end is None else None,
        end=end,
        shortest=shortest_worth_booking(lease, pool),
        latest_start=spec.latest_start,
        firm=spec.term is Term.FIRM,
        together=together_of(lease, pool),
    )


def together_of(lease: GPULease, pool: GPUPool) -> Together | None:
    """The lease's wish to have its nodes in one block; None if it has none, or the pool no such level (any more)."""
    wish = lease.spec.placement
    if wish is None or wish.level not in pool.spec.topology:
        return None
    return Together(pool.spec.topology.index(wish.level), required=wish.mode is PlacementMode.REQUIRED)


def booking_of(lease: GPULease, now: datetime) -> Booking | None:
    """What the calendar holds for a lease; None if nothing, or nothing any more.

    A lease that is not given back yet holds its nodes, however long ago it should have ended, and for a while to come:
    also in a pool without a cleaning gap nobody is booked onto a node that is not free.
    """
    status = lease.status
    if status.starts_at is None or status.ends_at is None or status.released_at is not None:
        return None
    end = status.ended_at or status.ends_at
    held_until = now if status.ended_at is None else _given_back(status.ended_at, now)
    interval = Interval(status.starts_at, max(end, held_until, status.starts_at))
    firm, movable = lease.spec.term is Term.FIRM, lease.spec.placement is None
    return Booking(lease.metadata.name, status.nodes, interval, firm=firm, movable=movable)


def _given_back(ended: datetime, now: datetime) -> datetime:
    """When a lease that is over is expected to be given back.

    The estimate doubles whenever it is overtaken, and stays as it is between: an answer with a time that runs would be
    news on every pass, and what took days may take days yet.
    """
    away = _NOT_YET_FREE
    while ended + away <= now:
        away *= 2
    return ended + away


def tenancy_of(
    lease: GPULease,
    pool: GPUPool,
    nodes: Iterable[NodeSeen],
    stage: Stage,
    tenant_role: str,
    *,
    has_cluster_policies: bool,
    classes: storage.Classes,
) -> Tenancy:
    """The tenancy of a booked lease at a stage of its life."""
    status, spec, isolation = lease.status, lease.spec, pool.spec.isolation
    # Only a booked lease is rendered.
    assert status.starts_at is not None  # noqa: S101
    assert status.ends_at is not None  # noqa: S101
    suspended = spec.suspend
    return Tenancy(
        lease=lease.metadata.name,
        uid=lease.metadata.uid,
        pool=spec.pool,
        tenant=spec.tenant.name,
        contact=spec.tenant.contact or "",
        subjects=tuple((subject.kind.value, subject.name) for subject in spec.tenant.subjects),
        tenant_role=tenant_role,
        namespaces=naming.namespace_names(lease.metadata.name, spec.namespaces),
        nodes=status.nodes,
        gpus=status.gpus or 0,
        capacity=_capacity(nodes, pool.spec.resource_name),
        resource_name=pool.spec.resource_name,
        allowed=Allowed(
            registries=isolation.registries,
            runtime_classes=isolation.runtime_classes,
            storage_classes=storage.offered(isolation, classes),
            priority_classes=isolation.priority_classes,
            device_classes=isolation.device_classes,
        ),
        pod_security=(isolation.pod_security.level.value, isolation.pod_security.version),
        dns_namespace=isolation.dns.namespace,
        dns_labels=isolation.dns.pod_labels,
        egress=Egress(
            asked=spec.network.egress if spec.network else (),
            allowed=isolation.egress,
            cluster=isolation.cluster_cidrs,
        ),
        has_cluster_policies=has_cluster_policies,
        starts_at=status.starts_at,
        drain_at=status.drain_at or status.ends_at,
        ends_at=status.ends_at,
        hard_stop_at=status.hard_stop_at or status.ends_at,
        admits_pods=not suspended and stage is not Stage.DRAINING,
        grants_access=not suspended,
    )


def _capacity(nodes: Iterable[NodeSeen], resource_name: str) -> Capacity:
    seen = tuple(nodes)

    def total(resource: str) -> int:
        return sum(node.allocatable.get(resource, 0) for node in seen)

    return Capacity(
        gpus=total(resource_name),
        cpu_millis=total("cpu"),
        memory_bytes=total("memory"),
        ephemeral_storage_bytes=total("ephemeral-storage"),
        pods=total("pods"),
    )


def promise(lease: GPULease, pool: GPUPool, start: datetime, end: datetime, gpus: int) -> dict[str, Any]:
    """The part of a booked lease's status that follows from its start and end."""
    schedule = pool.spec.schedule
    quote = quote_of(lease, pool, gpus, end - start)
    # An early end leaves nothing to extend: others are promised the nodes after it.
    hard_stop = end if lease.status.early_end is not None else max(end, lease.spec.extendable_until or end)
    return {
        "startsAt": format_timestamp(start),
        "drainAt": format_timestamp(max(start, end - schedule.drain_before)),
        "endsAt": format_timestamp(end),
        "hardStopAt": format_timestamp(hard_stop),
        "reusableAt": format_timestamp(end + schedule.cleaning_gap),
        "quote": quote.dump() if quote else None,
    }


def quote_of(lease: GPULease, pool: GPUPool, gpus: int, length: timedelta) -> Quote | None:
    """The price of `gpus` for `length`, exact until the amount is rounded to cents; None without a price."""
    agreed = _price_of(lease, pool)
    if agreed is None:
        return None
    currency, price = agreed
    seconds = gpus * int(length.total_seconds())
    return Quote(
        currency=currency,
        gpu_hours=(Decimal(seconds) / _HOUR).quantize(Decimal("0.000001"), ROUND_HALF_UP),
        amount=amount_of(seconds, price),
        price_per_gpu_hour=price,
    )


def _price_of(lease: GPULease, pool: GPUPool) -> tuple[str, Decimal] | None:
    """Currency and price of a GPU for an hour: as agreed when the lease was booked, else as the pool has it now."""
    status, pricing = lease.status, pool.spec.pricing
    if status.starts_at is not None:
        return (status.quote.currency, status.quote.price_per_gpu_hour) if status.quote is not None else None
    if pricing is None:
        return None
    cheaper = pricing.interruptible if lease.spec.term is Term.INTERRUPTIBLE else None
    return pricing.currency, pricing.firm if cheaper is None else cheaper


def amount_of(gpu_seconds: int, price_per_gpu_hour: Decimal) -> Decimal:
    """The price of that many GPU-seconds, exact until it is rounded to cents."""
    return (gpu_seconds * price_per_gpu_hour / _HOUR).quantize(Decimal("0.01"), ROUND_HALF_UP)
