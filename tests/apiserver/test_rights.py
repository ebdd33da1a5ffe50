"""A tenant's rights on a real API server: the attacks know every kind of object there is, and nobody can be played."""

import json
from collections.abc import Iterator

import pytest

from hack import cluster as clusters
from sublet.guards.attacks.attack import Request
from sublet.guards.attacks.rights import CLUSTER_SCOPED
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.by_hand import FAR_AHEAD, LONG_AGO, leased_namespace, soon, times
from tests.apiserver.objects import Kubectl, Raw

NAMESPACE = "lease-rights"
ABOUT_ONESELF = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What everybody may ask, about themselves."""
REVIEWS = {"tokenreviews": "authentication.k8s.io/v1", "subjectaccessreviews": "authorization.k8s.io/v1"}
"""Questions about others, which store nothing and can only be created."""
TENANTS_OWN = {
    *("pods", "configmaps", "secrets", "services", "persistentvolumeclaims"),
    *("deployments", "statefulsets", "jobs", "cronjobs", "horizontalpodautoscalers"),
}


@pytest.fixture(scope="module")
def alices(cluster: clusters.Cluster, kubectl: Kubectl) -> Iterator[Attacker]:
    """Alice in a live lease."""
    with leased_namespace(kubectl, NAMESPACE, times(LONG_AGO, FAR_AHEAD)), attacker(cluster) as one:
        pods = Request("list", f"/api/v1/namespaces/{NAMESPACE}/pods")
        soon(lambda: one.try_out(pods).status == 200, "Alice is let in")
        yield one


def served(kubectl: Kubectl) -> list[tuple[str, Raw]]:
    """Every resource that the API server serves, with its group and version."""
    groups = json.loads(kubectl("get", "--raw", "/apis").stdout)["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    return [
        (version, resource)
        for version in versions
        for resource in json.loads(
            kubectl("get", "--raw", f"/apis/{version}" if "/" in version else f"/api/{version}").stdout
        )["resources"]
    ]


@pytest.mark.usefixtures("cluster_policies")
def test_the_attacks_know_every_kind_of_the_whole_cluster(kubectl: Kubectl) -> None:
    """A kind that a new release brings has to be attacked as well. MTB-PL1-CC-CPI-1."""
    found: dict[str, set[str]] = {}
    for version, resource in served(kubectl):
        name = resource["name"]
        if not resource["namespaced"] and "/" not in name and name not in ABOUT_ONESELF | set(REVIEWS):
            found.setdefault(version, set()).add(name)
    assert {version: set(names) for version, names in CLUSTER_SCOPED.items()} == found


def test_a_tenant_creates_what_is_written_down_and_nothing_else(kubectl: Kubectl, alices: Attacker) -> None:
    """Each kind that lives in namespaces is tried, whatever a release or another chart brings."""
    allowed = set()
    for version, resource in served(kubectl):
        if resource["namespaced"] and "/" not in resource["name"] and "create" in resource["verbs"]:
            root = "apis" if "/" in version else "api"
            path = f"/{root}/{version}/namespaces/{NAMESPACE}/{resource['name']}"
            if alices.try_out(Request("create", path, {})).stopped_by != "rbac":
                allowed.add(resource["name"])
    assert allowed == TENANTS_OWN


@pytest.mark.parametrize("question", sorted(REVIEWS))
def test_questions_about_others_are_refused(alices: Attacker, question: str) -> None:
    assert alices.try_out(Request("create", f"/apis/{REVIEWS[question]}/{question}", {})).stopped_by == "rbac"


@pytest.mark.parametrize(
    "who",
    [
        ("admin", "--as-group", "system:masters"),
        ("system:serviceaccount:sublet-system:sublet",),
        ("system:kube-controller-manager",),
        (f"system:serviceaccount:{NAMESPACE}:default",),
        ("bob@globex.example",),
        ("alice@acme.example", "--as-group", "sublet:break-glass"),
    ],
    ids=lambda who: who[0],
)
@pytest.mark.usefixtures("alices")
def test_a_tenant_plays_nobody(alice: Kubectl, who: tuple[str, ...]) -> None:
    """Neither an administrator, the operator, a controller or another tenant, nor oneself in another group."""
    done = alice("get", "pods", "--namespace", NAMESPACE, "--as", *who, check=False)
    assert 'User "alice@acme.example" cannot impersonate' in done.stderr


@pytest.mark.parametrize("path", ["/metrics", "/logs/", "/debug/pprof/", "/configz", "/flagz", "/statusz"])
def test_the_servers_own_pages_are_closed(alices: Attacker, path: str) -> None:
    assert alices.try_out(Request("get", path)).status in {403, 404}
