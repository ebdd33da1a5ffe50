"""Every kind that a tenant can create is counted: all tenants share etcd, and a kind without a count could fill it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sublet.desired.quota import manifests
from sublet.desired.tenancy import Allowed
from sublet.guards.attacks.attack import Scene
from sublet.guards.attacks.time import CREATIONS
from tests.builders import a_tenancy
from tests.conftest import Tool

CHART = Path(__file__).parents[2] / "charts" / "sublet"
SCENE = Scene("a", "lease-a", "", "", "", "")
MADE_BY_CONTROLLERS = {"replicasets.apps", "controllerrevisions.apps"}
"""Kinds that come of what a tenant creates, as many as its objects ask for."""


@pytest.fixture(scope="module")
def creatable(helm: Tool) -> set[str]:
    """What the tenant's role lets a tenant create, without subresources, which store nothing of their own."""
    text = helm("template", "sublet", str(CHART), "--namespace", "sublet-system").stdout
    (role,) = (
        each
        for each in yaml.safe_load_all(text)
        if each and each["kind"] == "ClusterRole" and each["metadata"]["name"] == "sublet-tenant"
    )
    return {
        f"{resource}.{group}" if group else resource
        for rule in role["rules"]
        if {"create", "*"} & set(rule["verbs"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if "/" not in resource
    }


def limits(**allowed: tuple[str, ...]) -> dict[str, str]:
    """The quota of a lease whose pool allows some classes."""
    quota: dict[str, Any] = manifests(a_tenancy(allowed=Allowed(**allowed)))[0]
    hard: dict[str, str] = quota["spec"]["hard"]
    return hard


def test_every_kind_that_can_be_created_is_counted(creatable: set[str]) -> None:
    """The API server knows core kinds by their own name, and all kinds by `count/`."""
    counted = {key.removeprefix("count/") for key in limits()}
    assert creatable - counted == set()
    assert counted >= MADE_BY_CONTROLLERS


def test_every_kind_that_can_be_created_is_held_to_the_lease_in_time(creatable: set[str]) -> None:
    """For each there is an attack before the start and after the end."""
    paths = (request(SCENE).path for request in CREATIONS.values())
    parts = [path.split("/") for path in paths]
    tried = {f"{part[-1]}.{part[2]}" if part[1] == "apis" else part[-1] for part in parts}
    assert tried == creatable


@pytest.mark.parametrize(
    "kind",
    [
        *("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage"),
    ],
)
def test_the_quota_names_what_the_benchmark_asks_for(kind: str) -> None:
    """MTB-PL1-CC-FNS-1 and MTB-PL1-CC-FNS-2 of the multi-tenancy benchmarks."""
    assert kind in limits()


def test_a_pool_that_allows_storage_has_a_bound_for_it() -> None:
    """Without a class there are no claims at all, and with one they are bounded in number and size."""
    assert [limits()[key] for key in ("persistentvolumeclaims", "requests.storage")] == ["0", "0"]
    some = limits(storage_classes=("fast",))
    assert [some[key] for key in ("persistentvolumeclaims", "requests.storage")] == ["100", "2Ti"]


def test_extra_namespaces_bring_no_extra_storage() -> None:
    """Unlike CPU and memory, nothing but the quotas bounds the sum, so they share what one namespace would have."""
    tenancy = a_tenancy(namespaces=("lease-a", "lease-a-b"), allowed=Allowed(storage_classes=("fast",)))
    quotas = [each["spec"]["hard"] for each in manifests(tenancy) if each["kind"] == "ResourceQuota"]
    assert [hard["requests.storage"] for hard in quotas] == ["1Ti", "1Ti"]
    assert [hard["requests.memory"] for hard in quotas] == ["1Ti", "1Ti"]


def test_a_pool_that_allows_devices_has_a_bound_for_each_class() -> None:
    """Without a class there are no resource claims, and with one no more devices of it than there are GPUs."""
    claims = ("count/resourceclaims.resource.k8s.io", "count/resourceclaimtemplates.resource.k8s.io")
    devices = "gpu.example.deviceclass.resource.k8s.io/devices"
    assert [limits()[key] for key in claims] == ["0", "0"]
    some = limits(device_classes=("gpu.example",))
    assert [some[key] for key in (*claims, devices)] == ["100", "100", "16"]
    assert devices not in limits()
