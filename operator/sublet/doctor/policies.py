"""The network policies of two made-up leases, exactly as real ones get them."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

from sublet import __version__
from sublet.api.network import EgressRule
from sublet.api.pool import GPUPool
from sublet.desired import naming, network
from sublet.desired.tenancy import Allowed, Capacity, Egress, Tenancy

Raw = dict[str, Any]

OPEN_NAMESPACE: Final = "sublet-doctor-open"
"""The chart's namespace without policies. It also says which image probe pods run."""

NAMESPACES: Final = (OPEN_NAMESPACE, *naming.MADE_UP_LEASES)

_WHENEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


def policies(pool: GPUPool) -> list[Raw]:
    """The network policies of two leases of a pool that ask for as much egress as the pool ever allows.

    So what is measured holds for every lease of the pool: none can ask for more.
    """
    return [manifest for name in naming.MADE_UP_LEASES for manifest in network.manifests(_made_up(pool, name))]


def digest(pool: GPUPool, image: str) -> str:
    """What an answer rests on: it counts no longer once the policies, the program or its image are others."""
    text = json.dumps([policies(pool), image, __version__], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _made_up(pool: GPUPool, name: str) -> Tenancy:
    isolation = pool.spec.isolation
    return Tenancy(
        lease=name,
        uid=name,
        pool=pool.metadata.name,
        tenant=name,
        contact="",
        subjects=(),
        tenant_role="",
        namespaces=(name,),
        nodes=(),
        gpus=0,
        capacity=Capacity(gpus=0, cpu_millis=0, memory_bytes=0, ephemeral_storage_bytes=0, pods=0),
        resource_name=pool.spec.resource_name,
        allowed=Allowed(),
        pod_security=("restricted", "latest"),
        dns_namespace=isolation.dns.namespace,
        dns_labels=isolation.dns.pod_labels,
        egress=Egress(
            asked=tuple(EgressRule(cidr=cidr) for cidr in isolation.egress),
            allowed=isolation.egress,
            cluster=isolation.cluster_cidrs,
        ),
        has_cluster_policies=False,
        starts_at=_WHENEVER,
        drain_at=_WHENEVER,
        ends_at=_WHENEVER,
        hard_stop_at=_WHENEVER,
        admits_pods=True,
        grants_access=False,
    )
