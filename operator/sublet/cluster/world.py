"""The world as the operator knows it: one store per kind, kept current."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sublet.cluster.client import Client
from sublet.cluster.kinds import (
    CHILDREN,
    CONFIG_MAP,
    GPU_LEASE,
    GPU_POOL,
    JOB,
    MUTATING_POLICY,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME,
    STORAGE_CLASS,
    Kind,
)
from sublet.cluster.mirror import Mirror
from sublet.cluster.store import Change, Raw, Store
from sublet.desired import naming

T = TypeVar("T")


def _without_bookkeeping(obj: Raw) -> Raw:
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return {**obj, "metadata": metadata}


_WRITTEN = {
    "timesWrittenAt": {"f:start", "f:latestStart", "f:end", "f:duration"},
    "releaseWrittenAt": {"f:release"},
}
"""What of a lease's specification matters when it was written."""


def lease_in_short(lease: Raw) -> Raw:
    """A lease with what its bookkeeping tells: when somebody last wrote its times, and that it is given back.

    The API server notes that with its own clock, so an edit made while no operator ran can be judged as of then. It
    keeps one moment for all that a client owns.
    """
    entries = [
        (entry["time"], (entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in lease["metadata"].get("managedFields") or ()
        if "time" in entry
    ]
    found = {name: [time for time, spec in entries if fields & spec.keys()] for name, fields in _WRITTEN.items()}
    short = _without_bookkeeping(lease)
    return {**short, "metadata": {**short["metadata"], **{name: max(times) for name, times in found.items() if times}}}


def _node_in_short(node: Raw) -> Raw:
    """A node without its images, addresses and volumes, which are most of its size and none of our business."""
    status = node.get("status") or {}
    return {
        **_without_bookkeeping(node),
        "status": {
            "allocatable": status.get("allocatable") or {},
            "conditions": [
                {key: c[key] for key in ("type", "status", "lastTransitionTime") if key in c}
                for c in status.get("conditions") or ()
                if c["type"] == "Ready"
            ],
        },
    }


def _volume_in_short(volume: Raw) -> Raw:
    """A volume without where it lies: only whose it is, and what becomes of it."""
    kept = ("claimRef", "persistentVolumeReclaimPolicy", "storageClassName")
    return {
        **_without_bookkeeping(volume),
        "spec": {key: volume["spec"][key] for key in kept if key in volume["spec"]},
        "status": {"phase": volume.get("status", {}).get("phase", "")},
    }


def _class_in_short(storage_class: Raw) -> Raw:
    """A StorageClass without its parameters, which are its provisioner's business."""
    kept = ("metadata", "provisioner", "reclaimPolicy")
    return _without_bookkeeping({key: storage_class[key] for key in kept if key in storage_class})


def _job_in_short(job: Raw) -> Raw:
    """A Job without what it runs: only where, and how it ended."""
    return {
        **_without_bookkeeping(job),
        "spec": {"template": {"spec": {"nodeName": job["spec"]["template"]["spec"].get("nodeName", "")}}},
        "status": {"conditions": (job.get("status") or {}).get("conditions") or []},
    }


def _selectors(kind: Kind) -> dict[str, str]:
    """Which objects of a kind are followed, in the API server's query words."""
    if kind in {NODE, NAMESPACE, STORAGE_CLASS, PERSISTENT_VOLUME}:
        return {}  # whole: also a namespace of somebody who is no lease holds its name, and volumes carry no label
    if kind is CONFIG_MAP:
        return {"fieldSelector": f"metadata.name={naming.FACTS}"}  # by name: RBAC lets us see no other
    return {"labelSelector": naming.LEASE}


@dataclass(frozen=True)
class Listeners:
    """Whom to tell that something changed; each is called with the state before and the state after.

    Attributes:
        lease: Of a lease.
        pool: Of a pool.
        node: Of a node.
        child: Of an object of a lease.
        volume: Of a volume.
        storage_class: Of a StorageClass.
        served: Called when a kind begins to be served, with nothing.
    """

    lease: Change
    pool: Change
    node: Change
    child: Change
    volume: Change
    storage_class: Change
    served: Callable[[], None]


class World:
    """The stores, and the mirrors that keep those of nodes, storage and children current.

    Leases and pools are fed by the framework's own watch, through `leases.put` and `leases.drop`.
    """

    def __init__(self, client: Client, listeners: Listeners) -> None:
        self.client = client
        self.leases = Store(listeners.lease, lease_in_short)
        self.pools = Store(listeners.pool, _without_bookkeeping)
        self.nodes = Store(listeners.node, _node_in_short)
        self.volumes = Store(listeners.volume, _volume_in_short)
        self.classes = Store(listeners.storage_class, _class_in_short)
        self.children = {kind: Store(listeners.child, _without_bookkeeping) for kind in CHILDREN}
        self.jobs = Store(listeners.child, _job_in_short)
        self.completes_pods = False
        self._derived: dict[str, Any] = {}
        self._derived_at = (0, 0)
        self._mirrors = {
            kind: Mirror(
                client,
                kind,
                store,
                _selectors(kind),
                # Our rights to Jobs are in this namespace, and not in those of tenants.
                naming.CLEANERS if kind is JOB else None,
                on_served=listeners.served,
            )
            for kind, store in {
                NODE: self.nodes,
                PERSISTENT_VOLUME: self.volumes,
                STORAGE_CLASS: self.classes,
                JOB: self.jobs,
                **self.children,
            }.items()
        }

    def store_for(self, kind: Kind) -> Store:
        """The store that holds a kind."""
        own = {NODE: self.nodes, GPU_LEASE: self.leases, GPU_POOL: self.pools}
        return own[kind] if kind in own else self.children[kind]

    def once_for_nodes_and_pools(self, name: str, make: Callable[[], T]) -> T:
        """Something made of the nodes and pools as they are, under a name: made once for each state of them."""
        state = (self.nodes.changes, self.pools.changes)
        if state != self._derived_at:
            self._derived.clear()
            self._derived_at = state
        if name not in self._derived:
            self._derived[name] = make()
        made: T = self._derived[name]
        return made

    def serves(self, kind: Kind) -> bool:
        """Whether the API server serves a kind that is mirrored, as far as is known."""
        return self._mirrors[kind].is_served

    async def follow(self) -> None:
        """Keep the mirrors current until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for mirror in self._mirrors.values():
                tasks.create_task(mirror.follow())

    async def refresh(self) -> None:
        """List leases and pools whole, so that one that vanished unseen is noticed; look for kinds not served yet."""
        for mirror in self._mirrors.values():
            mirror.look_again()
        for kind, store in ((GPU_LEASE, self.leases), (GPU_POOL, self.pools)):
            await self._read(kind, store)

    async def read_volumes(self) -> None:
        """List volumes whole: that there is none must not be believed of a watch that may lag behind."""
        await self._read(PERSISTENT_VOLUME, self.volumes)

    async def _read(self, kind: Kind, store: Store) -> None:
        answer = await self.client.list(kind)
        store.replace(answer["items"], answer["metadata"]["resourceVersion"])

    async def synced(self) -> None:
        """Return once every store has been filled: before that, what is missing may only be unread."""
        await self.refresh()
        self.completes_pods = await self.client.serves(MUTATING_POLICY)
        for mirror in self._mirrors.values():
            await mirror.synced.wait()
