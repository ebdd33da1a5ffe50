"""The bridge, its links into the nodes, and the routes: each node knows the way to every other one's pods."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.processes import wait_until
from hack.cluster.realnodes.plan import Address, Node, Plan

LINKS = Path("/sys/class/net")
OUTSIDE = 9


def make_bridge(plan: Plan) -> None:
    """Make the bridge, with the host's address on it."""
    _ip(
        f"link add {plan.bridge} type bridge forward_delay 0",
        *(_address(address, plan.bridge) for address in plan.gateways),
        f"link set {plan.bridge} up",
    )


def connect(plan: Plan, node: Node, pid: int) -> None:
    """Link the network namespace of a process to the bridge, and tell host and node the ways to pods."""
    _ip(
        f"link add {node.veth} type veth peer name eth0 netns {pid}",
        f"link set {node.veth} master {plan.bridge} up",
        *_routes(node),
    )
    others = [other for other in plan.nodes if other != node]
    _ip(
        "link set lo up",
        *(_address(address, "eth0") for address in node.addresses),
        "link set eth0 up",
        *(f"route add default via {gateway}" for gateway in plan.gateways),
        *(route for other in others for route in _routes(other)),
        within=pid,
    )


def _address(address: Address, device: str) -> str:
    """Give a device its address on the bridge; nobody else has it, which IPv6 would take a second to find out."""
    return f"address add {address}/{'24' if address.version == 4 else '64 nodad'} dev {device}"  # noqa: PLR2004


def _routes(node: Node) -> list[str]:
    """The ways to a node's pods."""
    return [f"route add {pods} via {address}" for pods, address in zip(node.pods, node.addresses, strict=True)]


def connect_outside(plan: Plan, pid: int, addresses: Sequence[Address], nodes: Iterable[int]) -> None:
    """Link one more network namespace to the bridge, and tell the nodes that these addresses are found there.

    `nodes` are the processes that hold the nodes' namespaces.
    """
    veth, own = f"{plan.bridge}x", {block.version: block[OUTSIDE] for block in plan.blocks}
    _ip(f"link add {veth} type veth peer name eth0 netns {pid}", f"link set {veth} master {plan.bridge} up")
    _ip(
        "link set lo up",
        *(_address(address, "eth0") for address in own.values()),
        "link set eth0 up",
        *(f"address add {address} dev lo" for address in addresses),
        *(route for node in plan.nodes for route in _routes(node)),
        within=pid,
    )
    for holder in nodes:
        _ip(*(f"route add {address} via {own[address.version]}" for address in addresses), within=holder)


def remove_bridge(name: str) -> None:
    """Remove the bridge and its links into nodes, whichever are there."""
    for link in LINKS.glob(f"{name}*"):
        # A link goes by itself a moment after the last process of its node.
        subprocess.run(["ip", "link", "delete", link.name], capture_output=True, check=False)
    wait_until(lambda: not list(LINKS.glob(f"{name}*")), 10, f"the network devices {name}* cannot be removed")


def _ip(*commands: str, within: int | None = None) -> None:
    inside = ("nsenter", f"--net=/proc/{within}/ns/net", "--") if within else ()
    batch = "\n".join(commands)
    done = subprocess.run([*inside, "ip", "-batch", "-"], input=batch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"The nodes' network cannot be made: {done.stderr.strip()}\n{batch}")
