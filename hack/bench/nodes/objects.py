"""What the bench of real nodes creates: a pool of the real nodes, leases of one of them, and pods that run."""

from hack.bench.objects import SUBJECT, Raw
from hack.cluster.nodes import PREFIX_LABEL
from hack.cluster.realnodes import PREFIX, TENANT

POOL = "bench-nodes"


def pool() -> Raw:
    """A pool of the real nodes, which are free again as soon as they are given back."""
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPUPool",
        "metadata": {"name": POOL},
        "spec": {
            "nodeSelector": {"matchLabels": {PREFIX_LABEL: PREFIX}},
            "terms": {"minDuration": "1s", "extendLatest": "1s"},
            "schedule": {"cleaningGap": "0s", "drainBefore": "1s"},
        },
    }


def lease(name: str, duration: str = "2h") -> Raw:
    """One node."""
    tenant = {"name": "acme", "subjects": [SUBJECT]}
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPULease",
        "metadata": {"name": name},
        "spec": {"pool": POOL, "tenant": tenant, "nodes": 1, "duration": duration},
    }


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
