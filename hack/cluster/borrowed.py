"""Clusters that this tool does not run itself: one made by kind, or one of your own.

Either way the cluster's folder gets a kubeconfig of its own: pinned to one context, so that switching yours
later changes nothing here, and with alice and bob impersonated through the administrator.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hack.cluster import binaries, credentials, nodes
from hack.cluster.errors import ClusterError
from hack.cluster.pki import private
from hack.cluster.state import State

Say = Callable[[str], None]
KIND_WORKERS = 3


def start_kind(state: State, *, count: int, say: Say) -> None:
    """Create a kind cluster whose workers claim to have eight GPUs each."""
    if not shutil.which("kind"):
        raise ClusterError("kind is not installed; `--provider embedded` needs nothing but Python.")
    _prepare(state, say)
    workers = min(count, KIND_WORKERS)
    say(f"kind: a control plane and {workers} workers")
    roles = ["control-plane", *["worker"] * workers]
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": role} for role in roles],
    }
    _kind_config(state).write_text(json.dumps(config))
    source = state.folder / "kind.kubeconfig"
    files = ["--config", str(_kind_config(state)), "--kubeconfig", str(source)]
    try:
        _run("kind", "create", "cluster", "--name", state.name, *files, "--wait", "180s")
        _adopt(state, "kind", source)
        for index in range(workers):
            _fake_gpus(state, f"{state.name}-worker{index + 1 if index else ''}", index)
    except BaseException:
        delete_kind(state)
        raise


def delete_kind(state: State) -> None:
    """Delete the kind cluster, if one was begun; kind does not mind if it is gone."""
    if _kind_config(state).exists():
        _run("kind", "delete", "cluster", "--name", state.name)


def use_kubeconfig(state: State, *, say: Say) -> None:
    """Use the current context of KUBECONFIG."""
    source = os.environ.get("KUBECONFIG")
    if not source:
        raise ClusterError("To use a cluster of your own, name its kubeconfig in KUBECONFIG.")
    _prepare(state, say)
    _adopt(state, "kubeconfig", source)
    say(f"USING YOUR CLUSTER {state.facts()['context']} FROM KUBECONFIG")


def create_nodes(state: State, count: int, prefix: str) -> None:
    """Create the missing ones of `count` GPU nodes, where kwok plays some already, and delete none."""
    found = json.loads(_kubectl(state, "get", "nodes", "-o", "json"))["items"]
    if not any(nodes.KWOK.items() <= node["metadata"].get("annotations", {}).items() for node in found):
        raise ClusterError(f"No node of {state.facts()['context']} is played by kwok, so none is created there.")
    present = {node["metadata"]["name"] for node in found}
    wanted = (nodes.gpu_node(index, prefix) for index in range(count))
    missing = [node for node in wanted if node["metadata"]["name"] not in present]
    if missing:
        manifest = {"kind": "List", "apiVersion": "v1", "items": missing}
        _kubectl(state, "create", "-f", "-", stdin=json.dumps(manifest))


def reachable(state: State) -> bool:
    """Whether the API server answers."""
    try:
        _kubectl(state, "get", "--raw", "/readyz", "--request-timeout=5s")
    except ClusterError:
        return False
    return True


def docker_answers() -> bool:
    """Whether a Docker engine, and not merely its client, is there."""
    if not shutil.which("docker"):
        return False
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def _prepare(state: State, say: Say) -> None:
    state.prepare()
    tools = {name: shutil.which(name) for name in ("kubectl", "helm")}
    compiled = binaries.resolve(say, [name for name, path in tools.items() if not path])
    binaries.link(compiled | {name: Path(path) for name, path in tools.items() if path}, state.bin)


def _kind_config(state: State) -> Path:
    return state.folder / "kind.json"


def _adopt(state: State, provider: str, source: Path | str) -> None:
    kubectl = str(state.bin / "kubectl")
    view = ["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]
    config: dict[str, Any] = json.loads(_run(kubectl, *view, env={"KUBECONFIG": str(source)}))
    private(state.kubeconfig, json.dumps(credentials.with_people(config), indent=2).encode())
    state.save(
        provider=provider,
        server=config["clusters"][0]["cluster"]["server"],
        context=config["current-context"],
    )


def _fake_gpus(state: State, name: str, index: int) -> None:
    like = nodes.gpu_node(index)
    labels = {key: value for key, value in like["metadata"]["labels"].items() if "kubernetes.io/" not in key}
    gpus = {"nvidia.com/gpu": nodes.GPUS}
    for patch, subresource in (
        ({"metadata": {"labels": labels}}, []),
        ({"status": {"capacity": gpus, "allocatable": gpus}}, ["--subresource=status"]),
    ):
        _kubectl(state, "patch", "node", name, "--type=merge", "-p", json.dumps(patch), *subresource)


def _kubectl(state: State, *argv: str, stdin: str = "") -> str:
    return _run(str(state.bin / "kubectl"), f"--kubeconfig={state.kubeconfig}", *argv, stdin=stdin)


def _run(*argv: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    if done.returncode:
        raise ClusterError(f"`{' '.join(argv)}` failed:\n{done.stderr.strip()}")
    return done.stdout
