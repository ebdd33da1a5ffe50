"""Names and labels: the only module where the strings of the cluster contract are put together."""

from collections.abc import Mapping
from datetime import UTC, datetime

PREFIX = "sublet.dev"

LEASE = f"{PREFIX}/lease"
LEASE_UID = f"{PREFIX}/lease-uid"
POOL = f"{PREFIX}/pool"
TENANT = f"{PREFIX}/tenant"
ENDS_AT = f"{PREFIX}/ends-at"
HARD_STOP_AT = f"{PREFIX}/hard-stop-at"
REUSABLE_AT = f"{PREFIX}/reusable-at"
IN_USE = f"{PREFIX}/in-use"
FINALIZER = f"{PREFIX}/give-back"


def namespace_name(lease: str, suffix: str = "") -> str:
    """The name of a lease's namespace: its first one, or an extra one by suffix."""
    return f"lease-{lease}-{suffix}" if suffix else f"lease-{lease}"


def is_of_a_lease(namespace: str) -> bool:
    """Whether a namespace has a name that only leases have; the operator has no business in any other."""
    return namespace.startswith("lease-")


def namespace_names(lease: str, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """All namespaces of a lease, the first one first."""
    return (namespace_name(lease), *(namespace_name(lease, suffix) for suffix in suffixes))


def owner_labels(lease: str, uid: str) -> Mapping[str, str]:
    """The labels that every child carries, so that what belongs to a lease can be listed."""
    return {LEASE: lease, LEASE_UID: uid}


def instant(moment: datetime) -> str:
    """An instant as it stands in an annotation: UTC, to the second, which CEL's `timestamp()` reads."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
