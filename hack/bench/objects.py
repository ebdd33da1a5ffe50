"""What the bench creates: a pool of every node, leases of two of them, and plain pods."""

from typing import Any

from hack.cluster.nodes import PREFIX_LABEL

Raw = dict[str, Any]

POOL = "bench"
SUBJECT = {"kind": "User", "name": "alice@acme.example"}


def pool(name: str = POOL, *, prefix: str = "gpu", **spec: Raw) -> Raw:
    """A pool of the nodes with a prefix: unless said otherwise, of every one that kwok plays."""
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPUPool",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"matchLabels": {PREFIX_LABEL: prefix}},
            "schedule": {"cleaningGap": "0s"},
            **spec,
        },
    }


def lease(name: str, *, pool: str = POOL, nodes: int = 2, duration: str = "2h") -> Raw:
    """A lease of some nodes for some time."""
    tenant = {"name": "acme", "subjects": [SUBJECT]}
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "GPULease",
        "metadata": {"name": name},
        "spec": {"pool": pool, "tenant": tenant, "nodes": nodes, "duration": duration},
    }


def pod(name: str, namespace: str) -> Raw:
    """A pod that says nothing about where it runs."""
    spec: Raw = {"containers": [{"name": "main", "image": "registry.example/main:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def again(obj: Raw, **metadata: str) -> Raw:
    """A live object as a manifest for another place: what it is, without whose it was and how it fared."""
    return {**{key: value for key, value in obj.items() if key not in {"metadata", "status"}}, "metadata": metadata}
