"""Writing what the operator knows: statuses, finalizers, ledger records and events."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.meta import ObjectMeta
from sublet.api.pool import GPUPool, Planner
from sublet.cluster.kinds import GPU_LEASE, GPU_POOL, Kind
from sublet.cluster.world import World
from sublet.desired import naming
from sublet.errors import ExistsError, NotFoundError, SubletError
from sublet.plan.observed import NodeSeen
from sublet.plan.record import record_of

Raw = dict[str, Any]

_LOG = logging.getLogger(__name__)


async def lease_status(world: World, lease: GPULease, status: Raw) -> None:
    """Write the fields that a lease's own pass answers for; a lease that is gone needs none."""
    change = {"metadata": {"uid": lease.metadata.uid}, "status": status}
    try:
        world.leases.put(await world.client.patch(GPU_LEASE, lease.metadata.name, change, subresource="status"))
    except NotFoundError:
        return


async def booking(world: World, lease: GPULease, status: Raw) -> None:
    """Write the fields that the planner answers for, onto exactly the state that was planned with.

    Raises:
        ConflictError: The lease was written since; nothing is recorded.
        NotFoundError: The lease is gone.
    """
    await _status_as_seen(world, GPU_LEASE, lease.metadata, status)


async def pool_status(world: World, pool: GPUPool, status: Raw) -> None:
    """Write the status of a pool; a pool that is gone needs none."""
    change = {"metadata": {"uid": pool.metadata.uid}, "status": status}
    try:
        world.pools.put(await world.client.patch(GPU_POOL, pool.metadata.name, change, subresource="status"))
    except NotFoundError:
        return


async def pool_planner(world: World, pool: GPUPool, planner: Planner) -> None:
    """Write who plans a pool, onto exactly the state that was seen.

    Raises:
        ConflictError: The pool was written since.
        NotFoundError: The pool is gone.
    """
    await _status_as_seen(world, GPU_POOL, pool.metadata, {"planner": planner.dump()})


async def _status_as_seen(world: World, kind: Kind, metadata: ObjectMeta, status: Raw) -> None:
    change = {"metadata": {"uid": metadata.uid, "resourceVersion": metadata.resource_version}, "status": status}
    world.store_for(kind).put(await world.client.patch(kind, metadata.name, change, subresource="status"))


async def hold(world: World, lease: GPULease) -> None:
    """Put our finalizer on the lease, before anything exists that would have to be taken away."""
    await _hold(world, GPU_LEASE, lease.metadata, naming.FINALIZER)


async def let_go(world: World, lease: GPULease) -> None:
    """Take our finalizer off the lease: nothing of it is left."""
    await _let_go(world, GPU_LEASE, lease.metadata, naming.FINALIZER)


async def hold_pool(world: World, pool: GPUPool) -> None:
    """Put our finalizer on the pool, as long as a lease is rendered from it."""
    await _hold(world, GPU_POOL, pool.metadata, naming.IN_USE)


async def let_pool_go(world: World, pool: GPUPool) -> None:
    """Take our finalizer off the pool: no lease holds a node of it."""
    await _let_go(world, GPU_POOL, pool.metadata, naming.IN_USE)


async def _hold(world: World, kind: Kind, metadata: ObjectMeta, finalizer: str) -> None:
    if finalizer not in metadata.finalizers and metadata.deletion_timestamp is None:
        await _set_finalizers(world, kind, metadata, [*metadata.finalizers, finalizer])


async def _let_go(world: World, kind: Kind, metadata: ObjectMeta, finalizer: str) -> None:
    if finalizer not in metadata.finalizers:
        return
    try:
        await _set_finalizers(world, kind, metadata, [name for name in metadata.finalizers if name != finalizer])
    except NotFoundError:
        return


async def _set_finalizers(world: World, kind: Kind, metadata: ObjectMeta, finalizers: list[str]) -> None:
    # The newest version known: our own status may have been written since the object was read, and finalizers
    # are the only field of it that is decided here.
    store = world.store_for(kind)
    known = store.get(metadata.name)
    version = known["metadata"]["resourceVersion"] if known else metadata.resource_version
    change = {"metadata": {"uid": metadata.uid, "resourceVersion": version, "finalizers": finalizers}}
    store.put(await world.client.patch(kind, metadata.name, change))


async def record(world: World, lease: GPULease, nodes: Mapping[str, NodeSeen | None], now: datetime) -> None:
    """Write the ledger's entry for a lease that is over, once; `nodes` are its nodes as they are seen."""
    if lease.status.released_at is not None:
        return
    entry = record_of(lease, nodes, now)
    if entry is None:
        return
    try:
        await world.client.create(entry)
    except ExistsError:
        return


async def event(world: World, manifest: Raw) -> None:
    """Post an event. Events are for people: one that cannot be posted holds nothing up."""
    try:
        await world.client.create(manifest)
    except SubletError as error:
        about = manifest["involvedObject"]["name"]
        _LOG.warning("the event %s about %s was not posted: %s", manifest["reason"], about, error)
