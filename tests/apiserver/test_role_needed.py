"""No line of the tenant's role is idle, and no dangerous one could be added without an attack that notices."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import pytest

from hack import cluster as clusters
from sublet.guards.attacks.attack import Scene
from sublet.guards.attacks.requests import collection
from sublet.guards.attacks.time import CREATIONS
from sublet.guards.catalogue import ATTACKS
from tests.apiserver.attacker import Answer, Attacker, attacker
from tests.apiserver.by_hand import BREAK_GLASS, FAR_AHEAD, LONG_AGO, create, leased_namespace, times
from tests.apiserver.leased import until
from tests.apiserver.needs import CHANGE, DANGEROUS, HARMLESS, NEEDS
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]
Right = tuple[str, str, str]
"""Group, resource and verb."""

NAMESPACE: Final = "lease-role"
SCENE: Final = Scene(NAMESPACE, NAMESPACE, "none", "none", "kube-system", "nvidia.com/gpu")
WAITS: Final = "does not have a host assigned"
"""What is said to whoever may look into a pod that waits for a node, as all pods here do."""
CONNECTIONS: Final = {"pods/exec", "pods/attach", "pods/portforward"}
CREATED: Final = {request.path: request.body for request in (made(SCENE) for made in CREATIONS.values())}
"""One object of each kind that a tenant makes, by where it is created."""
OTHERS: Final = (
    {"apiVersion": "v1", "kind": "LimitRange", "spec": {"limits": []}},
    {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {}},
    {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {}}},
)
"""What the operator makes for it."""


def granted(kubectl: Kubectl, role: str) -> set[Right]:
    """What a ClusterRole of the cluster grants."""
    rules = json.loads(kubectl("get", "clusterrole", role, "-o", "json").stdout)["rules"]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


@dataclass(frozen=True)
class Carol:
    """A tenant with a role of her own, which can be changed, in the lease; and with another one everywhere.

    Attributes:
        admin: Changes the roles.
        asks: Carol herself.
        tenant: What the chart's role grants.
    """

    admin: Attacker
    asks: Attacker
    tenant: set[Right]

    def may(self, role: str, rights: Iterable[Right]) -> None:
        """Have these rights and no other by a role, `carol-here` or `carol-everywhere`."""
        rules = [{"apiGroups": [group], "resources": [resource], "verbs": [verb]} for group, resource, verb in rights]
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}"
        answer = self.admin.send("PATCH", path, [{"op": "replace", "path": "/rules", "value": rules}])
        assert not answer.message, answer.message

    def does(self, group: str, resource: str, verb: str) -> Answer:
        """Use one right, by dry-run, on an object that there is."""
        kind, _, sub = resource.partition("/")
        version = {"": "v1", "autoscaling": "autoscaling/v2"}.get(group, f"{group}/v1")
        path = collection(version, kind, NAMESPACE)
        if verb == "watch":
            return self.asks.watch(path)
        if not sub and verb in {"list", "create", "deletecollection"}:
            body = {**CREATED[path], "metadata": {"name": "another"}} if verb == "create" else None
            method = {"list": "GET", "create": "POST"}.get(verb, "DELETE")
            return self.asks.send(method, path + "?dryRun=All" * (verb != "list"), body)
        one = f"{path}/{self._one_of(path)}{'/' * bool(sub)}{sub}"
        method = {"get": "GET", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}[verb]
        change: Raw = {"spec": {"replicas": 1}} if sub == "scale" else {"metadata": {"labels": {"touched": "yes"}}}
        bodies: dict[str, Callable[[], Raw]] = {"update": lambda: self._as_it_is(one), "patch": lambda: change}
        query = "" if verb == "get" or sub not in {"", "scale"} else "?dryRun=All"
        return self.asks.send(method, one + query, bodies.get(verb, lambda: None)())

    def _one_of(self, path: str) -> str:
        names: list[str] = []

        def look() -> bool:
            names.extend(each["metadata"]["name"] for each in self.admin.send("GET", path).body["items"])
            return bool(names)

        until(look, f"there is one of {path}")
        return names[0]

    def _as_it_is(self, path: str) -> Raw:
        whole: Raw = self.admin.send("GET", path).body
        del whole["metadata"]["resourceVersion"]  # somebody else may write to it in the meantime
        return whole


@pytest.fixture(scope="module")
def carol(cluster: clusters.Cluster, kubectl: Kubectl, admin: Attacker, tenant: Attacker) -> Iterator[Carol]:
    """Carol in a lease where there is one object of each kind."""
    with ExitStack() as stack:
        stack.enter_context(leased_namespace(kubectl, NAMESPACE, times(LONG_AGO, FAR_AHEAD)))
        for each in OTHERS:
            create(kubectl, {**each, "metadata": {"name": "sublet", "namespace": NAMESPACE}}, *BREAK_GLASS)
        for role, binding in {"carol-here": "rolebinding", "carol-everywhere": "clusterrolebinding"}.items():
            kubectl("create", "clusterrole", role, "--verb=get", "--resource=pods")
            stack.callback(kubectl, "delete", "clusterrole", role)
            kubectl("create", binding, role, "--clusterrole", role, "--user", "carol", "--namespace", NAMESPACE)
        stack.callback(kubectl, "delete", "clusterrolebinding", "carol-everywhere")
        for path, body in CREATED.items():
            until(lambda: not tenant.send("POST", path, body).message, f"Alice makes one of {path}")  # noqa: B023
        asks = stack.enter_context(attacker(cluster, "admin", plays=("carol", "acme")))
        yield Carol(admin, asks, granted(kubectl, "sublet-tenant"))


def test_every_line_of_the_role_has_a_need(carol: Carol) -> None:
    """A line that nobody needs is no business of a tenant."""
    assert {(resource, verb) for _, resource, verb in carol.tenant} == set(NEEDS)


@pytest.mark.parametrize(("resource", "verb"), NEEDS, ids=[f"{verb} {resource}" for resource, verb in NEEDS])
def test_without_the_line_a_need_is_refused(carol: Carol, resource: str, verb: str) -> None:
    (right,) = (each for each in carol.tenant if each[1:] == (resource, verb))
    why = f"{verb} {resource}, which {NEEDS[resource, verb]} needs"

    def works() -> bool:
        message = carol.does(*right).message
        return message.endswith(WAITS) if resource in CONNECTIONS else not message

    carol.may("carol-everywhere", ())
    carol.may("carol-here", carol.tenant)
    until(works, f"allowed with the whole role: {why}")
    carol.may("carol-here", carol.tenant - {right})
    until(lambda: carol.does(*right).stopped_by == "rbac", f"refused without its line: {why}")


def test_every_right_that_tenants_usually_have_is_looked_at(kubectl: Kubectl, carol: Carol) -> None:
    """Whatever the cluster's own role `admin` may change, and ours may not, is dangerous or known to be harmless."""
    ours = {(group, resource) for group, resource, _ in carol.tenant}
    theirs = {(group, resource) for group, resource, verb in granted(kubectl, "admin") if verb in CHANGE}
    gone = {each for each in theirs if each[0] == "extensions"}  # a group that no API server serves any more
    assert theirs - ours - gone - set(HARMLESS) - set(DANGEROUS) == set()


@pytest.mark.parametrize(("group", "resource"), DANGEROUS, ids=[f"{r}.{g}".rstrip(".") for g, r in DANGEROUS])
def test_an_attack_notices_a_dangerous_right(carol: Carol, group: str, resource: str) -> None:
    """Were it added to the role, `sublet audit` and the tests of attacks would say so."""
    known = [
        request
        for attack in ATTACKS
        if attack.stopped_by == "rbac"
        and set(resource.split("/")) <= set((request := attack.request(SCENE)).path.split("/"))
    ]

    def stopped() -> set[bool]:
        return {carol.asks.try_out(request).stopped_by == "rbac" for request in known}

    carol.may("carol-here", carol.tenant)
    carol.may("carol-everywhere", ())
    until(lambda: stopped() == {True}, f"every attack on {resource} is refused")
    carol.may("carol-everywhere", {(group, resource, verb) for verb in DANGEROUS[group, resource]})
    until(lambda: False in stopped(), f"one of the attacks on {resource} is admitted")
