"""Lease applied to Ready, beside the same objects sent by a bare client."""

import statistics
from collections.abc import Sequence

from hack.bench.objects import Raw, again
from hack.bench.site import Site, row
from sublet.cluster import kinds
from sublet.desired import naming


async def ready_times(site: Site, count: int) -> None:
    """Lease applied to Ready=True, against the same objects sent by a bare client."""
    leased = [await site.timed(site.bring_up(f"lease-{number}")) for number in range(count)]
    template = await objects_of(site, "lease-0")
    for number in range(count):
        await site.client.delete(kinds.GPU_LEASE, f"lease-{number}")
    for number in range(count):
        await site.gone(kinds.GPU_LEASE, f"lease-{number}")
    bare = [await site.timed(send(site, template, f"bare-{number}")) for number in range(count)]
    for number in range(count):
        await site.client.delete(kinds.NAMESPACE, f"bare-{number}")
    for number in range(count):
        # The controllers that remove them would otherwise be at work beside the next measurement.
        await site.gone(kinds.NAMESPACE, f"bare-{number}")
    print(f"lease applied to Ready=True ({count} leases of 2 nodes, one after another), seconds")
    row("operator", leased)
    row("bare client", bare)
    ratio = statistics.median(leased) / statistics.median(bare)
    print(f"  {'ratio at p50':<14}{ratio:8.2f}   ({len(template)} objects and 2 node claims each)\n", flush=True)


async def objects_of(site: Site, name: str) -> list[Raw]:
    """What a lease is made of, ready to be sent again under another name."""
    namespace = f"lease-{name}"
    found = [await site.client.get(kinds.NAMESPACE, namespace)]
    for kind in (kinds.RESOURCE_QUOTA, kinds.LIMIT_RANGE, kinds.NETWORK_POLICY, kinds.ROLE_BINDING):
        items = (await site.client.list(kind, namespace))["items"]
        found += items
    return [*found, await site.client.get(kinds.CONFIG_MAP, naming.FACTS, namespace)]


async def send(site: Site, template: Sequence[Raw], namespace: str) -> None:
    """The same objects and two node claims, as fast as one client sends them in order."""
    for obj in template:
        inside = {"name": obj["metadata"]["name"], "namespace": namespace}
        await site.client.apply(again(obj, **({"name": namespace} if obj["kind"] == "Namespace" else inside)))
    for node in ("gpu-000", "gpu-001"):
        await site.client.patch(kinds.NODE, node, {"metadata": {"annotations": {"bench": namespace}}})
