"""StorageClasses on offer: a tenant gets new volumes alone, and each is deleted with its claim.

Volumes hold the tenant's data and outlive namespaces, so a class is judged before anything is sold with it, and again
whenever a running lease is rendered.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sublet.api.pool import Isolation


@dataclass(frozen=True)
class ClassSeen:
    """A StorageClass, as far as tenants' data depends on it.

    Attributes:
        reclaim_policy: What becomes of its volumes without their claims: `Delete` or `Retain`.
        provisioner: Who makes its volumes.
        free_volume: A volume of the class that no claim holds yet, so that the next claim gets it; None if there is
            none.
    """

    reclaim_policy: str
    provisioner: str
    free_volume: str | None = None


Classes = Mapping[str, ClassSeen]
"""The classes that exist, by name."""

_NO_PROVISIONER = "kubernetes.io/no-provisioner"


def objection(isolation: Isolation, classes: Classes) -> str | None:
    """What is wrong with the first class on offer that tenants must not have; None if they may have each."""
    for index, name in enumerate(isolation.storage_classes):
        fault = _fault(name, classes)
        if fault is not None:
            return f"spec.isolation.storageClasses[{index}]: {fault}"
    return None


def offered(isolation: Isolation, classes: Classes) -> tuple[str, ...]:
    """The classes that tenants may have now: one that turned bad is lost to running leases as well."""
    return tuple(name for name in isolation.storage_classes if _fault(name, classes) is None)


def _fault(name: str, classes: Classes) -> str | None:
    seen = classes.get(name)
    if seen is None:
        return f"there is no StorageClass {name}; create it, or take the name off the list"
    if seen.reclaim_policy != "Delete":
        return (
            f"the StorageClass {name} has reclaimPolicy {seen.reclaim_policy}, so tenants' data would stay; "
            "offer one with reclaimPolicy Delete"
        )
    if seen.provisioner == _NO_PROVISIONER:
        return (
            f"the StorageClass {name} makes no volumes ({_NO_PROVISIONER}), so claims would take what is there; "
            "offer one with a provisioner"
        )
    if seen.free_volume is not None:
        return (
            f"the volume {seen.free_volume} of the StorageClass {name} is free, so a tenant's claim would get it with "
            "all that is on it; delete it, or give it another class"
        )
    return None
