"""The start and the end of a lease hold in the API server: no operator runs in any of these tests."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from hack import cluster as clusters
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.time import ATTACKS, CREATIONS, LATE, OUTSIDE
from sublet.guards.time import POLICIES
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.by_hand import FAR_AHEAD, LONG_AGO, create, instant, leased_namespace, soon, times, without
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]

WITHIN_SECONDS = 2.0
POD: Raw = {"containers": [{"name": "main", "image": "registry.example/a:1"}]}
LABELS = {"app": "old"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
JOB = {"suspend": True, "template": {"spec": {**POD, "restartPolicy": "Never"}}}
OLD: list[Raw] = [
    {"apiVersion": "v1", "kind": "Pod", "spec": POD},
    {"apiVersion": "v1", "kind": "Service", "spec": {"selector": LABELS, "ports": [{"port": 80}]}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": TEMPLATE},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {"replicas": 1, "serviceName": "old", "selector": {"matchLabels": LABELS}, "template": TEMPLATE},
    },
    {"apiVersion": "batch/v1", "kind": "Job", "spec": JOB},
    {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {"suspend": True, "schedule": "* * * * *", "jobTemplate": {"spec": JOB}},
    },
]
"""What a tenant made while its lease was live, all of it named `old`."""

BEFORE, AFTER, LIVE = "lease-time-before", "lease-time-after", "lease-time-live"
(GATED,) = ATTACKS
BY_RULE = {rule.name: (policy, rule) for policy in POLICIES for rule in policy.rules}


def scene(namespace: str) -> Scene:
    """A lease that has the name of its namespace."""
    return Scene(namespace, namespace, "none", "none", "default", "nvidia.com/gpu")


@pytest.fixture(scope="module")
def alices(cluster: clusters.Cluster) -> Iterator[Attacker]:
    """Alice, as the attacker."""
    with attacker(cluster) as one:
        yield one


@pytest.fixture(scope="module")
def leases(kubectl: Kubectl, alices: Attacker) -> Iterator[None]:
    """Three leases: one has not begun, one is over though its pods may still run, one is live."""
    with (
        leased_namespace(kubectl, BEFORE, times(instant(3600), FAR_AHEAD)),
        leased_namespace(kubectl, AFTER, times(LONG_AGO, instant(-1))),
        leased_namespace(kubectl, LIVE, times(LONG_AGO, FAR_AHEAD)),
    ):
        soon(lambda: alices.try_out(CREATIONS["secret"](scene(LIVE))).stopped_by == ADMITTED, "Alice is let in")
        soon(lambda: alices.try_out(CREATIONS["pod"](scene(AFTER))).stopped_by == "lease-not-over", "the guards bite")
        yield


def exists(kubectl: Kubectl, thing: str, namespace: str) -> bool:
    """Whether something is there."""
    return kubectl("get", thing, "--namespace", namespace, check=False).returncode == 0


def where(attack: Attack) -> str:
    """The lease that an attack outside of its time plays in."""
    return BEFORE if attack.stopped_by == "lease-begun" else AFTER


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize("attack", OUTSIDE, ids=lambda attack: attack.name)
def test_nothing_begins_outside_of_its_lease(alices: Attacker, attack: Attack) -> None:
    """Every kind that a tenant can create is refused before the start and after the end, however old it looks."""
    answer = alices.try_out(attack.request(scene(where(attack))))
    assert answer.stopped_by == attack.stopped_by, answer.message


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize("what", CREATIONS)
def test_everything_begins_in_a_live_lease(alices: Attacker, what: str) -> None:
    """The very same requests are admitted between start and end."""
    answer = alices.try_out(CREATIONS[what](scene(LIVE)))
    assert answer.stopped_by == ADMITTED, answer.message


@pytest.mark.usefixtures("leases")
def test_an_administrator_starts_nothing_after_the_end_either(cluster: clusters.Cluster) -> None:
    """The rule is about the namespace: a controller, or whoever else acts for the tenant, is held as well."""
    with attacker(cluster, "admin") as admin:
        answers = {admin.try_out(CREATIONS[what](scene(AFTER))).stopped_by for what in CREATIONS}
    assert answers == {"lease-not-over"}


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize(
    ("missing", "rule"), [("starts-at", "lease-begun"), ("ends-at", "lease-not-over")], ids=lambda value: value
)
def test_a_missing_time_refuses(kubectl: Kubectl, alices: Attacker, missing: str, rule: str) -> None:
    """Nobody is let in by losing an annotation, and the message says which one is missing."""
    annotations = {key: value for key, value in times(LONG_AGO, FAR_AHEAD).items() if key != missing}
    with leased_namespace(kubectl, f"lease-time-no-{missing}", annotations) as namespace:
        request = CREATIONS["secret"](scene(namespace))
        soon(lambda: alices.try_out(request).stopped_by != "rbac", "Alice is let in")
        answer = alices.try_out(request)
    assert (answer.stopped_by, f"no annotation sublet.dev/{missing}" in answer.message) == (rule, True)


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize("garbage", ["soon", "2999-13-01T00:00:00Z", "2999-01-01"])
def test_a_time_that_cannot_be_read_refuses(kubectl: Kubectl, cluster: clusters.Cluster, garbage: str) -> None:
    """What a rule cannot evaluate is refused."""
    name = f"lease-time-garbage-{garbage.lower().replace(':', '')}"
    with leased_namespace(kubectl, name, times(LONG_AGO, garbage)), attacker(cluster, "admin") as admin:
        answer = admin.try_out(CREATIONS["secret"](scene(name)))
    assert "sublet-creation-in-time" in answer.message


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize("namespace", [BEFORE, AFTER])
def test_the_cluster_keeps_its_own_records(kubectl: Kubectl, namespace: str) -> None:
    """A namespace that is prepared, or taken down, has its ServiceAccount and its root certificates, and events."""
    for thing in ("serviceaccount/default", "configmap/kube-root-ca.crt"):
        kubectl("delete", thing, "--namespace", namespace)
        soon(partial(exists, kubectl, thing, namespace), f"{thing} is there again")
    for kind, group in (("ResourceQuota", "v1"), ("LimitRange", "v1"), ("NetworkPolicy", "networking.k8s.io/v1")):
        spec = {"LimitRange": {"limits": []}, "NetworkPolicy": {"podSelector": {}}}.get(kind, {})
        guard = {"apiVersion": group, "kind": kind, "metadata": {"name": "g", "namespace": namespace}, "spec": spec}
        create(kubectl, guard, "--dry-run=server")


@pytest.fixture(scope="module")
def ended(kubectl: Kubectl, alice: Kubectl, alices: Attacker) -> Iterator[tuple[Scene, dict[str, str], float, float]]:
    """A lease that was filled and has ended meanwhile.

    Yields the scene, what the attacks on it met while it was live, when it was to end, and when the end was met.
    """
    namespace = "lease-time-ended"
    ends = instant(6)
    with leased_namespace(kubectl, namespace, times(LONG_AGO, ends)):
        probe = CREATIONS["configmap"](scene(namespace))
        soon(lambda: alices.try_out(probe).stopped_by == ADMITTED, "Alice is let in")
        for raw in OLD:
            create(alice, {**raw, "metadata": {"name": "old", "namespace": namespace, "labels": LABELS}})
        while_live = {attack.name: alices.try_out(attack.request(scene(namespace))).stopped_by for attack in LATE}
        end = datetime.fromisoformat(ends).timestamp()
        assert time.time() < end, "the machine is too slow to fill a lease in time"
        while alices.try_out(probe).stopped_by == ADMITTED:
            assert time.time() < end + 10
        yield scene(namespace), while_live, end, time.time()


def test_the_end_bites_on_time(ended: tuple[Scene, dict[str, str], float, float]) -> None:
    """The first refusal comes at the end and at most two seconds after it, with nobody there to bring it about."""
    _, _, end, refused = ended
    assert 0 <= refused - end < WITHIN_SECONDS


@pytest.mark.parametrize("attack", LATE, ids=lambda attack: attack.name)
def test_nothing_is_started_or_opened_late(
    ended: tuple[Scene, dict[str, str], float, float], alices: Attacker, attack: Attack
) -> None:
    """What was there before the end is not made to run, or to be reached, after it; before it was all allowed."""
    stage, while_live, _, _ = ended
    answer = alices.try_out(attack.request(stage))
    assert answer.stopped_by == attack.stopped_by, answer.message
    traceless = attack.name.endswith("without-trace")
    assert while_live[attack.name] == (attack.stopped_by if traceless else ADMITTED)


def test_no_controller_makes_a_pod_late(
    ended: tuple[Scene, dict[str, str], float, float], kubectl: Kubectl, alice: Kubectl
) -> None:
    """The subresource /scale shows no time, so a tenant can still raise the number; no pod comes of it.

    Nor does a pod come back that was there: what acts for a tenant is held to the end as the tenant is.
    """
    namespace = ("--namespace", ended[0].namespace)
    alice("scale", "deployment", "old", "--replicas", "2", *namespace)
    alice("delete", "pods", "-l", "pod-template-hash", *namespace, "--now")
    refusal = ("get", "events", *namespace, "--field-selector", "reason=FailedCreate", "-o", "json")
    soon(lambda: "lease-not-over: the lease ended" in kubectl(*refusal).stdout, "the ReplicaSet's pods are refused")
    (replicas,) = json.loads(kubectl("get", "replicasets", *namespace, "-o", "json").stdout)["items"]
    assert (replicas["spec"]["replicas"], replicas["status"]["replicas"]) == (1, 0)


@pytest.mark.usefixtures("leases")
@pytest.mark.parametrize(
    ("rule", "attack", "namespace"),
    [
        ("lease-begun", CREATIONS["pod"], BEFORE),
        ("lease-not-over", CREATIONS["pod"], AFTER),
        ("no-gates", GATED.request, LIVE),
    ],
    ids=lambda value: value if value in BY_RULE else "",
)
def test_every_rule_on_creation_is_needed(
    kubectl: Kubectl, alices: Attacker, rule: str, attack: Callable[[Scene], Request], namespace: str
) -> None:
    """Without any one of them its attack gets through, and is stopped again once the rule is back."""
    request = attack(scene(namespace))
    assert alices.try_out(request).stopped_by == rule
    with without(kubectl, *BY_RULE[rule]):
        soon(lambda: alices.try_out(request).stopped_by == ADMITTED, f"an attack without {rule}")
    soon(lambda: alices.try_out(request).stopped_by == rule, f"{rule} again")


def test_the_rule_on_changes_is_needed(
    ended: tuple[Scene, dict[str, str], float, float], kubectl: Kubectl, alices: Attacker
) -> None:
    """Without it every attack on what was there before the end gets through."""
    requests = [attack.request(ended[0]) for attack in LATE]
    with without(kubectl, *BY_RULE["change-not-late"]):
        soon(lambda: {alices.try_out(each).stopped_by for each in requests} == {ADMITTED}, "attacks without the rule")
    soon(lambda: {alices.try_out(each).stopped_by for each in requests} == {"change-not-late"}, "the rule again")


def test_an_ended_lease_can_be_taken_down(
    ended: tuple[Scene, dict[str, str], float, float], kubectl: Kubectl, alice: Kubectl
) -> None:
    """After the end metadata and status are still written, and everything can be deleted."""
    namespace = ("--namespace", ended[0].namespace)
    alice("label", "pod", "old", "cleared=yes", *namespace)
    kubectl("patch", "pod", "old", *namespace, "--subresource=status", "-p", '{"status":{"message":"leaving"}}')
    for cascade in ("background", "foreground", "orphan"):
        alice("delete", "deployment", "old", *namespace, f"--cascade={cascade}", "--dry-run=server")
    alice("delete", "job,cronjob,service,statefulset,deployment", "old", *namespace, "--wait=false")
    alice("delete", "pods", "--all", *namespace, "--wait=false")
    listing = ("get", "pods,jobs,deployments,replicasets", "-o", "name", *namespace)
    soon(lambda: kubectl(*listing).stdout == "", "nothing is left")
