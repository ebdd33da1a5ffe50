"""Arithmetic of networks, and the ones that are closed to every tenant whatever a pool allows."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network, summarize_address_range
from typing import Final, TypeAlias

Range: TypeAlias = IPv4Network | IPv6Network
"""All addresses of one network."""

_ALWAYS_CLOSED: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # Linux takes 0.0.0.0 for the host itself
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, with the metadata service of nearly every cloud
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # the host agent of Azure, which hands out a node's configuration
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/16",  # the host itself, and IPv4 in other clothes; alone, the API server would not take ::ffff:0:0/96
        "fd00:42::42/128",  # metadata of Scaleway
        "fd00:c1::a9fe:a9fe/128",  # metadata of Oracle Cloud
        "fd00:ec2::/32",  # metadata, pod identity and more of AWS
        "fd20:ce::254/128",  # metadata of Google Cloud
        "fe80::/10",
        "ff00::/8",
    )
)
"""The host itself, its link, multicast, and the services that tell a node's secrets to whoever asks from it."""

_EVERYTHING: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))

_TRANSLATED: Final = int(IPv6Network("64:ff9b::/96").network_address)
"""The prefix under which NAT64 reaches IPv4 (RFC 6052)."""


def closed(cluster: Iterable[str]) -> tuple[Range, ...]:
    """What no tenant may reach, given the cluster's own networks: sorted, and none inside another.

    A closed IPv4 network is closed under its NAT64 name too: a translator would lead to the same hosts.
    """
    ranges = (*_ALWAYS_CLOSED, *map(ip_network, cluster))
    return merged((*ranges, *(_translated(each) for each in ranges if isinstance(each, IPv4Network))))


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same addresses in the fewest ranges, IPv4 first, each family sorted."""
    given = tuple(ranges)
    return (
        *collapse_addresses(each for each in given if isinstance(each, IPv4Network)),
        *collapse_addresses(each for each in given if isinstance(each, IPv6Network)),
    )


def outside(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Every address of both families that lies in none of the ranges, as `merged` gives it."""
    held = merged(ranges)
    return tuple(gap for whole in _EVERYTHING for gap in _gaps(whole, (each for each in held if lies_in(each, whole))))


def _gaps(whole: Range, held: Iterable[Range]) -> Iterator[Range]:
    """What a sorted row of ranges, none of which holds another, leaves of the whole."""
    address, first = type(whole[0]), int(whole[0])
    for each in held:
        if first < int(each[0]):
            yield from summarize_address_range(address(first), address(int(each[0]) - 1))
        first = int(each[-1]) + 1
    if first <= int(whole[-1]):
        yield from summarize_address_range(address(first), whole[-1])


def lies_in(inner: Range, outer: Range) -> bool:
    """Whether every address of `inner` is one of `outer`; addresses of different families never are."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def common(asked: Range, allowed: Iterable[Range]) -> tuple[Range, ...]:
    """The addresses of `asked` that are allowed. Of two networks one holds the other, or they share nothing."""
    known = tuple(allowed)
    if any(lies_in(asked, each) for each in known):
        return (asked,)
    return merged(each for each in known if lies_in(each, asked))


def _translated(network: IPv4Network) -> IPv6Network:
    return IPv6Network((_TRANSLATED + int(network.network_address), 96 + network.prefixlen))
