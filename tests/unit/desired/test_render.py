"""What holds of every tenancy, whatever its golden file says."""

import itertools
import json
from typing import Any

import pytest

from sublet.api.network import EgressRule
from sublet.desired.render import NOTHING, render
from sublet.desired.tenancy import Allowed, Egress, Tenancy
from tests.builders import a_tenancy, at

TENANCIES = [
    a_tenancy(),
    a_tenancy(namespaces=("lease-acme-train", "lease-acme-train-staging")),
    a_tenancy(admits_pods=False, grants_access=False),
    a_tenancy(admits_pods=False),
    a_tenancy(pod_security=("restricted", "v1.36")),
    a_tenancy(egress=Egress((EgressRule(cidr="0.0.0.0/0"),), ("0.0.0.0/0",), ("10.0.0.0/8",))),
]

every_tenancy = pytest.mark.parametrize("tenancy", TENANCIES, ids=range(len(TENANCIES)))


def of_kind(tenancy: Tenancy, kind: str) -> list[dict[str, Any]]:
    """The manifests of one kind."""
    return [manifest for manifest in render(tenancy).all() if manifest["kind"] == kind]


@every_tenancy
def test_the_same_tenancy_gives_the_same_bytes(tenancy: Tenancy) -> None:
    """Rendering twice changes nothing, also if the caller spoiled the first result."""
    first = json.dumps(render(tenancy).all())
    for manifest in render(tenancy).all():
        manifest["metadata"]["labels"].clear()
        manifest.get("spec", {}).clear()
    assert json.dumps(render(tenancy).all()) == first


@every_tenancy
def test_every_child_carries_its_lease(tenancy: Tenancy) -> None:
    """Name and UID of the lease stand on every object, so that all of them can be listed and none is an orphan."""
    for manifest in render(tenancy).all():
        labels = manifest["metadata"]["labels"]
        assert labels["sublet.dev/lease"] == "acme-train", manifest["kind"]
        assert labels["sublet.dev/lease-uid"] == "uid-acme-train", manifest["kind"]


@every_tenancy
def test_every_object_lives_in_a_namespace_of_the_lease(tenancy: Tenancy) -> None:
    """Nothing is put into a namespace that is not made for this lease; and each namespace has the same guards."""
    inside = [manifest for manifest in render(tenancy).all() if manifest["kind"] != "Namespace"]
    assert {manifest["metadata"]["namespace"] for manifest in inside} == set(tenancy.namespaces)
    guards = [m for m in inside if m["kind"] != "RoleBinding"]
    found = sorted((m["metadata"]["namespace"], m["kind"], m["metadata"]["name"]) for m in guards)
    kinds = [
        ("ConfigMap", "sublet-lease"),
        ("LimitRange", "sublet"),
        ("NetworkPolicy", "sublet-allow"),
        ("NetworkPolicy", "sublet-default-deny"),
        ("ResourceQuota", "sublet"),
    ]
    assert found == [(namespace, *kind) for namespace, kind in itertools.product(tenancy.namespaces, kinds)]


@every_tenancy
def test_network_policies_name_both_directions(tenancy: Tenancy) -> None:
    """A direction that a policy does not name is open, so each names both and holds for every pod."""
    policies = of_kind(tenancy, "NetworkPolicy")
    assert len(policies) == 2 * len(tenancy.namespaces)
    for policy in policies:
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert policy["spec"]["podSelector"] == {}


@every_tenancy
def test_nothing_from_outside_is_let_in(tenancy: Tenancy) -> None:
    """Traffic comes from namespaces of this very lease only, told by its UID; no address is ever named."""
    same_lease = {"namespaceSelector": {"matchLabels": {"sublet.dev/lease-uid": "uid-acme-train"}}}
    for policy in of_kind(tenancy, "NetworkPolicy"):
        sources = [source for rule in policy["spec"].get("ingress", []) for source in rule["from"]]
        assert all(source == same_lease for source in sources)
        assert all(rule["to"] for rule in policy["spec"].get("egress", []))
        assert "ipBlock" not in json.dumps(policy["spec"].get("ingress"))


@every_tenancy
def test_pod_security_is_enforced_in_every_namespace(tenancy: Tenancy) -> None:
    """Level and version stand on each namespace for enforcing, warning and auditing alike."""
    level, version = tenancy.pod_security
    for namespace in of_kind(tenancy, "Namespace"):
        labels = namespace["metadata"]["labels"]
        for mode in ("enforce", "warn", "audit"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == level
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == version


def test_namespaces_carry_what_the_guards_read() -> None:
    """Times stand on every namespace as RFC 3339, lists as text with commas, and an empty list is there as well."""
    tenancy = a_tenancy(
        namespaces=("lease-a", "lease-a-b"),
        ends_at=at(8),
        hard_stop_at=at(24),
        allowed=Allowed(registries=("registry.example/acme/", "docker.io"), runtime_classes=("gvisor", "kata")),
    )
    for namespace in of_kind(tenancy, "Namespace"):
        assert namespace["metadata"]["annotations"] == {
            "sublet.dev/lease-uid": "uid-acme-train",
            "sublet.dev/starts-at": "2026-12-01T12:00:00Z",
            "sublet.dev/ends-at": "2026-12-01T20:00:00Z",
            "sublet.dev/hard-stop-at": "2026-12-02T12:00:00Z",
            "sublet.dev/gpu-resource": "nvidia.com/gpu",
            "sublet.dev/allowed-registries": "registry.example/acme,docker.io",
            "sublet.dev/allowed-runtime-classes": "gvisor,kata",
            "sublet.dev/allowed-storage-classes": "",
            "sublet.dev/allowed-priority-classes": "",
            "sublet.dev/allowed-device-classes": "",
        }


def test_the_facts_say_what_was_promised() -> None:
    """In every namespace, as texts: instants, names and numbers, and an empty one where there is nothing to say."""
    tenancy = a_tenancy(
        namespaces=("lease-a", "lease-a-b"), hard_stop_at=at(24), nodes=("gpu-1", "gpu-7", "gpu-9"), gpus=24
    )
    for facts in of_kind(tenancy, "ConfigMap"):
        assert facts["data"] == {
            "lease": "acme-train",
            "pool": "h100",
            "tenantContact": "",
            "startsAt": "2026-12-01T12:00:00Z",
            "drainAt": "2026-12-01T19:30:00Z",
            "endsAt": "2026-12-01T20:00:00Z",
            "hardStopAt": "2026-12-02T12:00:00Z",
            "nodes": "gpu-1,gpu-7,gpu-9",
            "nodeCount": "3",
            "gpus": "24",
            "gpuResource": "nvidia.com/gpu",
        }


def test_access_is_the_tenant_role_and_nothing_else() -> None:
    """One RoleBinding in each namespace names the tenant's subjects and the role that the chart ships."""
    tenancy = a_tenancy(subjects=(("User", "oidc:anna"), ("Group", "oidc:ml")), namespaces=("lease-a", "lease-a-b"))
    access = render(tenancy).access
    assert [binding["metadata"]["namespace"] for binding in access] == ["lease-a", "lease-a-b"]
    for binding in access:
        assert binding["kind"] == "RoleBinding"
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "sublet-tenant",
        }
        assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [("User", "oidc:anna"), ("Group", "oidc:ml")]


def test_a_tenant_who_has_to_stay_outside_has_no_binding() -> None:
    """Without access there is no RoleBinding for the tenant, rather than an empty one; only probes may still ask."""
    manifests = render(a_tenancy(grants_access=False))
    assert manifests.access == ()
    bindings = [manifest for manifest in manifests.all() if manifest["kind"] == "RoleBinding"]
    assert [[subject["name"] for subject in binding["subjects"]] for binding in bindings] == [["sublet.dev:probe"]]


def test_the_order_is_namespaces_then_guards_then_facts_then_access() -> None:
    """A door is made after its guard, and what is told after the quota that counts it."""
    kinds = [manifest["kind"] for manifest in render(a_tenancy()).all()]
    guards = ["ResourceQuota", "LimitRange", "NetworkPolicy", "NetworkPolicy", "RoleBinding"]
    assert kinds == ["Namespace", *guards, "ConfigMap", "RoleBinding"]
    assert render(a_tenancy()).all()[-1]["metadata"]["name"] == "sublet-tenant"


def test_nothing_is_nothing() -> None:
    """Before a lease starts and after it ends it should have no object."""
    assert NOTHING.all() == ()
