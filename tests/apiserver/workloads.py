"""Workloads as people write them who know nothing of leases."""

from typing import Any

Raw = dict[str, Any]
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


def volume_claim(name: str, storage_class: str) -> Raw:
    """A claim of 10 GiB."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "10Gi"}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def database(storage_class: str) -> list[Raw]:
    """A server that keeps its data, with its claim and its Service."""
    spec = {
        "containers": [container(volumeMounts=[{"name": "data", "mountPath": "/data"}])],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    server = {"replicas": 1, "strategy": {"type": "Recreate"}, **template("database", spec)}
    service = {"selector": {"app": "database"}, "ports": [{"port": 5432}]}
    return [
        volume_claim("data", storage_class),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "database"}, "spec": server},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"}, "spec": service},
    ]


def keeping_stateful_set(storage_class: str) -> Raw:
    """The store of two replicas, each with a volume of its own."""
    store = stateful_set()
    store["spec"]["volumeClaimTemplates"] = [volume_claim("data", storage_class)]
    for each in store["spec"]["template"]["spec"]["containers"]:
        each["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return store


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
