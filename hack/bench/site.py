"""Where the bench works: a cluster with the operator, and what every measurement needs of it."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from hack import running
from hack.bench.objects import lease
from hack.cluster.processes import Process
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.errors import NotFoundError


class Site:
    """A cluster with the operator on it, through the eyes of an administrator."""

    def __init__(self, client: Client, operator: Process, metrics_port: int) -> None:
        self.client = client
        self.operator = operator
        self.metrics_port = metrics_port

    async def bring_up(self, name: str) -> None:
        """Apply a lease and wait until it is Ready."""
        await self.client.create(lease(name))
        await self.until(lambda: self.phase(name, "Active"), f"{name} is Active")

    async def timed(self, work: Awaitable[None]) -> float:
        """Seconds that some work takes."""
        began = time.monotonic()
        await work
        return time.monotonic() - began

    async def until(self, seen: Callable[[], Awaitable[bool]], what: str, *, every: float = 0.01) -> None:
        """Look until it is so; the time between two looks bounds how exact the figures are."""
        deadline = time.monotonic() + 300
        while not await seen():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            await asyncio.sleep(every)

    async def phase(self, name: str, phase: str) -> bool:
        """Whether a lease is in a phase."""
        status = (await self.client.get(kinds.GPU_LEASE, name)).get("status", {})
        return bool(status.get("phase") == phase)

    async def running(self, namespace: str, count: int) -> bool:
        """Whether that many pods run."""
        items = (await self.client.list(kinds.POD, namespace))["items"]
        running: int = sum(item["status"].get("phase") == "Running" for item in items)
        return running == count

    async def account(self, namespace: str) -> bool:
        """Whether pods can be made in a new namespace."""
        accounts = kinds.Kind("v1", "ServiceAccount", "serviceaccounts", namespaced=True)
        return bool((await self.client.list(accounts, namespace))["items"])

    async def gone(self, kind: kinds.Kind, name: str, namespace: str | None = None) -> None:
        """Wait until an object does not exist."""

        async def absent() -> bool:
            try:
                await self.client.get(kind, name, namespace)
            except NotFoundError:
                return True
            return False

        await self.until(absent, f"{name} is gone")

    def requests(self) -> tuple[float, float]:
        """Reads and writes that the operator has sent so far, by its own metrics."""
        figures = running.requests(self.metrics_port)
        return figures["read"], figures["write"]


def row(who: str, seconds: Sequence[float]) -> None:
    """Print one line of quantiles."""
    ordered = sorted(seconds)
    p99 = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    print(f"  {who:<14}p50 {statistics.median(ordered):7.4f}   p99 {p99:7.4f}   worst {ordered[-1]:7.4f}")
