"""A site: one operator with a clock of its own on the shared cluster, and the words in which tests speak of it."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from hack import cluster as clusters
from sublet.clock import ManualClock
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind
from sublet.errors import NotFoundError
from sublet.handlers import startup
from sublet.service import Service
from sublet.settings import Settings

Raw = dict[str, Any]
T = TypeVar("T")

_NUMBERS = itertools.count()
_PATIENCE_SECONDS = 30.0

ALICE = {"kind": "User", "name": "alice@acme.example"}


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, within: float = _PATIENCE_SECONDS) -> T:
    """Look until there is something true to see, and return it.

    The API server behind it is real, so there is nothing to advance: one looks again until it is so.
    """
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.02)


@dataclass
class Operator:
    """A running operator and the means to stop it, gently or not."""

    service: Service
    task: asyncio.Task[None]
    stopping: asyncio.Event

    async def stop(self) -> None:
        """Let it end as it does when its process is told to."""
        self.stopping.set()
        await self.task

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Site:
    """A pool of nodes of its own on the shared cluster, and the operator that looks after it."""

    cluster: clusters.Cluster
    admin: Client
    own: Callable[[], Awaitable[Client]]
    clock: ManualClock = field(default_factory=ManualClock)
    settings: Settings = field(default_factory=lambda: Settings(sweep_every=timedelta(seconds=2)))
    prefix: str = field(default_factory=lambda: f"site{next(_NUMBERS)}")
    operators: list[Operator] = field(default_factory=list)

    async def start_operator(self, client: Client | None = None) -> Operator:
        """Start an operator, as the chart's ServiceAccount, and wait until it serves."""
        service = Service(client or await self.own(), self.clock, self.settings)
        stopping = asyncio.Event()
        task = asyncio.create_task(startup.run(service, stop=stopping))
        operator = Operator(service, task, stopping)
        self.operators.append(operator)
        ready = asyncio.create_task(service.ready.wait())
        await asyncio.wait({ready, task}, return_when=asyncio.FIRST_COMPLETED, timeout=_PATIENCE_SECONDS)
        assert service.ready.is_set(), "the operator does not serve"
        return operator

    async def pool(self, nodes: int = 4, **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
        """Create nodes, and the pool that sells them on terms that suit a test."""
        await self.scale(nodes)
        return await self.admin.create(
            {
                "apiVersion": "sublet.dev/v1alpha1",
                "kind": "GPUPool",
                "metadata": {"name": self.prefix},
                "spec": {
                    "nodeSelector": {"matchLabels": {"node-role.example.com/prefix": self.prefix}},
                    "terms": {"minDuration": "1m", "extendLatest": "1m"},
                    "schedule": {"drainBefore": "5m", "cleaningGap": "1m"},
                    **spec,
                },
            }
        )

    def name(self, lease: str) -> str:
        """The full name of a lease of this site: names are shared by the whole cluster."""
        return f"{self.prefix}-{lease}"

    async def scale(self, nodes: int) -> None:
        """Have that many nodes."""
        await asyncio.to_thread(self.cluster.create_nodes, nodes, self.prefix)

    async def lease(self, lease: str, **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
        """Create a lease: two nodes for an hour for Alice, unless said otherwise."""
        size = {} if "gpus" in spec else {"nodes": 2}
        span = {} if {"start", "end"} & set(spec) else {"duration": "1h"}
        return await self.admin.create(
            {
                "apiVersion": "sublet.dev/v1alpha1",
                "kind": "GPULease",
                "metadata": {"name": self.name(lease)},
                "spec": {
                    "pool": self.prefix,
                    "tenant": {"name": "acme", "subjects": [ALICE]},
                    **size,
                    **span,
                    **spec,
                },
            }
        )

    async def edit(self, lease: str, **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
        """Change fields of a lease's specification."""
        return await self.admin.patch(kinds.GPU_LEASE, self.name(lease), {"spec": spec})

    async def see(self, lease: str) -> Raw:
        """The lease as it is."""
        return await self.admin.get(kinds.GPU_LEASE, self.name(lease))

    async def reach(self, lease: str, phase: str) -> Raw:
        """Wait until a lease is in a phase, and return it."""

        async def look() -> Raw | None:
            seen = await self.see(lease)
            status = seen.get("status", {})
            current = status.get("observedGeneration") == seen["metadata"]["generation"]
            return seen if current and status.get("phase") == phase else None

        return await eventually(look, f"{self.name(lease)} is {phase}")

    async def find(self, kind: Kind, name: str, namespace: str | None = None) -> Raw | None:
        """An object, if it exists."""
        try:
            return await self.admin.get(kind, name, namespace)
        except NotFoundError:
            return None

    async def gone(self, kind: Kind, name: str, namespace: str | None = None) -> None:
        """Wait until an object does not exist."""

        async def look() -> bool:
            return await self.find(kind, name, namespace) is None

        await eventually(look, f"{kind.kind} {name} is gone")

    async def nodes(self) -> list[Raw]:
        """The site's nodes."""
        answer = await self.admin.list(kinds.NODE, labelSelector=f"node-role.example.com/prefix={self.prefix}")
        items: list[Raw] = answer["items"]
        return items

    async def holders(self) -> dict[str, str]:
        """Which node is claimed by which lease."""
        return {
            node["metadata"]["name"]: node["metadata"]["labels"]["sublet.dev/lease"]
            for node in await self.nodes()
            if "sublet.dev/lease" in node["metadata"]["labels"]
        }

    async def leave(self) -> None:
        """End everything of the site and wait until nothing of it is left."""
        if all(operator.task.done() for operator in self.operators):
            await self.start_operator()
        mine = [
            lease["metadata"]["name"]
            for lease in (await self.admin.list(kinds.GPU_LEASE))["items"]
            if lease["spec"]["pool"] == self.prefix
        ]
        for name in mine:
            await self.admin.delete(kinds.GPU_LEASE, name)
        for name in mine:
            await self.gone(kinds.GPU_LEASE, name)
        await self.admin.delete(kinds.GPU_POOL, self.prefix)
        await self.gone(kinds.GPU_POOL, self.prefix)
        for operator in self.operators:
            if not operator.task.done():
                await operator.stop()
            await operator.service.world.client.close()
        await self.scale(0)
