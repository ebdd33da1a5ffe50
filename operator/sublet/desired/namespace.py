"""The namespaces of a lease: Pod Security labels, and the times that guards read in annotations."""

from typing import Any

from sublet.desired import naming
from sublet.desired.tenancy import Tenancy


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One Namespace for each of the lease's names."""
    level, version = tenancy.pod_security
    pod_security = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "warn", "audit")
        for suffix, value in (("", level), ("-version", version))
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {**tenancy.labels, naming.TENANT: tenancy.tenant, **pod_security},
                "annotations": {
                    naming.LEASE_UID: tenancy.uid,
                    naming.ENDS_AT: naming.instant(tenancy.ends_at),
                    naming.HARD_STOP_AT: naming.instant(tenancy.hard_stop_at),
                },
            },
        }
        for name in tenancy.namespaces
    ]
