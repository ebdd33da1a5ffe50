"""Arithmetic of networks: what lies outside of some, to the address."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest

from sublet.api import ranges


@pytest.mark.parametrize(
    ("given", "outside"),
    [
        ([], ["0.0.0.0/0", "::/0"]),
        (["0.0.0.0/0", "::/0"], []),
        (["0.0.0.0/1", "::/0"], ["128.0.0.0/1"]),
        (["128.0.0.0/1", "::/0"], ["0.0.0.0/1"]),
        (["::/0", "64.0.0.0/2", "80.0.0.0/8", "192.0.0.0/2"], ["0.0.0.0/2", "128.0.0.0/2"]),
        (["0.0.0.0/0", "::/1", "8000::/2"], ["c000::/2"]),
        (["0.0.0.0/0", *(str(net) for net in IPv6Network("::/0").address_exclude(IPv6Network("::/128")))], ["::/128"]),
        (
            [
                "::/0",
                *(str(net) for net in IPv4Network("0.0.0.0/0").address_exclude(IPv4Network("255.255.255.255/32"))),
            ],
            ["255.255.255.255/32"],
        ),
    ],
    ids=["none", "all", "below", "above", "between", "IPv6", "the first address", "the last address"],
)
def test_what_lies_outside(given: list[str], outside: list[str]) -> None:
    """Both families count, ranges may nest and touch, and neither end is lost."""
    assert [str(each) for each in ranges.outside(map(ip_network, given))] == outside
