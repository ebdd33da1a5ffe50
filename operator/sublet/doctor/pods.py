"""The probe pods: what runs on the node that is measured, and nothing that could be used for anything else."""

import json
from dataclasses import dataclass
from typing import Any, Final

from sublet.doctor.checks import PORT, Pod

Raw = dict[str, Any]

IMAGE: Final = "doctor.sublet.dev/image"
"""Annotation of the chart's namespace without policies: the image of probe pods."""

PULL_POLICY: Final = "doctor.sublet.dev/image-pull-policy"
"""The same for when it is pulled."""

LIFETIME_SECONDS: Final = 240
"""After so long a probe pod stops by itself, whatever became of whoever made it."""

COMMAND: Final = ("python", "-I", "-m", "sublet.doctor.probe")
_NAME: Final = "kubernetes.default.svc"
_NOBODY: Final = 65532


@dataclass(frozen=True)
class Image:
    """What probe pods run: an image with this package and a `python` that finds it, and when it is pulled."""

    name: str
    pull_policy: str


def target(pod: Pod, node: str, image: Image, word: str) -> Raw:
    """A pod that listens."""
    return _pod(pod, node, image, {"listen": PORT, "word": word, "seconds": LIFETIME_SECONDS})


def dialler(pod: Pod, node: str, image: Image, dials: dict[str, Raw]) -> Raw:
    """A pod that dials once, looks around and ends."""
    return _pod(pod, node, image, {"dials": dials, "resolve": _NAME})


def _pod(pod: Pod, node: str, image: Image, instructions: Raw) -> Raw:
    namespace, _, name = pod.value.partition("/")
    container = {
        "name": "probe",
        "image": image.name,
        "imagePullPolicy": image.pull_policy,
        "command": list(COMMAND),
        "args": [json.dumps(instructions, separators=(",", ":"))],
        # What a tenant that goes around the device plugin would set; it asks for no GPU.
        "env": [
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
            {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "all"},
        ],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    this_node = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": "sublet-doctor"}},
        "spec": {
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [this_node]},
                }
            },
            # The node may be leased; the pods are nobody's, and gone in seconds.
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LIFETIME_SECONDS,
            "terminationGracePeriodSeconds": 1,
            "serviceAccountName": namespace,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY,
                "runAsGroup": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
