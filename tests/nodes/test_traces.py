"""Nothing is left on the machine of a cluster with real nodes, however it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, realnodes
from hack.cluster.realnodes import plan
from hack.cluster.state import ROOT, State
from tests.conftest import tool
from tests.nodes.workloads import pod

NAME = f"traces-{os.getpid()}"
KERNEL = (
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
)


@pytest.fixture(autouse=True)
def removed() -> Iterator[None]:
    """Whatever a test leaves running, if it fails."""
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        pytest.skip(missing.sentence)
    yield
    clusters.down(NAME)


def traces() -> dict[str, set[str]]:
    """What a cluster of this name has, or would have, on this machine, and what it might change of it."""
    key, folder = plan.cgroup(State(NAME)), str(State(NAME).folder)
    commands = {path: path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline")}
    return {
        "processes": {line for line in commands.values() if f"{folder}/" in line or key in line},
        "mounts": {line for line in Path("/proc/mounts").read_text().splitlines() if folder in line or key in line},
        "namespaces": set(_lines("ip", "netns")),
        "links": {path.name for path in Path("/sys/class/net").glob(f"{plan.bridge(State(NAME))}*")},
        "routes": {
            line
            for family in ("-4", "-6")
            for line in _lines("ip", family, "route")
            if plan.bridge(State(NAME)) in line
        },
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").rglob(f"*{key}*")},
        "rules": set(_lines("nft", "list", "ruleset")),
        "state": {str(path) for path in State(NAME).parent.glob(NAME)},
        "folders": {str(path) for parent in ("/run", "/var/lib", "/var/log") for path in Path(parent).glob("*")},
        "kernel": {f"{name}={Path('/proc/sys', name).read_text()}" for name in KERNEL},
    }


def _lines(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("clusters_in_a_row", [3, pytest.param(20, marks=pytest.mark.nightly)])
def test_clusters_in_a_row_leave_nothing(clusters_in_a_row: int) -> None:
    """With pods that run, on each node, NetworkPolicies that are enforced, and a network beyond the nodes."""
    before = traces()
    for _ in range(clusters_in_a_row):
        _up_with_pods()
        during = traces()
        assert all(during[kind] > before[kind] for kind in ("processes", "links", "routes", "cgroups", "state"))
        clusters.down(NAME)
        clusters.down(NAME)  # once more changes nothing
        assert traces() == before


def test_killed_daemons_leave_nothing() -> None:
    """Of one node kubelet and containerd are killed, of the other the process that holds the namespaces."""
    before = traces()
    cluster = _up_with_pods()
    for name in ("real-000-kubelet", "real-000-containerd", "real-001-machine"):
        cluster.component(name).kill()
    cluster.down()
    assert traces() == before


def test_a_cluster_whose_records_are_gone_leaves_nothing_on_its_nodes() -> None:
    """The name alone finds what runs on the nodes."""
    before = traces()
    cluster = _up_with_pods()
    control_plane = [each for each in cluster.state.processes() if not each.name.startswith(("real-", "outside"))]
    for process in control_plane:  # these are on no node, and without records nobody could tell whose they are
        process.kill()
    cluster.state.remove()
    cluster.down()
    assert traces() == before


@pytest.mark.parametrize("step", ["machine", "containerd", "kubelet"])
def test_a_killed_start_leaves_nothing(step: str) -> None:
    """`up` is killed as soon as a daemon of a node is there; nothing was noted of the cluster but its processes."""
    before = traces()
    nodes = ("--nodes", "0", "--real-nodes", "2", "--enforce")
    command = [sys.executable, "-m", "hack.cluster", "up", "--name", NAME, *nodes]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as starting:
        while State(NAME).process(f"real-000-{step}").pid is None:
            assert starting.poll() is None, "it ended by itself"
            time.sleep(0.005)
        starting.send_signal(signal.SIGKILL)
    assert State(NAME).facts() == {}
    clusters.down(NAME)
    assert traces() == before


def _up_with_pods() -> clusters.Cluster:
    cluster = clusters.up(NAME, nodes=0, real_nodes=2, enforce=True)
    realnodes.make_outside(cluster.state, [ip_address("198.51.100.20"), ip_address("2001:db8:ffff::1")], [80])
    kubectl = tool(cluster.bin / "kubectl", "--kubeconfig", str(cluster.kubeconfig))
    for node in ("real-000", "real-001"):
        kubectl("create", "-f", "-", input=pod(node, "ignore-term", nodeName=node))
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    return cluster
