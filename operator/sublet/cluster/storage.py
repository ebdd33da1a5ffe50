"""Reading the world's storage: which classes there are, and which volumes were made for claims of leases."""

from collections.abc import Collection
from typing import Any

from sublet.cluster.world import World
from sublet.desired import naming
from sublet.plan.observed import VolumeSeen
from sublet.policy.storage import Classes, ClassSeen

Raw = dict[str, Any]

_CLASS_BY_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
"""An older way to name a volume's class, which wins over its specification (component-helpers, volume helpers)."""


def classes_named(world: World, names: Collection[str]) -> Classes:
    """Those of the named StorageClasses that exist."""
    if not names:
        return {}
    by_name = sorted(filter(is_free, world.volumes), key=lambda volume: str(volume["metadata"]["name"]), reverse=True)
    free = {class_of(volume): volume["metadata"]["name"] for volume in by_name}
    found = {name: seen for name in names if (seen := world.classes.get(name)) is not None}
    return {
        # The API server writes Delete where nothing is said, and calls it the default (API reference, StorageClass).
        name: ClassSeen(seen.get("reclaimPolicy") or "Delete", seen["provisioner"], free.get(name))
        for name, seen in found.items()
    }


def class_of(volume: Raw) -> str:
    """The StorageClass of a volume; "" if it has none."""
    annotations = volume["metadata"].get("annotations") or {}
    return str(annotations.get(_CLASS_BY_ANNOTATION, volume["spec"].get("storageClassName") or ""))


def is_free(volume: Raw) -> bool:
    """Whether a claim that comes along may get the volume."""
    return "claimRef" not in volume["spec"] and "deletionTimestamp" not in volume["metadata"]


def volumes_in(world: World, namespaces: Collection[str]) -> tuple[VolumeSeen, ...]:
    """The volumes that were made for claims in these namespaces, by name."""
    found = (world.volumes.parsed(volume, volume_seen) for volume in world.volumes if claimed_in(volume) in namespaces)
    return tuple(sorted(found, key=lambda volume: volume.name))


def volumes_of_leases(world: World) -> tuple[VolumeSeen, ...]:
    """The volumes that were made for claims in namespaces of any lease, by name."""
    return volumes_in(world, {ns for volume in world.volumes if naming.is_of_a_lease(ns := claimed_in(volume))})


def booked_namespaces(world: World) -> set[str]:
    """The namespaces of all leases that have, or had, a booking."""
    return {name for lease in world.leases for name in (lease.get("status") or {}).get("namespaces") or ()}


def claimed_in(volume: Raw) -> str:
    """The namespace of the claim that a volume was made for; "" if it was made for none."""
    return str((volume["spec"].get("claimRef") or {}).get("namespace", ""))


def volume_seen(volume: Raw) -> VolumeSeen:
    """A volume that has a claim, as the end of a lease sees it."""
    return VolumeSeen(
        name=volume["metadata"]["name"],
        namespace=claimed_in(volume),
        reclaim_policy=volume["spec"].get("persistentVolumeReclaimPolicy", ""),
        phase=volume["status"]["phase"],
        leaving="deletionTimestamp" in volume["metadata"],
    )
