"""Attacks on lease facts. Several people and programs may work in one lease, and all of them believe what it says."""

from typing import Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack
from sublet.guards.attacks.requests import add, ask, patch

_NAMED: Final = f"configmaps/{naming.FACTS}"
_LATER: Final = "2999-01-01T00:00:00Z"
_FORGED: Final = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": naming.FACTS},
    "data": {"endsAt": _LATER},
}
_GONE: Final = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-4000-8000-000000000000"}

_MISLEAD: Final = "Have others who work in the lease believe in a later end."
_HIDE: Final = "Keep the end from others who work in the lease."

ATTACKS: tuple[Attack, ...] = tuple(
    Attack(f"facts-{name}", what, "lease-facts", request)
    for name, what, request in (
        ("changed", _MISLEAD, patch("v1", _NAMED, add("/data/endsAt", _LATER))),
        ("emptied", _HIDE, patch("v1", _NAMED, add("/data", {}))),
        ("forged", _MISLEAD, ask("create", "v1", "configmaps", body=_FORGED)),
        ("deleted", _HIDE, ask("delete", "v1", _NAMED)),
        ("deleted-with-all", _HIDE, ask("deletecollection", "v1", "configmaps")),
        # The cluster's own controllers may delete them.
        ("left-as-garbage", _HIDE, patch("v1", _NAMED, add("/metadata/ownerReferences", [_GONE]))),
    )
)
