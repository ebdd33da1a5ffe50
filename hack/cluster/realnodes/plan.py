"""What real nodes of one cluster are called, and which addresses they have."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.state import State

PREFIX = "real"
LIMIT = 15
# Not what kwok gives its nodes and pods (10.32.0.0/11, 10.244.0.0/16), nor the range of Services (10.96.0.0/16).
RANGE = ipaddress.ip_network("10.128.0.0/10")
ROUTES = Path("/proc/net/route")


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: Of the Node object.
        address: On the bridge.
        pods: The range its pods have addresses from.
        veth: The host's end of its link to the bridge.
        cgroup: Its cgroup, relative to the root of every hierarchy.
        folder: Where its files are.
    """

    name: str
    address: IPv4Address
    pods: IPv4Network
    veth: str
    cgroup: str
    folder: Path


@dataclass(frozen=True)
class Plan:
    """The real nodes of one cluster: a /20 of which the first /24 is the bridge's and each other one a node's pods."""

    state: State
    block: IPv4Network
    count: int

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return bridge(self.state)

    @property
    def gateway(self) -> IPv4Address:
        """The host's address on the bridge, where API server, name server and registry listen."""
        return self.block[1]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All of them."""
        ranges = list(self.block.subnets(new_prefix=24))
        return tuple(
            Node(
                name=name(index),
                address=self.block[10 + index],
                pods=ranges[index + 1],
                veth=f"{self.bridge}n{index}",
                cgroup=f"{cgroup(self.state)}/{name(index)}",
                folder=self.state.folder / "nodes" / name(index),
            )
            for index in range(self.count)
        )

    @property
    def images(self) -> Path:
        """Where the images are that the registry serves."""
        return self.state.folder / "nodes" / "images"


def make(state: State, count: int) -> Plan:
    """A plan with addresses that this machine has no route to."""
    if not 1 <= count <= LIMIT:
        raise ClusterError(f"{count} real nodes: this tool runs 1 to {LIMIT} of them.")
    return Plan(state, free_block(ROUTES.read_text(), int(_key(state), 16)), count)


def free_block(routes: str, seed: int) -> IPv4Network:
    """A /20 that overlaps no route of a machine whose /proc/net/route reads so; another `seed` gives another one."""
    taken = list(_destinations(routes))
    blocks = (IPv4Network(block) for block in RANGE.subnets(new_prefix=20))
    free = [block for block in blocks if not any(block.overlaps(other) for other in taken)]
    if not free:
        raise ClusterError(f"No range of addresses in {RANGE} is free on this machine.")
    return free[seed % len(free)]


def _destinations(routes: str) -> Iterable[IPv4Network]:
    for line in routes.splitlines()[1:]:
        fields = line.split()
        destination, mask = (IPv4Address(bytes.fromhex(fields[column])[::-1]) for column in (1, 7))
        if int(mask):
            yield IPv4Network(f"{destination}/{mask}")


def name(index: int) -> str:
    """The name of a node by its place in the plan."""
    return f"{PREFIX}-{index:03d}"


def bridge(state: State) -> str:
    """The name of a cluster's bridge. The kernel allows 15 characters; a node's veth adds up to 3."""
    return f"sl{_key(state)}"


def cgroup(state: State) -> str:
    """The name of the cgroup that holds everything of a cluster's real nodes, in every hierarchy."""
    return f"sublet-{_key(state)}"


def _key(state: State) -> str:
    """What tells clusters of the same name in two checkouts apart."""
    return hashlib.sha256(str(state.folder.resolve()).encode()).hexdigest()[:8]
