"""The nodes themselves: what is claimed of them is so, before any lease is tried on them."""

import json
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hack import cluster as clusters
from hack.cluster import realnodes
from hack.cluster.api import Connection
from hack.cluster.processes import wait_until
from tests.conftest import Tool
from tests.nodes.workloads import pod

CLIENT, SERVER = "client", "server"


@pytest.fixture(scope="module", autouse=True)
def pods(kubectl: Tool) -> Iterator[None]:
    """A client on one node and a server, with its Service, on the other."""
    kubectl("create", "-f", "-", input=pod(CLIENT, "sleep", nodeName="real-000", gpus=3))
    kubectl("create", "-f", "-", input=pod(SERVER, "serve", "8080", "hello from afar", nodeName="real-001"))
    kubectl("expose", "pod", SERVER, "--port=80", "--target-port=8080")
    kubectl("wait", "--for=condition=Ready", f"pod/{CLIENT}", f"pod/{SERVER}", "--timeout=60s")

    def served() -> bool:
        return kubectl("exec", CLIENT, "--", "/tenant", "dial", f"{SERVER}:80", check=False).returncode == 0

    wait_until(served, 30, "the Service leads nowhere", every=0.2)
    yield
    kubectl("delete", "pod", CLIENT, SERVER, "--now")
    kubectl("delete", "service", SERVER)


def test_nodes_are_real_and_have_their_gpus(kubectl: Tool) -> None:
    """Kubelets of the pinned version report, and the device plugin's GPUs can be had."""
    nodes = json.loads(kubectl("get", "nodes", "-l", "node-role.example.com/prefix=real", "-o", "json").stdout)["items"]
    found = {node["metadata"]["name"]: node["status"] for node in nodes}
    assert set(found) == {"real-000", "real-001"}
    assert {status["nodeInfo"]["kubeletVersion"] for status in found.values()} == {"v1.37.2"}
    assert {status["allocatable"]["nvidia.com/gpu"] for status in found.values()} == {"8"}


def test_a_pod_gets_as_many_devices_as_it_asked_for(kubectl: Tool) -> None:
    """Their ids are in its environment, and name its node."""
    lines = kubectl("exec", CLIENT, "--", "/tenant", "env").stdout.splitlines()
    devices = next(line for line in lines if line.startswith("NVIDIA_VISIBLE_DEVICES=")).partition("=")[2].split(",")
    assert len(set(devices)) == 3
    assert all(device.startswith("GPU-real-000-") for device in devices)


@pytest.mark.parametrize("host", [SERVER, f"{SERVER}.default.svc.cluster.local"])
def test_a_service_is_reached_by_its_name_from_the_other_node(kubectl: Tool, host: str) -> None:
    """Name server, kube-proxy and the routes between the nodes."""
    assert kubectl("exec", CLIENT, "--", "/tenant", "get", f"http://{host}").stdout == "hello from afar\n"


def test_a_pod_reaches_the_api_server(kubectl: Tool) -> None:
    """By the Service that every pod is told of."""
    assert kubectl("exec", CLIENT, "--", "/tenant", "dial", "kubernetes.default:443").stdout == "connected\n"


def test_what_is_not_there_is_not_reached(kubectl: Tool) -> None:
    """The client fails where it should, so that its successes mean something."""
    for command in (["dial", f"{SERVER}:81"], ["get", f"http://{SERVER}:8080"], ["resolve", "nobody.default"]):
        assert kubectl("exec", CLIENT, "--", "/tenant", *command, check=False).returncode != 0


def test_a_restricted_pod_with_user_ids_of_its_own_runs(cluster: clusters.Cluster, kubectl: Tool) -> None:
    """Its root is nobody on the node, and seccomp filters what it calls."""
    strict = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
    own = {"seccompProfile": {"type": "RuntimeDefault"}, "runAsUser": 1000}
    namespace = "restricted"
    kubectl("create", "namespace", namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    manifest = json.loads(pod("strict", "sleep", nodeName="real-000", hostUsers=False, securityContext=own))
    manifest["spec"]["containers"][0]["securityContext"] = strict
    kubectl("create", "--namespace", namespace, "-f", "-", input=json.dumps(manifest))
    kubectl("wait", "--namespace", namespace, "--for=condition=Ready", "pod/strict", "--timeout=30s")
    for pid in realnodes.processes(cluster.state, namespace):
        status = Path(f"/proc/{pid}/status").read_text()
        assert "Seccomp:\t2\n" in status
        assert Path(f"/proc/{pid}/uid_map").read_text().split()[1] != "0"
    kubectl("delete", "namespace", namespace, "--wait=false")


def test_logs_come_from_the_node(kubectl: Tool) -> None:
    """What the program says is read back through kubelet and API server."""
    assert kubectl("logs", CLIENT).stdout == "hello\n"


def test_a_port_is_forwarded(cluster: clusters.Cluster) -> None:
    """Through API server and kubelet, to the pod's own port."""
    with _forwarded(cluster) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as answer:
        assert answer.read() == b"hello from afar\n"


def test_a_kubelet_serves_nobody_it_does_not_know(cluster: clusters.Cluster, kubectl: Tool) -> None:
    """Neither without a name nor in a tenant's, while the administrator may look."""
    query = ("get", "node", "real-000", "-o", "jsonpath={.status.addresses[0].address}")
    url = f"https://{kubectl(*query).stdout}:10250"
    assert _status(cluster, url, token="") == 401
    assert _status(cluster, url, token=cluster.token("alice")) == 403
    assert _status(cluster, url, token=cluster.token("admin")) == 200


def _status(cluster: clusters.Cluster, url: str, token: str) -> int:
    connection = Connection(url, ssl.create_default_context(cafile=str(cluster.ca)), token)
    with closing(connection):
        return connection.call("GET", "/pods").status


@contextmanager
def _forwarded(cluster: clusters.Cluster) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [
        str(cluster.bin / "kubectl"),
        "--kubeconfig",
        str(cluster.kubeconfig),
        "port-forward",
        SERVER,
        f"{port}:8080",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        try:
            wait_until(listens, 10, "kubectl does not forward")
            yield port
        finally:
            process.terminate()
