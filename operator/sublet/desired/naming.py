"""Names and labels: the only module where the strings of the cluster contract are put together."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

PREFIX = "sublet.dev"

LEASE = f"{PREFIX}/lease"
LEASE_UID = f"{PREFIX}/lease-uid"
POOL = f"{PREFIX}/pool"
TENANT = f"{PREFIX}/tenant"
STARTS_AT = f"{PREFIX}/starts-at"
ENDS_AT = f"{PREFIX}/ends-at"
HARD_STOP_AT = f"{PREFIX}/hard-stop-at"
GPU_RESOURCE = f"{PREFIX}/gpu-resource"
ALLOWED_REGISTRIES = f"{PREFIX}/allowed-registries"
ALLOWED_RUNTIME_CLASSES = f"{PREFIX}/allowed-runtime-classes"
ALLOWED_STORAGE_CLASSES = f"{PREFIX}/allowed-storage-classes"
ALLOWED_PRIORITY_CLASSES = f"{PREFIX}/allowed-priority-classes"
ALLOWED_DEVICE_CLASSES = f"{PREFIX}/allowed-device-classes"
REUSABLE_AT = f"{PREFIX}/reusable-at"
QUARANTINED = f"{PREFIX}/quarantined"
MEASURED = f"{PREFIX}/measured"
QUARANTINED_AFTER = f"{PREFIX}/quarantined-after"
"""Annotation of a node: the UID of the lease after or under which it was quarantined."""
QUARANTINE_REASON = f"{PREFIX}/quarantine-reason"
SANITIZING = f"{PREFIX}/sanitizing"
"""Taint of a node that is being cleaned, and its label, with the UID of the lease after which it is."""
SANITIZED = f"{PREFIX}/sanitized"
"""Annotation of a node: the UID of the lease after which it was cleaned. Another system may say so by it."""
STEP = f"{PREFIX}/step"
CLEANERS = "sublet-sanitize"
"""The namespace in which steps of the cleaning run; the chart makes it."""
IN_USE = f"{PREFIX}/in-use"
PROBE_USER = f"{PREFIX}:probe"
FINALIZER = f"{PREFIX}/give-back"
MADE_UP_LEASES = ("sublet-doctor-a", "sublet-doctor-b")
"""The chart's namespaces that stand for leases where isolation is measured: each has its own name as the UID."""
FACTS = "sublet-lease"
"""The ConfigMap in which a tenant reads what it may know of its lease."""


def namespace_name(lease: str, suffix: str = "") -> str:
    """The name of a lease's namespace: its first one, or an extra one by suffix."""
    return f"lease-{lease}-{suffix}" if suffix else f"lease-{lease}"


def is_of_a_lease(namespace: str) -> bool:
    """Whether a namespace has a name that only leases have; the operator has no business in any other."""
    return namespace.startswith("lease-")


def may_be_of(namespace: str, lease: str) -> bool:
    """Whether a lease of that name, with extra namespaces or not, can have had a namespace; of "", any lease can."""
    return f"{namespace}-".startswith(f"{namespace_name(lease)}-") if lease else is_of_a_lease(namespace)


def namespace_names(lease: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """All namespaces of a lease, the first one first."""
    return (namespace_name(lease), *(namespace_name(lease, suffix) for suffix in suffixes))


def owner_labels(lease: str, uid: str) -> Mapping[str, str]:
    """The labels that every child carries, so that what belongs to a lease can be listed."""
    return {LEASE: lease, LEASE_UID: uid}


def listed(names: Iterable[str]) -> str:
    """Several names as they stand in one annotation, which CEL's `split(',')` reads; none of them holds a comma."""
    return ",".join(names)


def instant(moment: datetime) -> str:
    """An instant as it stands in an annotation: UTC, to the second, which CEL's `timestamp()` reads."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
