"""Sublet's marks on nodes and namespaces are its own, and everybody else can do their work beside them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hack import cluster as clusters
from sublet.desired.naming import MADE_UP_LEASES
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.takeover import BY_A_KUBELET, BY_AN_ADMINISTRATOR
from sublet.guards.metadata import POLICIES, PROVING_GROUND
from sublet.guards.rule import Policy, Rule
from sublet.plan.probes import ENDED_NAMESPACE
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.by_hand import BREAK_GLASS, FAR_AHEAD, LONG_AGO, create, leased_namespace, soon, times, without
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]

NAME = "lease-marked"
NODE = "marked-node"
SCENE = Scene(NAME, NAME, NODE, "none", "default", "nvidia.com/gpu")
OPERATOR = ("system:serviceaccount:sublet-system:sublet", "system:masters")
KUBELET = (f"system:node:{NODE}", "system:nodes")
RULES = [(policy, rule) for policy in POLICIES if not policy.in_leases for rule in policy.rules]
NODES = f"/api/v1/nodes/{NODE}"
NAMESPACES = f"/api/v1/namespaces/{NAME}"


@pytest.fixture(scope="module")
def marked(kubectl: Kubectl, cluster: clusters.Cluster) -> Iterator[Callable[[tuple[str, str] | None], Attacker]]:
    """A namespace and a node of a lease, marked by hand; returns somebody who acts on them."""
    metadata = {
        "name": NODE,
        "labels": {"sublet.dev/lease": NAME, "sublet.dev/pool": "h100", "zone": "a"},
        "annotations": {"sublet.dev/lease-uid": f"uid-{NAME}"},
    }
    taints = [
        {"key": "sublet.dev/lease", "value": NAME, "effect": "NoExecute"},
        {"key": "owner.example/broken", "effect": "NoSchedule"},
    ]
    node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": taints}}
    people: list[Attacker] = []

    def somebody(plays: tuple[str, str] | None = None) -> Attacker:
        people.append(Attacker(cluster, "admin", plays))
        return people[-1]

    with leased_namespace(kubectl, NAME, times(LONG_AGO, FAR_AHEAD)):
        create(kubectl, node, *BREAK_GLASS)
        try:
            first = BY_AN_ADMINISTRATOR[0]
            soon(lambda: somebody().try_out(first.request(SCENE)).stopped_by == first.stopped_by, "the guard bites")
            yield somebody
        finally:
            kubectl("delete", "node", NODE)
            for person in people:
                person.close()


Marked = Callable[[tuple[str, str] | None], Attacker]


@pytest.mark.parametrize("attack", BY_A_KUBELET, ids=lambda attack: attack.name)
def test_a_kubelet_cannot_move_its_node(marked: Marked, attack: Attack) -> None:
    """A node that was broken into stays in its lease, tainted, whichever request it is that says otherwise."""
    answer = marked(KUBELET).try_out(attack.request(SCENE))
    assert answer.stopped_by == attack.stopped_by, answer.message


@pytest.mark.parametrize("attack", [*BY_A_KUBELET, *BY_AN_ADMINISTRATOR], ids=lambda attack: attack.name)
def test_an_administrator_breaks_the_glass_first(marked: Marked, attack: Attack) -> None:
    """Who holds all rights is refused as well, and told which group would be let through."""
    answer = marked(None).try_out(attack.request(SCENE))
    assert answer.stopped_by == attack.stopped_by, answer.message
    assert "the group sublet:break-glass" in answer.message


@pytest.mark.parametrize("attack", [*BY_A_KUBELET, *BY_AN_ADMINISTRATOR], ids=lambda attack: attack.name)
def test_the_operator_writes_its_marks(marked: Marked, attack: Attack) -> None:
    """The same requests are the operator's daily work."""
    answer = marked(OPERATOR).try_out(attack.request(SCENE))
    assert answer.stopped_by in {ADMITTED, "schema"}, answer.message


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    "words",
    [
        f"label namespace {NAME} sublet.dev/lease-",
        f"annotate namespace {NAME} sublet.dev/ends-at=2050-01-01T00:00:00Z --overwrite",
        f"label node {NODE} sublet.dev/lease=other --overwrite",
        f"taint node {NODE} sublet.dev/lease-",
    ],
)
def test_whoever_breaks_the_glass_is_let_through(kubectl: Kubectl, words: str) -> None:
    """In an emergency people do by hand what is the operator's alone; being an administrator is not enough for it."""
    refused = kubectl(*words.split(), "--dry-run=server", check=False)
    assert "is written by Sublet alone" in refused.stderr
    kubectl(*words.split(), "--dry-run=server", *BREAK_GLASS)


HEARTBEAT: Raw = {
    "metadata": {"annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
    "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]},
}
MEMORY: Raw = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{NODES}/status", HEARTBEAT),
        (f"{NODES}/status", {"status": {"capacity": {"cpu": "64"}}}),
        (NODES, {"metadata": {"labels": {"kubernetes.io/arch": "amd64"}}}),
    ],
    ids=["heartbeat", "capacity", "labels"],
)
def test_a_kubelet_reports(marked: Marked, path: str, body: Raw) -> None:
    """The kubelet of a leased node writes its status, annotations and labels as ever."""
    answer = marked(KUBELET).try_out(Request("patch", path, body))
    assert answer.stopped_by == ADMITTED, answer.message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NODES, [{"op": "add", "path": "/spec/taints/-", "value": MEMORY}]),
        (NODES, [{"op": "add", "path": "/spec/taints/0", "value": MEMORY}]),
        (NODES, [{"op": "remove", "path": "/spec/taints/1"}]),
        (NODES, {"spec": {"unschedulable": True}}),
        (NODES, {"metadata": {"labels": {"zone": None, "team": "gpu"}, "annotations": {"note": "seen"}}}),
        (NAMESPACES, {"metadata": {"labels": {"team": "gpu"}, "annotations": {"note": "seen"}}}),
        (f"{NAMESPACES}/status", {"status": {"phase": "Active"}}),
    ],
    ids=["taint", "taint-first", "untaint", "cordon", "node", "namespace", "status"],
)
def test_administrators_and_controllers_change_the_rest(marked: Marked, path: str, body: Any) -> None:  # noqa: ANN401
    """Taints, labels and annotations of others come and go on what is leased, in any order."""
    answer = marked(None).try_out(Request("patch", path, body))
    assert answer.stopped_by == ADMITTED, answer.message


def test_the_owners_cluster_goes_on(marked: Marked) -> None:
    """Nodes, namespaces and CRDs without our marks are made as ever, and a finalizer of a namespace is taken off."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "new", "labels": {"gpu": "h100"}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.owner.example"},
        "spec": {
            "group": "owner.example",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "labels": {"team": "web"}}}
    admin = marked(None)
    answers = [
        admin.try_out(Request("create", "/api/v1/nodes", node)),
        admin.try_out(Request("create", "/api/v1/namespaces", namespace)),
        admin.try_out(Request("create", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)),
        admin.try_out(Request("delete", NODES)),
        admin.try_out(Request("delete", NAMESPACES)),
    ]
    assert [each.message for each in answers] == [""] * 5
    live = admin.send("GET", NAMESPACES).body
    live["spec"]["finalizers"] = ["kubernetes", "owner.example/hold"]
    done = marked(("system:serviceaccount:kube-system:namespace-controller", "system:masters"))
    assert done.try_out(Request("update", f"{NAMESPACES}/finalize", live)).message == ""


def test_helm_repairs_the_namespace_of_the_probes(marked: Marked) -> None:
    """It is made and mended by an upgrade, run by whoever runs Helm; a node of that name is not."""
    assert PROVING_GROUND == ENDED_NAMESPACE
    later = {"metadata": {"annotations": {"sublet.dev/ends-at": "2000-01-03T00:00:00Z"}}}
    mended = marked(None).try_out(Request("patch", f"/api/v1/namespaces/{PROVING_GROUND}", later))
    assert mended.stopped_by == ADMITTED, mended.message
    metadata = {"name": PROVING_GROUND, "labels": {"sublet.dev/lease": NAME}}
    node = Request("create", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
    assert marked(KUBELET).try_out(node).stopped_by == "cluster-labels"


@pytest.mark.parametrize("name", MADE_UP_LEASES)
def test_a_made_up_lease_is_no_way_into_a_real_one(marked: Marked, name: str) -> None:
    """Helm may write the label by which it stands for a lease, with its own name alone, and no other mark of ours."""

    def patch(path: str, **metadata: object) -> str:
        return marked(None).try_out(Request("patch", path, {"metadata": metadata})).stopped_by

    there = f"/api/v1/namespaces/{name}"
    assert patch(there, labels={"sublet.dev/lease-uid": name}) == ADMITTED
    for labels in ({"sublet.dev/lease-uid": f"uid-{NAME}"}, {"sublet.dev/lease": NAME}, {"sublet.dev/tenant": "acme"}):
        assert patch(there, labels=labels) == "cluster-labels"
        assert patch(f"{there}/status", labels=labels) == "cluster-labels"
    assert patch(there, annotations={"sublet.dev/ends-at": "2000-01-03T00:00:00Z"}) == "cluster-annotations"
    assert patch(NAMESPACES, labels={"sublet.dev/lease-uid": name}) == "cluster-labels"


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=lambda each: each.name)
def test_every_rule_is_needed(kubectl: Kubectl, marked: Marked, policy: Policy, rule: Rule) -> None:
    """Without any one of them an attack gets through, and is stopped again once the rule is back."""
    known = [each for each in (*BY_A_KUBELET, *BY_AN_ADMINISTRATOR) if each.stopped_by == rule.name]
    admin = marked(None)

    def outcomes() -> list[str]:
        return [admin.try_out(attack.request(SCENE)).stopped_by for attack in known]

    assert set(outcomes()) == {rule.name}
    with without(kubectl, policy, rule):
        soon(lambda: ADMITTED in outcomes(), f"an attack without {rule.name}")
    soon(lambda: set(outcomes()) == {rule.name}, f"{rule.name} again")


def test_every_subresource_that_writes_metadata_is_watched(kubectl: Kubectl) -> None:
    """The API server has no way to change a node or namespace that the policy does not look at."""
    resources = json.loads(kubectl("get", "--raw", "/api/v1").stdout)["resources"]
    written = {
        each["name"]
        for each in resources
        if each["name"].partition("/")[0] in {"nodes", "namespaces"} and {"update", "patch"} & set(each["verbs"])
    }
    assert written >= {"nodes/status", "namespaces/status", "namespaces/finalize"}
    (match,) = next(policy for policy in POLICIES if policy.name == "cluster-metadata").matches
    watched = {name for name in written if name in match.resources or f"{name.partition('/')[0]}/*" in match.resources}
    assert watched == written


def test_the_attacker_is_who_it_says(cluster: clusters.Cluster) -> None:
    """The requests above are made with the rights of a node, else they would prove little."""
    with attacker(cluster, "admin", KUBELET) as kubelet:
        answer = kubelet.try_out(Request("delete", "/api/v1/nodes/none"))
    assert answer.stopped_by == "rbac"
