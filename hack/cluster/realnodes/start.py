"""Bringing real nodes up: before the API server what it is told of, after it the nodes themselves."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hack.cluster import nodes, pki
from hack.cluster.api import Api
from hack.cluster.credentials import Identity
from hack.cluster.errors import ClusterError
from hack.cluster.processes import Process, wait_until
from hack.cluster.realnodes import (
    cgroups,
    config,
    dns,
    images,
    join,
    machine,
    network,
    policies,
    python,
    rbac,
    registry,
)
from hack.cluster.realnodes.plan import Node, Plan, make, name
from hack.cluster.realnodes.plan import images as images_of
from hack.cluster.realnodes.teardown import remove
from hack.cluster.state import State

HELPERS = ("registry",)
IMAGES = {"pause": ("pause",), "tenant": ("tenant",), "coredns": ("coredns",), "sanitize": ("sanitize", "ctr")}
"""The images of binaries, the first of which each runs."""
DAEMONS = ("machine", "containerd", "kubelet", "kube-proxy", "gpuplugin")
PYTHON = (sys.executable, "-I", "-S")
START_SECONDS = 60

Say = Callable[[str], None]


def prepare(state: State, count: int, *, enforce: bool) -> Plan:
    """Make the bridge, so that the API server can listen on it."""
    remove(state)  # what an earlier cluster of this name may have left, if its records are gone
    plan = make(state, count, enforce=enforce)
    network.make_bridge(plan)
    return plan


def identities(plan: Plan) -> tuple[Identity, ...]:
    """Who speaks to the API server for the nodes."""
    kubelets = (Identity(node.name, f"system:node:{node.name}", ("system:nodes",)) for node in plan.nodes)
    own = (Identity(policies.NAME, policies.USER),) if plan.enforce else ()
    return (*kubelets, *own, Identity("kube-proxy", "system:kube-proxy"))


def launch(plan: Plan, api: Api, binaries: Mapping[str, Path], say: Say) -> None:
    """Start registry, nodes and name servers, and wait until the nodes are Ready with their GPUs, and names known."""
    began = time.monotonic()
    _serve_images(plan, binaries)
    dns.publish(api)
    rbac.grant(api, "system:kubelet-api-admin", rbac.user(pki.COMPONENT))  # whom the API server shows itself as
    for node in plan.nodes:
        cgroups.make(node.cgroup)
        _write(plan, node)
        _start_machine(plan, node)
    for node in plan.nodes:
        _enter(plan, node, "containerd", _own(plan, "containerd"), "--config", str(node.folder / "containerd.toml"))
    if plan.enforce:
        _enforce(plan, api)
    for index, node in enumerate(plan.nodes):
        socket = Path(f"/proc/{_machine(plan, node)}/root{config.CONTAINERD_SOCKET}")
        _wait(plan, node, "containerd", socket.exists)
        _start_kubelet(plan, node, index)
    nodes.wait_ready(api, {node.name for node in plan.nodes}, gpus=True)
    dns.wait_ready(api, len(plan.nodes))
    say(f"{len(plan.nodes)} real nodes ready in {time.monotonic() - began:.1f} s")


def add_image(state: State, name: str, program: Path, tag: str) -> None:
    """Have the registry of a running cluster serve one more image, of a program that is its entrypoint."""
    images.add(images_of(state), name, images.of_binaries(program), tag)


def ready_urls(addresses: Sequence[str], *, enforce: bool) -> dict[str, str]:
    """Each process of the nodes with these addresses, with where it says that it does its work; empty where it cannot.

    The order is that of starting.
    """
    kubelets = {f"{name(index)}-kubelet": address for index, address in enumerate(addresses)}
    daemons = (*DAEMONS, *((policies.NAME,) if enforce else ()))
    processes = (
        *(HELPERS if addresses else ()),
        *(f"{name(i)}-{each}" for i in range(len(addresses)) for each in daemons),
    )
    return {
        each: f"https://{kubelets[each]}:{config.KUBELET_PORT}/healthz" if each in kubelets else ""
        for each in processes
    }


def _serve_images(plan: Plan, binaries: Mapping[str, Path]) -> None:
    for image, held in IMAGES.items():
        images.add(plan.images, image, images.of_binaries(*(binaries[each] for each in held)))
    images.add(plan.images, "probe", python.image())
    serve = (registry.__file__, str(plan.images), str(plan.gateway), str(config.REGISTRY_PORT))
    plan.state.process("registry").start([*PYTHON, *serve])


def _write(plan: Plan, node: Node) -> None:
    """Write everything that the node's daemons read."""
    for folder in ("lib", "log", "cni", f"registries/{config.REGISTRY}"):
        (node.folder / folder).mkdir(parents=True)
    # The node resolves nothing, and its pods that want the node's names get none either.
    (node.folder / "resolv.conf").touch()
    (node.folder / "containerd.toml").write_text(config.containerd(plan, node))
    (node.folder / "registries" / config.REGISTRY / "hosts.toml").write_text(config.hosts(plan))
    documents: dict[str, dict[str, Any]] = {
        "cni/pods.conflist": config.cni(node),
        "kubelet.json": config.kubelet(plan, node),
        "kube-proxy.json": config.proxy(plan, node),
    }
    for file, content in documents.items():
        (node.folder / file).write_text(json.dumps(content, indent=2))
    pki.issue(plan.state.folder / "pki", node.folder / "kubelet", f"system:node:{node.name}", str(node.address))


def _start_machine(plan: Plan, node: Node) -> None:
    process = _process(plan, node, "machine")
    own = (_program("unshare"), "--mount", "--net", "--propagation=private", "--")
    process.start(_joined(node, *own, *PYTHON, machine.__file__, str(node.folder)))
    _wait(plan, node, "machine", (node.folder / "ready").exists)
    network.connect(plan, node, _machine(plan, node))


def _machine(plan: Plan, node: Node) -> int:
    """The process that holds the node's namespaces."""
    process = _process(plan, node, "machine")
    if process.pid is None:
        raise ClusterError(f"{process.name} ended while starting. The end of its log:\n{process.log_tail()}")
    return process.pid


def _start_kubelet(plan: Plan, node: Node, index: int) -> None:
    _enter(
        plan,
        node,
        "kubelet",
        _own(plan, "kubelet"),
        f"--config={node.folder / 'kubelet.json'}",
        f"--kubeconfig={plan.state.folder / 'pki' / node.name}.kubeconfig",
        f"--hostname-override={node.name}",
        f"--node-ip={','.join(map(str, node.addresses))}",
        f"--node-labels={config.labels(index)}",
    )
    _enter(plan, node, "kube-proxy", _own(plan, "kube-proxy"), f"--config={node.folder / 'kube-proxy.json'}")
    _enter(plan, node, "gpuplugin", _own(plan, "gpuplugin"), f"-node={node.name}", f"-count={nodes.GPUS}")


def _enforce(plan: Plan, api: Api) -> None:
    """Start the agents, and wait until each has its first table: before that no pod may run."""
    rbac.grant(api, policies.USER, rbac.user(policies.USER), policies.RULES)
    ready = {node.name: node.folder / "enforced" for node in plan.nodes}
    for node in plan.nodes:
        _enter(plan, node, policies.NAME, *policies.argv(plan.state, node.name, ready[node.name]))
    for node in plan.nodes:
        _wait(plan, node, policies.NAME, ready[node.name].exists)


def _enter(plan: Plan, node: Node, daemon: str, *argv: str) -> None:
    """Start a daemon in the node's namespaces and cgroup."""
    into = (_program("nsenter"), f"--target={_machine(plan, node)}", "--mount", "--net", "--")
    _process(plan, node, daemon).start(_joined(node, *into, *argv))


def _joined(node: Node, *argv: str) -> list[str]:
    return [*PYTHON, join.__file__, f"{node.cgroup}/{cgroups.DAEMONS}", *argv]


def _own(plan: Plan, name: str) -> str:
    """Where a program is that this tool compiled."""
    return str(plan.state.bin / name)


def _program(name: str) -> str:
    """Where a program of this machine is; `requirements` has seen it."""
    return str(shutil.which(name))


def _process(plan: Plan, node: Node, daemon: str) -> Process:
    return plan.state.process(f"{node.name}-{daemon}")


def _wait(plan: Plan, node: Node, daemon: str, condition: Callable[[], bool]) -> None:
    process = _process(plan, node, daemon)

    def there() -> bool:
        if process.pid is None:
            raise ClusterError(f"{process.name} ended while starting. The end of its log:\n{process.log_tail()}")
        return condition()

    wait_until(there, START_SECONDS, f"{process.name} is not ready")
