"""Shapes: one harmful pod in all the objects that can make it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sublet.guards.attacks.attack import Attack, Manifest, Request, Scene

IMAGE: Final = "registry.example/app:1"
STANDING: Final = "standing"
"""The name of a pod and of a Deployment, both harmless, that are there already for attacks by change."""

_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(**fields: Any) -> Manifest:  # noqa: ANN401 - a field of any kind
    """A container that even the level `restricted` admits, with fields that are not so harmless."""
    return {"name": "main", "image": IMAGE, "securityContext": dict(_SECURITY), **fields}


def secured(**fields: Any) -> Manifest:  # noqa: ANN401
    """The container with some of its security context replaced; None removes."""
    context = {key: value for key, value in {**_SECURITY, **fields}.items() if value is not None}
    return {"containers": [container(securityContext=context)]}


def volume(**source: Any) -> Manifest:  # noqa: ANN401
    """A pod with one volume."""
    return {"volumes": [{"name": "attack", **source}]}


def projected(**source: Any) -> Manifest:  # noqa: ANN401
    """A pod with one projected volume of one source."""
    return volume(projected={"sources": [source]})


def claim(**spec: Any) -> Manifest:  # noqa: ANN401
    """A pod that brings a volume claim along."""
    size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return volume(ephemeral={"volumeClaimTemplate": {"spec": {**size, **spec}}})


@dataclass(frozen=True)
class Bad:
    """A harmful pod.

    Attributes:
        name: In kebab case, unique.
        what: What the attacker is after.
        rule: The rule that must refuse it in a template, and in a pod unless `pod_stopped_by` says otherwise.
        spec: What of the pod's specification is harmful, for a scene.
        metadata: What of its metadata is.
        pod_stopped_by: The guard that refuses the pod itself; empty if it can only be in a template.
        ids: Published benchmarks or advisories.
        not_by: Kinds that copy what is harmful to their own metadata, where another guard finds it.
    """

    name: str
    what: str
    rule: str
    spec: Callable[[Scene], Manifest] = lambda _: {}
    metadata: Manifest = field(default_factory=dict)
    pod_stopped_by: str | None = None
    ids: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()

    def template(self, scene: Scene, restart: str = "Always") -> Manifest:
        """A pod template that makes the pod."""
        metadata = {**self.metadata, "labels": {"app": "attack", **self.metadata.get("labels", {})}}
        return {
            "metadata": metadata,
            "spec": {"restartPolicy": restart, "containers": [container()], **self.spec(scene)},
        }


def pod(bad: Bad) -> Attack:
    """The pod itself."""

    def request(scene: Scene) -> Request:
        template = bad.template(scene)
        metadata = {**template["metadata"], "name": "attack"}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        return Request("create", f"/api/v1/namespaces/{scene.namespace}/pods", body)

    return Attack(bad.name, bad.what, bad.pod_stopped_by or bad.rule, request, bad.ids)


def _selected(template: Manifest) -> Manifest:
    return {"selector": {"matchLabels": {"app": "attack"}}, "template": template}


_KINDS: Final[dict[str, tuple[str, str, str, Callable[[Manifest], Manifest]]]] = {
    "Deployment": ("apps/v1", "deployments", "Always", _selected),
    "StatefulSet": ("apps/v1", "statefulsets", "Always", _selected),
    "Job": ("batch/v1", "jobs", "Never", lambda template: {"template": template}),
    "CronJob": (
        "batch/v1",
        "cronjobs",
        "Never",
        lambda template: {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}},
    ),
    "ReplicaSet": ("apps/v1", "replicasets", "Always", _selected),
    "DaemonSet": ("apps/v1", "daemonsets", "Always", _selected),
    "ReplicationController": ("v1", "replicationcontrollers", "Always", lambda template: {"template": template}),
    "PodTemplate": ("v1", "podtemplates", "Always", lambda template: {"template": template}),
}

TENANT_KINDS: Final = ("Deployment", "StatefulSet", "Job", "CronJob")
"""Kinds that carry a template and that a tenant may create."""

OTHER_KINDS: Final = ("ReplicaSet", "DaemonSet", "ReplicationController", "PodTemplate")
"""Kinds that carry a template and that a tenant may not create."""


def workload(kind: str, bad: Bad, stopped_by: str = "") -> Attack:
    """An object of this kind that makes the pod."""
    version, plural, restart, around = _KINDS[kind]

    def request(scene: Scene) -> Request:
        inside = around(bad.template(scene, restart))
        body: Manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "attack"}}
        body |= inside if kind == "PodTemplate" else {"spec": inside}
        root = "/api/v1" if version == "v1" else f"/apis/{version}"
        return Request("create", f"{root}/namespaces/{scene.namespace}/{plural}", body)

    name = f"{bad.name}-by-{kind.lower()}" + (f"-{stopped_by}" if stopped_by else "")
    return Attack(name, bad.what, stopped_by or bad.rule, request, bad.ids)
