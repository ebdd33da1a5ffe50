"""Attacks by pods, and by whatever makes pods."""

from typing import Final

from sublet.guards.attacks.attack import Attack
from sublet.guards.attacks.pods_changes import CHANGES, DEBUG, DEBUG_BY_ADMIN, DELETIONS, DELETIONS_OF_ALL
from sublet.guards.attacks.pods_contents import ANNOTATIONS, DEVICES, IMAGES, IN_TEMPLATES
from sublet.guards.attacks.pods_place import PLACE
from sublet.guards.attacks.pods_security import BASELINE, RESTRICTED
from sublet.guards.attacks.pods_shapes import OTHER_KINDS, TENANT_KINDS, pod, workload
from sublet.guards.attacks.pods_unaided import UNAIDED
from sublet.guards.attacks.pods_volumes import VOLUMES

__all__ = ["ATTACKS", "BY_ADMIN", "ON_PODS", "ON_RESTRICTED", "UNAIDED"]

_PODS: Final = (*PLACE, *DEVICES, *IMAGES, *VOLUMES, *ANNOTATIONS, *BASELINE)
_TEMPLATES: Final = (*_PODS, *IN_TEMPLATES)

ATTACKS: Final[tuple[Attack, ...]] = (
    *(pod(bad) for bad in _PODS),
    *(workload(kind, bad) for bad in _TEMPLATES for kind in TENANT_KINDS if kind not in bad.not_by),
    *(workload(kind, PLACE[0], "rbac") for kind in OTHER_KINDS),
    *CHANGES,
    *DELETIONS,
    *DEBUG,
)
"""Of a tenant whose lease has the level `baseline`."""

ON_PODS: Final[tuple[Attack, ...]] = DELETIONS_OF_ALL
"""Of a tenant who has pods."""

ON_RESTRICTED: Final[tuple[Attack, ...]] = (
    *(pod(bad) for bad in RESTRICTED),
    *(workload(kind, bad) for bad in RESTRICTED for kind in TENANT_KINDS),
)
"""Of a tenant whose lease has the level `restricted`."""

BY_ADMIN: Final[tuple[Attack, ...]] = (
    *(workload(kind, bad) for bad in _TEMPLATES for kind in OTHER_KINDS if kind not in bad.not_by),
    *DEBUG_BY_ADMIN,
)
"""Of somebody with every right, by kinds that a tenant may not create: should the owner widen the tenant's role."""
