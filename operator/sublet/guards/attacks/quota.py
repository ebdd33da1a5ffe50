"""Attacks by amount: more than was rented, and more objects than the shared etcd should hold."""

from dataclasses import dataclass
from typing import Any, Final

from sublet.guards.attacks import claims
from sublet.guards.attacks.attack import Attack, Manifest, Scene
from sublet.guards.attacks.pods_shapes import Bad, container, pod, workload
from sublet.guards.attacks.requests import InScene, create

_SIZE: Final = ("MTB-PL1-CC-FNS-1",)
_COUNT: Final = ("MTB-PL1-CC-FNS-2",)
_ETCD: Final = "Fill the etcd that all tenants share."
_PLAIN: Final = Bad("one-more", _ETCD, "quota")

DEVICE_CLASS: Final = "gpu.example"
"""The DeviceClass that a pool has to allow for its quota to have a line about devices. Nobody needs to have made it."""


def _asks(name: str, what: str, resource: str, amount: str, *ids: str) -> Attack:
    def spec(scene: Scene) -> Manifest:
        asked = {resource or scene.gpu_resource: amount}
        return {"containers": [container(resources={"requests": asked, "limits": asked})]}

    return pod(Bad(name, what, "quota", spec, ids=ids))


ATTACKS: Final[tuple[Attack, ...]] = (
    _asks("more-gpus-than-rented", "Use GPUs that were not rented.", "", "1M"),
    _asks("more-cpu-than-rented", "Crowd out what the owner runs on the nodes.", "cpu", "1M", *_SIZE),
    _asks("more-memory-than-rented", "Crowd out what the owner runs on the nodes.", "memory", "1Ei", *_SIZE),
    _asks("more-disk-than-rented", "Fill the nodes' disks.", "ephemeral-storage", "1Ei", *_SIZE),
)
"""What is too much for any lease."""


@dataclass(frozen=True)
class Line:
    """A line of the ResourceQuota, and the attack that it is there for.

    Attributes:
        name: The key in `spec.hard`; of the GPUs' line, the one for `nvidia.com/gpu`.
        attack: Stopped by `quota`, or by the guard that stops a tenant before the quota is asked: then the line
            is a second lock, for the day on which an owner opens the first.
        used_up: Whether the attack is for one object more than the line allows, so that the line has to be used up.
        by_controllers: Whether controllers make the objects for a tenant, who has no right to make them.
    """

    name: str
    attack: Attack
    used_up: bool = True
    by_controllers: bool = False


def _one_more(line: str, stopped_by: str, request: InScene, *ids: str, by_controllers: bool = False) -> Line:
    attack = Attack(f"one-more-of-{line.replace('/', '-')}", _ETCD, stopped_by, request, ids)
    return Line(line, attack, by_controllers=by_controllers)


def _made(line: str, kind: str, stopped_by: str = "quota", *ids: str, by_controllers: bool = False) -> Line:
    return _one_more(line, stopped_by, workload(kind, _PLAIN).request, *ids, by_controllers=by_controllers)


_DEVICES: Final = {"requests": [{"name": "gpu", "exactly": {"deviceClassName": DEVICE_CLASS, "count": 32}}]}
_DRA: Final = "resource.k8s.io/v1"
_TARGET: Final = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "any"}


def _claimed(devices: Manifest) -> InScene:
    return create(_DRA, "resourceclaims", "ResourceClaim", spec={"devices": devices})


def _of(kind: str, **parts: Any) -> InScene:  # noqa: ANN401 - a part of any kind
    return create("v1", f"{kind.lower()}s", kind, **parts)


def _service(**spec: Any) -> InScene:  # noqa: ANN401
    return _of("Service", spec={"selector": {"app": "any"}, "ports": [{"port": 80}], **spec})


LINES: Final[tuple[Line, ...]] = (
    _one_more("pods", "quota", pod(_PLAIN).request, *_COUNT),
    Line("requests.nvidia.com/gpu", ATTACKS[0], used_up=False),
    Line("requests.cpu", ATTACKS[1], used_up=False),
    Line("requests.memory", ATTACKS[2], used_up=False),
    Line("requests.ephemeral-storage", ATTACKS[3], used_up=False),
    _one_more("configmaps", "quota", _of("ConfigMap"), *_COUNT),
    _one_more("secrets", "quota", _of("Secret"), *_COUNT),
    _one_more("services", "quota", _service(), *_COUNT),
    _one_more("services.nodeports", "service-type", _service(type="NodePort"), *_COUNT),
    _one_more(
        "services.loadbalancers",
        "service-type",
        _service(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        *_COUNT,
    ),
    _one_more("resourcequotas", "rbac", _of("ResourceQuota", spec={"hard": {"pods": "9"}}), *_COUNT),
    _made("replicationcontrollers", "ReplicationController", "rbac", *_COUNT),
    _made("count/deployments.apps", "Deployment"),
    _made("count/statefulsets.apps", "StatefulSet"),
    _made("count/jobs.batch", "Job"),
    _made("count/cronjobs.batch", "CronJob"),
    _one_more(
        "count/horizontalpodautoscalers.autoscaling",
        "quota",
        create(
            "autoscaling/v2",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            spec={"maxReplicas": 2, "scaleTargetRef": _TARGET},
        ),
    ),
    _made("count/replicasets.apps", "ReplicaSet", by_controllers=True),
    _one_more(
        "count/controllerrevisions.apps",
        "quota",
        create("apps/v1", "controllerrevisions", "ControllerRevision", data={}, revision=1),
        by_controllers=True,
    ),
    Line("persistentvolumeclaims", claims.ONE),
    Line("requests.storage", claims.TOO_MUCH, used_up=False),
    _one_more("count/resourceclaims.resource.k8s.io", "rbac", _claimed({})),
    _one_more(
        "count/resourceclaimtemplates.resource.k8s.io",
        "rbac",
        create(_DRA, "resourceclaimtemplates", "ResourceClaimTemplate", spec={"spec": {"devices": {}}}),
    ),
    Line(
        f"{DEVICE_CLASS}.deviceclass.resource.k8s.io/devices",
        Attack("more-devices-than-rented", "Use GPUs that were not rented.", "rbac", _claimed(_DEVICES)),
        used_up=False,
    ),
)
"""One for each line of the quota of a lease whose pool allows storage classes and device classes."""
