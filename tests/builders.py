"""Builders: valid objects by default, with what a test is about written out.

Fields of a spec may be given by either of their names, `owner_floor` or `ownerFloor`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sublet.api.lease import GPULease, GPULeaseStatus
from sublet.api.pool import GPUPool
from sublet.api.scalars import format_timestamp
from sublet.desired.tenancy import Allowed, Capacity, Egress, Tenancy
from sublet.plan.observed import LeaseView, NodeSeen, PoolView, VolumeSeen
from sublet.policy.storage import Classes

Raw = dict[str, Any]

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""The instant at which the tests stand unless they say otherwise: 2026-12-01T12:00:00Z."""

TWO_NODES = ("gpu-1", "gpu-2")


def at(hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    """An instant counted from noon; a negative number lies before it."""
    return NOON + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def a_pool(name: str = "h100", status: Raw | None = None, **spec: object) -> GPUPool:
    """A pool of nodes with the label `example.com/for-sale: "true"`, without prices."""
    selector = {"matchLabels": {"example.com/for-sale": "true"}}
    metadata = {"name": name, "uid": f"uid-{name}", "generation": 1, "creationTimestamp": format_timestamp(at(-24))}
    return GPUPool.model_validate(
        {"metadata": metadata, "spec": {"nodeSelector": selector, **spec}, "status": status or {}}
    )


def a_lease(
    name: str = "acme-train",
    *,
    created: datetime = NOON,
    deleted: datetime | None = None,
    generation: int = 1,
    status: Raw | None = None,
    **spec: object,
) -> GPULease:
    """A new lease of two nodes for eight hours, as soon as possible; its UID is `uid-` and its name."""
    wanted: Raw = {
        "pool": "h100",
        "tenant": {"name": "acme", "subjects": [{"kind": "User", "name": "oidc:anna@acme.example"}]},
    }
    if "gpus" not in spec:
        wanted["nodes"] = 2
    if "duration" not in spec and "end" not in spec:
        wanted["duration"] = "8h"
    metadata = {
        "name": name,
        "uid": f"uid-{name}",
        "generation": generation,
        "resourceVersion": "7",
        "creationTimestamp": created,
        "deletionTimestamp": deleted,
    }
    return GPULease.model_validate({"metadata": metadata, "spec": wanted | spec, "status": status or {}})


def with_status(lease: GPULease, **status: object) -> GPULease:
    """The lease with some fields of its status changed."""
    known = {name: getattr(lease.status, name) for name in GPULeaseStatus.model_fields}
    return lease.model_copy(update={"status": GPULeaseStatus.model_validate(known | status)})


def written(lease: GPULease, moment: datetime) -> GPULease:
    """The lease whose times and release were last written at a moment, by the API server's clock."""
    metadata = lease.metadata.model_copy(update={"times_written_at": moment, "release_written_at": moment})
    return lease.model_copy(update={"metadata": metadata})


def a_condition(kind: str, status: str = "True", *, since: datetime = NOON, generation: int = 1) -> Raw:
    """A condition as it stands in a status."""
    return {
        "type": kind,
        "status": status,
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": since,
        "observedGeneration": generation,
    }


def queued(lease: GPULease, **status: object) -> GPULease:
    """The lease after its own first pass, which found nothing to object to."""
    accepted = a_condition("Accepted", generation=lease.metadata.generation)
    return with_status(lease, phase="Queued", conditions=(accepted,), **status)


def booked(
    lease: GPULease,
    nodes: Sequence[str] = TWO_NODES,
    start: datetime = NOON,
    end: datetime | None = None,
    **status: object,
) -> GPULease:
    """The lease with a booking of eight hours, a drain of 30 minutes and a cleaning gap of 15 minutes."""
    end = end or start + timedelta(hours=8)
    promise: Raw = {
        "phase": "Provisioning",
        "nodes": tuple(nodes),
        "node_count": len(nodes),
        "gpus": 8 * len(nodes),
        "namespaces": (f"lease-{lease.metadata.name}",),
        "starts_at": start,
        "drain_at": max(start, end - timedelta(minutes=30)),
        "ends_at": end,
        "hard_stop_at": max(end, lease.spec.extendable_until or end),
        "reusable_at": end + timedelta(minutes=15),
    }
    return with_status(lease, **(promise | status))


def a_node(
    name: str = "gpu-1",
    claimed_by: GPULease | None = None,
    /,
    *,
    gpus: int = 8,
    ready: bool = True,
    taints: Sequence[Raw] = (),
    **fields: Any,  # noqa: ANN401 - a field of any kind
) -> NodeSeen:
    """A free node with 8 GPUs, 64 cores, 512 GiB of memory, 1 TiB of disk and 110 pods; claimed whole by a lease."""
    labels = {"example.com/for-sale": "true"}
    if claimed_by is not None:
        labels |= {"sublet.dev/lease": claimed_by.metadata.name, "sublet.dev/pool": claimed_by.spec.pool}
        taints = (*taints, {"key": "sublet.dev/lease", "value": claimed_by.metadata.name, "effect": "NoExecute"})
    node = NodeSeen(
        name=name,
        version="41",
        labels=labels,
        taints=tuple(taints),
        lease=claimed_by.metadata.name if claimed_by else None,
        lease_uid=claimed_by.metadata.uid if claimed_by else None,
        reusable_at=None,
        ready=ready,
        allocatable={
            "nvidia.com/gpu": gpus,
            "cpu": 64_000,
            "memory": 512 * 2**30,
            "ephemeral-storage": 2**40,
            "pods": 110,
        },
    )
    return replace(node, **fields)


def some_nodes(count: int, lease: GPULease | None = None) -> tuple[NodeSeen, ...]:
    """The nodes `gpu-1` to `gpu-COUNT`."""
    return tuple(a_node(f"gpu-{number}", lease) for number in range(1, count + 1))


def a_tenancy(**fields: Any) -> Tenancy:  # noqa: ANN401 - a field of any kind
    """The tenancy of a lease of two nodes, with access."""
    tenancy = Tenancy(
        lease="acme-train",
        uid="uid-acme-train",
        pool="h100",
        tenant="acme",
        contact="",
        subjects=(("User", "oidc:anna@acme.example"),),
        tenant_role="sublet-tenant",
        namespaces=("lease-acme-train",),
        nodes=TWO_NODES,
        gpus=16,
        capacity=Capacity(
            gpus=16,
            cpu_millis=128_000,
            memory_bytes=2**40,
            ephemeral_storage_bytes=2 * 2**40,
            pods=220,
        ),
        resource_name="nvidia.com/gpu",
        allowed=Allowed(),
        pod_security=("baseline", "latest"),
        dns_namespace="kube-system",
        dns_labels={"k8s-app": "kube-dns"},
        egress=Egress(),
        has_cluster_policies=False,
        starts_at=NOON,
        drain_at=at(7.5),
        ends_at=at(8),
        hard_stop_at=at(8),
        admits_pods=True,
        grants_access=True,
    )
    return replace(tenancy, **fields)


def live(manifest: Raw, *, leaving: bool = False, labels: Mapping[str, str] | None = None) -> Raw:
    """A manifest as the API server holds it: with a UID, and perhaps on its way out."""
    metadata = manifest["metadata"]
    name = f"{metadata.get('namespace', '')}/{metadata['name']}"
    added: Raw = {"uid": f"uid-{manifest['kind']}-{name}", "resourceVersion": "9"}
    if leaving:
        added["deletionTimestamp"] = "2026-12-01T12:00:00Z"
    if labels is not None:
        added["labels"] = dict(labels)
    return {**manifest, "metadata": {**metadata, **added}}


def a_lease_view(
    lease: GPULease,
    nodes: Sequence[NodeSeen] | None = None,
    children: Sequence[Raw] = (),
    pool: GPUPool | None = None,
    *,
    classes: Classes | None = None,
    volumes: Sequence[VolumeSeen] = (),
) -> LeaseView:
    """What a pass over a lease sees; its booked nodes are there and free unless nodes are given."""
    present = tuple(a_node(name) for name in lease.status.nodes) if nodes is None else tuple(nodes)
    seen: dict[str, NodeSeen | None] = dict.fromkeys(lease.status.nodes)
    seen |= {node.name: node for node in present}
    return LeaseView(lease, pool or a_pool(), present, seen, tuple(children), {}, classes or {}, tuple(volumes))


def a_pool_view(
    *leases: GPULease,
    nodes: Sequence[NodeSeen] = (),
    pool: GPUPool | None = None,
    classes: Classes | None = None,
) -> PoolView:
    """What a planning pass sees; the leases stand in the order given."""
    return PoolView(pool or a_pool(), tuple(nodes), leases, classes or {})


def a_volume(name: str = "pv-1", **fields: Any) -> VolumeSeen:  # noqa: ANN401 - a field of any kind
    """A volume of a claim that is gone, which its provisioner is about to delete."""
    return replace(VolumeSeen(name, "lease-acme-train", "Delete", "Released"), **fields)
