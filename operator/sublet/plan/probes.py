"""Probes: objects that the API server is asked about before a tenant is let in, and what it must answer.

That a policy exists does not mean that it bites: its binding may be gone, its selector may miss, the namespace may
have lost its label. So each guard that keeps a tenant on its nodes is asked by a dry run, as a user with the tenant's
rights, and access is granted only if every answer is the right one.
"""

from typing import Any

from sublet.desired import naming
from sublet.desired.tenancy import Tenancy
from sublet.plan.steps import Probe

Raw = dict[str, Any]

ENDED_NAMESPACE = "sublet-ended"
"""A namespace of the chart's that is labelled as a lease's and ended long ago: nothing may be created in it."""

POD = "sublet-probe"
"""What the names of the pods that are asked about begin with; the API server makes a new one each time."""

_ELSEWHERE = "somebody-elses-lease"


def probes(tenancy: Tenancy, *, mutating: bool) -> tuple[Probe, ...]:
    """What to ask in each namespace of a lease.

    Args:
        tenancy: The lease.
        mutating: Whether the API server pins pods itself; else a pod must be written for the lease.
    """
    return tuple(
        probe for namespace in tenancy.namespaces for probe in _probes_in(tenancy, namespace, mutating=mutating)
    )


def _probes_in(tenancy: Tenancy, namespace: str, *, mutating: bool) -> tuple[Probe, ...]:
    own = _pod(tenancy, namespace) if mutating else _pinned(_pod(tenancy, namespace), tenancy.lease)
    foreign_node = _pinned(_pod(tenancy, namespace), tenancy.lease)
    foreign_node["spec"]["nodeSelector"] = {naming.LEASE: _ELSEWHERE}
    foreign_toleration = _pinned(_pod(tenancy, namespace), tenancy.lease)
    foreign_toleration["spec"]["tolerations"].append(_toleration(_ELSEWHERE))
    return (
        Probe("a plain pod is admitted and pinned", own, pinned_to=tenancy.lease),
        Probe("a pod for another lease's nodes is refused", foreign_node, "own-nodes-only"),
        Probe("a pod that tolerates another lease's taint is refused", foreign_toleration, "own-tolerations-only"),
        # Not a pod: of all rules, only the one that is meant has anything against an empty ConfigMap.
        Probe("what comes after the end is refused", _config_map(ENDED_NAMESPACE), "lease-not-over"),
    )


def _config_map(namespace: str) -> Raw:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sublet-probe", "namespace": namespace}}


def _pod(tenancy: Tenancy, namespace: str) -> Raw:
    registry = tenancy.allowed.registries[0].rstrip("/") if tenancy.allowed.registries else "registry.example"
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "probe", "image": f"{registry}/probe:1", "securityContext": security}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        # Without a name of its own: a tenant's pod that had the same one would be in the way.
        "metadata": {"generateName": f"{POD}-", "namespace": namespace},
        "spec": {"containers": [container]},
    }


def _pinned(pod: Raw, lease: str) -> Raw:
    """The pod as a tenant writes it where the API server adds nothing."""
    spec = pod["spec"]
    containers = [{**container, "imagePullPolicy": "Always"} for container in spec["containers"]]
    pinned = {"nodeSelector": {naming.LEASE: lease}, "tolerations": [_toleration(lease)], "activeDeadlineSeconds": 60}
    return {**pod, "spec": {**spec, **pinned, "containers": containers}}


def _toleration(lease: str) -> Raw:
    return {"key": naming.LEASE, "operator": "Equal", "value": lease, "effect": "NoExecute"}
