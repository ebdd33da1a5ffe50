"""The namespaces of a lease: Pod Security labels, and the annotations in which guards read times and allow-lists."""

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
                "annotations": _annotations(tenancy),
            },
        }
        for name in tenancy.namespaces
    ]


def _annotations(tenancy: Tenancy) -> dict[str, str]:
    """All of them always, also an empty list: where one is missing, guards refuse what they would read in it."""
    allowed = tenancy.allowed
    return {
        naming.LEASE_UID: tenancy.uid,
        naming.STARTS_AT: naming.instant(tenancy.starts_at),
        naming.ENDS_AT: naming.instant(tenancy.ends_at),
        naming.HARD_STOP_AT: naming.instant(tenancy.hard_stop_at),
        naming.GPU_RESOURCE: tenancy.resource_name,
        # `registry.example/` is the same as `registry.example`, and guards know the one form alone.
        naming.ALLOWED_REGISTRIES: naming.listed(each.rstrip("/") for each in allowed.registries),
        naming.ALLOWED_RUNTIME_CLASSES: naming.listed(allowed.runtime_classes),
        naming.ALLOWED_STORAGE_CLASSES: naming.listed(allowed.storage_classes),
        naming.ALLOWED_PRIORITY_CLASSES: naming.listed(allowed.priority_classes),
        naming.ALLOWED_DEVICE_CLASSES: naming.listed(allowed.device_classes),
    }
