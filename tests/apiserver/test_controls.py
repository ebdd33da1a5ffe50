"""Positive controls: guards that refuse everything would pass all other tests."""

from collections.abc import Callable
from typing import Any

import pytest

from sublet.guards.attacks.attack import Scene
from tests.apiserver.attacker import Attacker
from tests.apiserver.leased import Scenes, path_of, until

Raw = dict[str, Any]
LEASE = "sublet.dev/lease"
GPUS = {"resources": {"limits": {"nvidia.com/gpu": 8}}}


def container(**fields: Any) -> Raw:  # noqa: ANN401 - a field of any kind
    """A container as people write it."""
    return {"name": "main", "image": "registry.example/acme/train:1.0", **fields}


def template(name: str, spec: Raw) -> Raw:
    """A pod template, and the selector that finds its pods."""
    return {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
    }


def deployment() -> Raw:
    """Two replicas of a server."""
    spec = {"replicas": 2, **template("serve", {"containers": [container(ports=[{"containerPort": 8080}])]})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "serve"}, "spec": spec}


def training() -> Raw:
    """A distributed training on two nodes of eight GPUs."""
    env = [{"name": "MASTER_ADDR", "value": "train-0.train"}, {"name": "NCCL_DEBUG", "value": "INFO"}]
    shm = {"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}  # noqa: S108 - a path in a pod
    spec = {
        "subdomain": "train",
        "restartPolicy": "Never",
        "containers": [container(env=env, **shm, **GPUS)],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
    }
    workers = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimit": 0}
    job = {**workers, "template": {"metadata": {"labels": {"app": "train"}}, "spec": spec}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train"}, "spec": job}


def headless() -> Raw:
    """The Service by which the workers of the training find each other."""
    spec = {"clusterIP": "None", "selector": {"app": "train"}, "ports": [{"port": 29500}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "train"}, "spec": spec}


def stateful_set() -> Raw:
    """A store of two replicas with an init container."""
    containers = {"initContainers": [container(name="init")], "containers": [container()]}
    spec = {"serviceName": "store", "replicas": 2, "podManagementPolicy": "Parallel", **template("store", containers)}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "store"}, "spec": spec}


def cron_job() -> Raw:
    """A nightly evaluation, every minute."""
    inside = {
        "metadata": {"labels": {"app": "nightly"}},
        "spec": {"restartPolicy": "Never", "containers": [container()]},
    }
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": inside}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": spec}


def notebook() -> Raw:
    """JupyterLab as its own charts write it."""
    lab = container(
        name="notebook",
        image="acme/jupyterlab:4",
        imagePullPolicy="IfNotPresent",
        args=["start-notebook.py", "--ServerApp.ip=0.0.0.0"],
        env=[
            {"name": "JUPYTER_TOKEN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": "GRANT_SUDO", "value": "no"},
        ],
        ports=[{"name": "http", "containerPort": 8888}],
        resources={"requests": {"cpu": "4", "memory": "16Gi"}, "limits": {"nvidia.com/gpu": "1"}},
        volumeMounts=[{"name": "home", "mountPath": "/home/jovyan"}],
        readinessProbe={"httpGet": {"path": "/api", "port": "http"}},
    )
    spec = {
        "securityContext": {"fsGroup": 100},
        "terminationGracePeriodSeconds": 30,
        "priorityClassName": "offered",
        "containers": [lab],
        "volumes": [{"name": "home", "emptyDir": {}}],
    }
    notes = {"hub.jupyter.org/username": "anna", "prometheus.io/scrape": "true"}
    metadata = {"name": "lab", "labels": {"app": "lab"}, "annotations": notes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


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
