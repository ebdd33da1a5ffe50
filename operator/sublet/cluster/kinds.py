"""The kinds of object the operator touches, and where the API server serves them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        api_version: As in a manifest, `v1` or `group/version`.
        kind: As in a manifest.
        plural: Its resource name in paths.
        namespaced: Whether its objects live in namespaces.
        optional: Whether there are clusters that do not serve it.
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    optional: bool = False

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The path of the collection, or of one object, or of one object's subresource."""
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        parts = [root]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


NODE = Kind("v1", "Node", "nodes", namespaced=False)
NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
PERSISTENT_VOLUME = Kind("v1", "PersistentVolume", "persistentvolumes", namespaced=False)
POD = Kind("v1", "Pod", "pods", namespaced=True)
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps", namespaced=True)
JOB = Kind("batch/v1", "Job", "jobs", namespaced=True)
EVENT = Kind("v1", "Event", "events", namespaced=True)
RESOURCE_QUOTA = Kind("v1", "ResourceQuota", "resourcequotas", namespaced=True)
LIMIT_RANGE = Kind("v1", "LimitRange", "limitranges", namespaced=True)
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", namespaced=True)
CLUSTER_NETWORK_POLICY = Kind(
    "policy.networking.k8s.io/v1alpha2",
    "ClusterNetworkPolicy",
    "clusternetworkpolicies",
    namespaced=False,
    optional=True,
)
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", namespaced=True)
GPU_LEASE = Kind("sublet.dev/v1alpha1", "GPULease", "gpuleases", namespaced=False)
GPU_POOL = Kind("sublet.dev/v1alpha1", "GPUPool", "gpupools", namespaced=False)
LEASE_RECORD = Kind("sublet.dev/v1alpha1", "LeaseRecord", "leaserecords", namespaced=False)

MUTATING_POLICY = Kind(
    "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", namespaced=False
)

CHILDREN = (
    NAMESPACE,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    NETWORK_POLICY,
    CLUSTER_NETWORK_POLICY,
    CONFIG_MAP,
    ROLE_BINDING,
)
"""The kinds a lease is rendered into, watched so that drift is seen at once."""

BY_KIND = {
    k.kind: k
    for k in (NODE, STORAGE_CLASS, PERSISTENT_VOLUME, *CHILDREN, POD, JOB, EVENT, GPU_LEASE, GPU_POOL, LEASE_RECORD)
}


def kind_of(manifest: dict[str, object]) -> Kind:
    """The kind of a manifest or a live object."""
    return BY_KIND[str(manifest["kind"])]
