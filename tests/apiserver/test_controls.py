"""Positive controls: guards that refuse everything would pass all other tests."""

from collections.abc import Callable
from typing import Any

import pytest

from sublet.guards.attacks.attack import Scene
from tests.apiserver.attacker import Attacker
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.leased import Scenes, path_of, until
from tests.apiserver.workloads import container, cron_job, deployment, headless, notebook, stateful_set, training
from tests.conftest import Tool

Raw = dict[str, Any]
LEASE = "sublet.dev/lease"
MASTERS = ("--as-group", "system:masters")
COLLECTOR = "system:serviceaccount:kube-system:pod-garbage-collector"


def made(tenant: Attacker, scene: Scene, manifest: Raw) -> None:
    """Create an object for good."""
    answer = tenant.send("POST", path_of(manifest, scene), manifest)
    assert not answer.message, answer.message


def pods(tenant: Attacker, scene: Scene, app: str) -> list[Raw]:
    """The pods of an application."""
    path = f"/api/v1/namespaces/{scene.namespace}/pods?labelSelector=app%3D{app}"
    items: list[Raw] = tenant.send("GET", path).body["items"]
    return items


@pytest.mark.parametrize(
    ("manifest", "app", "count", "within"),
    [
        (deployment, "serve", 2, 20),
        (training, "train", 2, 20),
        (stateful_set, "store", 2, 20),
        (cron_job, "nightly", 1, 80),
        (notebook, "lab", 1, 20),
    ],
    ids=["deployment", "training", "statefulset", "cronjob", "jupyterlab"],
)
def test_what_knows_nothing_of_leases_runs_on_the_leased_nodes(
    tenant: Attacker, scenes: Scenes, manifest: Callable[[], Raw], app: str, count: int, within: float
) -> None:
    scene = scenes.baseline
    if app == "train":
        made(tenant, scene, headless())
    made(tenant, scene, manifest())
    ran = {"Running", "Succeeded"}  # the kubelet of the tests lets Jobs succeed at once
    until(
        lambda: [p["status"].get("phase") in ran for p in pods(tenant, scene, app)][:count] == [True] * count,
        f"{count} pods of {app} run",
        within,
    )
    for each in pods(tenant, scene, app):
        spec = each["spec"]
        assert spec["nodeName"] in {scene.node, scene.node.replace("-000", "-001")}
        assert spec["nodeSelector"] == {LEASE: scene.lease}
        own = {"key": LEASE, "operator": "Equal", "value": scene.lease, "effect": "NoExecute"}
        assert [taint for taint in spec["tolerations"] if taint["key"] == LEASE] == [own]
        assert 0 < spec["activeDeadlineSeconds"] <= 3600
        assert {c["imagePullPolicy"] for c in (*spec["containers"], *spec.get("initContainers", ()))} == {"Always"}
        assert all("sizeLimit" in v["emptyDir"] for v in spec.get("volumes", ()) if "emptyDir" in v)


def test_what_a_pod_says_itself_stays(tenant: Attacker, scenes: Scenes) -> None:
    """A lower deadline, a smaller disk and a further selector are the tenant's own business."""
    scene = scenes.restricted
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "activeDeadlineSeconds": 77,
        "nodeSelector": {"kubernetes.io/hostname": scene.node},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [container(securityContext=security)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "own"}, "spec": spec}
    answer = tenant.send("POST", path_of(manifest, scene) + "?dryRun=All", manifest)
    assert not answer.message, answer.message
    assert answer.body["spec"]["activeDeadlineSeconds"] == 77
    assert answer.body["spec"]["nodeSelector"] == {"kubernetes.io/hostname": scene.node, LEASE: scene.lease}
    assert answer.body["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "1Gi"
    assert {taint["key"] for taint in answer.body["spec"]["tolerations"]} >= {"nvidia.com/gpu", LEASE}


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/api/v1/namespaces/{0}/pods/standing", {"metadata": {"labels": {"stage": "two"}}}),
        ("/api/v1/namespaces/{0}/pods/standing", {"spec": {"activeDeadlineSeconds": 60}}),
        ("/apis/apps/v1/namespaces/{0}/deployments/standing", {"spec": {"replicas": 2}}),
        (
            "/apis/apps/v1/namespaces/{0}/deployments/standing/scale",
            [{"op": "add", "path": "/spec/replicas", "value": 2}],
        ),
        (
            "/apis/apps/v1/namespaces/{0}/deployments/standing",
            {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}},
        ),
        ("/apis/batch/v1/namespaces/{0}/cronjobs/standing", {"spec": {"suspend": False}}),
        ("/api/v1/namespaces/{0}/configmaps/standing", {"data": {"colour": "red"}}),
    ],
    ids=["label", "deadline", "replicas", "scale", "restart", "resume", "data"],
)
def test_what_runs_can_be_changed(tenant: Attacker, scenes: Scenes, path: str, change: Any) -> None:  # noqa: ANN401
    answer = tenant.send("PATCH", path.format(scenes.baseline.namespace) + "?dryRun=All", change)
    assert not answer.message, answer.message


@pytest.mark.parametrize("grace", [None, 1, 60], ids=["its own grace", "now", "a minute"])
@pytest.mark.parametrize("which", ["pods/standing", "pods"])
def test_pods_can_be_deleted(tenant: Attacker, scenes: Scenes, which: str, grace: int | None) -> None:
    options = {"dryRun": ["All"], **({} if grace is None else {"gracePeriodSeconds": grace})}
    answer = tenant.send("DELETE", f"/api/v1/namespaces/{scenes.baseline.namespace}/{which}", options)
    assert not answer.message, answer.message
    by_query = tenant.send("DELETE", f"/api/v1/namespaces/{scenes.baseline.namespace}/{which}?dryRun=All")
    assert not by_query.message, by_query.message


def test_a_pod_that_does_not_run_is_deleted_at_once(admin: Attacker, tenant: Attacker, scenes: Scenes) -> None:
    """It waits for a node, or has ended: the API server gives it no time to stop, and there is nothing to stop."""
    scene = scenes.baseline
    waiting = {"nodeSelector": {"no": "such-node"}, "containers": [container()]}
    ended = {"containers": [container()]}
    for name, spec in (("waiting", waiting), ("ended", ended)):
        made(tenant, scene, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    pods_of = f"/api/v1/namespaces/{scene.namespace}/pods"
    until(lambda: "nodeName" in tenant.send("GET", f"{pods_of}/ended").body["spec"], "the pod has a node")
    assert not admin.send("PATCH", f"{pods_of}/ended/status", {"status": {"phase": "Succeeded"}}).message
    for name in ("waiting", "ended"):
        answer = tenant.send("DELETE", f"{pods_of}/{name}")
        assert not answer.message, answer.message


@pytest.mark.parametrize(
    "who",
    [BREAK_GLASS, ("--as", "system:node:{}", *MASTERS), ("--as", COLLECTOR, *MASTERS)],
    ids=["who breaks the glass", "the kubelet", "garbage collection"],
)
def test_a_pod_is_deleted_at_once_by_who_knows_that_it_is_gone(
    kubectl: Tool, scenes: Scenes, who: tuple[str, ...]
) -> None:
    namespace = ("--namespace", scenes.baseline.namespace)
    node = kubectl("get", "pod", "standing", *namespace, "-o", "jsonpath={.spec.nodeName}").stdout
    at_once = ("--grace-period=0", "--force", "--dry-run=server", *namespace)
    assert kubectl("delete", "pod", "standing", *at_once, *MASTERS, "--as", "somebody", check=False).returncode
    kubectl("delete", "pod", "standing", *at_once, *(flag.format(node) for flag in who))


def test_a_debug_container_is_completed(admin: Attacker, scenes: Scenes) -> None:
    """Should an owner let tenants debug, `kubectl debug` works as it is."""
    path = f"/api/v1/namespaces/{scenes.baseline.namespace}/pods/standing/ephemeralcontainers?dryRun=All"
    answer = admin.send("PATCH", path, {"spec": {"ephemeralContainers": [container(name="debug", tty=True)]}})
    assert not answer.message, answer.message
    assert answer.body["spec"]["ephemeralContainers"][0]["imagePullPolicy"] == "Always"


@pytest.mark.usefixtures("scenes")
@pytest.mark.parametrize(
    "name", ["namespace", "node", "crd", "pod"], ids=["a namespace", "a node", "a CRD", "a pod outside of leases"]
)
def test_the_cluster_is_still_its_administrators(admin: Attacker, name: str) -> None:
    """Guards of leases are not in the way of anything else."""
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    tolerant = {"tolerations": [{"operator": "Exists"}], "hostNetwork": True, "containers": [container()]}
    bodies: dict[str, tuple[str, Raw]] = {
        "namespace": ("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}),
        "node": ("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "mine"}}),
        "crd": (
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "things.example.com"},
                "spec": {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]},
            },
        ),
        "pod": (
            "/api/v1/namespaces/default/pods",
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"}, "spec": tolerant},
        ),
    }
    path, body = bodies[name]
    answer = admin.send("POST", path, body)
    assert not answer.message, answer.message
    if name == "pod":
        assert "nodeSelector" not in answer.body["spec"]
    deleted = admin.send("DELETE", f"{path}/{body['metadata']['name']}")
    assert not deleted.message, deleted.message
