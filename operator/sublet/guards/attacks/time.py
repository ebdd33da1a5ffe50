"""Attacks on the start and the end of a lease, by a tenant who still has, or already has, all its rights.

Access comes last and goes first, so none of this can be tried while the operator works. It is what remains when the
operator is dead at the end of a lease.
"""

from typing import Any, Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.requests import InScene, create, patch

_CONTAINER: Final = {"name": "main", "image": "registry.example/a:1", "imagePullPolicy": "Always"}
_LABELS: Final = {"app": "attack"}
_SELECTOR: Final = {"matchLabels": _LABELS}
_STAMPS: Final = {
    "creationTimestamp": "2020-01-01T00:00:00Z",
    "managedFields": [
        {
            "manager": "attack",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2020-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {}},
        }
    ],
}
"""What a client may send to make an object look older than it is."""


def _template(**spec: Any) -> dict[str, Any]:  # noqa: ANN401 - a field of any kind
    return {"metadata": {"labels": _LABELS}, "spec": {"containers": [_CONTAINER], **spec}}


_JOB: Final = {"template": _template(restartPolicy="Never")}


def _pod(metadata: dict[str, Any] | None = None, **more: Any) -> InScene:  # noqa: ANN401
    def request(scene: Scene) -> Request:
        spec = {
            "nodeSelector": {naming.LEASE: scene.lease},
            "tolerations": [{"key": naming.LEASE, "value": scene.lease, "effect": "NoExecute"}],
            "activeDeadlineSeconds": 60,
            "containers": [_CONTAINER],
            **more,
        }
        return create("v1", "pods", "Pod", metadata=metadata, spec=spec)(scene)

    return request


CREATIONS: Final[dict[str, InScene]] = {
    "pod": _pod(),
    "pod-that-looks-old": _pod(_STAMPS),
    "configmap": create("v1", "configmaps", "ConfigMap"),
    "configmap-that-looks-old": create("v1", "configmaps", "ConfigMap", metadata=_STAMPS),
    "secret": create("v1", "secrets", "Secret"),
    "service": create("v1", "services", "Service", spec={"selector": _LABELS, "ports": [{"port": 80}]}),
    "claim": create(
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        spec={
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "any",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    ),
    "deployment": create("apps/v1", "deployments", "Deployment", spec={"selector": _SELECTOR, "template": _template()}),
    "statefulset": create(
        "apps/v1",
        "statefulsets",
        "StatefulSet",
        spec={"selector": _SELECTOR, "serviceName": "attack", "template": _template()},
    ),
    "job": create("batch/v1", "jobs", "Job", spec=_JOB),
    "cronjob": create("batch/v1", "cronjobs", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": _JOB}}),
    "autoscaler": create(
        "autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        spec={"maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    ),
}
"""Every kind that a tenant may create, by what to call it."""

OUTSIDE: tuple[Attack, ...] = tuple(
    Attack(f"{name}-{when}", what, rule, request)
    for when, what, rule in (
        ("before-the-start", "Begin before the lease has begun.", "lease-begun"),
        ("after-the-end", "Go on after the lease has ended.", "lease-not-over"),
    )
    for name, request in CREATIONS.items()
)
"""Attacks in a lease that has not begun, or is over."""


def _replace(path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"op": "replace", "path": path, "value": value}


_LATE: Final = "Start, or open, after the end what was made before it."

LATE: tuple[Attack, ...] = tuple(
    Attack(name, _LATE, "change-not-late", patch(group, named, *operations))
    for name, group, named, operations in (
        ("image-changed-late", "v1", "pods/old", [_replace("/spec/containers/0/image", "registry.example/b:1")]),
        ("service-opened-late", "v1", "services/old", [_replace("/spec/ports/0/port", 81)]),
        ("replicas-raised-late", "apps/v1", "deployments/old", [_replace("/spec/replicas", 3)]),
        (
            "replicas-raised-late-in-disguise",
            "apps/v1",
            "deployments/old",
            [_replace("/spec/replicas", 3), _replace("/metadata/managedFields", _STAMPS["managedFields"])],
        ),
        (
            "replicas-raised-late-without-trace",
            "apps/v1",
            "deployments/old",
            [_replace("/spec/replicas", 3), _replace("/metadata/managedFields", [{}])],
        ),
        ("replicas-of-a-set-raised-late", "apps/v1", "statefulsets/old", [_replace("/spec/replicas", 3)]),
        ("job-resumed-late", "batch/v1", "jobs/old", [_replace("/spec/suspend", value=False)]),
        ("job-widened-late", "batch/v1", "jobs/old", [_replace("/spec/parallelism", 9)]),
        ("cronjob-resumed-late", "batch/v1", "cronjobs/old", [_replace("/spec/suspend", value=False)]),
    )
)
"""Attacks on objects named `old`, made while the lease was live, once it is over."""

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "pod-behind-a-gate",
        "Make a pod now and let it start after the end, by a change that leaves no time behind.",
        "no-gates",
        _pod(schedulingGates=[{"name": "attack.example/later"}]),
    ),
)
