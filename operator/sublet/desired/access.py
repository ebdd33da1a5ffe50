"""Access: the RoleBinding that lets the tenant in."""

from typing import Any

from sublet.desired import naming
from sublet.desired.tenancy import Tenancy

_RBAC = "rbac.authorization.k8s.io"


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One RoleBinding in each namespace; none while the tenant has to stay outside."""
    if not tenancy.grants_access:
        return []
    return [_binding(tenancy, namespace, "sublet-tenant", tenancy.subjects) for namespace in tenancy.namespaces]


def for_probes(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One RoleBinding in each namespace for the user as whom guards are probed: it has the tenant's rights."""
    probe = (("User", naming.PROBE_USER),)
    return [_binding(tenancy, namespace, "sublet-probe", probe) for namespace in tenancy.namespaces]


def _binding(tenancy: Tenancy, namespace: str, name: str, subjects: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace, "labels": tenancy.labels},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": tenancy.tenant_role},
        "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": subject} for kind, subject in subjects],
    }
