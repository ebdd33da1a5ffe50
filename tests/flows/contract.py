"""What a lease's network is sold as, packet by packet. Written from the contract; nothing here reads a policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple, TypeAlias

from sublet.desired.tenancy import Tenancy
from tests.unit.desired.test_network import Address, is_closed, lies

_is_closed = cache(is_closed)


class Packet(NamedTuple):
    """Where a packet goes at its destination."""

    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol} {self.port}"


@dataclass(frozen=True, eq=False)
class Peer:
    """One end of a flow: a pod with one of its addresses, or, without a namespace, an address that is no pod's."""

    name: str
    address: Address
    namespace: str
    namespace_labels: Mapping[str, str]
    labels: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"


def an_address(name: str, address: str | Address) -> Peer:
    """An address that is no pod's."""
    return Peer(name, ip_address(address), "", {}, {})


Leases: TypeAlias = Mapping[str, Tenancy]
"""The lease of each namespace that belongs to one."""

Contract: TypeAlias = Callable[[Peer, Peer, Packet, Leases], bool]
"""Whether a packet from the first peer to the second may pass."""


def may_pass(source: Peer, destination: Peer, packet: Packet, leases: Leases) -> bool:
    """Inside a lease everything; to DNS its port; to what was asked for and is allowed; else nothing, in or out.

    What flows between two that are in no lease is the owner's, and not held up.
    """
    sender, receiver = leases.get(source.namespace), leases.get(destination.namespace)
    if sender is receiver:
        return True
    if sender is None or receiver is not None:
        return False
    return is_dns(sender, destination, packet) or is_sold(sender, destination.address, packet)


def nothing_passes(source: Peer, destination: Peer, _: Packet, leases: Leases) -> bool:
    """What is left of a lease's network by the default deny alone."""
    return source.namespace not in leases and destination.namespace not in leases


def is_dns(lease: Tenancy, destination: Peer, packet: Packet) -> bool:
    """The cluster's name servers, at port 53, by UDP and by TCP."""
    is_server = destination.namespace == lease.dns_namespace
    is_server = is_server and lease.dns_labels.items() <= destination.labels.items()
    return is_server and packet in (("UDP", 53), ("TCP", 53))


def is_sold(lease: Tenancy, address: Address, packet: Packet) -> bool:
    """Asked for, allowed, not closed, and of a family in which the cluster's own networks are known."""
    egress = lease.egress
    known = any(ip_network(cidr).version == address.version for cidr in egress.cluster)
    asked = any(
        lies(address, [rule.cidr])
        and (
            not rule.ports
            or any(
                packet.protocol == each.protocol.value and each.port <= packet.port <= (each.end_port or each.port)
                for each in rule.ports
            )
        )
        for rule in egress.asked
    )
    return asked and known and lies(address, egress.allowed) and not _is_closed(address, egress.cluster)
