"""ResourceQuota and LimitRange: the size of the rented nodes, and bounds on every kind a tenant may create."""

from collections.abc import Mapping
from typing import Any

from sublet.desired.tenancy import Tenancy

_OBJECTS = {
    "configmaps": 200,
    "replicationcontrollers": 0,
    "resourcequotas": 1,
    "secrets": 200,
    "services": 100,
    # Both would open a door from outside the cluster into it.
    "services.loadbalancers": 0,
    "services.nodeports": 0,
    "count/cronjobs.batch": 100,
    "count/deployments.apps": 200,
    "count/horizontalpodautoscalers.autoscaling": 100,
    "count/jobs.batch": 1000,
    "count/statefulsets.apps": 200,
    # Made by controllers, as many as a tenant's objects ask for.
    "count/controllerrevisions.apps": 1000,
    "count/replicasets.apps": 1000,
}
"""How many objects of a kind a namespace may hold: etcd is shared by all tenants."""

_CLAIMS = 100
"""Volume claims, or resource claims, in a namespace of a lease that may have any."""

_CONTAINER_DEFAULTS = {"cpu": "100m", "ephemeral-storage": "1Gi", "memory": "256Mi"}
"""Requests of a container that names none, since the quota admits only pods whose requests are known."""


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """One ResourceQuota and one LimitRange in each namespace.

    Every namespace of a lease gets the size of the whole lease: the nodes themselves bound the sum. Nothing bounds that
    of volumes, so each namespace gets its share.
    """
    return [
        manifest
        for namespace in tenancy.namespaces
        for manifest in (_quota(tenancy, namespace), _limits(tenancy, namespace))
    ]


def _quota(tenancy: Tenancy, namespace: str) -> dict[str, Any]:
    size = tenancy.capacity
    hard = {
        "pods": _count(size.pods if tenancy.admits_pods else 0),
        f"requests.{tenancy.resource_name}": _count(size.gpus),
        "requests.cpu": _cpu(size.cpu_millis),
        "requests.memory": _bytes(size.memory_bytes),
        "requests.ephemeral-storage": _bytes(size.ephemeral_storage_bytes),
        **{name: _count(count) for name, count in _OBJECTS.items()},
        **_storage(tenancy),
        **_devices(tenancy),
    }
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "sublet", "namespace": namespace, "labels": tenancy.labels},
        "spec": {"hard": hard},
    }


def _storage(tenancy: Tenancy) -> dict[str, str]:
    """Volumes: none if the pool allows no class, else of all classes together no more than the nodes' own disks."""
    may = bool(tenancy.allowed.storage_classes)
    share = tenancy.capacity.ephemeral_storage_bytes // len(tenancy.namespaces)
    return {
        "persistentvolumeclaims": _count(_CLAIMS if may else 0),
        "requests.storage": _bytes(share if may else 0),
    }


def _devices(tenancy: Tenancy) -> dict[str, str]:
    """Devices that are claimed rather than requested: of each class no more than there are GPUs, of others none."""
    classes = tenancy.allowed.device_classes
    claims = _count(_CLAIMS if classes else 0)
    return {
        "count/resourceclaims.resource.k8s.io": claims,
        "count/resourceclaimtemplates.resource.k8s.io": claims,
        **{f"{name}.deviceclass.resource.k8s.io/devices": _count(tenancy.capacity.gpus) for name in classes},
    }


def _limits(tenancy: Tenancy, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "sublet", "namespace": namespace, "labels": tenancy.labels},
        "spec": {"limits": [{"type": "Container", "defaultRequest": dict(_CONTAINER_DEFAULTS)}]},
    }


# Quantities are written as the API server gives them back, so that a live object compares equal to what is
# wanted: the widest unit that leaves a whole number (apimachinery, pkg/api/resource, "canonical form").


def _cpu(millis: int) -> str:
    return _count(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def _count(number: int) -> str:
    return _scaled(number, {"E": 10**18, "P": 10**15, "T": 10**12, "G": 10**9, "M": 10**6, "k": 10**3})


def _bytes(number: int) -> str:
    return _scaled(number, {"Ei": 2**60, "Pi": 2**50, "Ti": 2**40, "Gi": 2**30, "Mi": 2**20, "Ki": 2**10})


def _scaled(number: int, units: Mapping[str, int]) -> str:
    for unit, size in units.items():
        if number and number % size == 0:
            return f"{number // size}{unit}"
    return str(number)
