"""What the chart lets the operator, a tenant and the owner's people do, right by right.

These tables are the other half of the chart: whoever changes a right changes it here too, and a reviewer sees it.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from sublet.cluster import kinds
from sublet.doctor.policies import NAMESPACES

Helm = Callable[..., "CompletedProcess[str]"]
Raw = dict[str, Any]
Rights = dict[tuple[str, str], set[str]]
"""Verbs, by group and resource."""

CHART = Path(__file__).parents[2] / "charts" / "sublet"

FOLLOW = {"list", "watch"}
READ = {"get", *FOLLOW}
KEEP = {*FOLLOW, "create", "patch", "delete"}
ALL = {*READ, "create", "update", "patch", "delete", "deletecollection"}
RBAC = "rbac.authorization.k8s.io"

OPERATOR: Rights = {
    ("sublet.dev", "gpuleases"): {*FOLLOW, "patch"},
    ("sublet.dev", "gpuleases/status"): {"patch"},
    ("sublet.dev", "gpupools"): {*FOLLOW, "patch"},
    ("sublet.dev", "gpupools/status"): {"patch"},
    ("sublet.dev", "leaserecords"): {"create"},
    ("", "nodes"): {*FOLLOW, "patch"},
    ("storage.k8s.io", "storageclasses"): FOLLOW,
    ("", "persistentvolumes"): FOLLOW,
    ("", "namespaces"): KEEP,
    ("", "resourcequotas"): KEEP,
    ("", "limitranges"): KEEP,
    ("", "configmaps"): KEEP,
    ("networking.k8s.io", "networkpolicies"): KEEP,
    ("policy.networking.k8s.io", "clusternetworkpolicies"): KEEP,
    (RBAC, "rolebindings"): KEEP,
    (RBAC, "clusterroles"): {"bind"},
    ("", "pods"): {"deletecollection"},
    ("", "users"): {"impersonate"},
}
TENANT: Rights = {
    ("", "pods"): ALL,
    ("", "pods/log"): {"get"},
    ("", "pods/exec"): {"get", "create"},
    ("", "pods/attach"): {"get", "create"},
    ("", "pods/portforward"): {"get", "create"},
    ("", "configmaps"): ALL,
    ("", "secrets"): ALL,
    ("", "services"): ALL,
    ("", "persistentvolumeclaims"): ALL,
    ("", "events"): READ,
    ("", "serviceaccounts"): READ,
    ("", "resourcequotas"): READ,
    ("", "limitranges"): READ,
    ("apps", "deployments"): ALL,
    ("apps", "deployments/scale"): {"get", "update", "patch"},
    ("apps", "statefulsets"): ALL,
    ("apps", "statefulsets/scale"): {"get", "update", "patch"},
    ("apps", "replicasets"): READ,
    ("apps", "controllerrevisions"): READ,
    ("discovery.k8s.io", "endpointslices"): READ,
    ("batch", "jobs"): ALL,
    ("batch", "cronjobs"): ALL,
    ("autoscaling", "horizontalpodautoscalers"): ALL,
    ("networking.k8s.io", "networkpolicies"): READ,
}
VIEWER: Rights = {
    ("sublet.dev", "gpupools"): READ,
    ("sublet.dev", "gpuleases"): READ,
    ("sublet.dev", "leaserecords"): READ,
    ("", "nodes"): READ,
    ("storage.k8s.io", "storageclasses"): READ,
}
EDITOR: Rights = {
    ("sublet.dev", "gpupools"): ALL - {"deletecollection"},
    ("sublet.dev", "gpuleases"): ALL - {"deletecollection"},
    ("sublet.dev", "leaserecords"): READ,
    ("", "nodes"): READ,
    ("storage.k8s.io", "storageclasses"): READ,
}


@pytest.fixture(scope="module")
def objects(helm: Helm) -> list[Raw]:
    """Everything the chart renders."""
    text = helm("template", "sublet", str(CHART), "--namespace", "sublet-system").stdout
    return [each for each in yaml.safe_load_all(text) if each]


def the(objects: Iterable[Raw], kind: str, name: str) -> Raw:
    """One object."""
    (found,) = (each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def rights(role: Raw) -> Rights:
    """What a role grants."""
    granted: Rights = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    return granted


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sublet", OPERATOR), ("sublet-tenant", TENANT), ("sublet-viewer", VIEWER), ("sublet-editor", EDITOR)],
)
def test_a_cluster_role_is_exactly_the_written_list(objects: list[Raw], name: str, expected: Rights) -> None:
    """No right is granted that is not written down here, and none is missing."""
    assert rights(the(objects, "ClusterRole", name)) == expected


def test_there_are_no_other_roles(objects: list[Raw]) -> None:
    """A role that nobody looked at would not be in these tables."""
    roles = sorted(each["metadata"]["name"] for each in objects if each["kind"] == "ClusterRole")
    assert roles == ["sublet", "sublet-editor", "sublet-tenant", "sublet-viewer"]
    names = sorted(each["metadata"]["name"] for each in objects if each["kind"] == "Role")
    assert names == [*sorted(NAMESPACES), "sublet-events", "sublet-sanitize"]


def test_no_role_is_open_ended(objects: list[Raw]) -> None:
    """No wildcard, no aggregation, no way to raise one's rights, in any role."""
    for role in (each for each in objects if each["kind"] in {"ClusterRole", "Role"}):
        assert "aggregationRule" not in role
        assert not any("aggregate-to" in label for label in role["metadata"]["labels"])
        for rule in role["rules"]:
            assert "nonResourceURLs" not in rule
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not {"*", "escalate", "nodes/proxy", "serviceaccounts/token"} & words


def test_the_operator_can_act_as_the_probe_alone(objects: list[Raw]) -> None:
    """Guards are probed as one user who is nobody; no role lets anybody act as somebody else."""
    rules = [
        (role["metadata"]["name"], rule) for role in objects if role["kind"] == "ClusterRole" for rule in role["rules"]
    ]
    assert [
        (name, rule["resources"], rule.get("resourceNames")) for name, rule in rules if "impersonate" in rule["verbs"]
    ] == [("sublet", ["users"], ["sublet.dev:probe"])]


@pytest.mark.parametrize("name", NAMESPACES)
def test_the_operator_runs_probe_pods_in_three_namespaces(objects: list[Raw], name: str) -> None:
    """It makes pods, looks at them and deletes them where isolation is measured, and reads nothing out of them."""
    role, binding = the(objects, "Role", name), the(objects, "RoleBinding", name)
    assert (role["metadata"]["namespace"], binding["metadata"]["namespace"]) == (name, name)
    assert rights(role) == {("", "pods"): {"list", "create", "delete"}}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "sublet", "namespace": "sublet-system"}]
    labels = the(objects, "Namespace", name)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "sublet.dev/lease" not in labels


def test_the_operator_has_no_say_over_secrets_and_pods(objects: list[Raw]) -> None:
    """In the cluster at large it neither reads a Secret nor runs a pod, and may only stop pods."""
    granted = rights(the(objects, "ClusterRole", "sublet"))
    assert not [resource for _, resource in granted if resource.startswith(("secrets", "pods/", "serviceaccounts"))]
    assert granted["", "pods"] == {"deletecollection"}


def test_the_operator_knows_one_config_map_by_name(objects: list[Raw]) -> None:
    """It can neither read nor write those in which others keep their configuration."""
    rules = the(objects, "ClusterRole", "sublet")["rules"]
    assert [rule["resourceNames"] for rule in rules if "configmaps" in rule["resources"]] == [["sublet-lease"]]


def test_the_operator_can_hand_out_the_tenants_role_alone(objects: list[Raw]) -> None:
    """`bind` names one role, so that the operator cannot make itself or anybody else an administrator."""
    rules = the(objects, "ClusterRole", "sublet")["rules"]
    bind = [rule for rule in rules if "bind" in rule["verbs"]]
    assert bind == [
        {"apiGroups": [RBAC], "resources": ["clusterroles"], "resourceNames": ["sublet-tenant"], "verbs": ["bind"]}
    ]


def test_the_operator_may_only_post_events_about_leases_and_pools(objects: list[Raw]) -> None:
    """Events are created, in the namespace where those of cluster-scoped objects live."""
    role = the(objects, "Role", "sublet-events")
    assert role["metadata"]["namespace"] == "default"
    assert rights(role) == {("", "events"): {"create"}}


def test_the_operator_runs_jobs_in_one_namespace_and_never_looks_at_their_pods(objects: list[Raw]) -> None:
    """It makes, follows and deletes them where steps of a cleaning run, and changes none."""
    role = the(objects, "Role", "sublet-sanitize")
    assert role["metadata"]["namespace"] == "sublet-sanitize"
    assert rights(role) == {("batch", "jobs"): {*FOLLOW, "create", "delete"}}


def test_the_rights_are_the_operators(objects: list[Raw]) -> None:
    """All bindings name the chart's ServiceAccount and nobody else."""
    account = [{"kind": "ServiceAccount", "name": "sublet", "namespace": "sublet-system"}]
    cluster_wide, events = the(objects, "ClusterRoleBinding", "sublet"), the(objects, "RoleBinding", "sublet-events")
    steps = the(objects, "RoleBinding", "sublet-sanitize")
    assert (steps["roleRef"]["name"], steps["subjects"]) == ("sublet-sanitize", account)
    assert steps["metadata"]["namespace"] == "sublet-sanitize"
    assert (cluster_wide["roleRef"]["name"], cluster_wide["subjects"]) == ("sublet", account)
    assert (events["roleRef"]["name"], events["subjects"]) == ("sublet-events", account)
    assert events["metadata"]["namespace"] == "default"


def test_the_operator_has_a_right_to_every_kind_it_knows(objects: list[Raw]) -> None:
    """A kind that the code learns has to be granted, and one that it forgets has to be taken back."""
    granted = {
        (group, resource.partition("/")[0])
        for role in (
            the(objects, "ClusterRole", "sublet"),
            the(objects, "Role", "sublet-events"),
            the(objects, "Role", "sublet-sanitize"),
        )
        for group, resource in rights(role)
    }
    known = {(kind.api_version.rpartition("/")[0], kind.plural) for kind in kinds.BY_KIND.values()}
    assert granted == known | {(RBAC, "clusterroles"), ("", "users")}
