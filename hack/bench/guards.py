"""What the guards of a leased namespace cost a pod."""

import asyncio
import statistics
from functools import partial
from typing import Final

from hack.bench.objects import Raw, again, pod
from hack.bench.site import Site, row
from sublet.cluster import kinds

LEASED: Final = "lease-guarded"
LIMITED: Final = "limited"
PLAIN: Final = "plain"

_TITLES: Final = {LEASED: "in a lease", LIMITED: "only limits", PLAIN: "unlabelled"}


async def cost_of_guards(site: Site, count: int = 150) -> None:
    """A pod created in a leased namespace, through every guard, against namespaces without.

    By dry run admission alone is compared, which writes nothing. A pod that is kept also makes Kubernetes write the
    quota's use down, so there is a second baseline: a namespace with the lease's ResourceQuota and LimitRange.
    """
    await site.bring_up("guarded")
    for namespace in (LIMITED, PLAIN):
        await site.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        await site.until(partial(site.account, namespace), "its ServiceAccount is there")
    for kind in (kinds.RESOURCE_QUOTA, kinds.LIMIT_RANGE):
        for limits in (await site.client.list(kind, LEASED))["items"]:
            await site.client.create(again(limits, name=limits["metadata"]["name"], namespace=LIMITED))
    # The quota counts nothing before its controller has seen it.
    await asyncio.sleep(2)
    for how, query in (("by dry run", {"dryRun": "All"}), ("and kept", {})):
        seconds = await _times(site, count, query)
        print(f"a pod created {how}, {count} times in each namespace, seconds")
        for namespace, title in _TITLES.items():
            row(title, seconds[namespace])
        leased, limited, plain = (statistics.median(seconds[name]) for name in (LEASED, LIMITED, PLAIN))
        print(
            f"  ratio at p50: {leased / plain:.2f} to unlabelled, {leased / limited:.2f} to only limits\n", flush=True
        )
    for namespace in (LIMITED, PLAIN):
        await site.client.delete(kinds.NAMESPACE, namespace)
        await site.gone(kinds.NAMESPACE, namespace)
    await site.client.delete(kinds.GPU_LEASE, "guarded")
    await site.gone(kinds.GPU_LEASE, "guarded")


async def _times(site: Site, count: int, query: dict[str, str]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {namespace: [] for namespace in _TITLES}
    for number in range(count):
        # In turn, so that whatever else the machine does meets all alike.
        for namespace, taken in seconds.items():
            taken.append(await site.timed(_create(site, pod(f"pod-{number}", namespace), query)))
    return seconds


async def _create(site: Site, manifest: Raw, query: dict[str, str]) -> None:
    path = kinds.POD.path(manifest["metadata"]["namespace"])
    await site.client.request("POST", path, query=query, body=manifest)
