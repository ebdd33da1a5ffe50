"""Many leases at once."""

import asyncio
import time

from hack import running
from hack.bench.objects import lease
from hack.bench.site import Site
from sublet.cluster import kinds


async def many_at_once(site: Site, count: int) -> None:
    """Many leases at once: time, double bookings, errors, memory, CPU and requests."""
    _, cpu_before = running.footprint(site.operator)
    reads_before, writes_before = site.requests()
    log_before = site.operator.log.stat().st_size
    began = time.monotonic()
    await asyncio.gather(*(site.client.create(lease(f"many-{number}")) for number in range(count)))
    await site.until(lambda: all_active(site, "many-"), "all are Active", every=0.25)
    took = time.monotonic() - began
    memory, cpu = running.footprint(site.operator)
    reads, writes = site.requests()
    claims = [
        node["metadata"]["labels"]["sublet.dev/lease"]
        for node in (await site.client.list(kinds.NODE))["items"]
        if "sublet.dev/lease" in node["metadata"]["labels"]
    ]
    leases = [
        le for le in (await site.client.list(kinds.GPU_LEASE))["items"] if le["metadata"]["name"].startswith("many-")
    ]
    booked = [node for one in leases for node in one["status"]["nodes"]]
    with site.operator.log.open() as log:
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


async def all_active(site: Site, prefix: str) -> bool:
    """Whether every lease of a prefix is Active."""
    items = (await site.client.list(kinds.GPU_LEASE))["items"]
    mine = [item for item in items if item["metadata"]["name"].startswith(prefix)]
    return all(item.get("status", {}).get("phase") == "Active" for item in mine)
