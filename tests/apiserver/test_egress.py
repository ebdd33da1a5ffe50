"""Egress on a real API server: what was sold is open, what is closed is cut out, and it stays so."""

import json
from typing import Any

import pytest

from sublet.cluster import kinds
from sublet.errors import InvalidError
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

CLUSTER = ["10.0.0.0/8", "198.51.100.7/32", "2001:db8:0:1::/64"]
OPEN: Raw = {"isolation": {"egress": ["0.0.0.0/0", "::/0"], "clusterCIDRs": CLUSTER}}
NARROW: Raw = {"isolation": {"egress": ["203.0.113.0/24", "2001:db8::/32"], "clusterCIDRs": CLUSTER}}

ASKED: list[Raw] = [
    {"cidr": "0.0.0.0/0", "ports": [{"port": 443}, {"port": 30_000, "endPort": 32_767, "protocol": "UDP"}]},
    {"cidr": "::/0"},
    {"cidr": "203.0.113.0/24"},
]
CUT_OUT_OF_IPV4 = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.100.100.200/32", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
    *("198.51.100.7/32", "224.0.0.0/4", "255.255.255.255/32"),
)
OPENED = [
    {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": list(CUT_OUT_OF_IPV4)}}],
        "ports": [
            {"protocol": "TCP", "port": 443, "endPort": 443},
            {"protocol": "UDP", "port": 30_000, "endPort": 32_767},
        ],
    },
    {
        "to": [
            {
                "ipBlock": {
                    "cidr": "::/0",
                    "except": [
                        *("::/16", "64:ff9b::/104", "64:ff9b::a00:0/104", "64:ff9b::6464:64c8/128"),
                        *("64:ff9b::7f00:0/104", "64:ff9b::a83f:8110/128", "64:ff9b::a9fe:0/112"),
                        *("64:ff9b::c633:6407/128", "64:ff9b::e000:0/100", "64:ff9b::ffff:ffff/128"),
                        *("2001:db8:0:1::/64", "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128", "fd00:ec2::/32"),
                        *("fd20:ce::254/128", "fe80::/10", "ff00::/8"),
                    ],
                }
            }
        ]
    },
    {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]},
]


async def opened(site: Site, namespace: str) -> list[Raw]:
    """What the lease may reach beside itself and DNS, as the API server keeps it."""
    policy = await site.find(kinds.NETWORK_POLICY, "sublet-allow", namespace)
    if policy is None:
        return []
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    rules: list[Raw] = policy["spec"]["egress"][2:]
    return rules


async def opens(site: Site, namespace: str, rules: list[Raw], what: str) -> None:
    """Wait until the lease may reach just that."""

    async def look() -> bool:
        return await opened(site, namespace) == rules

    await eventually(look, what)


async def test_a_lease_reaches_what_it_asked_for_and_nothing_closed(site: Site) -> None:
    """The server takes the policy as it is meant, in every namespace of the lease."""
    await site.pool(nodes=2, **OPEN)
    await site.lease("a", namespaces=["staging"], network={"egress": ASKED})

    for namespace in (await site.reach("a", "Active"))["status"]["namespaces"]:
        assert await opened(site, namespace) == OPENED
        deny = await site.admin.get(kinds.NETWORK_POLICY, "sublet-default-deny", namespace)
        assert "egress" not in deny["spec"]


@pytest.mark.parametrize(
    ("pool", "asked", "message"),
    [
        (NARROW, "10.0.0.0/8", "is not within what the pool allows; ask for a part of 203.0.113.0/24, 2001:db8::/32"),
        (
            OPEN,
            "169.254.169.254/32",
            "lies in 169.254.0.0/16, which is closed to tenants whatever the pool allows; remove it",
        ),
    ],
    ids=["more than the pool allows", "metadata"],
)
async def test_a_lease_that_asks_for_more_is_refused(site: Site, pool: Raw, asked: str, message: str) -> None:
    """The sentence names the field, the network and what could be had, and nothing is made."""
    await site.pool(nodes=2, **pool)
    await site.lease("a", network={"egress": [{"cidr": asked}]})

    refused = await site.reach("a", "Refused")

    assert refused["status"]["message"] == f"spec.network.egress[0].cidr: {asked} {message}"
    assert await site.find(kinds.NAMESPACE, f"lease-{site.name('a')}") is None


async def test_a_refused_lease_is_had_once_it_asks_for_less(site: Site) -> None:
    """Until it is accepted, the tenant may correct what it asks to reach."""
    await site.pool(nodes=2, **NARROW)
    await site.lease("a", network={"egress": [{"cidr": "203.0.112.0/23"}]})
    await site.reach("a", "Refused")

    await site.edit("a", network={"egress": [{"cidr": "203.0.113.0/24"}]})

    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    assert await opened(site, namespace) == [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]


@pytest.mark.parametrize("network", [{"egress": [{"cidr": "0.0.0.0/0"}]}, None], ids=["more", "nothing"])
async def test_what_an_accepted_lease_reaches_cannot_be_edited(site: Site, network: Raw | None) -> None:
    """What was agreed stays: the server refuses the edit, and the policy is as before."""
    await site.pool(nodes=2, **NARROW)
    await site.lease("a", network={"egress": [{"cidr": "203.0.113.0/24"}]})
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]

    with pytest.raises(InvalidError, match=r"spec\.network cannot change once the lease is accepted"):
        await site.edit("a", network=network)

    assert await opened(site, namespace) == [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]


@pytest.mark.parametrize(
    "damage",
    [
        {"op": "remove", "path": "/spec/egress/2/to/0/ipBlock/except"},
        {"op": "remove", "path": "/spec/egress/2/to/0/ipBlock/except/1"},
        {"op": "replace", "path": "/spec/egress/2/to/0/ipBlock/except/1", "value": "10.0.0.0/9"},
        {"op": "replace", "path": "/spec/egress/2/ports/0/endPort", "value": 65_535},
        {"op": "add", "path": "/spec/egress/1/ports/0/endPort", "value": 65_535},
        {"op": "remove", "path": "/spec/egress/2/ports"},
        {"op": "remove", "path": "/spec/egress/4/to"},
        {"op": "replace", "path": "/spec/egress/4/to/0/ipBlock/cidr", "value": "203.0.112.0/23"},
    ],
    ids=lambda damage: f"{damage['op']} {damage['path'].removeprefix('/spec/egress/')}",
)
async def test_what_is_opened_by_hand_is_closed_again(site: Site, kubectl: Tool, damage: Raw) -> None:
    """Exceptions, ports and networks are ours: whoever widens one finds it as before."""
    await site.pool(nodes=2, **OPEN)
    await site.lease("a", network={"egress": ASKED})
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    before = (await site.admin.get(kinds.NETWORK_POLICY, "sublet-allow", namespace))["spec"]

    kubectl("patch", "networkpolicy", "sublet-allow", "-n", namespace, "--type=json", "-p", json.dumps([damage]))

    async def as_before() -> bool:
        policy = await site.find(kinds.NETWORK_POLICY, "sublet-allow", namespace)
        return policy is not None and policy["spec"] == before

    await eventually(as_before, "the policy is as before")


async def test_what_the_owner_closes_is_closed_for_running_leases(site: Site) -> None:
    """A network that joins the cluster is cut out at once, and what is allowed no longer goes."""
    await site.pool(nodes=2, **NARROW)
    await site.lease("a", network={"egress": [{"cidr": "203.0.113.0/24"}, {"cidr": "2001:db8:7::/48"}]})
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    other = {"to": [{"ipBlock": {"cidr": "2001:db8:7::/48"}}]}

    async def isolate(**isolation: list[str]) -> None:
        await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"isolation": isolation}})

    await isolate(clusterCIDRs=[*CLUSTER, "203.0.113.64/26"])
    cut = {"to": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.64/26"]}}]}
    await opens(site, namespace, [cut, other], "a new network of the cluster is cut out")

    await isolate(egress=["203.0.113.0/25", "2001:db8::/32"])
    cut = {"to": [{"ipBlock": {"cidr": "203.0.113.0/25", "except": ["203.0.113.64/26"]}}]}
    await opens(site, namespace, [cut, other], "half of the network is allowed no longer")

    await isolate(clusterCIDRs=["10.0.0.0/8", "203.0.113.0/24"])
    await opens(site, namespace, [], "one network is the cluster's, and of the other family none is named")


async def test_a_pool_that_would_open_the_cluster_sells_nothing(site: Site) -> None:
    """Egress without the cluster's networks is refused, for owner and tenant to read."""
    pool: Raw = {"isolation": {"egress": ["0.0.0.0/0"]}}
    await site.pool(nodes=2, **pool)
    await site.lease("a")

    refused = await site.reach("a", "Refused")

    assert refused["status"]["message"] == (
        f"spec.pool: the pool {site.prefix} is not accepted: spec.isolation.clusterCIDRs: "
        "name the networks of pods, Services and nodes before egress is sold; "
        "without them a tenant that may reach 0.0.0.0/0 reaches the cluster"
    )
