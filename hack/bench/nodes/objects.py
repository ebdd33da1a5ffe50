"""What the bench of real nodes creates: a pool of the real nodes, leases of one of them, and pods that run."""

from hack.bench import objects
from hack.bench.objects import Raw
from hack.cluster.realnodes import PREFIX, TENANT

POOL = "bench-nodes"


def pool() -> Raw:
    """A pool of the real nodes, which are free again as soon as they are given back."""
    return objects.pool(
        POOL,
        prefix=PREFIX,
        terms={"minDuration": "1s", "extendLatest": "1s"},
        schedule={"cleaningGap": "0s", "drainBefore": "1s"},
    )


def lease(name: str, duration: str = "2h") -> Raw:
    """One node."""
    return objects.lease(name, pool=POOL, nodes=1, duration=duration)


def pod(namespace: str, command: str) -> Raw:
    """A pod with a GPU that runs a command of the tenant program; its image is asked for anew, as under a lease."""
    container = {
        "name": "main",
        "image": TENANT,
        "imagePullPolicy": "Always",
        "args": [command],
        "resources": {"limits": {"nvidia.com/gpu": 1}},
    }
    metadata = {"name": "main", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
