"""Reading the world: stores in, the frozen views that a pass works on out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.cluster import storage
from sublet.cluster.kinds import NAMESPACE
from sublet.cluster.store import lease_of
from sublet.cluster.world import World
from sublet.desired import naming
from sublet.desired import nodes as node_claims
from sublet.doctor.pods import IMAGE
from sublet.doctor.policies import OPEN_NAMESPACE
from sublet.doctor.standing import Measured
from sublet.plan.observed import JobSeen, JobState, LeaseView, NodeSeen, PoolView, belongs_to
from sublet.plan.selection import selects

Raw = dict[str, Any]


def find_lease(world: World, name: str) -> GPULease | None:
    """A lease as it is known now; None if there is none."""
    raw = world.leases.get(name)
    return world.leases.parsed(raw, GPULease.model_validate) if raw is not None else None


def find_pool(world: World, name: str) -> GPUPool | None:
    """A pool as it is known now; None if there is none."""
    raw = world.pools.get(name)
    return world.pools.parsed(raw, GPUPool.model_validate) if raw is not None else None


def lease_view(world: World, name: str) -> LeaseView | None:
    """What a pass over a lease looks at; None if the lease does not exist (any more)."""
    lease = find_lease(world, name)
    if lease is None:
        return None
    pool = find_pool(world, lease.spec.pool)
    nodes: dict[str, NodeSeen | None] = {}
    for node_name in lease.status.nodes:
        node = world.nodes.get(node_name)
        nodes[node_name] = world.nodes.parsed(node, node_seen) if node else None
    claimed = (world.nodes.parsed(node, node_seen) for node in world.nodes.of_lease(name))
    nodes |= {node.name: node for node in claimed}
    labelled = (child for store in world.children.values() for child in store.of_lease(name))
    children = (*filter(_is_in_a_lease, labelled), *_unlabelled(world, lease))
    unbooked = lease.status.starts_at is None
    in_pool = pool_nodes(world, pool) if pool and unbooked else ()
    return LeaseView(
        lease=lease,
        pool=pool,
        pool_nodes=in_pool,
        nodes=nodes,
        children=children,
        namespaces=namespace_holders(world, lease) if unbooked else {},
        classes=storage.classes_named(world, pool.spec.isolation.storage_classes) if pool else {},
        volumes=storage.volumes_in(world, naming.namespace_names(name, lease.spec.namespaces)),
        jobs=tuple(world.jobs.parsed(job, job_seen) for job in world.jobs.of_lease(name)),
    )


def namespace_holders(world: World, lease: GPULease) -> Mapping[str, str | None]:
    """Who holds the names of the namespaces that a lease would have, existing or wanted by an older lease."""
    wanted = naming.namespace_names(lease.metadata.name, lease.spec.namespaces)
    held: dict[str, str | None] = dict.fromkeys(wanted)
    for raw in world.leases:
        if _is_rival(raw, lease):
            name = raw["metadata"]["name"]
            theirs = naming.namespace_names(name, tuple(raw["spec"].get("namespaces") or ()))
            held |= dict.fromkeys(held.keys() & set(theirs), name)
    for name in wanted:
        namespace = world.children[NAMESPACE].get(name)
        if namespace is not None and not belongs_to(namespace, lease.metadata.uid):
            held[name] = lease_of(namespace) or ""
    return held


def _unlabelled(world: World, lease: GPULease) -> Iterator[Raw]:
    """Namespaces of the lease that somebody took the label off."""
    for name in naming.namespace_names(lease.metadata.name, lease.spec.namespaces):
        namespace = world.children[NAMESPACE].get(name)
        if namespace and lease_of(namespace) is None and belongs_to(namespace, lease.metadata.uid):
            yield namespace


def _is_rival(raw: Raw, lease: GPULease) -> bool:
    """Whether another, older lease can have a namespace of the same name: one's name begins the other's."""
    name, own = raw["metadata"]["name"], lease.metadata.name
    if name == own or not (name.startswith(own) or own.startswith(name)):
        return False
    created = datetime.fromisoformat(raw["metadata"]["creationTimestamp"])
    return (created, name) < (lease.metadata.creation_timestamp or created, own)


def pool_view(world: World, name: str) -> PoolView | None:
    """What a planning pass over a pool looks at; None if the pool does not exist (any more)."""
    pool = find_pool(world, name)
    if pool is None:
        return None
    mine = (lease for lease in world.leases if lease["spec"]["pool"] == name)
    leases = [world.leases.parsed(lease, GPULease.model_validate) for lease in mine]
    leases.sort(key=lambda lease: (lease.metadata.creation_timestamp, lease.metadata.name))
    classes = storage.classes_named(world, pool.spec.isolation.storage_classes)
    return PoolView(pool, pool_nodes(world, pool), tuple(leases), classes)


def pool_nodes(world: World, pool: GPUPool) -> tuple[NodeSeen, ...]:
    """The pool's nodes, by name. A node that several pools select belongs to the oldest of them."""
    return world.once_for_nodes_and_pools(pool.metadata.name, lambda: _members(world, pool))


def _members(world: World, pool: GPUPool) -> tuple[NodeSeen, ...]:
    older = [other.spec.node_selector for other in _pools(world) if _age(other) < _age(pool)]
    selector = pool.spec.node_selector

    def wanted(node: Raw) -> bool:
        labels: Mapping[str, str] = node["metadata"].get("labels") or {}
        return selects(selector, labels) and not any(selects(other, labels) for other in older)

    found = [world.nodes.parsed(node, node_seen) for node in world.nodes if wanted(node)]
    return tuple(sorted(found, key=lambda node: node.name))


def longest_cleaning_gap(world: World) -> timedelta:
    """The longest gap of any pool: what to keep free for where the lease is gone that would tell its pool."""
    return max((pool.spec.schedule.cleaning_gap for pool in _pools(world)), default=timedelta())


def _pools(world: World) -> Iterator[GPUPool]:
    return (world.pools.parsed(raw, GPUPool.model_validate) for raw in world.pools)


def all_children(world: World) -> Iterator[Raw]:
    """Every object that carries a lease's label."""
    labelled = (child for store in world.children.values() for child in store if lease_of(child) is not None)
    return filter(_is_in_a_lease, labelled)


def _is_in_a_lease(child: Raw) -> bool:
    """Whether an object is where leases have theirs: elsewhere, a label of ours was written by somebody else."""
    metadata = child["metadata"]
    return naming.is_of_a_lease(metadata.get("namespace") or metadata["name"])


def probe_image(world: World) -> str:
    """The image of the pods that measure a node; empty if the chart names none."""
    namespace = world.children[NAMESPACE].get(OPEN_NAMESPACE)
    image: str = ((namespace or {"metadata": {}})["metadata"].get("annotations") or {}).get(IMAGE, "")
    return image


def all_nodes(world: World) -> tuple[NodeSeen, ...]:
    """Every node of the cluster."""
    return tuple(world.nodes.parsed(node, node_seen) for node in world.nodes)


def claimed_nodes(world: World) -> tuple[NodeSeen, ...]:
    """Every node that carries a claim, whole or in part."""
    return tuple(node for node in all_nodes(world) if node.lease is not None or node.lease_uid is not None)


def cleaning_modes(world: World, nodes: Iterable[NodeSeen]) -> Iterator[str]:
    """Of each node that is being cleaned, who cleans it; the mode of a pool that is gone is `Unknown`."""
    for node in nodes:
        if node.sanitizing_after is not None:
            pool = find_pool(world, node.labels.get(naming.POOL, ""))
            yield pool.spec.sanitize.mode.value if pool and pool.spec.sanitize else "Unknown"


def cleaning_jobs(world: World) -> tuple[JobSeen, ...]:
    """Every Job that cleans after a lease."""
    return tuple(world.jobs.parsed(job, job_seen) for job in world.jobs)


def job_seen(job: Raw) -> JobSeen:
    """A Job as the plans see it."""
    metadata = job["metadata"]
    labels = metadata.get("labels") or {}
    ended = {c["type"]: c for c in job["status"]["conditions"] if c["status"] == "True"}
    failed: Raw = ended.get("Failed", {})
    state = JobState.FAILED if failed else JobState.SUCCEEDED if "Complete" in ended else JobState.RUNNING
    return JobSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        lease=labels.get(naming.LEASE, ""),
        lease_uid=labels.get(naming.LEASE_UID, ""),
        node=job["spec"]["template"]["spec"]["nodeName"],
        state=state,
        why=failed.get("reason", ""),
        leaving="deletionTimestamp" in metadata,
    )


def node_seen(node: Raw) -> NodeSeen:
    """A node as the planner and the plans see it."""
    metadata = node["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    taints = tuple((node.get("spec") or {}).get("taints") or ())
    ready: Raw = next((c for c in node["status"]["conditions"] if c["type"] == "Ready"), {})
    return NodeSeen(
        name=metadata["name"],
        version=metadata["resourceVersion"],
        labels=labels,
        taints=taints,
        lease=labels.get(naming.LEASE),
        lease_uid=annotations.get(naming.LEASE_UID),
        reusable_at=_instant(annotations.get(naming.REUSABLE_AT)),
        ready=ready.get("status") == "True",
        allocatable={name: _whole(name, text) for name, text in node["status"]["allocatable"].items()},
        quarantined=any(taint["key"] == naming.QUARANTINED for taint in taints),
        changed_at=_instant(ready.get("lastTransitionTime")),
        measured=Measured.parse((metadata.get("annotations") or {}).get(naming.MEASURED)),
        sanitizing_after=labels.get(naming.SANITIZING) if node_claims.is_sanitizing(taints) else None,
        sanitized_after=annotations.get(naming.SANITIZED),
        quarantined_after=annotations.get(naming.QUARANTINED_AFTER),
        quarantine_reason=annotations.get(naming.QUARANTINE_REASON, ""),
    )


def _whole(name: str, quantity: str) -> int:
    return int(parse_quantity(quantity) * (1000 if name == "cpu" else 1))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _age(pool: GPUPool) -> tuple[str, str]:
    return str(pool.metadata.creation_timestamp), pool.metadata.name
