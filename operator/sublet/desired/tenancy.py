"""A tenancy: everything about a booked lease that the manifests depend on, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sublet.api.network import EgressRule
from sublet.desired import naming


@dataclass(frozen=True)
class Capacity:
    """What the leased nodes offer together.

    Attributes:
        gpus: Number of GPUs.
        cpu_millis: CPU in thousandths of a core.
        memory_bytes: Memory in bytes.
        ephemeral_storage_bytes: Local disk in bytes.
        pods: Number of pods.
    """

    gpus: int
    cpu_millis: int
    memory_bytes: int
    ephemeral_storage_bytes: int
    pods: int


@dataclass(frozen=True)
class Egress:
    """What the pods may reach outside of the lease.

    Attributes:
        asked: What the lease asks for.
        allowed: The networks that the pool allows at most.
        cluster: The cluster's own networks, which stay closed.
    """

    asked: tuple[EgressRule, ...] = ()
    allowed: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """What of the cluster the tenant may name.

    Attributes:
        registries: Registries, or paths in them, that images come from; none named means any.
        runtime_classes: RuntimeClasses of pods.
        storage_classes: StorageClasses of volume claims.
        priority_classes: PriorityClasses of pods.
        device_classes: DeviceClasses of resource claims.
    """

    registries: tuple[str, ...] = ()
    runtime_classes: tuple[str, ...] = ()
    storage_classes: tuple[str, ...] = ()
    priority_classes: tuple[str, ...] = ()
    device_classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tenancy:
    """One lease, as far as its children depend on it.

    Attributes:
        lease: Name of the lease.
        uid: UID of the lease.
        pool: Name of its pool.
        tenant: Name of the tenant.
        contact: Where notices reach the tenant; empty if it named nothing.
        subjects: (kind, name) of the users and groups that get access.
        tenant_role: The ClusterRole they get.
        namespaces: Names of the namespaces, the first one first.
        nodes: Names of the nodes that are promised.
        gpus: How many GPUs are promised.
        capacity: What those of the nodes offer together that are there.
        resource_name: The extended resource that counts GPUs.
        allowed: What of the cluster the tenant may name.
        pod_security: (level, version) of Pod Security Admission.
        dns_namespace: Where the cluster's DNS runs.
        dns_labels: The labels of its pods.
        egress: What may be reached outside.
        has_cluster_policies: Whether the API server serves ClusterNetworkPolicies.
        starts_at: Start of the lease.
        drain_at: From when no new pods are let in.
        ends_at: End of the lease.
        hard_stop_at: The instant that no extension can move.
        admits_pods: Whether new pods may start now.
        grants_access: Whether the tenant may come in now.
    """

    lease: str
    uid: str
    pool: str
    tenant: str
    contact: str
    subjects: tuple[tuple[str, str], ...]
    tenant_role: str
    namespaces: tuple[str, ...]
    nodes: tuple[str, ...]
    gpus: int
    capacity: Capacity
    resource_name: str
    allowed: Allowed
    pod_security: tuple[str, str]
    dns_namespace: str
    dns_labels: Mapping[str, str]
    egress: Egress
    has_cluster_policies: bool
    starts_at: datetime
    drain_at: datetime
    ends_at: datetime
    hard_stop_at: datetime
    admits_pods: bool
    grants_access: bool

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every child."""
        return dict(naming.owner_labels(self.lease, self.uid))
