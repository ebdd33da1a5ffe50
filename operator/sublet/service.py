"""The service: changes in the world put keys on work lists, and work lists run passes. Level-triggered.

What changed is never handed on; a pass is told only whom to look at, and reads the world anew.
"""

import asyncio
import logging
import secrets
import socket
from datetime import datetime, timedelta
from typing import Any

from sublet.api.lease import Phase
from sublet.clock import Clock
from sublet.cluster import storage
from sublet.cluster.client import Client
from sublet.cluster.kinds import NAMESPACE
from sublet.cluster.planner_lock import PlannerLock
from sublet.cluster.store import lease_of
from sublet.cluster.world import Listeners, World
from sublet.desired import naming
from sublet.errors import SubletError
from sublet.place import place
from sublet.plan.diff import is_leaving
from sublet.prove import nodes_to_prove, prove
from sublet.reconcile import reconcile
from sublet.settings import Settings
from sublet.sweep import sweep
from sublet.telemetry import metrics
from sublet.worklist import Worklist

Raw = dict[str, Any]

_LOG = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0

_GATHER = timedelta(milliseconds=50)
"""How long a planning pass waits for more of the same: leases applied together are placed together."""

_GATHER_NODES = timedelta(milliseconds=500)
"""The same for changes of nodes, which only the pool's figures and its queue depend on."""

_GATHER_PLACES = timedelta(seconds=2)
"""The same for news of a place in the queue: it changes with every plan, and a lease's pass only puts it into words."""


class Service:
    """Everything that runs between the framework and the passes."""

    def __init__(self, client: Client, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self.world = World(
            client,
            Listeners(
                self._lease_changed,
                self._pool_changed,
                self._node_changed,
                self._child_changed,
                self._volume_changed,
                self._class_changed,
                self._look_at_all_leases,
            ),
        )
        self.leases = Worklist(clock, self._look_at_lease, workers=settings.workers)
        self.pools = Worklist(clock, self._look_at_pool, workers=1)
        # One at a time: the pods that measure a node have fixed names.
        self.nodes = Worklist(clock, self._look_at_node, workers=1)
        self._told: dict[str, datetime] = {}
        self._lock = PlannerLock(self.world, clock, f"{socket.gethostname()}-{secrets.token_hex(4)}")
        self.ready = asyncio.Event()
        client.on_request = metrics.count_request

    async def run(self) -> None:
        """Serve until cancelled. Nothing is decided before every store is filled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.world.follow())
            await self._synced()
            tasks.create_task(self.leases.run())
            tasks.create_task(self.pools.run())
            tasks.create_task(self.nodes.run())
            tasks.create_task(self._sweep())
            self.ready.set()
            world = self.world
            _LOG.info("serving %d pools, %d leases, %d nodes", len(world.pools), len(world.leases), len(world.nodes))

    async def _synced(self) -> None:
        """Return once every store is filled, however long the API server takes to serve our kinds."""
        while True:
            try:
                await self.world.synced()
            except SubletError as error:
                _LOG.warning("the first reading of the cluster failed: %s; trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _look_at_lease(self, name: str) -> datetime | None:
        with metrics.one_pass("lease"):
            try:
                return await reconcile(self.world, name, self._settings, self._clock.now())
            finally:
                for node in nodes_to_prove(self.world, name):
                    self.nodes.add(node)

    async def _look_at_node(self, name: str) -> datetime | None:
        with metrics.one_pass("node"):
            return await prove(self.world, name, self._clock.now())

    async def _look_at_pool(self, name: str) -> datetime | None:
        with metrics.one_pass("pool"):
            return await place(self.world, self._lock, name, self._told, self._clock.now())

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + self._settings.sweep_every)
            try:
                await sweep(self.world, self._clock.now())
            except SubletError as error:
                _LOG.warning("the sweep failed: %s; trying again at the next one", error)

    def _lease_changed(self, old: Raw | None, new: Raw | None) -> None:
        lease = new or old
        assert lease is not None  # noqa: S101 - a change has at least one side
        name, now = lease["metadata"]["name"], self._clock.now()
        if old is None or new is None or _planning_facts(old) != _planning_facts(new):
            self.leases.add(name)
            self.pools.add(lease["spec"]["pool"], now + _GATHER)
        else:
            self.leases.add(name, None if _is_booked(new) else now + _GATHER_PLACES)

    def _pool_changed(self, old: Raw | None, new: Raw | None) -> None:
        pool = new or old
        assert pool is not None  # noqa: S101 - a change has at least one side
        if old is not None and new is not None and _generation(old) == _generation(new):
            return
        self._look_at_all_pools(_GATHER)
        for lease in self.world.leases:
            if lease["spec"]["pool"] == pool["metadata"]["name"]:
                self.leases.add(lease["metadata"]["name"])

    def _node_changed(self, old: Raw | None, new: Raw | None) -> None:
        if old is not None and new is not None and _node_facts(old) == _node_facts(new):
            return
        holder, next_holder = (lease_of(node) if node is not None else None for node in (old, new))
        for lease in filter(None, (holder, next_holder)):
            self.leases.add(lease)
        if new is not None and next_holder is None and (old is None or holder is not None):
            self._look_at_who_waits_for(new["metadata"]["name"])
        self._look_at_all_pools(_GATHER_NODES)
        if old is None or new is None or old["status"] != new["status"]:
            self._look_at_unbooked_leases()

    def _child_changed(self, old: Raw | None, new: Raw | None) -> None:
        sides = [child for child in (old, new) if child is not None]
        if self._goes_with_its_namespace(sides[-1]) or (len(sides) > 1 and all(map(is_leaving, sides))):
            return
        for lease in filter(None, map(lease_of, sides)):
            self.leases.add(lease)

    def _goes_with_its_namespace(self, child: Raw) -> bool:
        """Whether nobody waits for the object: its namespace is on its way out or gone, and that is news itself."""
        name = child["metadata"].get("namespace")
        if name is None:
            return False
        namespace = self.world.children[NAMESPACE].get(name)
        return namespace is None or is_leaving(namespace)

    def _volume_changed(self, old: Raw | None, new: Raw | None) -> None:
        sides = [volume for volume in (old, new) if volume is not None]
        namespaces = {name for name in map(storage.claimed_in, sides) if naming.is_of_a_lease(name)}
        if namespaces:
            for lease in self.world.leases:
                suffixes = tuple(lease["spec"].get("namespaces") or ())
                if namespaces & set(naming.namespace_names(lease["metadata"]["name"], suffixes)):
                    self.leases.add(lease["metadata"]["name"])
        if len({side is not None and storage.is_free(side) for side in (old, new)}) > 1:
            self._class_changed(old, new)

    def _class_changed(self, _old: Raw | None, _new: Raw | None) -> None:
        """What a pool sells, and what a lease may claim, depends on the classes that there are."""
        self._look_at_all_pools(_GATHER)
        self._look_at_all_leases()

    def _look_at_all_leases(self) -> None:
        """What a lease should have depends on the kinds that are served, and on classes of storage."""
        for lease in self.world.leases:
            self.leases.add(lease["metadata"]["name"])

    def _look_at_who_waits_for(self, node: str) -> None:
        """A lease cannot begin while another's claim is on a node of its."""
        for lease in self.world.leases:
            status = lease.get("status", {})
            if status.get("phase") == Phase.PROVISIONING and node in status.get("nodes", ()):
                self.leases.add(lease["metadata"]["name"])

    def _look_at_unbooked_leases(self) -> None:
        """What can be had depends on the nodes that there are."""
        for lease in self.world.leases:
            if not _is_booked(lease):
                self.leases.add(lease["metadata"]["name"], self._clock.now() + _GATHER_NODES)

    def _look_at_all_pools(self, gather: timedelta) -> None:
        for pool in self.world.pools:
            self.pools.add(pool["metadata"]["name"], self._clock.now() + gather)


def _is_booked(lease: Raw) -> bool:
    return "startsAt" in lease.get("status", {})


def _generation(obj: Raw) -> object:
    return obj["metadata"].get("generation"), obj["metadata"].get("deletionTimestamp")


def _planning_facts(lease: Raw) -> object:
    """What of a lease its pool's plan depends on: not most conditions and messages, which change far more often."""
    status = lease.get("status") or {}
    accepted = [c["status"] for c in status.get("conditions", ()) if c["type"] == "Accepted"]
    promised = [status.get(field) for field in ("startsAt", "endsAt", "releasedAt", "nodes", "outages")]
    return _generation(lease), status.get("observedGeneration"), status.get("phase"), accepted, promised


def _node_facts(node: Raw) -> object:
    """What of a node matters to leases and pools: not its heartbeat."""
    metadata = node["metadata"]
    return (
        metadata.get("labels"),
        metadata.get("annotations"),
        (node.get("spec") or {}).get("taints"),
        node["status"],
        metadata.get("deletionTimestamp"),
    )
