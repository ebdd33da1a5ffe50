"""Volumes that outlive their claims: what the end of a lease waits for, and what to do about those that stay.

A provisioner deletes a volume once its claim is gone. The operator never does: a PersistentVolume that somebody else
deletes may leave the storage behind it, and the tenant's data on it, where nobody sees it any more.
"""

from collections.abc import Sequence

from sublet.plan.observed import VolumeSeen

_NAMED = 5


def stuck(volumes: Sequence[VolumeSeen]) -> list[VolumeSeen]:
    """Those that stay until somebody does something about them."""
    return [each for each in volumes if not each.leaving and (each.reclaim_policy == "Retain" or _failed(each))]


def awaited(volumes: Sequence[VolumeSeen]) -> str:
    """What is waited for, as a sentence: those that need somebody first."""
    staying = stuck(volumes)
    if not staying:
        names = ", ".join(volume.name for volume in volumes[:_NAMED])
        return f"volumes still being deleted: {names}; if one stays, see the events of `kubectl describe pv`"
    first = staying[0]
    why = "could not be deleted (phase Failed)" if _failed(first) else "is kept by its reclaim policy Retain"
    remedy = (
        "see `kubectl describe pv` for why, then delete it and the storage behind it"
        if _failed(first)
        else "set its spec.persistentVolumeReclaimPolicy to Delete, or delete it and the storage behind it"
    )
    more = f"; {len(volumes) - 1} more volumes are left" if len(volumes) > 1 else ""
    return f"the volume {first.name} {why}: {remedy}{more}"


def _failed(volume: VolumeSeen) -> bool:
    return volume.phase == "Failed"
