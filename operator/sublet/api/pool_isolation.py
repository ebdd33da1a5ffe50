"""What tenants of a pool may use, and what keeps them apart from the owner."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sublet.api.markers import SET
from sublet.api.meta import Model
from sublet.api.names import Cidr, DnsLabel, LabelValue, ObjectName

ClassNames = Annotated[tuple[ObjectName, ...], Field(max_length=32, json_schema_extra=SET)]
"""Names of classes that pods may ask for."""

Networks = Annotated[tuple[Cidr, ...], Field(max_length=32, json_schema_extra=SET)]
"""Networks, each in its canonical form."""

Registry = Annotated[
    str, Field(min_length=1, max_length=253, pattern="^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?(/[a-z0-9._-]+)*/?$")
]
"""A registry, or a path in one."""


class PodSecurityLevel(StrEnum):
    """A level of the Pod Security Standards. `privileged` is not offered: it gives a tenant the node."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"


class PodSecurity(Model):
    """Which of the Pod Security Standards the tenant's pods are held to."""

    level: PodSecurityLevel = PodSecurityLevel.BASELINE
    """`baseline`, or the stricter `restricted`."""
    version: Annotated[str, Field(max_length=16, pattern=r"^(latest|v1\.[0-9]{1,3})$")] = "latest"
    """Kubernetes release whose text of the standard counts, for example `v1.36`; `latest` follows the cluster."""


class Dns(Model):
    """Where the tenant's pods ask for names."""

    namespace: DnsLabel = "kube-system"
    """Namespace of the DNS pods."""
    pod_labels: Annotated[Mapping[str, LabelValue], Field(min_length=1, max_length=8)] = {"k8s-app": "kube-dns"}
    """Labels of the DNS pods. Tenants may reach their port 53, over UDP and TCP."""


class ProbeMode(StrEnum):
    """When probe pods measure what a node and its network really enforce."""

    REQUIRED = "Required"
    """Before a tenant is let in, and once a day after that. Nobody is let onto a node that does not pass."""
    ON_REQUEST = "OnRequest"
    """When somebody runs `sublet doctor --probe`."""


class Isolation(Model):
    """What tenants may use, and what keeps them apart."""

    pod_security: PodSecurity = PodSecurity()
    """Pod Security Standard of the tenant's namespaces."""
    registries: Annotated[tuple[Registry, ...], Field(max_length=32, json_schema_extra=SET)] = ()
    """Registries, or paths in them, that images may come from, for example `registry.example/acme`. An empty list:
    any.
    """
    runtime_classes: ClassNames = ()
    """RuntimeClasses that pods may name. An empty list: none, pods run with the cluster's default."""
    storage_classes: ClassNames = ()
    """StorageClasses that volume claims may name. Each must exist, with a provisioner, reclaim policy `Delete` and no
    free volume. An empty list: no volume claims.
    """
    priority_classes: ClassNames = ()
    """PriorityClasses that pods may name. An empty list: none, pods have the cluster's default priority."""
    device_classes: ClassNames = ()
    """DeviceClasses that resource claims may name. An empty list: no resource claims."""
    dns: Dns = Dns()
    """Where the tenant's pods ask for names."""
    cluster_cidrs: Networks = ()
    """Networks of the cluster, closed to tenants whatever else is allowed: pods, Services, nodes with all their
    addresses, and the API server, also where its address is a public one. Sublet cannot find them out: what is missing
    here is open wherever `egress` reaches. Needed with `egress`, for IPv4 and IPv6 each.
    """
    egress: Networks = ()
    """Networks that leases may ask for at most, for example `0.0.0.0/0`. An empty list: no way out but DNS. Loopback,
    link-local, multicast and cloud metadata addresses stay closed even inside them.
    """
    probe: ProbeMode = ProbeMode.ON_REQUEST
    """`Required`: before a tenant is let in, pods on the leased nodes measure whether the network plugin, nodes and
    runtime keep it apart, and nobody is let in where they do not. `OnRequest`: only `sublet doctor --probe` measures.
    """
    min_toolkit_version: Annotated[str, Field(max_length=32, pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){2}$")] | None = None
    """Lowest version of the NVIDIA container toolkit, for example `1.17.8`: a node with an older one, or whose version
    is not known, is not for sale. Left out: not looked at.
    """
