"""The stage of a day: a cluster of its own, with the operators on it, and whoever carries the scenario out."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack import cluster as clusters
from hack import running
from hack.cluster import nodes
from hack.cluster.api import Api
from hack.cluster.nodes import gpu_node
from hack.cluster.processes import Process
from hack.cluster.state import free_ports
from hack.day.actions import Action, Delete, Edit, Fate, Node, Operator, Planned, RaiseFloor, Turn, Write
from hack.day.demand import BLOCK, POOL
from hack.install import install, operator_kubeconfig
from sublet.clock import CompressedClock
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.desired import naming
from sublet.errors import ConflictError, InvalidError, NotFoundError, SubletError

Raw = dict[str, Any]

_ROOT = Path(__file__).parents[2]
_NODES_PER_BLOCK = 64
_FAILS = "node-not-ready.stage.kwok.x-k8s.io"


@dataclass
class Stage:
    """Where the day is played.

    Attributes:
        cluster: Where.
        admin: With every right.
        clock: The day's.
        refused: What the API server refused of the scenario, by what it was.
        requests: Requests of the operators that are gone, reads and writes.
        footprints: The most memory in MiB and the CPU seconds of each operator that is gone.
    """

    cluster: clusters.Cluster
    admin: Client
    clock: CompressedClock
    refused: Counter[str] = field(default_factory=Counter)
    footprints: list[tuple[float, float]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    ports: dict[str, int] = field(default_factory=dict)

    def start_operator(self, name: str) -> None:
        """Start an operator, as the chart's ServiceAccount, and go on at once."""
        port = self.ports[name] = free_ports(1)[0]
        given = ["--base", self.clock.base.isoformat(), "--factor", str(self.clock.factor), "--metrics-port", str(port)]
        kubeconfig = operator_kubeconfig(self.cluster.kubeconfig)
        environment = (f"PYTHONPATH={_ROOT}", f"KUBECONFIG={kubeconfig}")
        program = (sys.executable, "-m", "hack.day.operator", *given)
        self.operator(name).start(["/usr/bin/env", *environment, *program])

    def kill_operator(self, name: str) -> None:
        """End an operator in the middle of whatever it does, and keep its figures; nothing if it is gone already."""
        process = self.operator(name)
        if process.pid is None:
            return
        self.footprints.append(running.footprint(process))
        self.requests += Counter(running.requests(self.ports[name]))
        process.kill()

    def operator(self, name: str) -> Process:
        """An operator of the day."""
        return self.cluster.state.process(name)

    async def play(self, planned: Sequence[Planned]) -> None:
        """Carry out a scenario, each action at its time."""
        async with asyncio.TaskGroup() as tasks:
            for each in planned:
                await self.clock.sleep_until(self.clock.base + each.after)
                tasks.create_task(self._act(each.action))

    async def _act(self, action: Action) -> None:
        try:
            await self._carry_out(action)
        except (NotFoundError, InvalidError) as error:
            self.refused[f"{type(action).__name__}: {_kind_of(error)}"] += 1

    async def _carry_out(self, action: Action) -> None:
        match action:
            case Write(manifest):
                await self.admin.create(manifest)
            case Edit(lease, spec):
                await self.admin.patch(kinds.GPU_LEASE, lease, {"spec": spec})
            case Delete(lease):
                await self.admin.request("DELETE", kinds.GPU_LEASE.path(None, lease))
            case Node(number, fate):
                await self._strike(number, fate)
            case RaiseFloor(count):
                await self.admin.patch(kinds.GPU_POOL, POOL, {"spec": {"ownerFloor": {"nodes": count}}})
            case Operator(name, turn):
                await asyncio.to_thread(self.start_operator if turn is Turn.STARTED else self.kill_operator, name)

    async def _strike(self, number: int, fate: Fate) -> None:
        name = node(number)["metadata"]["name"]
        match fate:
            case Fate.FAILS:
                await self.admin.patch(kinds.NODE, name, {"metadata": {"labels": {_FAILS: "true"}}})
            case Fate.QUARANTINED:
                await self._taint(name, [{"key": naming.QUARANTINED, "effect": "NoExecute"}])
            case Fate.REPAIRED:
                await self.admin.patch(kinds.NODE, name, {"metadata": {"labels": {_FAILS: None}}})
                await self._taint(name, [])
            case Fate.LEAVES:
                await self.admin.delete(kinds.NODE, name)
            case Fate.JOINS:
                await self.admin.create(node(number))

    async def _taint(self, name: str, quarantine: list[Raw]) -> None:
        """Write or take away the quarantine, and leave every other taint."""
        while True:
            seen = await self.admin.get(kinds.NODE, name)
            kept = [t for t in seen["spec"].get("taints") or () if t["key"] != naming.QUARANTINED]
            metadata = {"resourceVersion": seen["metadata"]["resourceVersion"]}
            change = {"metadata": metadata, "spec": {"taints": [*kept, *quarantine] or None}}
            try:
                await self.admin.patch(kinds.NODE, name, change)
            except ConflictError:
                continue
            else:
                return


def node(number: int) -> Raw:
    """A node of the day: 4 share a rack, 64 a block, and a third of the blocks a zone."""
    manifest = gpu_node(number, POOL)
    manifest["metadata"]["labels"][BLOCK] = f"{POOL}-block-{number // _NODES_PER_BLOCK:02d}"
    return manifest


def prepare(cluster: clusters.Cluster, count: int) -> None:
    """Install the chart, create the first nodes of the day and wait until they are Ready."""
    # The owner's people quarantine nodes by hand, and let them back.
    install(cluster.kubeconfig, cluster.bin, values={"breakGlass": {"group": "system:masters"}})
    api = Api(cluster.server, cluster.ca, cluster.token())
    manifests = [node(number) for number in range(count)]
    nodes.create(api, manifests)
    nodes.wait_ready(api, {manifest["metadata"]["name"] for manifest in manifests}, seconds=300)


def _kind_of(error: SubletError) -> str:
    return "the lease was gone" if isinstance(error, NotFoundError) else error.message[:120]
