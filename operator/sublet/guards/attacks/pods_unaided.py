"""Pods as they come where nothing completes them: what would be added is demanded."""

from typing import Any, Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Manifest, Scene
from sublet.guards.attacks.pods_shapes import Bad, container, pod, volume


def whole(scene: Scene, **changes: Any) -> Manifest:  # noqa: ANN401 - a field of any kind
    """The specification of a pod that says all by itself; a field given as None is left out."""
    spec = {
        "nodeSelector": {naming.LEASE: scene.lease},
        "tolerations": [{"key": naming.LEASE, "operator": "Equal", "value": scene.lease, "effect": "NoExecute"}],
        "activeDeadlineSeconds": 60,
        "containers": [container(imagePullPolicy="Always")],
        **changes,
    }
    return {key: value for key, value in spec.items() if value is not None}


COMPLETE: Final = Bad("nothing", "Nothing: this one says all by itself.", "admitted", whole)

_BADS: Final = (
    Bad("unpinned", "Run on any node.", "own-nodes-only", lambda s: whole(s, nodeSelector=None)),
    Bad(
        "pinned-to-a-rack-alone",
        "Run on any node of a rack.",
        "own-nodes-only",
        lambda s: whole(s, nodeSelector={"topology.example.com/rack": "gpu-rack-00"}),
    ),
    Bad(
        "cached-image",
        "Use a private image that another tenant left on the node.",
        "always-pull",
        lambda s: whole(s, containers=[container(imagePullPolicy="IfNotPresent")]),
        ids=("MTB-PL1-CC-DI-1",),
    ),
    Bad(
        "cached-image-of-an-init-container",
        "Use a private image that another tenant left on the node.",
        "always-pull",
        lambda s: whole(s, initContainers=[container(name="init", imagePullPolicy="Never")]),
        ids=("MTB-PL1-CC-DI-1",),
    ),
    Bad(
        "no-deadline",
        "Run on after the hard stop.",
        "ends-by-hard-stop",
        lambda s: whole(s, activeDeadlineSeconds=None),
    ),
    Bad(
        "deadline-after-the-hard-stop",
        "Run on after the hard stop.",
        "ends-by-hard-stop",
        lambda s: whole(s, activeDeadlineSeconds=2147483647),
    ),
    Bad(
        "unbounded-empty-dir",
        "Fill the node's disk.",
        "bounded-empty-dirs",
        lambda s: whole(s, **volume(emptyDir={})),
    ),
)

UNAIDED: Final[tuple[Attack, ...]] = tuple(pod(bad) for bad in _BADS)
