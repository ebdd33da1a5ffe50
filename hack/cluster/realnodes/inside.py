"""Looking into a real node, from the host."""

import subprocess

from hack.cluster.errors import ClusterError
from hack.cluster.state import State


def run(state: State, node: str, *argv: str) -> str:
    """What a program prints in the namespaces of a node, where its /run, /var/lib and network are."""
    pid = state.process(f"{node}-machine").pid
    if pid is None:
        raise ClusterError(f"There is no real node {node}, or its machine is dead.")
    inside = ("nsenter", f"--target={pid}", "--mount", "--net", "--")
    done = subprocess.run([*inside, *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"`{' '.join(argv)}` on {node} failed: {done.stderr.strip()}")
    return done.stdout


def containers(state: State, node: str, namespace: str) -> list[str]:
    """The ids of all containers, sandboxes among them, that a node's containerd has of a namespace."""
    of = f'labels."io.kubernetes.pod.namespace"=={namespace}'
    return run(state, node, str(state.bin / "ctr"), "-n", "k8s.io", "containers", "list", "-q", of).split()


def processes(state: State, node: str, namespace: str) -> list[int]:
    """The first process of each container that runs on a node for a namespace, sandboxes among them."""
    of_namespace = set(containers(state, node, namespace))
    tasks = run(state, node, str(state.bin / "ctr"), "-n", "k8s.io", "tasks", "list").splitlines()[1:]
    rows = (line.split() for line in tasks)  # TASK PID STATUS
    return [int(pid) for task, pid, status in rows if task in of_namespace and status == "RUNNING"]
