"""GPU nodes without GPUs: Node objects that kwok plays the kubelet of."""

import concurrent.futures
import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from hack.cluster.api import Api, Connection
from hack.cluster.errors import ClusterError

LIMIT = 2000
GPUS = "8"
CPU_NODE = "cpu-000"
NODES_PER_RACK = 4
NODES_PER_CLIQUE = 4
NODES_PER_ZONE = 64
CONNECTIONS = 8
KWOK = {"kwok.x-k8s.io/node": "fake"}
PREFIX_LABEL = "node-role.example.com/prefix"

Manifest = dict[str, Any]
T = TypeVar("T")


def gpu_node(index: int, prefix: str = "gpu") -> Manifest:
    """An eight-GPU machine. Four of them share a rack and an NVLink domain."""
    name = f"{prefix}-{index:03d}"
    labels = {
        "topology.kubernetes.io/region": "example",
        "topology.kubernetes.io/zone": f"example-{'abc'[index // NODES_PER_ZONE % 3]}",
        "topology.example.com/rack": f"{prefix}-rack-{index // NODES_PER_RACK:02d}",
        # As NVIDIA's feature discovery writes it: CLUSTER-UUID.CLIQUE-ID.
        "nvidia.com/gpu.clique": f"{prefix}-fabric.{index // NODES_PER_CLIQUE}",
        "nvidia.com/gpu.count": GPUS,
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "node-role.example.com/gpu": "",
        PREFIX_LABEL: prefix,
    }
    size = {"cpu": "192", "memory": "2Ti", "ephemeral-storage": "7Ti", "pods": "110", "nvidia.com/gpu": GPUS}
    return _node(name, _address(prefix, index), labels, size)


def cpu_node() -> Manifest:
    """An ordinary machine, for everything that asks for no GPU."""
    labels = {
        "topology.kubernetes.io/region": "example",
        "topology.kubernetes.io/zone": "example-a",
        "node-role.example.com/cpu": "",
    }
    size = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "2Ti", "pods": "250"}
    return _node(CPU_NODE, _address("cpu", 0), labels, size)


def scale(api: Api, count: int, prefix: str = "gpu", *, shrink: bool = True) -> set[str]:
    """Bring the GPU nodes of a prefix to `count`, without `shrink` at least to it; return who is new."""
    if not 0 <= count <= LIMIT:
        raise ClusterError(f"{count} nodes: this tool plays 0 to {LIMIT} of a prefix.")
    wanted = {node["metadata"]["name"]: node for node in (gpu_node(i, prefix) for i in range(count))}
    with api.connect() as connection:
        listed = connection.call("GET", f"/api/v1/nodes?labelSelector={PREFIX_LABEL}%3D{prefix}").accept()
    present = {node["metadata"]["name"] for node in listed.json()["items"]}
    new = wanted.keys() - present
    create(api, [wanted[name] for name in sorted(new)])
    if shrink:
        delete(api, sorted(present - wanted.keys()))
    return new


def create(api: Api, manifests: Sequence[Manifest]) -> None:
    """Create nodes; one that is there already is left as it is."""

    def post(connection: Connection, manifest: Manifest) -> None:
        connection.call("POST", "/api/v1/nodes", manifest).accept(409)

    _spread(api, post, manifests)


def delete(api: Api, names: Sequence[str]) -> None:
    """Delete nodes; one that is gone already is none to complain of."""

    def remove(connection: Connection, name: str) -> None:
        connection.call("DELETE", f"/api/v1/nodes/{name}").accept(404)

    _spread(api, remove, names)


def wait_ready(api: Api, names: Collection[str], seconds: float = 120, *, gpus: bool = False) -> None:
    """Wait until these nodes are Ready and the scheduler may use them, and with `gpus` all GPUs are to be had."""
    with api.connect() as connection:

        def pending() -> list[str]:
            listed = connection.call("GET", "/api/v1/nodes").accept().json()["items"]
            return sorted(
                set(names).difference(node["metadata"]["name"] for node in listed if _usable(node, gpus=gpus))
            )

        # A list of all nodes costs the API server dearly while it is busy with just these.
        deadline = time.monotonic() + seconds
        while late := pending():
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{len(late)} nodes, {late[0]} among them, are not Ready after {seconds:.0f} s; "
                    "look at the logs of kwok, kubelets and kube-controller-manager."
                )
            time.sleep(min(0.1 + len(late) / 200, 3))


def _usable(node: Manifest, *, gpus: bool) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", ())}
    taints = {each["key"] for each in node["spec"].get("taints", ())}
    complete = not gpus or node["status"].get("allocatable", {}).get("nvidia.com/gpu") == GPUS
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints and complete


def _node(name: str, address: str, labels: dict[str, str], size: dict[str, str]) -> Manifest:
    identity = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        # Deprecated, but where they lack the node controller adds them, one more write for each node.
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
    }
    addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**identity, **labels}, "annotations": KWOK},
        "status": {"capacity": size, "allocatable": size, "addresses": addresses},
    }


def _address(prefix: str, index: int) -> str:
    """An address of the node's own in 10.32.0.0/11, the same each time. Nothing listens there."""
    block = 32 + hashlib.sha256(prefix.encode()).digest()[0] % 32
    return f"10.{block}.{index // 250}.{index % 250 + 1}"


def _spread(api: Api, work: Callable[[Connection, T], None], items: Sequence[T]) -> None:
    def share(number: int) -> None:
        with api.connect() as connection:
            for item in items[number::CONNECTIONS]:
                work(connection, item)

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(share, range(min(CONNECTIONS, len(items)))))
