"""Pods with the wrong contents: images, devices, annotations."""

from collections.abc import Callable
from typing import Any, Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Manifest, Scene
from sublet.guards.attacks.pods_shapes import Bad, container

_DEVICES: Final = "See GPUs that were not rented."
_IMAGES: Final = "Run an image from a registry that the owner does not trust."
_RUNTIME: Final = "Have the container runtime give what the pod may not ask for."
_NETWORK: Final = "Leave the network that policies guard."
_TOOLKIT: Final = ("CVE-2024-0132", "CVE-2025-23359", "CVE-2025-23266")


def _main(**fields: Any) -> Manifest:  # noqa: ANN401 - a field of any kind
    return {"containers": [container(**fields)]}


def _env(name: str) -> Manifest:
    return _main(env=[{"name": name, "value": "all"}])


def _env_from(prefix: str) -> Manifest:
    return _main(envFrom=[{"prefix": prefix, "configMapRef": {"name": "any"}}])


def _image(image: str) -> Manifest:
    return _main(image=image)


def _init(**fields: Any) -> Manifest:  # noqa: ANN401
    return {"initContainers": [container(**{**fields, "name": "init"})]}


def _asks_for_device(container_in: Callable[..., Manifest], part: str) -> Callable[[Scene], Manifest]:
    return lambda _: container_in(resources={part: {"deviceclass.resource.kubernetes.io/owner": "1"}})


def _note(key: str, value: str = "any") -> Manifest:
    return {"annotations": {key: value}}


DEVICES: Final = (
    Bad("env-all-gpus", _DEVICES, "no-device-variables", lambda _: _env("NVIDIA_VISIBLE_DEVICES"), ids=_TOOLKIT),
    Bad("env-no-requirements", _DEVICES, "no-device-variables", lambda _: _env("NVIDIA_DISABLE_REQUIRE")),
    Bad("env-amd", _DEVICES, "no-device-variables", lambda _: _env("AMD_VISIBLE_DEVICES")),
    Bad(
        "env-of-an-init-container",
        _DEVICES,
        "no-device-variables",
        lambda _: _init(env=[{"name": "CUDA_VISIBLE_DEVICES", "value": "0"}]),
    ),
    Bad(
        "env-from-a-field",
        _DEVICES,
        "no-device-variables",
        lambda _: _main(
            env=[{"name": "NVIDIA_VISIBLE_DEVICES", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
        ),
    ),
    Bad("env-prefix", _DEVICES, "no-device-prefixes", lambda _: _env_from("NVIDIA_")),
    Bad("env-half-a-prefix", _DEVICES, "no-device-prefixes", lambda _: _env_from("NVI")),
    Bad("env-longer-prefix", _DEVICES, "no-device-prefixes", lambda _: _env_from("NVIDIA_VISIBLE_")),
    Bad(
        "claim-a-device",
        _DEVICES,
        "allowed-device-classes",
        lambda _: {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "any"}]},
    ),
    # The scheduler makes a ResourceClaim of it. Unlike other extended resources it may be requested without a limit.
    *(
        Bad(f"device-in-{part}{whose}", _DEVICES, "allowed-device-classes", _asks_for_device(container_in, part))
        for container_in, whose in ((_main, ""), (_init, "-of-an-init-container"))
        for part in ("limits", "requests")
    ),
    Bad("annotate-cdi", _DEVICES, "no-runtime-annotations", metadata=_note("cdi.k8s.io/gpu", "nvidia.com/gpu=all")),
    Bad(
        "annotate-devices",
        _DEVICES,
        "no-runtime-annotations",
        metadata=_note("io.kubernetes.cri-o.Devices", "/dev/nvidia0"),
    ),
)

IMAGES: Final = (
    Bad("image-short-name", _IMAGES, "allowed-registries", lambda _: _image("nginx")),
    Bad("image-short-name-and-tag", _IMAGES, "allowed-registries", lambda _: _image("nginx:5000")),
    Bad("image-of-a-user", _IMAGES, "allowed-registries", lambda _: _image("registry/app")),
    Bad("image-of-another-host", _IMAGES, "allowed-registries", lambda _: _image("registry.example.evil.test/app")),
    Bad("image-of-another-port", _IMAGES, "allowed-registries", lambda _: _image("registry.example:5000/app")),
    Bad("image-of-localhost", _IMAGES, "allowed-registries", lambda _: _image("localhost/registry.example/app")),
    Bad("image-of-the-hub-by-alias", _IMAGES, "allowed-registries", lambda _: _image("index.docker.io/acme-evil/tool")),
    Bad("image-of-a-longer-path", _IMAGES, "allowed-registries", lambda _: _image("docker.io/acme-evil/tool")),
    Bad("image-by-digest", _IMAGES, "allowed-registries", lambda _: _image("evil.test/app@sha256:" + "0" * 64)),
    Bad("image-of-an-init-container", _IMAGES, "allowed-registries", lambda _: _init(image="evil.test/init")),
)

ANNOTATIONS: Final = (
    Bad(
        "annotate-networks",
        _NETWORK,
        "no-runtime-annotations",
        metadata=_note("k8s.v1.cni.cncf.io/networks", "default/host"),
    ),
    Bad(
        "annotate-default-network",
        _NETWORK,
        "no-runtime-annotations",
        metadata=_note("v1.multus-cni.io/default-network"),
    ),
    Bad("annotate-address", _NETWORK, "no-runtime-annotations", metadata=_note("cni.projectcalico.org/ipAddrs", "[]")),
    Bad("annotate-cpu-quota", _RUNTIME, "no-runtime-annotations", metadata=_note("cpu-quota.crio.io", "disable")),
    Bad(
        "annotate-sandbox",
        _RUNTIME,
        "no-runtime-annotations",
        metadata=_note("io.katacontainers.config.hypervisor.path"),
    ),
    Bad(
        "annotate-a-role",
        "Act as the owner in the cloud.",
        "no-runtime-annotations",
        metadata=_note("iam.amazonaws.com/role"),
    ),
    Bad(
        "annotate-node-selector",
        _RUNTIME,
        "no-runtime-annotations",
        metadata=_note("scheduler.alpha.kubernetes.io/node-selector"),
    ),
    Bad(
        "annotate-unconfined",
        "Leave AppArmor.",
        "no-runtime-annotations",
        metadata=_note("container.apparmor.security.beta.kubernetes.io/main", "unconfined"),
        pod_stopped_by="pod-security",
    ),
)

IN_TEMPLATES: Final = (
    Bad(
        "label-as-lease",
        "Pass for another lease.",
        "no-sublet-metadata",
        metadata={"labels": {naming.LEASE: "other"}},
        not_by=("Job", "ReplicationController"),
    ),
    Bad("annotate-as-lease", "Pass for another lease.", "no-sublet-metadata", metadata=_note(naming.LEASE_UID)),
    Bad(
        "finalizer-on-every-pod",
        "Hold the namespace beyond the end of the lease.",
        "no-template-finalizers",
        metadata={"finalizers": ["evil.test/hold"]},
        ids=("CVE-2023-34091",),
    ),
    Bad(
        "tracking-finalizer-on-every-pod",
        "Hold the namespace with a finalizer that looks like the cluster's.",
        "no-template-finalizers",
        metadata={"finalizers": ["batch.kubernetes.io/job-tracking"]},
    ),
)
