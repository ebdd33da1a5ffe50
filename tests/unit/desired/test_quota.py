"""The quota is as large as the rented nodes, in the numbers that the API server gives back."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from kubernetes.utils import quantity

from sublet.desired.quota import manifests
from sublet.desired.tenancy import Capacity, Tenancy
from tests.builders import a_tenancy

parse_quantity: Callable[[str], Decimal] = quantity.parse_quantity
"""Reads a quantity; the official client has no annotations of its own."""


def hard(tenancy: Tenancy) -> dict[str, str]:
    """The limits of the first namespace's quota."""
    quota: dict[str, Any] = manifests(tenancy)[0]
    assert quota["kind"] == "ResourceQuota"
    limits: dict[str, str] = quota["spec"]["hard"]
    return limits


def sized(**fields: int) -> Tenancy:
    """A tenancy of some capacity."""
    none = {"gpus": 0, "cpu_millis": 0, "memory_bytes": 0, "ephemeral_storage_bytes": 0, "pods": 0}
    return a_tenancy(capacity=Capacity(**none | fields))


@pytest.mark.parametrize(
    ("capacity", "key", "expected"),
    [
        ({"gpus": 16}, "requests.nvidia.com/gpu", "16"),
        ({"gpus": 2000}, "requests.nvidia.com/gpu", "2k"),
        ({"pods": 220}, "pods", "220"),
        ({"pods": 11_000}, "pods", "11k"),
        ({"cpu_millis": 128_000}, "requests.cpu", "128"),
        ({"cpu_millis": 127_900}, "requests.cpu", "127900m"),
        ({"cpu_millis": 2_000_000}, "requests.cpu", "2k"),
        ({"memory_bytes": 512 * 2**30}, "requests.memory", "512Gi"),
        ({"memory_bytes": 1024 * 2**30}, "requests.memory", "1Ti"),
        ({"memory_bytes": 1536 * 2**30}, "requests.memory", "1536Gi"),
        ({"memory_bytes": 5 * 2**10}, "requests.memory", "5Ki"),
        ({"memory_bytes": 1_000_000_001}, "requests.memory", "1000000001"),
        ({"ephemeral_storage_bytes": 95_551_679_124}, "requests.ephemeral-storage", "95551679124"),
        ({}, "requests.memory", "0"),
        ({}, "requests.cpu", "0"),
    ],
)
def test_a_quantity_is_in_its_canonical_form(capacity: dict[str, int], key: str, expected: str) -> None:
    """Written as the API server would write it, so that the live quota compares equal and is left alone."""
    assert hard(sized(**capacity))[key] == expected


def test_a_petabyte_is_in_its_canonical_form() -> None:
    """Five hundred and twelve nodes with 2 TiB of memory have one Pi, and the API server says so."""
    assert hard(sized(memory_bytes=2**50))["requests.memory"] == "1Pi"


def test_the_whole_capacity_is_given_and_no_more() -> None:
    """Read back, every limit is exactly what the nodes offer together."""
    limits = hard(a_tenancy())
    assert int(limits["requests.nvidia.com/gpu"]) == 16
    assert parse_quantity(limits["requests.cpu"]) == 128
    assert parse_quantity(limits["requests.memory"]) == 2**40
    assert parse_quantity(limits["requests.ephemeral-storage"]) == 2 * 2**40
    assert int(limits["pods"]) == 220


def test_the_pools_own_resource_is_counted() -> None:
    """A pool that counts its GPUs by another name limits that name."""
    limits = hard(a_tenancy(resource_name="amd.com/gpu"))
    assert limits["requests.amd.com/gpu"] == "16"
    assert "requests.nvidia.com/gpu" not in limits


def test_no_pod_is_admitted_while_none_may_start() -> None:
    """Suspended or draining, the number of pods is limited to none; the rest stays as it is."""
    open_, closed = hard(a_tenancy()), hard(a_tenancy(admits_pods=False))
    assert closed == open_ | {"pods": "0"}


@pytest.mark.parametrize(
    "kind",
    [
        *("services.loadbalancers", "services.nodeports", "replicationcontrollers"),
        *("persistentvolumeclaims", "requests.storage"),
        *("count/resourceclaims.resource.k8s.io", "count/resourceclaimtemplates.resource.k8s.io"),
    ],
)
def test_what_a_tenant_must_not_make_is_limited_to_none(kind: str) -> None:
    """No door from outside into the cluster, no volume that outlives the lease."""
    assert hard(a_tenancy())[kind] == "0"


def test_a_container_without_requests_gets_some() -> None:
    """The quota admits only pods whose requests are known, so each namespace has defaults for them."""
    limits = [m for m in manifests(a_tenancy(namespaces=("lease-a", "lease-a-b"))) if m["kind"] == "LimitRange"]
    assert [limit["metadata"]["namespace"] for limit in limits] == ["lease-a", "lease-a-b"]
    assert limits[0]["spec"]["limits"] == [
        {"type": "Container", "defaultRequest": {"cpu": "100m", "ephemeral-storage": "1Gi", "memory": "256Mi"}}
    ]
