"""Attacks by change: of what is there and harmless, and of what was completed."""

from typing import Any, Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Manifest, Request, Scene, Verb
from sublet.guards.attacks.pods_shapes import STANDING, container

_EVIL: Final = "evil.test/app"
_POD: Final = f"/api/v1/namespaces/{{namespace}}/pods/{STANDING}"
_DEPLOYMENT: Final = f"/apis/apps/v1/namespaces/{{namespace}}/deployments/{STANDING}"
_CRON_JOB: Final = f"/apis/batch/v1/namespaces/{{namespace}}/cronjobs/{STANDING}"


def standing(scene: Scene) -> tuple[Manifest, ...]:
    """What must be there for these attacks: a pod, a Deployment, a CronJob and a ConfigMap, all harmless."""
    template: Manifest = {"metadata": {"labels": {"app": STANDING}}, "spec": {"containers": [container()]}}
    once = {"spec": {**template["spec"], "restartPolicy": "Never"}}
    metadata = {"name": STANDING, "namespace": scene.namespace}
    selector = {"matchLabels": {"app": STANDING}}
    return (
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": selector, "template": template},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata,
            "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": once}}},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": "blue"}},
    )


def _patch(name: str, what: str, stopped_by: str, path: str, change: Any, *ids: str) -> Attack:  # noqa: ANN401
    return Attack(name, what, stopped_by, lambda s: Request("patch", path.format(namespace=s.namespace), change), ids)


def _replaced(path: str, value: object) -> list[Manifest]:
    return [{"op": "add", "path": path, "value": value}]


def _template(**spec: Any) -> Manifest:  # noqa: ANN401
    return {"spec": {"template": {"spec": spec}}}


def _updated(scene: Scene) -> Request:
    (deployment,) = (each for each in standing(scene) if each["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["hostPID"] = True
    return Request("update", _DEPLOYMENT.format(namespace=scene.namespace), deployment)


def _keys(resource: str, **fields: Any) -> Attack:  # noqa: ANN401
    def request(scene: Scene) -> Request:
        body = {"apiVersion": "v1", "kind": resource, "metadata": {"name": "attack"}, **fields}
        return Request("create", f"/api/v1/namespaces/{scene.namespace}/{resource.lower()}s", body)

    return Attack(f"device-key-in-a-{resource.lower()}", "See GPUs that were not rented.", "no-device-keys", request)


_TOLERATION: Final = {"key": naming.LEASE, "operator": "Exists"}
_IMAGE_CHANGE: Final = "Run a foreign image after a harmless one was admitted."

CHANGES: Final = (
    _patch("change-image", _IMAGE_CHANGE, "allowed-registries", _POD, _replaced("/spec/containers/0/image", _EVIL)),
    _patch(
        "change-image-by-merge",
        _IMAGE_CHANGE,
        "allowed-registries",
        _POD,
        {"spec": {"containers": [{"name": "main", "image": _EVIL}]}},
    ),
    _patch(
        "add-toleration",
        "Stay on a node that another lease gets.",
        "own-tolerations-only",
        _POD,
        _replaced("/spec/tolerations/-", _TOLERATION),
    ),
    _patch(
        "annotate-later",
        "Have the runtime read it at the next restart.",
        "no-runtime-annotations",
        _POD,
        {"metadata": {"annotations": {"cdi.k8s.io/gpu": "nvidia.com/gpu=all"}}},
    ),
    _patch(
        "move-deployment",
        "Run on a node of another tenant.",
        "own-nodes-only",
        _DEPLOYMENT,
        _template(nodeSelector={naming.LEASE: "other"}),
    ),
    _patch(
        "change-image-of-deployment",
        _IMAGE_CHANGE,
        "allowed-registries",
        _DEPLOYMENT,
        _template(containers=[{"name": "main", "image": _EVIL}]),
    ),
    Attack("replace-deployment", "See the node's processes.", "no-host-namespaces", _updated, ("MTB-PL1-BC-HI-4",)),
    _patch(
        "change-cron-job",
        "Push other pods off, later.",
        "allowed-priority-class",
        _CRON_JOB,
        {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"priorityClassName": "system-node-critical"}}}}}},
    ),
    _keys("ConfigMap", data={"NVIDIA_VISIBLE_DEVICES": "all"}),
    _keys("Secret", stringData={"NVIDIA_VISIBLE_DEVICES": "all"}),
    _patch(
        "device-key-added-later",
        "See GPUs that were not rented.",
        "no-device-keys",
        f"/api/v1/namespaces/{{namespace}}/configmaps/{STANDING}",
        {"data": {"CUDA_VISIBLE_DEVICES": "all"}},
    ),
)


def _deletion(name: str, what: str, stopped_by: str, seconds: int, path: str = _POD) -> Attack:
    """Delete the standing pod, or at another path all pods, with so many seconds to stop."""
    # Options in the body make the API server ignore those in the query, and with them that this is a dry run.
    body = {"gracePeriodSeconds": seconds, "dryRun": ["All"]}
    verb: Verb = "delete" if path is _POD else "deletecollection"
    return Attack(name, what, stopped_by, lambda s: Request(verb, path.format(namespace=s.namespace), body))


_OUTSTAY: Final = "Compute on until long after the end, on a node that somebody else gets."
_OUTLAST: Final = "Hold up the end of the lease, by a wait that nobody can shorten."
_PODS: Final = _POD.removesuffix(f"/{STANDING}")

DELETIONS: Final = (
    _deletion("delete-by-force", _OUTSTAY, "no-forced-deletion", 0),
    _deletion("delete-with-an-hour-of-grace", _OUTLAST, "short-deletion-grace", 3600),
)
DELETIONS_OF_ALL: Final = (
    _deletion("delete-all-by-force", _OUTSTAY, "no-forced-deletion", 0, _PODS),
    _deletion("delete-all-with-an-hour-of-grace", _OUTLAST, "short-deletion-grace", 3600, _PODS),
)
"""Where there is no pod, nothing is refused."""


def debug(name: str, stopped_by: str, *ids: str, **fields: Any) -> Attack:  # noqa: ANN401
    """A debug container in the standing pod."""
    body = {"spec": {"ephemeralContainers": [container(**{"name": "debug", **fields})]}}
    return _patch(
        name,
        "Bring in by a debug container what a pod may not have.",
        stopped_by,
        f"{_POD}/ephemeralcontainers",
        body,
        *ids,
    )


_DEBUG_IDS: Final = ("CVE-2023-2727", "CVE-2023-2728")
DEBUG: Final = (debug("debug-container", "rbac", *_DEBUG_IDS),)
DEBUG_BY_ADMIN: Final = (
    debug("debug-image", "allowed-registries", *_DEBUG_IDS, image=_EVIL),
    debug("debug-env", "no-device-variables", *_DEBUG_IDS, env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]),
)
