"""Attacks on labels and annotations, and on the life of objects by finalizers and owners."""

from typing import Any

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Manifest, Request, Scene
from sublet.guards.attacks.requests import InScene, add, create, patch

_UID = "00000000-0000-4000-8000-000000000000"
_OWN_CONFIG = "configmaps/kube-root-ca.crt"
"""An object that is in every namespace, and that a tenant may change."""
_HOLD = "attack.example/hold"


def _configmap(**metadata: Any) -> InScene:  # noqa: ANN401 - a field of any kind
    return create("v1", "configmaps", "ConfigMap", metadata=metadata)


def _pod(**metadata: Any) -> InScene:  # noqa: ANN401
    container = {"name": "main", "image": "registry.example/a:1", "imagePullPolicy": "Always"}

    def request(scene: Scene) -> Request:
        spec = {
            "nodeSelector": {naming.LEASE: scene.lease},
            "tolerations": [{"key": naming.LEASE, "value": scene.lease, "effect": "NoExecute"}],
            "activeDeadlineSeconds": 60,
            "containers": [container],
        }
        return create("v1", "pods", "Pod", metadata=metadata, spec=spec)(scene)

    return request


def _service(**metadata: Any) -> InScene:  # noqa: ANN401
    spec = {"selector": {"app": "attack"}, "ports": [{"port": 80}]}
    return create("v1", "services", "Service", metadata=metadata, spec=spec)


def _owner(version: str, kind: str, **more: object) -> list[Manifest]:
    return [{"apiVersion": version, "kind": kind, "name": "attack", "uid": _UID, **more}]


_FINALIZERS = (
    Attack(
        "finalizer-of-ones-own",
        "Keep the namespace, and the nodes with it, past the end.",
        "finalizers",
        _configmap(finalizers=[_HOLD]),
    ),
    Attack(
        "finalizer-on-a-pod",
        "Keep a pod, and its node's claim, past the end.",
        "finalizers",
        _pod(finalizers=[_HOLD]),
    ),
    Attack(
        "finalizer-of-sublet",
        "Use the operator's own finalizer on an object that it never looks at.",
        "finalizers",
        _configmap(finalizers=[naming.FINALIZER]),
    ),
    Attack(
        "finalizer-added-later",
        "Put a finalizer on an object that is there already.",
        "finalizers",
        patch("v1", _OWN_CONFIG, add("/metadata/finalizers", [_HOLD])),
    ),
    Attack(
        "finalizer-of-jobs-elsewhere",
        "Use a finalizer of the cluster on a kind that its controller never looks at.",
        "finalizers",
        _configmap(finalizers=["batch.kubernetes.io/job-tracking"]),
    ),
    Attack(
        "finalizer-of-jobs-without-a-job",
        "Use the finalizer of Jobs on a pod that a ReplicaSet owns, which the Job controller leaves alone.",
        "finalizers",
        _pod(
            finalizers=["batch.kubernetes.io/job-tracking"],
            ownerReferences=_owner("apps/v1", "ReplicaSet", controller=True),
        ),
    ),
    Attack(
        "finalizer-of-load-balancers",
        "Use the finalizer of load balancers, which nobody takes off where there are none.",
        "finalizers",
        _service(finalizers=["service.kubernetes.io/load-balancer-cleanup"]),
    ),
    Attack(
        "finalizer-of-claims-elsewhere",
        "Use the finalizer of volume claims on another kind.",
        "finalizers",
        _configmap(finalizers=["kubernetes.io/pvc-protection"]),
    ),
)
_OWNERS = (
    Attack(
        "owner-is-a-node",
        "Get in the way of deleting a node.",
        "owners",
        _configmap(ownerReferences=_owner("v1", "Node")),
        ("CVE-2025-5187",),
    ),
    Attack(
        "owner-is-a-lease",
        "Get in the way of deleting the lease.",
        "owners",
        _configmap(ownerReferences=_owner("sublet.dev/v1alpha1", "GPULease")),
    ),
    Attack(
        "owner-is-the-namespace",
        "Get in the way of deleting the namespace, later.",
        "owners",
        patch("v1", _OWN_CONFIG, add("/metadata/ownerReferences", _owner("v1", "Namespace"))),
    ),
)
_RESERVED = (
    Attack(
        "label-of-another-lease",
        "Have an object taken for another lease's.",
        "object-labels",
        _configmap(labels={naming.LEASE: "somebody-else"}),
    ),
    Attack(
        "label-of-another-lease-on-a-pod",
        "Have a pod taken for another lease's.",
        "object-labels",
        _pod(labels={naming.LEASE_UID: _UID}),
    ),
    Attack(
        "label-added-later",
        "Have an object that is there already taken for another lease's.",
        "object-labels",
        patch("v1", _OWN_CONFIG, add("/metadata/labels", {naming.POOL: "h100"})),
    ),
    Attack(
        "annotation-of-ones-own-end",
        "Have something read a later end on the tenant's own object.",
        "object-annotations",
        _configmap(annotations={naming.ENDS_AT: "2999-01-01T00:00:00Z"}),
    ),
    Attack(
        "annotation-added-later",
        "Put one of the operator's annotations on an object that is there already.",
        "object-annotations",
        patch("v1", _OWN_CONFIG, add("/metadata/annotations/sublet.dev~1lease-uid", _UID)),
    ),
)

ATTACKS: tuple[Attack, ...] = (*_FINALIZERS, *_OWNERS, *_RESERVED)
