"""The bench: what a lease costs in time, requests, memory and CPU, beside the same work by a bare client.

    python -m hack.bench [--leases N] [--pods N] [--many N]

It prints figures and asserts nothing. The baseline is measured in the same run, on the same cluster: a loop that
sends the same objects through the same client, with no operator.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from hack import cluster as clusters
from hack import running
from hack.cluster.processes import Process
from hack.cluster.state import free_ports
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.errors import NotFoundError

Raw = dict[str, Any]

POOL = "bench"
SUBJECT = {"kind": "User", "name": "alice@acme.example"}


def main() -> int:
    """Run the bench on a cluster of its own."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--leases", type=int, default=50, help="leases of 2 nodes, one after another (default 50)")
    parser.add_argument("--pods", type=int, default=50, help="pods of the tenant whose lease ends (default 50)")
    parser.add_argument("--many", type=int, default=200, help="leases at once, on twice as many nodes (default 200)")
    given = parser.parse_args()
    describe_machine()
    cluster = clusters.up("bench", nodes=given.many * 2)
    try:
        port = free_ports(1)[0]
        operator = running.start(cluster, SUBLET_METRICS_PORT=str(port))
        asyncio.run(Bench(cluster, operator, port).run(given.leases, given.pods, given.many))
    finally:
        cluster.down()
    return 0


def describe_machine() -> None:
    """Say what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.partition(":")[2].strip() for line in cpuinfo() if line.startswith("model name")), platform.processor()
    )
    print(f"machine: {os.cpu_count()} x {model}, {memory:.0f} GiB, Python {platform.python_version()}; ", end="")
    print("control plane, operator and bench share it\n", flush=True)


def cpuinfo() -> list[str]:
    """The lines of /proc/cpuinfo, where there is one."""
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


class Bench:
    """The measurements, in the order in which they are printed."""

    def __init__(self, cluster: clusters.Cluster, operator: Process, metrics_port: int) -> None:
        self.cluster = cluster
        self.operator = operator
        self.metrics_port = metrics_port
        self.client: Client

    async def run(self, leases: int, pods: int, many: int) -> None:
        """Measure everything and print it."""
        self.client = await Client.connect(str(self.cluster.kubeconfig))
        try:
            await self.client.create(pool())
            await self.ready_times(leases)
            await self.cost_of_guards()
            await self.end_times(pods)
            await self.many_at_once(many)
        finally:
            await self.client.close()

    async def ready_times(self, count: int) -> None:
        """Lease applied to Ready=True, against the same objects sent by a bare client."""
        leased = [await self.timed(self.bring_up(f"lease-{number}")) for number in range(count)]
        template = await self.objects_of("lease-0")
        for number in range(count):
            await self.client.delete(kinds.GPU_LEASE, f"lease-{number}")
        for number in range(count):
            await self.gone(kinds.GPU_LEASE, f"lease-{number}")
        bare = [await self.timed(self.send(template, f"bare-{number}")) for number in range(count)]
        for number in range(count):
            await self.client.delete(kinds.NAMESPACE, f"bare-{number}")
        for number in range(count):
            # The controllers that remove them would otherwise be at work beside the next measurement.
            await self.gone(kinds.NAMESPACE, f"bare-{number}")
        print(f"lease applied to Ready=True ({count} leases of 2 nodes, one after another), seconds")
        row("operator", leased)
        row("bare client", bare)
        ratio = statistics.median(leased) / statistics.median(bare)
        print(f"  {'ratio at p50':<14}{ratio:8.2f}   ({len(template)} objects and 2 node claims each)\n", flush=True)

    async def cost_of_guards(self, count: int = 300) -> None:
        """A pod created in a leased namespace, through every guard, against one in a namespace without."""
        await self.bring_up("guarded")
        await self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "unguarded"}})
        await self.until(lambda: self.account("unguarded"), "its ServiceAccount is there")
        seconds: dict[str, list[float]] = {"lease-guarded": [], "unguarded": []}
        for number in range(count):
            # In turn, so that whatever else the machine does meets both alike.
            for namespace, taken in seconds.items():
                taken.append(await self.timed(self.try_pod(pod(f"pod-{number}", namespace))))
        await self.client.delete(kinds.NAMESPACE, "unguarded")
        await self.client.delete(kinds.GPU_LEASE, "guarded")
        await self.gone(kinds.GPU_LEASE, "guarded")
        await self.gone(kinds.NAMESPACE, "unguarded")
        print(f"a pod created by dry run, {count} times in each namespace, seconds")
        row("in a lease", seconds["lease-guarded"])
        row("unlabelled", seconds["unguarded"])
        ratio = statistics.median(seconds["lease-guarded"]) / statistics.median(seconds["unguarded"])
        print(f"  {'ratio at p50':<14}{ratio:8.2f}\n", flush=True)

    async def try_pod(self, manifest: Raw) -> None:
        """Create a pod through all of admission, and keep nothing."""
        path = kinds.POD.path(manifest["metadata"]["namespace"])
        await self.client.request("POST", path, query={"dryRun": "All"}, body=manifest)

    async def end_times(self, pods: int) -> None:
        """End to access revoked, and to everything given back, for a tenant with pods."""
        await self.bring_up("ending")
        namespace = "lease-ending"
        for number in range(pods):
            await self.client.create(pod(f"pod-{number}", namespace))
        await self.until(lambda: self.running(namespace, pods), "all pods run")
        began = time.monotonic()
        await self.client.patch(kinds.GPU_LEASE, "ending", {"spec": {"release": True}})
        await self.gone(kinds.ROLE_BINDING, "sublet-tenant", namespace)
        revoked = time.monotonic() - began
        await self.gone(kinds.NAMESPACE, namespace)
        removed = time.monotonic() - began
        await self.until(lambda: self.phase("ending", "Ended"), "the lease has ended")
        back = time.monotonic() - began
        baseline = await self.bare_end(namespace="bare-ending", pods=pods)
        print(f"end of a lease with {pods} pods, seconds")
        print(f"  operator      access revoked {revoked:6.2f}   namespace gone {removed:6.2f}   nodes back {back:6.2f}")
        print(f"  bare client   {'':21}   namespace gone {baseline:6.2f}")
        print(f"  ratio         {'':21}   {'':14} {removed / baseline:6.2f}\n", flush=True)

    async def bare_end(self, namespace: str, pods: int) -> float:
        """The same pods in a namespace without a lease, deleted by hand."""
        await self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        await self.until(lambda: self.account(namespace), "its ServiceAccount is there")
        for number in range(pods):
            await self.client.create(pod(f"pod-{number}", namespace))
        await self.until(lambda: self.running(namespace, pods), "all pods run")
        began = time.monotonic()
        await self.client.delete_all(kinds.POD, namespace, grace_seconds=5)
        await self.client.delete(kinds.NAMESPACE, namespace)
        await self.gone(kinds.NAMESPACE, namespace)
        return time.monotonic() - began

    async def many_at_once(self, count: int) -> None:
        """Many leases at once: time, double bookings, errors, memory, CPU and requests."""
        _, cpu_before = running.footprint(self.operator)
        reads_before, writes_before = self.requests()
        log_before = self.operator.log.stat().st_size
        began = time.monotonic()
        await asyncio.gather(*(self.client.create(lease(f"many-{number}")) for number in range(count)))
        await self.until(lambda: self.all_active("many-"), "all are Active", every=0.25)
        took = time.monotonic() - began
        memory, cpu = running.footprint(self.operator)
        reads, writes = self.requests()
        claims = [
            node["metadata"]["labels"]["sublet.dev/lease"]
            for node in (await self.client.list(kinds.NODE))["items"]
            if "sublet.dev/lease" in node["metadata"]["labels"]
        ]
        leases = [
            le
            for le in (await self.client.list(kinds.GPU_LEASE))["items"]
            if le["metadata"]["name"].startswith("many-")
        ]
        booked = [node for one in leases for node in one["status"]["nodes"]]
        with self.operator.log.open() as log:
            log.seek(log_before)
            complaints = [line for line in log if "WARNING" in line or "ERROR" in line]
        print(f"{count} leases of 2 nodes at once on {2 * count} nodes")
        print(f"  all Active after {took:.1f} s, {count / took:.1f} leases a second")
        print(f"  nodes booked {len(booked)}, of which twice {len(booked) - len(set(booked))}; claimed {len(claims)}")
        print(f"  operator: {memory:.0f} MiB at most, {(cpu - cpu_before) / count * 1000:.0f} ms of CPU per lease")
        each = (writes - writes_before) / count, (reads - reads_before) / count
        print(f"  API requests per lease: {each[0]:.1f} writes, {each[1]:.1f} reads")
        print(f"  warnings and errors in its log: {len(complaints)}", flush=True)
        for line in complaints[:5]:
            print(f"    {line.rstrip()}")

    def requests(self) -> tuple[float, float]:
        """Reads and writes that the operator has sent so far, by its own metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as page:
            lines = page.read().decode().splitlines()
        figures = {
            line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("sublet_api_requests_total")
        }
        read, write = (figures.get(f'sublet_api_requests_total{{kind="{kind}"}}', 0.0) for kind in ("read", "write"))
        return read, write

    async def bring_up(self, name: str) -> None:
        """Apply a lease and wait until it is Ready."""
        await self.client.create(lease(name))
        await self.until(lambda: self.phase(name, "Active"), f"{name} is Active")

    async def objects_of(self, name: str) -> list[Raw]:
        """What a lease is made of, ready to be sent again under another name."""
        namespace = f"lease-{name}"
        found = [await self.client.get(kinds.NAMESPACE, namespace)]
        for kind in (kinds.RESOURCE_QUOTA, kinds.LIMIT_RANGE, kinds.NETWORK_POLICY, kinds.ROLE_BINDING):
            items = (await self.client.list(kind, namespace))["items"]
            found += items
        return found

    async def send(self, template: Sequence[Raw], namespace: str) -> None:
        """The same objects and two node claims, as fast as one client sends them in order."""
        for obj in template:
            metadata = (
                {"name": namespace}
                if obj["kind"] == "Namespace"
                else {"name": obj["metadata"]["name"], "namespace": namespace}
            )
            kept = {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
            await self.client.apply({**kept, "metadata": metadata})
        for node in ("gpu-000", "gpu-001"):
            await self.client.patch(kinds.NODE, node, {"metadata": {"annotations": {"bench": namespace}}})

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

    async def all_active(self, prefix: str) -> bool:
        """Whether every lease of a prefix is Active."""
        items = (await self.client.list(kinds.GPU_LEASE))["items"]
        mine = [item for item in items if item["metadata"]["name"].startswith(prefix)]
        return all(item.get("status", {}).get("phase") == "Active" for item in mine)

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


def row(who: str, seconds: Sequence[float]) -> None:
    """Print one line of quantiles."""
    ordered = sorted(seconds)
    p99 = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    print(f"  {who:<14}p50 {statistics.median(ordered):6.3f}   p99 {p99:6.3f}   worst {ordered[-1]:6.3f}")


def pool() -> Raw:
    """A pool of every node of the cluster."""
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPUPool",
        "metadata": {"name": POOL},
        "spec": {
            "nodeSelector": {"matchLabels": {"node-role.example.com/prefix": "gpu"}},
            "schedule": {"cleaningGap": "0s"},
        },
    }


def lease(name: str) -> Raw:
    """Two nodes for two hours."""
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPULease",
        "metadata": {"name": name},
        "spec": {"pool": POOL, "tenant": {"name": "acme", "subjects": [SUBJECT]}, "nodes": 2, "duration": "2h"},
    }


def pod(name: str, namespace: str) -> Raw:
    """A pod that says nothing about where it runs."""
    spec: Raw = {"containers": [{"name": "main", "image": "registry.example/main:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


if __name__ == "__main__":
    sys.exit(main())
