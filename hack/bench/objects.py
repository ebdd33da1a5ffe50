"""What the bench creates: a pool of every node, leases of two of them, and plain pods."""

from typing import Any

Raw = dict[str, Any]

POOL = "bench"
SUBJECT = {"kind": "User", "name": "alice@acme.example"}


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


def again(obj: Raw, **metadata: str) -> Raw:
    """A live object as a manifest for another place: what it is, without whose it was and how it fared."""
    return {**{key: value for key, value in obj.items() if key not in {"metadata", "status"}}, "metadata": metadata}
