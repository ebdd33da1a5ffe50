"""What a lease may ask to reach, and what a pool must name before it may allow that."""

from typing import Any

import pytest

from sublet.policy import pools
from sublet.policy.chain import Input
from sublet.policy.network import egress_is_allowed
from sublet.policy.rules import judge
from tests.builders import NOON, a_lease, a_pool

CLUSTER = ["10.0.0.0/8", "2001:db8:0:1::/64"]
POOL = {"egress": ["203.0.113.0/24", "2001:db8::/32"], "cluster_cidrs": CLUSTER}
OPEN = {"egress": ["0.0.0.0/0", "::/0"], "cluster_cidrs": CLUSTER}


def message(isolation: dict[str, Any], *cidrs: str) -> str | None:
    """What is said to a lease that asks for networks; None if it may have them."""
    lease = a_lease(network={"egress": [{"cidr": cidr} for cidr in cidrs]})
    verdict = judge(Input(lease, a_pool(isolation=isolation), 8, 4, {}, NOON))
    assert verdict is None or verdict.reason == "NotOffered"
    return None if verdict is None else verdict.message


@pytest.mark.parametrize(
    ("isolation", "cidrs"),
    [
        ({}, []),
        (POOL, []),
        (POOL, ["203.0.113.0/24", "203.0.113.7/32", "2001:db8::/32", "2001:db8:ff::/48"]),
        (OPEN, ["0.0.0.0/0", "::/0"]),
        (OPEN, ["8.0.0.0/5"]),
        (OPEN, ["2001:db8::/32"]),
    ],
    ids=["nothing", "none of it", "parts", "the internet", "around the cluster", "around it in IPv6"],
)
def test_what_lies_within_the_pool_can_be_had(isolation: dict[str, Any], cidrs: list[str]) -> None:
    """A network may be asked for whole or in part, also if a closed one lies inside it."""
    assert message(isolation, *cidrs) is None


@pytest.mark.parametrize("asked", ["10.0.0.0/8", "203.0.112.0/23", "0.0.0.0/0", "::/0", "2001:db9::/32", "cb00::/8"])
def test_what_the_pool_does_not_allow_is_refused(asked: str) -> None:
    """The field, the network and what could be asked for are named; IPv4 is never taken for IPv6."""
    assert message(POOL, asked) == (
        f"spec.network.egress[0].cidr: {asked} is not within what the pool allows; "
        "ask for a part of 203.0.113.0/24, 2001:db8::/32"
    )


def test_the_rule_at_fault_is_named() -> None:
    """The index is that of the first network that cannot be had."""
    said = message(POOL, "203.0.113.0/25", "198.51.100.0/24", "0.0.0.0/0")
    assert said is not None
    assert said.startswith("spec.network.egress[1].cidr: 198.51.100.0/24 is not within")


def test_a_pool_without_egress_says_so() -> None:
    """The tenant hears that there is no network to ask for."""
    assert message({}, "203.0.113.0/24") == (
        "spec.network.egress[0].cidr: 203.0.113.0/24 is not within what the pool allows; "
        "it allows no way out but DNS, so remove spec.network.egress or ask for another pool"
    )


def test_a_long_list_is_cut() -> None:
    """A pool with many networks does not make a message that nobody reads."""
    said = message(
        {"egress": [f"2001:db8:{number:x}:ffff::/64" for number in range(0xF000, 0xF020)], "cluster_cidrs": CLUSTER},
        "2001:db8::/32",
    )
    assert said is not None
    assert said.endswith("2001:db8:f006:ffff::/64, 2001:db8:f007:ffff::/64 or 24 more")
    assert len(said) < 400


@pytest.mark.parametrize(
    ("asked", "around"),
    [
        ("10.96.0.1/32", "10.0.0.0/8"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8:0:1::5/128", "2001:db8:0:1::/64"),
        ("169.254.169.254/32", "169.254.0.0/16"),
        ("168.63.129.16/32", "168.63.129.16/32"),
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("224.0.0.1/32", "224.0.0.0/4"),
        ("fe80::/64", "fe80::/10"),
        ("::1/128", "::/16"),
        ("fd00:ec2::254/128", "fd00:ec2::/32"),
        ("ff02::/16", "ff00::/8"),
        ("64:ff9b::a00:0/104", "64:ff9b::a00:0/104"),
        ("64:ff9b::a9fe:a9fe/128", "64:ff9b::a9fe:0/112"),
    ],
)
def test_what_is_closed_cannot_be_asked_for(asked: str, around: str) -> None:
    """A network that is closed altogether is refused, rather than sold and never opened."""
    assert message(OPEN, asked) == (
        f"spec.network.egress[0].cidr: {asked} lies in {around}, "
        "which is closed to tenants whatever the pool allows; remove it"
    )


def test_a_lease_without_a_network_is_not_looked_at() -> None:
    """Most leases ask for nothing."""
    assert egress_is_allowed(Input(a_lease(), a_pool(), 8, 4, {}, NOON)) is None


@pytest.mark.parametrize(
    ("egress", "cluster"),
    [
        ([], []),
        ([], CLUSTER),
        (["0.0.0.0/0"], ["10.0.0.0/8"]),
        (["::/0"], ["2001:db8:0:1::/64"]),
        (["0.0.0.0/0", "::/0"], CLUSTER),
    ],
)
def test_a_pool_that_names_its_cluster_may_sell_egress(egress: list[str], cluster: list[str]) -> None:
    """In each family in which something is sold, the cluster's networks are named."""
    assert pools.judge(a_pool(isolation={"egress": egress, "cluster_cidrs": cluster}), {}) is None


@pytest.mark.parametrize(
    ("egress", "cluster", "said"),
    [
        (
            ["203.0.113.0/24"],
            [],
            (
                "name the networks of pods, Services and nodes before egress is sold; "
                "without them a tenant that may reach 0.0.0.0/0 reaches the cluster"
            ),
        ),
        (
            ["0.0.0.0/0", "::/0"],
            ["10.0.0.0/8"],
            (
                "name the IPv6 networks of pods, Services and nodes too, or take ::/0 out of spec.isolation.egress; "
                "without them a tenant may reach the cluster over IPv6"
            ),
        ),
        (
            ["0.0.0.0/0"],
            ["2001:db8:0:1::/64"],
            (
                "name the IPv4 networks of pods, Services and nodes too, or take 0.0.0.0/0 out of "
                "spec.isolation.egress; without them a tenant may reach the cluster over IPv4"
            ),
        ),
    ],
)
def test_a_pool_that_would_open_the_cluster_is_not_accepted(egress: list[str], cluster: list[str], said: str) -> None:
    """What nobody names could not be cut out, so nothing is sold until somebody does."""
    objection = pools.judge(a_pool(isolation={"egress": egress, "cluster_cidrs": cluster}), {})
    assert objection is not None
    assert (objection.reason, objection.message) == ("InvalidSpec", f"spec.isolation.clusterCIDRs: {said}")
