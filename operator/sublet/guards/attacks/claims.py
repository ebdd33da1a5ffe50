"""Attacks by volume claims. They name a class that the scene's pool allows, so that nothing else stops them."""

from typing import Any, Final

from sublet.guards.attacks.attack import Attack, Manifest
from sublet.guards.attacks.requests import InScene, create

ALLOWED_CLASS: Final = "scene-allowed"
"""The StorageClass that the pool of a scene has to allow. For the attacks alone, nobody needs to have made it."""


def _claim(annotations: Manifest | None = None, size: str = "1Gi", **spec: Any) -> InScene:  # noqa: ANN401
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": ALLOWED_CLASS,
        **spec,
    }
    metadata = {"annotations": annotations or {}}
    return create("v1", "persistentvolumeclaims", "PersistentVolumeClaim", metadata=metadata, spec=whole)


_BACKUP = {"apiGroup": "backup.owner.example", "kind": "Backup", "name": "billing"}
_SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "billing"}

ONE: Final = Attack(
    "claim-one-more",
    "Use storage that the pool does not offer, or more of it than it offers.",
    "quota",
    _claim(),
    ("MTB-PL1-CC-FNS-2",),
)
TOO_MUCH: Final = Attack("claim-without-measure", "Fill the owner's storage.", "quota", _claim(size="1Ei"))

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "claim-of-another-class",
        "Use the owner's dear, or shared, storage.",
        "claim-class",
        _claim(storageClassName="platinum"),
        ("MTB-pending-1199",),
    ),
    Attack(
        "claim-without-class",
        "Bind a volume that an administrator made by hand, by asking for no class.",
        "claim-class",
        _claim(storageClassName=""),
        ("MTB-pending-1200",),
    ),
    Attack(
        "claim-class-in-an-annotation",
        "Name a forbidden class in the old annotation, which wins over the allowed one beside it.",
        "claim-annotations",
        _claim({"volume.beta.kubernetes.io/storage-class": "platinum"}),
        ("MTB-pending-1199",),
    ),
    Attack(
        "claim-on-a-chosen-node",
        "Have a volume made where the tenant has no node.",
        "claim-annotations",
        _claim({"volume.kubernetes.io/selected-node": "owner-1"}),
    ),
    Attack(
        "claim-of-a-volume",
        "Bind a volume of somebody else that is free for a moment.",
        "claim-volume",
        _claim(volumeName="pv-of-another"),
        ("MTB-pending-1200",),
    ),
    Attack(
        "claim-of-a-volume-by-its-labels",
        "Bind a volume that an administrator made by hand, and labelled.",
        "claim-volume",
        _claim(selector={"matchLabels": {"owner": "billing"}}),
        ("MTB-pending-1200",),
    ),
    Attack(
        "claim-from-a-snapshot",
        "Restore somebody else's data.",
        "claim-source",
        _claim(dataSource=_SNAPSHOT),
    ),
    Attack(
        "claim-from-a-populator",
        "Have a controller fill the volume with what only it may read.",
        "claim-source",
        _claim(dataSourceRef=_BACKUP),
    ),
    Attack(
        "claim-of-faster-volumes",
        "Take more from the storage than was rented.",
        "claim-attributes",
        _claim(volumeAttributesClassName="gold"),
    ),
    TOO_MUCH,
)
