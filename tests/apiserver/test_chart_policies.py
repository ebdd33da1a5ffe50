"""A real API server takes what the chart renders, and its policy and roles let through what they should and no more."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from sublet import __version__
from sublet.doctor import pods
from sublet.doctor.checks import Pod
from sublet.doctor.pods import Image
from tests.apiserver.objects import LEASE, Changes, Kubectl, Raw, changed

CHART = Path(__file__).parents[2] / "charts" / "sublet"
OPERATOR = "system:serviceaccount:sublet-system:sublet"
POLICY = "ValidatingAdmissionPolicy 'sublet-lease-times'"


def rendered(helm: Kubectl, namespace: str, *flags: str) -> list[Raw]:
    """Everything that the chart renders for a namespace."""
    text = helm("template", "sublet", str(CHART), "--namespace", namespace, *flags).stdout
    return [each for each in yaml.safe_load_all(text) if each]


def ago(seconds: float) -> str:
    """The instant that lies so many seconds back, or ahead if they are negative."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def lease(changes: Changes) -> str:
    """A lease of no pool, as it is sent, with nothing said about time but what `changes` say."""
    timeless = {f"spec.{field}": None for field in ("start", "end", "duration", "latestStart", "extendableUntil")}
    return json.dumps(changed(LEASE, {**timeless, "metadata.name": "lease-times", **changes}))


PAST_END: Changes = {"spec.end": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def policy(kubectl: Kubectl) -> None:
    """Return once the policy bites, which takes up to a second from its creation."""
    deadline = time.monotonic() + 10
    while kubectl("create", "--dry-run=server", "-f", "-", input=lease(PAST_END), check=False).returncode == 0:
        assert time.monotonic() < deadline, "the policy does not bite"
        time.sleep(0.05)


def test_the_api_server_takes_everything_that_is_rendered(helm: Kubectl, kubectl: Kubectl) -> None:
    """Each object, the Deployment among them, is admitted whole and without a warning."""
    objects = rendered(helm, "sublet-system")
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    done = kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-", input=listing
    )
    assert len(done.stdout.splitlines()) == len(objects)
    assert done.stderr == ""


def test_the_policy_is_well_typed(kubectl: Kubectl) -> None:
    """The API server's type checker finds nothing to say about the expressions."""

    def checked() -> Raw:
        policy = kubectl("get", "validatingadmissionpolicy", "sublet-lease-times", "-o", "json").stdout
        status: Raw = json.loads(policy).get("status", {})
        return status

    deadline = time.monotonic() + 10
    while "typeChecking" not in checked():
        assert time.monotonic() < deadline, "the policy is not type-checked"
        time.sleep(0.05)
    assert checked()["typeChecking"] == {}


@pytest.fixture
def restricted(helm: Kubectl, kubectl: Kubectl) -> Iterator[list[Raw]]:
    """What is rendered for a namespace that enforces the restricted profile, with its ServiceAccount in place."""
    name = "chart-restricted"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    objects = rendered(helm, name)
    own = [each for each in objects if each["metadata"].get("namespace") == name]
    (account,) = (each for each in own if each["kind"] == "ServiceAccount")
    try:
        for each in (namespace, account):
            kubectl("create", "-f", "-", input=json.dumps(each))
        yield objects
    finally:
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def test_the_pod_is_admitted_by_the_restricted_profile(restricted: list[Raw], kubectl: Kubectl) -> None:
    """Pod Security Admission lets the operator's pod in, and would not if it ran as root."""
    (template,) = (each["spec"]["template"] for each in restricted if each["kind"] == "Deployment")
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {**template["metadata"], "name": "sublet", "namespace": "chart-restricted"}
    kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(pod))
    pod["spec"]["securityContext"]["runAsNonRoot"] = False
    refused = kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(pod), check=False)
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (PAST_END, "spec.end: 2026-01-01T00:00:00Z has passed (it is "),
        ({"spec.end": "2026-01-01T02:00:00+02:00"}, "spec.end: 2026-01-01T02:00:00+02:00 has passed (it is "),
        (
            {"spec.start": "2026-01-01T00:00:00Z", "spec.duration": "7d"},
            "spec.start: 2026-01-01T00:00:00Z has passed (it is ",
        ),
        (
            {"spec.start": "2026-01-01T00:00:00Z", "spec.end": "2126-01-01T00:00:00Z"},
            "give a later time, or leave it out to start as soon as possible",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("verb", [("create",), ("apply",), ("apply", "--server-side")], ids=" ".join)
def test_a_lease_that_comes_too_late_is_refused(
    kubectl: Kubectl, verb: tuple[str, ...], changes: Changes, message: str
) -> None:
    """However it is sent, the answer names the field, its time, the server's time and what to do."""
    done = kubectl(*verb, "--dry-run=server", "-f", "-", input=lease(changes), check=False)
    assert done.returncode != 0
    assert POLICY in done.stderr
    assert message in done.stderr
    assert "give a later time" in done.stderr


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("verb", [("create",), ("apply", "--server-side")], ids=" ".join)
def test_a_forged_creation_time_changes_nothing(kubectl: Kubectl, verb: tuple[str, ...]) -> None:
    """The server's clock decides, whatever the manifest says about when the lease was created."""
    forged = {"metadata.creationTimestamp": "2025-01-01T00:00:00Z", **PAST_END}
    done = kubectl(*verb, "--dry-run=server", "-f", "-", input=lease(forged), check=False)
    assert POLICY in done.stderr
    assert f"(it is {ago(0)[:10]}" in done.stderr or f"(it is {ago(60)[:10]}" in done.stderr


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    "changes",
    [
        {"spec.duration": "7d"},
        {"spec.end": ago(-3600)},
        {"spec.start": ago(-3600), "spec.duration": "7d"},
        {"spec.start": ago(-3600), "spec.latestStart": ago(-7200), "spec.duration": "7d"},
        {"spec.end": "2126-01-01T00:00:00+02:00", "spec.duration": "7d"},
        {"spec.duration": "7d", "metadata.creationTimestamp": "2126-01-01T00:00:00Z"},
    ],
    ids=", ".join,
)
def test_a_lease_that_lies_ahead_is_let_in(kubectl: Kubectl, changes: Changes) -> None:
    """Times ahead are no business of the policy, and neither is a creation time that the client sends."""
    kubectl("create", "--dry-run=server", "-f", "-", input=lease(changes))


@pytest.mark.usefixtures("policy")
def test_a_start_of_a_moment_ago_means_now(kubectl: Kubectl) -> None:
    """A minute is left for people and clocks that are not exact, and not more."""
    just, late = ({"spec.start": ago(seconds), "spec.duration": "7d"} for seconds in (40, 75))
    kubectl("create", "--dry-run=server", "-f", "-", input=lease(just))
    assert POLICY in kubectl("create", "--dry-run=server", "-f", "-", input=lease(late), check=False).stderr


@pytest.mark.usefixtures("policy")
def test_a_latest_start_that_has_passed_is_refused(kubectl: Kubectl) -> None:
    """Nothing is left for it: a lease that cannot start any more is told so at once."""
    passed = {"spec.start": ago(40), "spec.latestStart": (latest := ago(20)), "spec.duration": "7d"}
    done = kubectl("create", "--dry-run=server", "-f", "-", input=lease(passed), check=False)
    assert f"spec.latestStart: {latest} has passed (it is " in done.stderr
    assert "give a later time, or leave it out together with spec.start" in done.stderr


@pytest.mark.usefixtures("policy")
def test_a_lease_that_runs_can_still_be_changed(kubectl: Kubectl) -> None:
    """The policy looks at new leases: on one whose start has passed long since, the operator answers for changes."""
    name = "lease-times-running"
    soon = changed(LEASE, {"metadata.name": name, "spec.start": ago(50)})
    kubectl("create", "-f", "-", input=json.dumps(soon))
    try:
        patch = json.dumps({"spec": {"end": "2026-01-01T00:00:00Z", "start": "2025-01-01T00:00:00Z"}})
        kubectl("patch", "gpulease", name, "--type=merge", "--dry-run=server", "-p", patch)
    finally:
        kubectl("delete", "gpulease", name, "--wait=false")


@pytest.fixture(scope="module")
def lease_namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with the name of a lease's."""
    name = "lease-bounds"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def test_the_operator_hands_out_the_tenants_role_and_no_other(kubectl: Kubectl, lease_namespace: str) -> None:
    """RBAC lets the operator bind the tenant's role without holding its rights, and refuses it any other."""

    def bind(role: str) -> str:
        arguments = ("--clusterrole", role, "--user", "alice", "--namespace", lease_namespace, "--dry-run=server")
        return kubectl("create", "rolebinding", "probe", *arguments, "--as", OPERATOR, check=False).stderr

    assert bind("sublet-tenant") == ""
    for role in ("view", "edit", "cluster-admin"):
        assert "attempting to grant RBAC permissions not currently held" in bind(role)


@pytest.mark.parametrize(
    "question",
    [
        "get secrets",
        "list pods",
        "create pods",
        "get nodes/proxy",
        "delete nodes",
        "update clusterroles",
        "create clusterrolebindings",
        "create serviceaccounts/token",
        "delete leaserecords.sublet.dev",
        "delete gpuleases.sublet.dev",
        "impersonate users",
    ],
)
def test_the_operator_may_not(kubectl: Kubectl, question: str) -> None:
    """It has no call for any of these, so the API server refuses them also to whoever steals its token."""
    answer = kubectl("auth", "can-i", *question.split(), "--as", OPERATOR, "--all-namespaces", check=False)
    assert answer.stdout.strip() == "no"


@pytest.fixture(scope="module")
def bounds(kubectl: Kubectl) -> None:
    """Return once the policy that holds the operator to the namespaces of leases bites."""
    deadline = time.monotonic() + 10
    while _as_operator(kubectl, "create", "namespace", "elsewhere").returncode == 0:
        assert time.monotonic() < deadline, "the policy does not bite"
        time.sleep(0.05)


def _as_operator(kubectl: Kubectl, *words: str, body: str | None = None) -> subprocess.CompletedProcess[str]:
    more = ("-f", "-") if body else ()
    return kubectl(*words, *more, "--dry-run=server", "--as", OPERATOR, input=body, check=False)


def _binding(namespace: str) -> str:
    """A RoleBinding that gives the tenant's role to the operator itself."""
    return json.dumps(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "mine", "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sublet-tenant"},
            "subjects": [{"kind": "ServiceAccount", "name": "sublet", "namespace": "sublet-system"}],
        }
    )


@pytest.mark.usefixtures("bounds")
def test_a_stolen_token_of_the_operator_opens_no_other_namespace(kubectl: Kubectl) -> None:
    """Elsewhere the tenant's role cannot be bound, pods cannot be stopped, and a namespace cannot be deleted."""
    refusal = "works in the namespaces of leases only"
    assert refusal in _as_operator(kubectl, "create", body=_binding("kube-system")).stderr
    assert refusal in _delete(kubectl, "namespaces/sublet-system").stderr
    assert refusal in _apply(kubectl, "default", "sublet-lease").stderr
    kubectl("run", "bystander", "--namespace", "default", "--image", "registry.example/bystander:1")
    try:
        assert refusal in _delete(kubectl, "namespaces/default/pods").stderr
    finally:
        kubectl("delete", "pod", "bystander", "--namespace", "default", "--wait=false")


@pytest.mark.usefixtures("bounds")
def test_a_stolen_token_of_the_operator_writes_and_reads_one_config_map(kubectl: Kubectl, lease_namespace: str) -> None:
    """Others are out of reach, in the namespaces of leases too: they are a tenant's own."""
    assert 'cannot patch resource "configmaps"' in _apply(kubectl, lease_namespace, "another").stderr
    listing = _as_operator_reads(kubectl, f"/api/v1/namespaces/{lease_namespace}/configmaps")
    assert 'cannot list resource "configmaps"' in listing.stderr
    one = "fieldSelector=metadata.name%3Dsublet-lease"
    assert _as_operator_reads(kubectl, f"/api/v1/configmaps?{one}").stderr == ""


@pytest.mark.usefixtures("bounds")
def test_the_operator_may_work_in_the_namespaces_of_leases(kubectl: Kubectl, lease_namespace: str) -> None:
    """What it is for is let through: a binding, stopping pods and deletion of a lease's namespace."""
    done = [
        _as_operator(kubectl, "create", body=_binding(lease_namespace)),
        _apply(kubectl, lease_namespace, "sublet-lease"),
        _delete(kubectl, f"namespaces/{lease_namespace}/pods"),
        _delete(kubectl, f"namespaces/{lease_namespace}"),
    ]
    assert [each.stderr for each in done if each.returncode != 0] == []


PROBE = pods.target(Pod.OPEN_TARGET, "gpu-000", Image(f"sublet:{__version__}", "IfNotPresent"), "word")
"""A probe pod as the operator makes it, with the chart's own image."""

(PROBE_CONTAINER,) = PROBE["spec"]["containers"]
NETWORK_POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "open"},
    "spec": {"podSelector": {}},
}


@pytest.mark.usefixtures("bounds")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata.namespace": "default"}, 'cannot create resource "pods"'),
        ({"metadata.namespace": "lease-a"}, 'cannot create resource "pods"'),
        (
            {"spec.containers": [{**PROBE_CONTAINER, "image": "registry.example/miner:1"}]},
            "those that measure isolation",
        ),
        ({"spec.containers": [{**PROBE_CONTAINER, "command": ["sh"]}]}, "those that measure isolation"),
        (
            {"spec.containers": [PROBE_CONTAINER, {**PROBE_CONTAINER, "name": "more", "command": []}]},
            "those that measure",
        ),
        ({"spec.initContainers": [{**PROBE_CONTAINER, "name": "first"}]}, "those that measure isolation"),
        ({"spec.volumes": [{"name": "a", "emptyDir": {}}]}, "those that measure isolation"),
        ({"spec.activeDeadlineSeconds": 3600}, "those that measure isolation"),
        ({"spec.serviceAccountName": "default"}, "those that measure isolation"),
        ({"spec.hostNetwork": True}, 'violates PodSecurity "restricted'),
    ],
    ids=str,
)
def test_a_stolen_token_of_the_operator_runs_no_pod_of_its_own(
    kubectl: Kubectl, changes: Changes, message: str
) -> None:
    """It could listen and dial where probe pods do, for minutes, with their program: nothing else, and nowhere else."""
    assert message in _as_operator(kubectl, "create", body=json.dumps(changed(PROBE, changes))).stderr


@pytest.mark.usefixtures("bounds")
def test_the_operator_may_measure_isolation(kubectl: Kubectl) -> None:
    """Its own pods are let in, and its policies where they stand for those of a lease; where there are none, none."""
    assert _as_operator(kubectl, "create", body=json.dumps(PROBE)).stderr == ""

    def policy(namespace: str) -> str:
        body = json.dumps(changed(NETWORK_POLICY, {"metadata.namespace": namespace}))
        return _as_operator(kubectl, "apply", "--server-side", body=body).stderr

    assert policy("sublet-doctor-b") == ""
    assert "works in the namespaces of leases only" in policy("sublet-doctor-open")


OF_A_LEASE = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["lease-a"]}]}
CLOSES = {"action": "Deny", "from": [{"namespaces": {}}]}


def _cluster_policy(changes: Changes) -> str:
    """A ClusterNetworkPolicy as the operator writes them, with changes."""
    policy = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "lease-a"},
        "spec": {"tier": "Admin", "priority": 0, "subject": {"namespaces": OF_A_LEASE}, "ingress": [CLOSES]},
    }
    return json.dumps(changed(policy, changes))


@pytest.mark.usefixtures("bounds", "cluster_policies")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata.name": "everybody"}, "works in the namespaces of leases only"),
        ({"spec.subject.namespaces": {}}, "is about namespaces of leases only"),
        ({"spec.subject.namespaces": {"matchLabels": {"sublet.dev/lease": "a"}}}, "is about namespaces of leases only"),
        (
            {"spec.subject": {"pods": {"namespaceSelector": {}, "podSelector": {}}}},
            "is about namespaces of leases only",
        ),
        (
            {
                "spec.subject.namespaces": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["lease-a", "kube-system"]}
                    ]
                }
            },
            "is about namespaces of leases only",
        ),
        (
            {
                "spec.subject.namespaces": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["lease-a"]}
                    ]
                }
            },
            "is about namespaces of leases only",
        ),
        ({"spec.ingress": [{**CLOSES, "action": "Accept"}]}, "only closes"),
        ({"spec.egress": [{"action": "Accept", "to": [{"networks": ["0.0.0.0/0"]}]}]}, "only closes"),
    ],
    ids=[
        "name",
        "every namespace",
        "by label",
        "pods",
        "one of the owner's",
        "all others",
        "accepts in",
        "accepts out",
    ],
)
def test_a_stolen_token_of_the_operator_opens_no_network(kubectl: Kubectl, changes: Changes, message: str) -> None:
    """In the tier above all others it writes what closes leases; it can close or open nothing else."""
    assert message in _as_operator(kubectl, "create", body=_cluster_policy(changes)).stderr


@pytest.mark.usefixtures("bounds", "cluster_policies")
def test_the_operator_may_close_leases_in_the_whole_cluster(kubectl: Kubectl) -> None:
    """A policy that is as it should be is admitted, and goes; one of another name cannot be deleted."""
    for name in ("lease-a", "everybody"):
        kubectl("create", "-f", "-", input=_cluster_policy({"metadata.name": name}))
    try:
        own, foreign = (_delete_policy(kubectl, name) for name in ("lease-a", "everybody"))
        made = _as_operator(kubectl, "create", body=_cluster_policy({"metadata.name": "lease-b"}))
    finally:
        kubectl("delete", "clusternetworkpolicies", "lease-a", "everybody")
    assert (made.stderr, own.returncode) == ("", 0)
    assert "works in the namespaces of leases only" in foreign.stderr


def _delete_policy(kubectl: Kubectl, name: str) -> subprocess.CompletedProcess[str]:
    path = f"/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies/{name}?dryRun=All"
    return kubectl("delete", "--raw", path, "--as", OPERATOR, check=False)


def _delete(kubectl: Kubectl, path: str) -> subprocess.CompletedProcess[str]:
    return kubectl("delete", "--raw", f"/api/v1/{path}?dryRun=All", "--as", OPERATOR, check=False)


def _apply(kubectl: Kubectl, namespace: str, name: str) -> subprocess.CompletedProcess[str]:
    """Apply a ConfigMap as the operator does its own."""
    metadata = {"name": name, "namespace": namespace}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})
    return _as_operator(kubectl, "apply", "--server-side", body=body)


def _as_operator_reads(kubectl: Kubectl, path: str) -> subprocess.CompletedProcess[str]:
    return kubectl("get", "--raw", path, "--as", OPERATOR, check=False)
