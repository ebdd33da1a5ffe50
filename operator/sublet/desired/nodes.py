"""Nodes: the labels, annotations and taints of a node that is leased, cleaned or quarantined, and a free one's."""

from datetime import datetime
from typing import Any

from sublet.desired import naming

Taint = dict[str, Any]

_OURS = {naming.LEASE, naming.SANITIZING}
"""Keys of the taints that mark a lease, and the cleaning after it."""

_NO_CLAIM = {naming.LEASE: None, naming.POOL: None, naming.SANITIZING: None}


def claimed(lease: str, uid: str, pool: str, taints: tuple[Taint, ...]) -> dict[str, Any]:
    """The change that claims a node which carries `taints` now.

    The taint is NoExecute, so that what runs there already, or is bound around the scheduler, is put off.
    """
    taint = {"key": naming.LEASE, "value": lease, "effect": "NoExecute"}
    return {
        "metadata": {
            "labels": {naming.LEASE: lease, naming.POOL: pool, naming.SANITIZING: None},
            "annotations": {
                naming.LEASE_UID: uid,
                naming.REUSABLE_AT: None,
                naming.SANITIZED: None,
                naming.QUARANTINED_AFTER: None,
                naming.QUARANTINE_REASON: None,
            },
        },
        "spec": {"taints": [*_foreign(taints), taint]},
    }


def sanitizing(uid: str, taints: tuple[Taint, ...]) -> dict[str, Any]:
    """The change that marks a node as being cleaned after the lease with that UID, whose claim it keeps.

    What was said of an earlier cleaning goes: only what is said from now on is about this one. The taint is NoExecute,
    so that nothing runs beside the cleaning that could make the node dirty again.
    """
    kept = [taint for taint in taints if taint.get("key") != naming.SANITIZING]
    return {
        "metadata": {"labels": {naming.SANITIZING: uid}, "annotations": {naming.SANITIZED: None}},
        "spec": {"taints": [*kept, {"key": naming.SANITIZING, "effect": "NoExecute"}]},
    }


def is_sanitizing(taints: tuple[Taint, ...]) -> bool:
    """Whether the taint of the cleaning is among `taints`, and as strong as it has to be."""
    return any(t.get("key") == naming.SANITIZING and t.get("effect") == "NoExecute" for t in taints)


def returned(taints: tuple[Taint, ...], reusable_at: datetime, clean_after: str | None = None) -> dict[str, Any]:
    """The change that takes the claim off a node which carries `taints` now.

    The cleaning gap is written on the node itself, so that it is kept also when the lease object is gone.

    Args:
        taints: Those of the node.
        reusable_at: When it may be booked again.
        clean_after: The UID of the lease after which it was cleaned; None if nothing was run on it.
    """
    return {
        "metadata": {
            "labels": dict(_NO_CLAIM),
            "annotations": {
                naming.LEASE_UID: None,
                naming.REUSABLE_AT: naming.instant(reusable_at),
                naming.SANITIZED: clean_after,
            },
        },
        # An absent list, not an empty one: a node without taints has no such field.
        "spec": {"taints": _foreign(taints) or None},
    }


def quarantined(taints: tuple[Taint, ...], uid: str, why: str) -> dict[str, Any]:
    """The change that takes the claim off a node that failed under or after a lease, and keeps it from use.

    Pods of the tenant may run there, unseen by the API server: NoExecute puts them off as soon as the node answers
    again. Whoever has seen to it that nothing is left takes the taint off.

    Args:
        taints: Those of the node.
        uid: The UID of the lease.
        why: A sentence for whoever has to see to it.
    """
    kept = [taint for taint in _foreign(taints) if taint.get("key") != naming.QUARANTINED]
    return {
        "metadata": {
            "labels": dict(_NO_CLAIM),
            "annotations": {
                naming.LEASE_UID: None,
                naming.REUSABLE_AT: None,
                naming.QUARANTINED_AFTER: uid,
                naming.QUARANTINE_REASON: why,
            },
        },
        "spec": {"taints": [*kept, {"key": naming.QUARANTINED, "effect": "NoExecute"}]},
    }


def is_claimed_whole(lease: str, taints: tuple[Taint, ...]) -> bool:
    """Whether the lease's taint, and no other lease's, is among `taints`."""
    ours = [(t.get("value"), t.get("effect")) for t in taints if t.get("key") in _OURS]
    return ours == [(lease, "NoExecute")]


def _foreign(taints: tuple[Taint, ...]) -> list[Taint]:
    return [taint for taint in taints if taint.get("key") not in _OURS]
