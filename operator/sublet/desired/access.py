"""Access: the RoleBinding that lets the tenant in."""

from typing import Any

from sublet.desired.tenancy import Tenancy

_RBAC = "rbac.authorization.k8s.io"


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One RoleBinding in each namespace; none while the tenant has to stay outside."""
    if not tenancy.grants_access:
        return []
    return [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "sublet-tenant", "namespace": namespace, "labels": tenancy.labels},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": tenancy.tenant_role},
            "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": name} for kind, name in tenancy.subjects],
        }
        for namespace in tenancy.namespaces
    ]
