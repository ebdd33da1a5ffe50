"""Guards of Services, Secrets, autoscalers, claims and metadata: none is idle, and what tenants need passes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hack import cluster as clusters
from sublet.guards import metadata as metadata_guards
from sublet.guards import objects as guards
from sublet.guards.attacks import metadata, objects
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.claims import ALLOWED_CLASS
from sublet.guards.rule import Policy, Rule
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.by_hand import BREAK_GLASS, FAR_AHEAD, LONG_AGO, create, leased_namespace, soon, times, without
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]

NAMESPACE = "lease-objects"
SCENE = Scene(NAMESPACE, NAMESPACE, "none", "none", "default", "nvidia.com/gpu")
FACTS: Raw = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "sublet-lease", "namespace": NAMESPACE},
    "data": {"endsAt": FAR_AHEAD},
}
RULES = [
    (policy, rule)
    for policy in (*guards.POLICIES, *metadata_guards.POLICIES)
    if policy.in_leases
    for rule in policy.rules
]


@pytest.fixture(scope="module")
def alices(cluster: clusters.Cluster, kubectl: Kubectl) -> Iterator[Attacker]:
    """Alice in a live lease without quota, so that nothing but a rule refuses."""
    annotations = times(LONG_AGO, FAR_AHEAD) | {"allowed-storage-classes": f"{ALLOWED_CLASS},standard"}
    (first,) = (attack for attack in objects.ATTACKS if attack.name == "service-node-port")
    with leased_namespace(kubectl, NAMESPACE, annotations), attacker(cluster) as one:
        soon(lambda: one.try_out(first.request(SCENE)).stopped_by == first.stopped_by, "the guards bite")
        soon(lambda: kubectl("get", "cm", "kube-root-ca.crt", "-n", NAMESPACE, check=False).stderr == "", "it is whole")
        create(kubectl, FACTS, *BREAK_GLASS)
        yield one


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=lambda each: each.name)
def test_every_rule_is_needed(kubectl: Kubectl, alices: Attacker, policy: Policy, rule: Rule) -> None:
    """Without any one of them each of its attacks gets through, and is stopped again once the rule is back."""
    known = [attack for attack in (*objects.ATTACKS, *metadata.ATTACKS) if attack.stopped_by == rule.name]
    assert known, "no attack needs this rule"

    def outcomes() -> dict[str, str]:
        return {attack.name: alices.try_out(attack.request(SCENE)).stopped_by for attack in known}

    assert outcomes() == {attack.name: rule.name for attack in known}
    with without(kubectl, policy, rule):
        soon(lambda: ADMITTED in outcomes().values(), f"an attack without {rule.name}")
    soon(lambda: outcomes() == {attack.name: rule.name for attack in known}, f"{rule.name} again")


def made(plural: str, kind: str, version: str = "v1", **parts: Any) -> Request:  # noqa: ANN401 - a field of any kind
    """A request to create an object called `good`."""
    root = "api" if version == "v1" else "apis"
    metadata = {"name": "good", **parts.pop("metadata", {})}
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}
    return Request("create", f"/{root}/{version}/namespaces/{NAMESPACE}/{plural}", body)


def service(metadata: Raw | None = None, **spec: Any) -> Request:  # noqa: ANN401
    """A Service."""
    whole = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return made("services", "Service", metadata=metadata or {}, spec=whole)


def claim(**spec: Any) -> Request:  # noqa: ANN401
    """A volume claim."""
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return made("persistentvolumeclaims", "PersistentVolumeClaim", spec=whole)


def autoscaler(version: str, kind: str, **spec: Any) -> Request:  # noqa: ANN401
    """An autoscaler of a workload."""
    target = {"apiVersion": "apps/v1", "kind": kind, "name": "web"}
    whole = {"maxReplicas": 5, "scaleTargetRef": target, **spec}
    return made("horizontalpodautoscalers", "HorizontalPodAutoscaler", f"autoscaling/{version}", spec=whole)


CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
OWNED = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]
GOOD = {
    "a service": service(),
    "a headless service": service(clusterIP="None", publishNotReadyAddresses=True),
    "a service with session affinity": service(sessionAffinity="ClientIP", internalTrafficPolicy="Local"),
    "a service of a Helm chart": service(
        {"annotations": {"meta.helm.sh/release-name": "x", "checksum/config": "0", "note": "mine"}}
    ),
    "a secret": made("secrets", "Secret", stringData={"a": "b"}),
    "a secret of a Helm chart": made("secrets", "Secret", type="helm.sh/release.v1"),
    "a registry's password": made(
        "secrets", "Secret", type="kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": "{}"}
    ),
    "an autoscaler": autoscaler("v2", "Deployment", metrics=[CPU]),
    "an autoscaler of a set": autoscaler("v2", "StatefulSet", metrics=[CPU]),
    "an old autoscaler": autoscaler("v1", "Deployment", targetCPUUtilizationPercentage=80),
    "a claim": claim(storageClassName=ALLOWED_CLASS),
    "a claim of the other class": claim(storageClassName="standard", accessModes=["ReadWriteMany"]),
    "a copy of one's own claim": claim(
        storageClassName=ALLOWED_CLASS, dataSource={"kind": "PersistentVolumeClaim", "name": "other"}
    ),
    "labels of one's own": made("configmaps", "ConfigMap", metadata={"labels": {"app.kubernetes.io/name": "web"}}),
    "a ConfigMap of a generated name": made("configmaps", "ConfigMap", metadata={"name": "", "generateName": "run-"}),
    "an owner in the namespace": made("configmaps", "ConfigMap", metadata={"ownerReferences": OWNED}),
}


@pytest.mark.parametrize("what", GOOD)
def test_what_a_tenant_needs_is_admitted(alices: Attacker, what: str) -> None:
    answer = alices.try_out(GOOD[what])
    assert answer.stopped_by == ADMITTED, answer.message


def test_without_an_annotation_there_are_no_claims(kubectl: Kubectl, cluster: clusters.Cluster) -> None:
    """A missing list is an empty one."""
    path, body = GOOD["a claim"].path, GOOD["a claim"].body
    annotations = times(LONG_AGO, FAR_AHEAD)
    del annotations["allowed-storage-classes"]
    with leased_namespace(kubectl, "lease-claimless", annotations), attacker(cluster, "admin") as admin:
        answer = admin.try_out(Request("create", path.replace(NAMESPACE, "lease-claimless"), body))
    assert (answer.stopped_by, "no volume claims" in answer.message) == ("claim-class", True)


@pytest.fixture
def standing(kubectl: Kubectl) -> Iterator[Callable[[str, Raw], Request]]:
    """A claim and a Service that are there already, and a way to patch them."""
    for each in (GOOD["a claim"], GOOD["a service"]):
        create(kubectl, each.body, "--namespace", NAMESPACE)
    yield lambda named, patch: Request("patch", f"/api/v1/namespaces/{NAMESPACE}/{named}", patch)
    for named in ("persistentvolumeclaim/good", "service/good"):
        kubectl("delete", named, "--namespace", NAMESPACE)


def test_what_is_there_cannot_be_turned_into_what_is_refused(
    alices: Attacker, standing: Callable[[str, Raw], Request]
) -> None:
    """The same rules hold for changes; a claim that waits for its volume cannot be given somebody else's."""
    services: list[Raw] = [
        {"spec": {"type": "NodePort"}},
        {"spec": {"externalIPs": ["203.0.113.7"]}},
        {"spec": {"selector": None}},
        {"metadata": {"annotations": {"tailscale.com/expose": "true"}}},
    ]
    claims: list[Raw] = [
        {"spec": {"volumeName": "pv-of-another"}},
        {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "owner-1"}}},
    ]
    assert [alices.try_out(standing("services/good", each)).stopped_by for each in services] == [
        "service-type",
        "service-external-ips",
        "service-selector",
        "foreign-annotations",
    ]
    assert [alices.try_out(standing("persistentvolumeclaims/good", each)).stopped_by for each in claims] == [
        "claim-volume",
        "claim-annotations",
    ]


def test_the_cluster_binds_claims(
    cluster: clusters.Cluster, alices: Attacker, standing: Callable[[str, Raw], Request]
) -> None:
    """What a tenant may not write on a claim, the controllers of the cluster write; and a tenant may still grow it."""
    bound = {"spec": {"volumeName": "pv-1"}, "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}}
    binder = ("system:serviceaccount:kube-system:persistent-volume-binder", "system:masters")
    with attacker(cluster, "admin", plays=binder) as controller:
        answer = controller.try_out(standing("persistentvolumeclaims/good", bound))
    assert answer.stopped_by == ADMITTED, answer.message
    labelled = alices.try_out(standing("persistentvolumeclaims/good", {"metadata": {"labels": {"a": "b"}}}))
    assert labelled.stopped_by == ADMITTED, labelled.message


def test_a_job_and_a_claim_keep_their_own_finalizers(kubectl: Kubectl, alice: Kubectl, alices: Attacker) -> None:
    """Those of the cluster are put on and taken off by controllers, and the namespace goes when it is told to."""
    job = {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "registry.example/a:1"}]}}
    }
    namespace = ("--namespace", NAMESPACE)
    create(alice, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "kept"}, "spec": job}, *namespace)
    pods = ("get", "pods", "-l", "batch.kubernetes.io/job-name=kept", "-o", "json", *namespace)
    soon(lambda: json.loads(kubectl(*pods).stdout)["items"] != [], "the Job has its pod")
    (pod,) = json.loads(kubectl(*pods).stdout)["items"]
    assert pod["metadata"].get("finalizers") in (["batch.kubernetes.io/job-tracking"], None)
    alice("delete", "job", "kept", "--cascade=foreground", "--wait=false", *namespace)
    soon(lambda: json.loads(kubectl(*pods).stdout)["items"] == [], "the pod is gone")
    answer = alices.try_out(GOOD["a claim"])
    assert answer.body["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_attacks_name_rules_that_are_there() -> None:
    """A misspelt name would look like a wrong guard."""
    named: set[Attack] = {*objects.ATTACKS, *metadata.ATTACKS}
    assert {attack.stopped_by for attack in named} == {*(rule.name for _, rule in RULES), "quota"}
