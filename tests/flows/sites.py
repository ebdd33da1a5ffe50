"""Leases side by side in several configurations, with everybody whom they might reach or be reached by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from sublet.api.network import EgressRule
from sublet.desired.render import render
from sublet.desired.tenancy import Egress, Tenancy
from tests.builders import a_tenancy
from tests.flows.contract import Leases, Packet, Peer, an_address
from tests.unit.desired.test_network import EVERYTHING, NEVER, asked, edges

Raw = dict[str, Any]

CLUSTER = ("10.0.0.0/8", "192.168.7.0/24", "203.0.113.64/26", "2001:db8:0:1::/64", "2001:db8:7:1::/64")
"""Pods, Services and nodes, and one network in each family that lies inside what is sold."""

_PORTS = (1, 52, 53, 54, 80, 442, 443, 444, 6443, 10250, 10255, 10256, 29_999, 30_000, 32_767, 32_768, 65_535)
PACKETS = tuple(Packet(protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in _PORTS)

DNS = {"k8s-app": "kube-dns"}
ADDRESSES = {
    "the API server's Service": ("10.96.0.1", "2001:db8:0:1:ffff::1"),
    "the API server, and a node": ("192.168.7.1", "2001:db8:0:1:eeee::1"),
    "a node": ("192.168.7.20", "2001:db8:0:1:eeee::20"),
    "metadata": ("169.254.169.254", "fd00:ec2::254"),
    "metadata by NAT64": ("64:ff9b::a9fe:a9fe",),
    "metadata as mapped IPv4": ("::ffff:169.254.169.254",),
    "a link-local address": ("169.254.20.10", "fe80::1"),
    "a private address outside of the cluster": ("172.16.9.9", "192.168.99.1", "fd12:3456::1"),
    "a public address": ("198.51.100.20", "2001:db8:ffff::1"),
    "a public address by NAT64": ("64:ff9b::c633:6414",),
    "the sold network": ("203.0.113.7", "2001:db8:7::7"),
    "the network that is asked for, not allowed": ("192.0.2.7", "2001:db8:8::7"),
    "the network that is allowed, not asked for": ("198.18.0.7", "2001:db8:9::7"),
}
SOLD = ("203.0.113.0/24", "2001:db8:7::/48")
ASKED = (*SOLD, "192.0.2.0/24", "2001:db8:8::/48")
ALLOWED = (*SOLD, "198.18.0.0/15", "2001:db8:9::/48")
HTTPS_AND_MORE = [{"port": 443}, {"port": 30_000, "endPort": 32_767, "protocol": "UDP"}]


def with_ports(*cidrs: str) -> tuple[EgressRule, ...]:
    """Rules that ask for TCP 443 and UDP 30000 to 32767 of networks."""
    return tuple(EgressRule.model_validate({"cidr": cidr, "ports": HTTPS_AND_MORE}) for cidr in cidrs)


def acme(**fields: Any) -> Tenancy:  # noqa: ANN401 - a field of any kind
    """The lease acme-train, of two namespaces."""
    return a_tenancy(**({"namespaces": ("lease-acme-train", "lease-acme-train-staging")} | fields))


def another(name: str, tenant: str, **fields: Any) -> Tenancy:  # noqa: ANN401 - a field of any kind
    """A lease beside it."""
    return a_tenancy(lease=name, uid=f"uid-{name}", tenant=tenant, namespaces=(f"lease-{name}",), **fields)


WHOLE_INTERNET = Egress(asked(*EVERYTHING), EVERYTHING, CLUSTER)
PARTS = Egress(with_ports(*ASKED), ALLOWED, CLUSTER)
SITES: dict[str, tuple[Tenancy, ...]] = {
    "one namespace": (a_tenancy(),),
    "two namespaces": (acme(),),
    "egress of ports": (acme(egress=PARTS),),
    "egress of all ports": (acme(egress=Egress(asked(*ASKED), ALLOWED, CLUSTER)),),
    "egress to everywhere": (acme(egress=WHOLE_INTERNET),),
    "egress to everywhere, ports": (acme(egress=Egress(with_ports(*EVERYTHING), EVERYTHING, CLUSTER)),),
    "egress of which the pool allows parts": (
        acme(egress=Egress(asked(*EVERYTHING), ("203.0.113.0/25", "198.51.100.0/24", "2001:db8:7::/49"), CLUSTER)),
    ),
    "egress that is allowed and not asked for": (acme(egress=Egress((), EVERYTHING, CLUSTER)),),
    "egress that is no longer allowed": (acme(egress=Egress(asked(*EVERYTHING), (), CLUSTER)),),
    "egress without a cluster network in IPv6": (
        acme(egress=Egress(asked(*EVERYTHING), EVERYTHING, ("10.0.0.0/8", "192.168.7.0/24"))),
    ),
    "name servers elsewhere": (acme(dns_namespace="names", dns_labels={"app": "coredns", "tier": "dns"}),),
    "suspended": (acme(admits_pods=False, grants_access=False),),
    "a cluster policy as well": (acme(egress=PARTS, has_cluster_policies=True),),
    "two leases of one tenant": (acme(egress=PARTS), another("acme-batch", "acme")),
    "leases of three tenants": (
        acme(),
        another("globex", "globex", egress=WHOLE_INTERNET),
        another("initech", "initech", dns_namespace="names", dns_labels={"app": "coredns", "tier": "dns"}),
    ),
}


@dataclass(frozen=True)
class Site:
    """Leases, the policies that the operator renders for them, and everybody around."""

    leases: Leases
    policies: list[Raw]
    peers: tuple[Peer, ...]


def site(tenancies: Sequence[Tenancy]) -> Site:
    """What the operator makes of these leases, and who is there."""
    leases = {namespace: tenancy for tenancy in tenancies for namespace in tenancy.namespaces}
    policies = [
        manifest for tenancy in tenancies for manifest in render(tenancy).guards if manifest["kind"] == "NetworkPolicy"
    ]
    return Site(leases, policies, (*_with_addresses(tuple(_pods(tenancies))), *_addresses()))


def _pods(tenancies: Sequence[Tenancy]) -> Iterator[tuple[Raw, str, Raw]]:
    """(namespace, name, labels) of each pod: of the leases, of the owner's, and of those who dress up as either."""
    for tenancy in tenancies:
        for namespace in render(tenancy).namespaces:
            yield namespace["metadata"], "worker", {"app": "worker"}
            yield namespace["metadata"], "named like DNS", {**DNS, "app": "coredns", "tier": "dns"}
    first = tenancies[0].labels
    kube_system = _namespace("kube-system")
    names = _namespace("names")
    yield kube_system, "dns", {**DNS, "pod-template-hash": "1"}
    yield kube_system, "something else", {"k8s-app": "kube-dns-autoscaler"}
    yield names, "dns", {"app": "coredns", "tier": "dns"}
    yield names, "half of the labels", {"app": "coredns", "tier": "web"}
    yield names, "the other half", {"app": "web", "tier": "dns"}
    yield _namespace("default"), "of the owner", {"app": "worker"}
    yield _namespace("default"), "named like DNS", {**DNS, "app": "coredns", "tier": "dns"}
    yield _namespace("default"), "named like the lease", {"app": "worker", **first}
    yield _namespace("sublet-system"), "operator", {"app.kubernetes.io/name": "sublet"}
    # The UID alone says whose a namespace is: admission keeps this label to the operator, and names are used again.
    earlier = {**first, "sublet.dev/lease-uid": "uid-of-an-earlier-one"}
    yield _namespace("lease-earlier", earlier), "of an earlier lease of the name", {"app": "worker"}
    yield _namespace("kube-system-2", {"sublet.dev/lease": tenancies[0].lease}), "named like DNS", DNS


def _namespace(name: str, labels: Raw | None = None) -> Raw:
    return {"name": name, "labels": labels or {}}


def _with_addresses(pods: Sequence[tuple[Raw, str, Raw]]) -> Iterator[Peer]:
    """Each pod with an address in either family."""
    for number, (namespace, name, labels) in enumerate(pods, start=1):
        for address in (f"10.1.0.{number}", f"2001:db8:0:1::{number:x}"):
            # The API server writes the first label, and no one else can.
            known = {"kubernetes.io/metadata.name": namespace["name"], **namespace["labels"]}
            yield Peer(f"{namespace['name']}/{name}", ip_address(address), namespace["name"], known, labels)


def _addresses() -> Iterator[Peer]:
    """The addresses with a name, and the edges of all networks that are sold, closed, or closed by NAT64."""
    named = {ip_address(address): name for name, given in ADDRESSES.items() for address in given}
    yield from (an_address(name, address) for address, name in named.items())
    networks = {*ASKED, *ALLOWED, *NEVER, *CLUSTER, "::/16", "fd00:ec2::/32", "203.0.113.0/25", "2001:db8:7::/49"}
    networks |= {_by_nat64(cidr) for cidr in (*NEVER, *CLUSTER) if isinstance(ip_network(cidr), IPv4Network)}
    for address in sorted({*edges(tuple(networks))} - set(named), key=lambda each: (each.version, each)):
        yield an_address("an edge", address)


def _by_nat64(cidr: str) -> str:
    """The IPv6 network in which NAT64 reaches an IPv4 network (RFC 6052)."""
    network = ip_network(cidr)
    prefix = int(IPv6Address("64:ff9b::"))
    return str(IPv6Network((prefix + int(network[0]), 96 + network.prefixlen)))
