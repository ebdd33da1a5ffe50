"""Looking into a real node, from the host."""

import subprocess

from hack.cluster.errors import ClusterError
from hack.cluster.realnodes.plan import name
from hack.cluster.state import State


def run(state: State, node: str, *argv: str, stdin: str = "") -> str:
    """What a program prints in the namespaces of a node, where its /run, /var/lib and network are."""
    pid = state.process(f"{node}-machine").pid
    if pid is None:
        raise ClusterError(f"There is no real node {node}, or its machine is dead.")
    inside = ("nsenter", f"--target={pid}", "--mount", "--net", "--")
    done = subprocess.run([*inside, *argv], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"`{' '.join(argv)}` on {node} failed: {done.stderr.strip()}")
    return done.stdout


def containers(state: State, namespace: str) -> list[str]:
    """The ids of all containers, sandboxes among them, that containerd has of a namespace on any node."""
    return [container for node in _nodes(state) for container in _containers(state, node, namespace)]


def processes(state: State, namespace: str) -> list[int]:
    """The first process of each container that runs for a namespace on any node, sandboxes among them."""
    return [pid for node in _nodes(state) for pid in _processes(state, node, namespace)]


def _nodes(state: State) -> list[str]:
    return [name(index) for index in range(len(state.facts()["real_nodes"]))]


def _containers(state: State, node: str, namespace: str) -> list[str]:
    of = f'labels."io.kubernetes.pod.namespace"=={namespace}'
    return run(state, node, str(state.bin / "ctr"), "-n", "k8s.io", "containers", "list", "-q", of).split()


def _processes(state: State, node: str, namespace: str) -> list[int]:
    of_namespace = set(_containers(state, node, namespace))
    tasks = run(state, node, str(state.bin / "ctr"), "-n", "k8s.io", "tasks", "list").splitlines()[1:]
    rows = (line.split() for line in tasks)  # TASK PID STATUS
    return [int(pid) for task, pid, status in rows if task in of_namespace and status == "RUNNING"]
