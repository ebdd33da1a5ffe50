"""The Multi-Tenancy Benchmarks of Kubernetes, by their ids, on live leases."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from hack import cluster as clusters
from sublet.guards.attacks import pods
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.benchmarks import BENCHMARKS, Benchmark, Verdict
from sublet.guards.attacks.quota import LINES
from sublet.guards.catalogue import ATTACKS
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.counted import Quota
from tests.apiserver.leased import Scenes, until
from tests.apiserver.objects import Kubectl
from tests.apiserver.unaided import uncompleted

TENANTS: Benchmark = next(each for each in BENCHMARKS if each.id == "MTB-PL1-CC-TI-2")


@pytest.fixture(scope="module")
def bob(cluster: clusters.Cluster) -> Iterator[Attacker]:
    """Another tenant."""
    with attacker(cluster, "bob") as one:
        yield one


def refused(who: Attacker, scene: Scene, attacks: Sequence[Attack]) -> int:
    """How many attacks there are; each of them is refused by its own guard."""
    answers = {attack.name: who.try_out(attack.request(scene)) for attack in attacks}
    wrong = {
        attack.name: answers[attack.name] for attack in attacks if answers[attack.name].stopped_by != attack.stopped_by
    }
    assert not wrong
    return len(attacks)


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.id)
def test_a_lease_stands_to_a_check_as_it_says(
    tenant: Attacker, admin: Attacker, scenes: Scenes, benchmark: Benchmark
) -> None:
    """What the check is about is tried in every known way, and refused; also where the check would rather have it."""
    here, there = scenes.baseline, scenes.restricted
    everywhere, restricted = benchmark.of(ATTACKS), benchmark.of(pods.ON_RESTRICTED)
    tried = refused(tenant, here, everywhere) + refused(tenant, there, restricted)
    if unaided := benchmark.of(pods.UNAIDED):
        with uncompleted(admin, tenant, here):
            tried += refused(tenant, here, unaided)
    quota = Quota(admin, here.namespace)
    for line in (each for each in LINES if benchmark.id in each.attack.ids and each.attack not in ATTACKS):
        with ExitStack() as stack:
            if line.attack.stopped_by == "quota":
                stack.enter_context(quota.used_up(line.name))
            request = line.attack.request(here)
            until(lambda: tenant.try_out(request).stopped_by == line.attack.stopped_by, f"{line.name} bites")  # noqa: B023
        tried += 1
    assert tried
    assert (benchmark.verdict is Verdict.HELD_RESTRICTED) == (not everywhere and bool(restricted))


def test_a_tenant_reaches_nothing_of_another(bob: Attacker, scenes: Scenes) -> None:
    """MTB-PL1-CC-TI-2, into a lease in which somebody works."""
    foreign = replace(scenes.baseline, foreign_namespace=scenes.baseline.namespace)
    assert refused(bob, foreign, TENANTS.of(ATTACKS))


def test_nothing_that_the_operator_made_can_be_changed_by_its_tenant(
    kubectl: Kubectl, tenant: Attacker, scenes: Scenes
) -> None:
    """MTB-PL1-BC-CPI-2: whatever carries the operator's labels, of every kind that there is."""
    namespace = scenes.baseline.namespace
    kinds = kubectl("api-resources", "--namespaced", "--verbs=list,delete", "-o", "name").stdout.split()
    owned = ("--namespace", namespace, "--selector", "sublet.dev/lease-uid")
    made = json.loads(kubectl("get", ",".join(kinds), *owned, "-o", "json").stdout)["items"]
    # ConfigMaps are tenants' to write, but for the one with the facts of the lease.
    by_role = dict.fromkeys(("LimitRange", "NetworkPolicy", "ResourceQuota", "RoleBinding"), "rbac")
    guards = {"ConfigMap": "lease-facts", **by_role}
    assert {each["kind"] for each in made} == guards.keys()
    for each in made:
        version, name = each["apiVersion"], each["metadata"]["name"]
        plural = each["kind"].lower().removesuffix("y") + ("ies" if each["kind"].endswith("y") else "s")
        root = "api" if version == "v1" else "apis"
        path = f"/{root}/{version}/namespaces/{namespace}/{plural}/{name}"
        change = {"metadata": {"annotations": {"touched": "yes"}}}
        for request in (Request("delete", path), Request("patch", path, change)):
            assert tenant.try_out(request).stopped_by == guards[each["kind"]], request


def test_the_network_policies_let_no_other_namespace_in(kubectl: Kubectl, scenes: Scenes) -> None:
    """MTB-pending-1201, as far as the API server goes: what a plugin has to enforce closes every other namespace."""
    get = ("get", "networkpolicies", "--namespace", scenes.baseline.namespace, "-o", "json")
    specs: list[dict[str, Any]] = [each["spec"] for each in json.loads(kubectl(*get).stdout)["items"]]
    assert all(spec["podSelector"] == {} and spec["policyTypes"] == ["Ingress", "Egress"] for spec in specs)
    namespace = json.loads(kubectl("get", "namespace", scenes.baseline.namespace, "-o", "json").stdout)
    uid = {"sublet.dev/lease-uid": namespace["metadata"]["labels"]["sublet.dev/lease-uid"]}
    into = [peer for spec in specs for rule in spec.get("ingress", ()) for peer in rule["from"]]
    assert into == [{"namespaceSelector": {"matchLabels": uid}}]
