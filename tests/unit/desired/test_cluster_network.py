"""What the ClusterNetworkPolicy decides, packet by packet, as a network plugin reads it: first match, top down."""

from ipaddress import IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sublet.api.network import EgressRule
from sublet.desired import cluster_network
from sublet.desired.tenancy import Egress
from tests.builders import a_tenancy
from tests.unit.desired.test_network import (
    CLUSTER,
    EVERYTHING,
    LANDMARKS,
    NEVER,
    Address,
    addresses,
    asked,
    edges,
    is_open,
    lies,
    several,
    ways_out,
)

Raw = dict[str, Any]

UID = "uid-acme-train"
OWN = {"kubernetes.io/metadata.name": "lease-acme-train", "sublet.dev/lease-uid": UID}
EARLIER = {"kubernetes.io/metadata.name": "lease-acme-train", "sublet.dev/lease-uid": "uid-of-an-earlier-one"}
OTHER = {"kubernetes.io/metadata.name": "lease-other", "sublet.dev/lease-uid": "uid-other"}
KUBE_SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
DNS = {"k8s-app": "kube-dns", "pod-template-hash": "1"}


NOTHING_SOLD = Egress()


def spec(egress: Egress = NOTHING_SOLD, **fields: object) -> Raw:
    """What the policy of a lease says."""
    (policy,) = cluster_network.manifests(a_tenancy(egress=egress, has_cluster_policies=True, **fields))
    found: Raw = policy["spec"]
    return found


def selects(selector: Raw, labels: Raw) -> bool:
    """Whether a label selector selects something with these labels."""
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "In"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def is_peer(peer: Raw, namespace: Raw | None, pod: Raw, address: Address | None) -> bool:
    """Whether a rule's peer is that pod of a namespace, or that address; a pod may have an address as well."""
    ((field, value),) = peer.items()
    match field:
        case "namespaces":
            return namespace is not None and selects(value, namespace)
        case "pods":
            inside = namespace is not None and selects(value["namespaceSelector"], namespace)
            return inside and selects(value["podSelector"], pod)
        case "networks":
            return address is not None and lies(address, value)
        case _:
            raise AssertionError(f"a peer of the standard channel is none of these: {field}")


def decision(
    rules: list[Raw],
    namespace: Raw | None = None,
    pod: Raw | None = None,
    address: Address | None = None,
    port: tuple[str, int] = ("tcp", 443),
) -> str:
    """The action of the first rule that matches; `none` if no rule does."""
    for rule in rules:
        protocols = rule.get("protocols")
        reaches = protocols is None or {port[0]: {"destinationPort": {"number": port[1]}}} in protocols
        peers = rule.get("to") or rule["from"]
        if reaches and any(is_peer(peer, namespace, pod or {}, address) for peer in peers):
            return str(rule["action"])
    return "none"


def test_there_is_none_where_its_kind_is_not_served() -> None:
    assert cluster_network.manifests(a_tenancy()) == []


def test_it_stands_above_all_others_and_holds_every_namespace_of_the_lease() -> None:
    """Its subject goes by names, which no one can change; a lease of another name is another object."""
    namespaces = ("lease-acme-train", "lease-acme-train-staging")
    (policy,) = cluster_network.manifests(a_tenancy(namespaces=namespaces, has_cluster_policies=True))
    assert policy["metadata"] == {
        "name": "lease-acme-train",
        "labels": {"sublet.dev/lease": "acme-train", "sublet.dev/lease-uid": UID},
    }
    assert (policy["spec"]["tier"], policy["spec"]["priority"]) == ("Admin", 0)
    subject = policy["spec"]["subject"]["namespaces"]
    assert [
        selects(subject, {"kubernetes.io/metadata.name": name}) for name in (*namespaces, "lease-acme-train-x")
    ] == [
        True,
        True,
        False,
    ]


@given(wanted=several, allowed=several, cluster=several)
def test_nothing_is_ever_accepted(wanted: tuple[str, ...], allowed: tuple[str, ...], cluster: tuple[str, ...]) -> None:
    """An Accept would be final, and the namespaces' own policies would not be asked."""
    found = spec(Egress(asked(*wanted), allowed, cluster))
    assert {rule["action"] for rule in (*found["ingress"], *found["egress"])} <= {"Pass", "Deny"}


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [(OWN, "Pass"), (EARLIER, "Deny"), (OTHER, "Deny"), (KUBE_SYSTEM, "Deny"), ({}, "Deny")],
    ids=["own", "an earlier lease of the name", "another lease", "kube-system", "without labels"],
)
def test_pods_of_the_lease_alone_come_in_and_are_reached(namespace: Raw, expected: str) -> None:
    """Every other pod is denied in both directions, also one whose address lies in a network that was sold."""
    sold = ip_address("203.0.113.7")
    found = spec(Egress(asked("203.0.113.0/24"), EVERYTHING, CLUSTER))
    assert decision(found["ingress"], namespace, address=sold) == expected
    assert decision(found["egress"], namespace, address=sold) == expected


@pytest.mark.parametrize(
    ("namespace", "pod", "port", "expected"),
    [
        (KUBE_SYSTEM, DNS, ("udp", 53), "Pass"),
        (KUBE_SYSTEM, DNS, ("tcp", 53), "Pass"),
        (KUBE_SYSTEM, DNS, ("tcp", 9153), "Deny"),
        (KUBE_SYSTEM, DNS, ("sctp", 53), "Deny"),
        (KUBE_SYSTEM, {"k8s-app": "other"}, ("udp", 53), "Deny"),
        (OTHER, DNS, ("udp", 53), "Deny"),
    ],
    ids=["udp", "tcp", "another port", "another protocol", "another pod", "pod of a tenant with DNS' labels"],
)
def test_of_the_clusters_pods_dns_alone_is_reached(
    namespace: Raw, pod: Raw, port: tuple[str, int], expected: str
) -> None:
    """The pods that the pool names, at their port 53; they come before the networks of the cluster, which hold them."""
    rules = spec(Egress((), (), CLUSTER))["egress"]
    assert decision(rules, namespace, pod, ip_address("10.0.0.10"), port) == expected


def test_dns_may_have_several_labels_and_another_namespace() -> None:
    """All of its labels count, so that a pod with one of them is not taken for it."""
    labels = {"app": "coredns", "tier": "tenants"}
    rules = spec(dns_namespace="dns-system", dns_labels=labels)["egress"]
    there = {"kubernetes.io/metadata.name": "dns-system"}
    assert decision(rules, there, labels, port=("udp", 53)) == "Pass"
    assert decision(rules, there, {"app": "coredns"}, port=("udp", 53)) == "Deny"


@given(wanted=several, allowed=several, cluster=several, more=st.lists(addresses, max_size=5))
@example(wanted=(), allowed=EVERYTHING, cluster=CLUSTER, more=[])
@example(wanted=EVERYTHING, allowed=EVERYTHING, cluster=CLUSTER, more=[])
@example(wanted=("203.0.113.0/24",), allowed=EVERYTHING, cluster=CLUSTER, more=[])
@example(wanted=("255.255.255.0/24", "0.0.0.0/8"), allowed=EVERYTHING, cluster=CLUSTER, more=[])
def test_an_address_is_denied_if_and_only_if_the_network_policies_open_it_nowhere(
    wanted: tuple[str, ...], allowed: tuple[str, ...], cluster: tuple[str, ...], more: list[Address]
) -> None:
    """Both barriers say the same; what was sold matches no rule, so that what the owner denies to all still counts."""
    egress = Egress(asked(*wanted), allowed, cluster)
    rules, opened = spec(egress)["egress"], ways_out(egress)
    for address in {*edges((*wanted, *allowed, *cluster, *NEVER)), *map(ip_address, LANDMARKS), *more}:
        expected = "none" if is_open(address, opened) else "Deny"
        assert decision(rules, address=address) == expected, address


def test_ports_are_left_to_the_network_policies() -> None:
    """A network that was sold at one port is no rule here at any."""
    rule = EgressRule.model_validate({"cidr": "203.0.113.0/24", "ports": [{"port": 443}]})
    rules = spec(Egress((rule,), EVERYTHING, CLUSTER))["egress"]
    assert {decision(rules, address=ip_address("203.0.113.7"), port=("tcp", port)) for port in (443, 22)} == {"none"}


def widest() -> Egress:
    """The egress that parts the addresses into the most networks: single addresses, far from each other."""
    step = 2**128 // 64
    single = [f"{IPv6Address(number * step + 2**97 + number)}/128" for number in range(64)]
    cluster = tuple(f"10.{number}.0.0/17" for number in range(0, 62, 2))
    # Of an asked and an allowed network, the one that lies in the other is opened.
    return Egress(asked("::/1", *single[32:63]), (*single[:31], "8000::/1"), (*cluster, "2001:db8:0:1::/64"))


def test_the_widest_policy_keeps_to_the_limits_of_its_kind() -> None:
    """At most 25 rules, peers of a rule and networks of a peer; every network stands there once."""
    rules = spec(widest())["egress"]
    networks = [network for rule in rules for peer in rule["to"] for network in peer.get("networks", ())]
    assert len(set(networks)) == len(networks) > 7000
    assert len(rules) <= 25
    assert all(1 <= len(rule["to"]) <= 25 for rule in rules)
    assert all(1 <= len(peer["networks"]) <= 25 for rule in rules for peer in rule["to"] if "networks" in peer)
