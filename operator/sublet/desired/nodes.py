"""Nodes: the labels, annotation and taint that a leased node carries, and a clean node without them."""

from datetime import datetime
from typing import Any

from sublet.desired import naming

Taint = dict[str, Any]

_OURS = {naming.LEASE}
"""Keys of the taints that mark a lease."""


def claimed(lease: str, uid: str, pool: str, taints: tuple[Taint, ...]) -> dict[str, Any]:
    """The change that claims a node which carries `taints` now.

    The taint is NoExecute, so that what runs there already, or is bound around the scheduler, is put off.
    """
    taint = {"key": naming.LEASE, "value": lease, "effect": "NoExecute"}
    return {
        "metadata": {
            "labels": {naming.LEASE: lease, naming.POOL: pool},
            "annotations": {naming.LEASE_UID: uid, naming.REUSABLE_AT: None},
        },
        "spec": {"taints": [*_foreign(taints), taint]},
    }


def returned(taints: tuple[Taint, ...], reusable_at: datetime) -> dict[str, Any]:
    """The change that takes the claim off a node which carries `taints` now.

    The cleaning gap is written on the node itself, so that it is kept also when the lease object is gone.
    """
    return {
        "metadata": {
            "labels": {naming.LEASE: None, naming.POOL: None},
            "annotations": {naming.LEASE_UID: None, naming.REUSABLE_AT: naming.instant(reusable_at)},
        },
        # An absent list, not an empty one: a node without taints has no such field.
        "spec": {"taints": _foreign(taints) or None},
    }


def quarantined(taints: tuple[Taint, ...]) -> dict[str, Any]:
    """The change that takes the claim off a node that failed under a lease, and keeps it from use.

    Pods of the tenant may run there, unseen by the API server: NoExecute puts them off as soon as the node answers
    again. Whoever has seen to it that nothing is left takes the taint off.
    """
    kept = [taint for taint in _foreign(taints) if taint.get("key") != naming.QUARANTINED]
    return {
        "metadata": {
            "labels": {naming.LEASE: None, naming.POOL: None},
            "annotations": {naming.LEASE_UID: None, naming.REUSABLE_AT: None},
        },
        "spec": {"taints": [*kept, {"key": naming.QUARANTINED, "effect": "NoExecute"}]},
    }


def is_claimed_whole(lease: str, taints: tuple[Taint, ...]) -> bool:
    """Whether the lease's taint, and no other lease's, is among `taints`."""
    ours = [(t.get("value"), t.get("effect")) for t in taints if t.get("key") in _OURS]
    return ours == [(lease, "NoExecute")]


def _foreign(taints: tuple[Taint, ...]) -> list[Taint]:
    return [taint for taint in taints if taint.get("key") not in _OURS]
