"""The end of a lease: to access revoked, and to everything given back."""

import time

from hack.bench.objects import pod
from hack.bench.site import Site
from sublet.cluster import kinds


async def end_times(site: Site, pods: int) -> None:
    """End to access revoked, and to everything given back, for a tenant with pods."""
    await site.bring_up("ending")
    namespace = "lease-ending"
    for number in range(pods):
        await site.client.create(pod(f"pod-{number}", namespace))
    await site.until(lambda: site.running(namespace, pods), "all pods run")
    began = time.monotonic()
    await site.client.patch(kinds.GPU_LEASE, "ending", {"spec": {"release": True}})
    await site.gone(kinds.ROLE_BINDING, "sublet-tenant", namespace)
    revoked = time.monotonic() - began
    await site.gone(kinds.NAMESPACE, namespace)
    removed = time.monotonic() - began
    await site.until(lambda: site.phase("ending", "Ended"), "the lease has ended")
    back = time.monotonic() - began
    baseline = await bare_end(site, namespace="bare-ending", pods=pods)
    print(f"end of a lease with {pods} pods, seconds")
    print(f"  operator      access revoked {revoked:6.2f}   namespace gone {removed:6.2f}   nodes back {back:6.2f}")
    print(f"  bare client   {'':21}   namespace gone {baseline:6.2f}")
    print(f"  ratio         {'':21}   {'':14} {removed / baseline:6.2f}\n", flush=True)


async def bare_end(site: Site, namespace: str, pods: int) -> float:
    """The same pods in a namespace without a lease, deleted by hand."""
    await site.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    await site.until(lambda: site.account(namespace), "its ServiceAccount is there")
    for number in range(pods):
        await site.client.create(pod(f"pod-{number}", namespace))
    await site.until(lambda: site.running(namespace, pods), "all pods run")
    began = time.monotonic()
    await site.client.delete_all(kinds.POD, namespace, grace_seconds=5)
    await site.client.delete(kinds.NAMESPACE, namespace)
    await site.gone(kinds.NAMESPACE, namespace)
    return time.monotonic() - began
