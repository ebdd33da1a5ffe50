"""What real nodes of one cluster are called, and which addresses they have."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import islice
from pathlib import Path
from typing import Any

from hack.cluster.errors import ClusterError
from hack.cluster.state import State

PREFIX = "real"
LIMIT = 15
# Not what kwok gives its nodes and pods (10.32.0.0/11, 10.244.0.0/16), nor the range of Services (10.96.0.0/16).
RANGE = ipaddress.ip_network("10.128.0.0/10")
ROUTES = Path("/proc/net/route")
# Unique local addresses (RFC 4193), of which the next 32 bits are the cluster's own.
RANGE6 = 0xFD53
NO_IPV6 = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: Of the Node object.
        addresses: On the bridge, one of each family, IPv4 first.
        pods: The ranges its pods have addresses from, likewise.
        veth: The host's end of its link to the bridge.
        cgroup: Its cgroup, relative to the root of every hierarchy.
        folder: Where its files are.
    """

    name: str
    addresses: tuple[Address, ...]
    pods: tuple[Network, ...]
    veth: str
    cgroup: str
    folder: Path

    @property
    def address(self) -> Address:
        """The one in IPv4, where its daemons listen."""
        return self.addresses[0]


@dataclass(frozen=True)
class Plan:
    """The real nodes of one cluster.

    Attributes:
        blocks: A /20 of which the first /24 is the bridge's and each other one a node's pods, and where the kernel has
            IPv6 a /48 of which the same is done in /64.
        enforce: Whether NetworkPolicies are enforced.
    """

    state: State
    blocks: tuple[Network, ...]
    count: int
    enforce: bool = False

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return bridge(self.state)

    @property
    def gateway(self) -> Address:
        """The host's address in IPv4 on the bridge, where API server and registry listen."""
        return self.gateways[0]

    @property
    def gateways(self) -> tuple[Address, ...]:
        """The host's addresses on the bridge, one of each family."""
        return tuple(block[1] for block in self.blocks)

    @property
    def wide(self) -> bool:
        """Whether there is IPv6 beside IPv4."""
        return len(self.blocks) > 1

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All of them."""
        ranges = [_parts(block, self.count + 1) for block in self.blocks]
        return tuple(
            Node(
                name=name(index),
                addresses=tuple(block[10 + index] for block in self.blocks),
                pods=tuple(of_family[index + 1] for of_family in ranges),
                veth=f"{self.bridge}n{index}",
                cgroup=f"{cgroup(self.state)}/{name(index)}",
                folder=self.state.folder / "nodes" / name(index),
            )
            for index in range(self.count)
        )

    @property
    def images(self) -> Path:
        """Where the images are that the registry serves."""
        return images(self.state)


def _parts(block: Network, count: int) -> list[Network]:
    """The first parts of a block, as large as one link's networks are."""
    return list(islice(block.subnets(new_prefix=24 if block.version == 4 else 64), count))  # noqa: PLR2004


def make(state: State, count: int, *, enforce: bool = False) -> Plan:
    """A plan with addresses that this machine has no route to."""
    if not 1 <= count <= LIMIT:
        raise ClusterError(f"{count} real nodes: this tool runs 1 to {LIMIT} of them.")
    seed = int(_key(state), 16)
    wide = (IPv6Network(((RANGE6 << 112) + (seed << 80), 48)),) if has_ipv6() else ()
    return Plan(state, (free_block(ROUTES.read_text(), seed), *wide), count, enforce)


def facts(plan: Plan) -> dict[str, Any]:
    """What is noted of a plan when its nodes run."""
    addresses = [str(node.address) for node in plan.nodes]
    return {"real_nodes": addresses, "blocks": [str(block) for block in plan.blocks], "enforce": plan.enforce}


def noted(state: State) -> Plan:
    """The plan by which a cluster's nodes run."""
    known = state.facts()
    blocks = tuple(ipaddress.ip_network(block) for block in known["blocks"])
    return Plan(state, blocks, len(known["real_nodes"]), known["enforce"])


def has_ipv6() -> bool:
    """Whether the kernel has IPv6 and is not told to do without."""
    return NO_IPV6.exists() and NO_IPV6.read_text().strip() == "0"


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


def images(state: State) -> Path:
    """Where the images are that a cluster's registry serves."""
    return state.folder / "nodes" / "images"


def bridge(state: State) -> str:
    """The name of a cluster's bridge. The kernel allows 15 characters; a node's veth adds up to 3."""
    return f"sl{_key(state)}"


def cgroup(state: State) -> str:
    """The name of the cgroup that holds everything of a cluster's real nodes, in every hierarchy."""
    return f"sublet-{_key(state)}"


def _key(state: State) -> str:
    """What tells clusters of the same name in two checkouts apart."""
    return hashlib.sha256(str(state.folder.resolve()).encode()).hexdigest()[:8]
