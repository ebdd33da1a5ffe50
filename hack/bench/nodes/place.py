"""Where the bench of real nodes works, and what every measurement needs of it."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hack.bench.nodes.objects import lease, pod
from hack.bench.site import Site
from hack.cluster import Cluster, realnodes
from sublet.cluster import kinds

NODES = 2
_EVERY = 0.01


@dataclass(frozen=True)
class Place:
    """A cluster with real nodes, and the operator on it."""

    cluster: Cluster
    site: Site

    async def rent(self, name: str, duration: str = "2h") -> str:
        """Apply a lease, wait until it is Active, and return its namespace."""
        await self.site.client.create(lease(name, duration))
        await self.site.until(lambda: self.site.phase(name, "Active"), f"{name} is Active")
        return f"lease-{name}"

    async def bare(self, namespace: str) -> str:
        """A namespace without a lease, in which pods can be made."""
        await self.site.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        await self.site.until(lambda: self.site.account(namespace), "its ServiceAccount is there")
        return namespace

    async def run(self, namespace: str, command: str) -> None:
        """Create a pod, and wait until its container runs by what the API server knows."""
        await self.site.client.create(pod(namespace, command))
        await self.site.until(lambda: self.site.running(namespace, 1), f"a pod runs in {namespace}")

    def processes(self, namespace: str) -> list[int]:
        """The first process of each container on the nodes, sandboxes among them."""
        return realnodes.processes(self.cluster.state, namespace)

    async def remove_lease(self, name: str) -> None:
        """Delete a lease and wait until nothing is left of it."""
        await self.site.client.delete(kinds.GPU_LEASE, name)
        await self.site.gone(kinds.GPU_LEASE, name)

    async def remove_namespace(self, name: str) -> None:
        """Delete a namespace and wait until nothing is left of it."""
        await self.site.client.delete_all(kinds.POD, name, grace_seconds=1)
        await self.site.client.delete(kinds.NAMESPACE, name)
        await self.site.gone(kinds.NAMESPACE, name)


async def last_gone(pids: Sequence[int], within: float = 120) -> float:
    """Wait until none of the processes lives; the instant, by the machine's clock."""
    deadline = time.time() + within
    while any(_lives(pid) for pid in pids):
        if time.time() > deadline:
            raise TimeoutError(f"processes {pids} live")
        await asyncio.sleep(_EVERY)
    return time.time()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def row(who: str, figures: Sequence[float], *, against: Sequence[float] = ()) -> None:
    """Print median and worst of some figures, and how many times as much the median of others is."""
    ratio = f"   ratio {statistics.median(against) / statistics.median(figures):5.2f}" if against else ""
    print(f"  {who:<34}median {statistics.median(figures):7.2f}   worst {max(figures):7.2f}{ratio}", flush=True)
