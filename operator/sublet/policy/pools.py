"""The rules by which a pool is judged: nothing is sold on terms that would not be kept."""

from dataclasses import dataclass

from sublet.api.pool import GPUPool
from sublet.api.reasons import Reason
from sublet.policy import sanitizing, storage, terms, windows
from sublet.policy.network import cluster_is_named


@dataclass(frozen=True)
class Objection:
    """Why a pool is not accepted."""

    reason: Reason
    message: str


def judge(pool: GPUPool, classes: storage.Classes) -> Objection | None:
    """Why nothing can be sold from the pool as it is written; None if it can.

    A field that this version does not enforce is refused: an owner who sets it relies on it.

    Args:
        pool: The pool.
        classes: Of the StorageClasses that it offers, those that exist.
    """
    if pool.metadata.deletion_timestamp is not None:
        return Objection(
            Reason.DELETED, "the pool is being deleted; it goes when its last lease has ended, and sells nothing more"
        )
    isolation = pool.spec.isolation
    unenforced = {
        "spec.isolation.deviceClasses": bool(isolation.device_classes),
        "spec.isolation.minToolkitVersion": isolation.min_toolkit_version is not None,
    }
    field = next((name for name, is_set in unenforced.items() if is_set), None)
    if field is not None:
        return Objection(
            Reason.NOT_OFFERED,
            f"{field}: not enforced by this version of Sublet; remove the field to sell without it",
        )
    wrong = (
        windows.objection(pool.spec.owner_floor.windows)
        or cluster_is_named(isolation)
        or sanitizing.objection(pool.spec.sanitize)
        or terms.objection(pool.spec)
    )
    if wrong is not None:
        return Objection(Reason.INVALID_SPEC, wrong)
    unfit = storage.objection(isolation, classes)
    return None if unfit is None else Objection(Reason.UNFIT_CLASS, unfit)
