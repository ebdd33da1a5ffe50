"""What the NetworkPolicies open, address by address: exactly what was asked for, is allowed and is not closed."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sublet.api.network import EgressRule
from sublet.desired import network
from sublet.desired.tenancy import Egress
from tests.builders import a_tenancy

Address: TypeAlias = IPv4Address | IPv6Address

NEVER = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "224.0.0.0/4"),
    *("255.255.255.255/32", "::/128", "::1/128", "::ffff:0:0/96", "fe80::/10", "ff00::/8"),
    *("fd00:42::42/128", "fd00:c1::a9fe:a9fe/128", "fd00:ec2::254/128", "fd20:ce::254/128"),
)
CLUSTER = ("10.0.0.0/8", "192.168.7.0/24", "2001:db8:0:1::/64")
EVERYTHING = ("0.0.0.0/0", "::/0")

# Addresses that lie in each other's networks often enough for the prefixes drawn to nest, to touch and to miss.
LANDMARKS = (
    *("10.0.0.0", "10.96.0.1", "10.255.255.255", "11.0.0.1", "127.0.0.1", "169.254.169.254", "203.0.113.7"),
    *("0.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::cb00:7107"),
    *("2001:db8::1", "2001:db8:0:1::1", "2001:db8:ffff::", "fd00:ec2::254", "fe80::a9fe:a9fe", "ff02::1"),
)


def around(address: str, length: int) -> str:
    """The network of an address with a prefix of that length, which begins anew beyond the longest."""
    most = ip_address(address).max_prefixlen
    return str(ip_network(f"{address}/{length % (most + 1)}", strict=False))


networks = st.one_of(
    st.builds(around, st.sampled_from(LANDMARKS), st.integers(0, 128)),
    st.sampled_from((*NEVER, *CLUSTER, *EVERYTHING)),
)
several = st.lists(networks, max_size=5).map(tuple)
addresses = st.one_of(
    st.sampled_from([ip_address(text) for text in LANDMARKS]), st.ip_addresses(v=4), st.ip_addresses(v=6)
)


def asked(*cidrs: str) -> tuple[EgressRule, ...]:
    """Rules that ask for whole networks."""
    return tuple(EgressRule(cidr=cidr) for cidr in cidrs)


def ways_out(egress: Egress) -> list[dict[str, Any]]:
    """The rules of the second policy beside those for the lease itself and for DNS."""
    deny, allow = network.manifests(a_tenancy(egress=egress))
    assert deny["spec"]["egress"] == []
    rules: list[dict[str, Any]] = allow["spec"]["egress"][2:]
    return rules


def blocks(rules: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The address blocks of all rules."""
    return (peer["ipBlock"] for rule in rules for peer in rule["to"])


def lies(address: Address, cidrs: Iterator[str] | tuple[str, ...] | list[str]) -> bool:
    """Whether an address lies in one of the networks; never in one of the other family."""
    return any(address in ip_network(cidr) for cidr in cidrs)


def is_open(address: Address, rules: list[dict[str, Any]]) -> bool:
    """Whether a packet may go there, as a network plugin reads the policy."""
    return any(lies(address, [block["cidr"]]) and not lies(address, block["except"]) for block in blocks(rules))


def is_closed(address: Address, cluster: tuple[str, ...]) -> bool:
    """Whether no tenant may ever reach the address, by this name or by the one that NAT64 gives it."""
    if isinstance(address, IPv6Address) and address in ip_network("64:ff9b::/96"):
        return lies(address, (*NEVER, *cluster)) or is_closed(IPv4Address(int(address) & 0xFFFF_FFFF), cluster)
    return lies(address, (*NEVER, *cluster, "::/16", "fd00:ec2::/32"))


def edges(cidrs: tuple[str, ...]) -> Iterator[Address]:
    """The first and the last address of each network, and those just outside."""
    for found in map(ip_network, cidrs):
        for number in (int(found[0]) - 1, int(found[0]), int(found[-1]), int(found[-1]) + 1):
            if 0 <= number < 2**found.max_prefixlen:
                yield type(found[0])(number)


@given(wanted=several, allowed=several, cluster=several, more=st.lists(addresses, max_size=5))
@example(wanted=EVERYTHING, allowed=EVERYTHING, cluster=CLUSTER, more=[])
@example(wanted=("10.0.0.0/8",), allowed=EVERYTHING, cluster=("10.0.0.0/9", "10.128.0.0/9"), more=[])
@example(wanted=("0.0.0.0/0",), allowed=("0.0.0.0/1", "128.0.0.0/1"), cluster=CLUSTER, more=[])
def test_exactly_what_is_asked_allowed_and_not_closed_is_open(
    wanted: tuple[str, ...], allowed: tuple[str, ...], cluster: tuple[str, ...], more: list[Address]
) -> None:
    """Of every family: an address is open if and only if lease, pool and the closed networks agree on it."""
    rules = ways_out(Egress(asked(*wanted), allowed, cluster))
    families = {ip_network(cidr).version for cidr in cluster}
    for address in {*edges((*wanted, *allowed, *cluster, *NEVER)), *map(ip_address, LANDMARKS), *more}:
        agreed = lies(address, wanted) and lies(address, allowed) and not is_closed(address, cluster)
        assert is_open(address, rules) == (agreed and address.version in families), address


@given(wanted=several, allowed=several, cluster=several)
@example(wanted=EVERYTHING, allowed=EVERYTHING, cluster=CLUSTER)
@example(wanted=("169.254.0.0/16",), allowed=EVERYTHING, cluster=CLUSTER)
def test_the_api_server_can_take_every_policy(
    wanted: tuple[str, ...], allowed: tuple[str, ...], cluster: tuple[str, ...]
) -> None:
    """Exceptions are strictly inside their block, sorted and apart, and no rule is without a destination.

    No network begins with an IPv4-mapped address, which a server refuses in either place.
    """
    egress = Egress(asked(*wanted), allowed, cluster)
    rules = ways_out(egress)
    assert all(rule["to"] for rule in rules)
    for block in blocks(rules):
        around_it: Any = ip_network(block["cidr"])
        cut: list[Any] = [ip_network(each) for each in block["except"]]
        assert all(each.subnet_of(around_it) and each != around_it for each in cut)
        assert all(getattr(each[0], "ipv4_mapped", None) is None for each in (around_it, *cut))
        assert all(before[-1] < after[0] for before, after in pairwise(cut))
    assert ways_out(egress) == rules


def test_closed_networks_are_cut_out_of_an_open_one() -> None:
    """Exceptions are those that lie inside, and a cluster network inside a closed one is not repeated."""
    egress = Egress(asked("100.0.0.0/6"), ("0.0.0.0/0",), ("100.64.0.0/10", "100.64.7.0/24", "10.0.0.0/8"))
    assert ways_out(egress) == [
        {"to": [{"ipBlock": {"cidr": "100.0.0.0/6", "except": ["100.64.0.0/10"]}}], "ports": []}
    ]


@pytest.mark.parametrize(
    ("port", "written"),
    [
        ({"port": 443}, {"protocol": "TCP", "port": 443, "endPort": 443}),
        ({"port": 80, "end_port": 90}, {"protocol": "TCP", "port": 80, "endPort": 90}),
        ({"port": 53, "protocol": "UDP"}, {"protocol": "UDP", "port": 53, "endPort": 53}),
        ({"port": 7, "protocol": "SCTP"}, {"protocol": "SCTP", "port": 7, "endPort": 7}),
    ],
)
def test_a_port_is_written_whole(port: dict[str, Any], written: dict[str, Any]) -> None:
    """Protocol and end are given also where the server would add them, so that neither can be changed unseen."""
    rule = EgressRule.model_validate({"cidr": "203.0.113.0/24", "ports": [port]})
    assert ways_out(Egress((rule,), ("203.0.113.0/24",), CLUSTER))[0]["ports"] == [written]


@pytest.mark.parametrize(
    "egress",
    [
        Egress(),
        Egress((), EVERYTHING, CLUSTER),
        Egress(asked("203.0.113.0/24"), (), CLUSTER),
        Egress(asked("203.0.113.0/24"), EVERYTHING, ()),
        Egress(asked("2001:db8::/32"), EVERYTHING, ("10.0.0.0/8",)),
        Egress(asked("203.0.113.0/24"), EVERYTHING, ("203.0.112.0/20",)),
        Egress(asked("203.0.113.0/24"), EVERYTHING, ("203.0.113.0/24",)),
    ],
    ids=["nothing", "not asked", "not allowed", "no cluster", "no IPv6 of the cluster", "closed", "just closed"],
)
def test_what_cannot_be_opened_leaves_no_rule(egress: Egress) -> None:
    """A pool that changed under a running lease closes it; a rule without destinations would open everything."""
    assert ways_out(egress) == []


def test_a_pool_that_allows_less_than_before_leaves_the_rest() -> None:
    """Of what was asked for, that part stays open which the pool still allows."""
    egress = Egress(asked("203.0.113.0/24"), ("203.0.113.128/25", "203.0.113.0/26", "198.51.100.0/24"), CLUSTER)
    assert [block["cidr"] for block in blocks(ways_out(egress))] == ["203.0.113.0/26", "203.0.113.128/25"]
