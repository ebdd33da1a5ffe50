"""What tests run on real nodes: the tenant program (see hack/cluster/modules/images), in pods and Deployments."""

import json
from typing import Any

from hack.cluster.realnodes import TENANT

Raw = dict[str, Any]


def pod_spec(*args: str, gpus: int = 0, **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
    """The specification of a pod with one container."""
    container = {"name": "main", "image": TENANT, "args": args}
    limits = {"resources": {"limits": {"nvidia.com/gpu": gpus}}} if gpus else {}
    return {"containers": [{**container, **limits}], **spec}


def pod(name: str, *args: str, gpus: int = 0, **spec: Any) -> str:  # noqa: ANN401 - a field of any kind
    """A pod labelled `app: NAME`, as JSON."""
    meta = {"name": name, "labels": {"app": name}}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(*args, gpus=gpus, **spec)})


def deployment(name: str, *args: str, replicas: int, gpus: int = 0) -> str:
    """A Deployment whose pods are labelled `app: NAME`, as JSON."""
    labels = {"app": name}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod_spec(*args, gpus=gpus)},
            },
        }
    )
