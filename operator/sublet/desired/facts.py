"""Lease facts: what a tenant and its programs may read of a lease, which is not theirs to see."""

from typing import Any

from sublet.desired import naming
from sublet.desired.tenancy import Tenancy


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One ConfigMap in each namespace. Keys are called as in the lease; every value is a text.

    They say what was promised, in the words of the lease's status, and not how the lease is doing. All keys are there
    always, also without a value: a key that is left out would stay where it was before.
    """
    data = {
        "lease": tenancy.lease,
        "pool": tenancy.pool,
        "tenantContact": tenancy.contact,
        "startsAt": naming.instant(tenancy.starts_at),
        "drainAt": naming.instant(tenancy.drain_at),
        "endsAt": naming.instant(tenancy.ends_at),
        "hardStopAt": naming.instant(tenancy.hard_stop_at),
        "nodes": naming.listed(tenancy.nodes),
        "nodeCount": str(len(tenancy.nodes)),
        "gpus": str(tenancy.gpus),
        "gpuResource": tenancy.resource_name,
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": naming.FACTS, "namespace": namespace, "labels": tenancy.labels},
            "data": dict(data),
        }
        for namespace in tenancy.namespaces
    ]
