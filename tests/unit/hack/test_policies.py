"""What the agent's table lets through; upstream's suite and the packets of tests/nodes judge the agent itself."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from hack.cluster.policies import selectors
from hack.cluster.policies.rules import Opening, Ports, openings
from hack.cluster.policies.selectors import NamedPort, Pod
from hack.cluster.policies.table import table

Raw = dict[str, Any]

WEB = NamedPort("web", "TCP", 8080)


def a_pod(name: str, address: str, *more: str, node: str = "one", namespace: str = "a", port: NamedPort = WEB) -> Pod:
    """A pod labelled with its name, in a namespace that is labelled so too."""
    addresses = tuple(ip_address(each) for each in (address, *more))
    return Pod(namespace, name, node, {"app": name}, {"name": namespace}, addresses, (port,))


CLIENT = a_pod("client", "10.1.0.1", "fd00::1")
SERVER = a_pod("server", "10.1.0.2", "fd00::2")
FOREIGN = a_pod("client", "10.2.0.1", node="two", namespace="b", port=NamedPort("web", "TCP", 9090))
PODS = (CLIENT, SERVER, FOREIGN)


def a_policy(direction: str, *rules: Raw, selector: Raw | None = None) -> Raw:
    """A policy in the namespace a."""
    spec = {"podSelector": selector or {}, "policyTypes": [direction], direction.lower(): list(rules)}
    return {"metadata": {"namespace": "a"}, "spec": spec}


def test_who_is_not_selected_is_not_isolated() -> None:
    """By the namespace, by the labels or by the direction."""
    policy = a_policy("Ingress", selector={"matchLabels": {"app": "server"}})
    assert openings(SERVER, "Ingress", [policy], PODS) == []
    assert openings(SERVER, "Egress", [policy], PODS) is None
    assert openings(CLIENT, "Ingress", [policy], PODS) is None
    assert openings(FOREIGN, "Ingress", [a_policy("Ingress")], PODS) is None


@pytest.mark.parametrize(
    ("peer", "addresses"),
    [
        ({"podSelector": {"matchLabels": {"app": "client"}}}, ["10.1.0.1/32", "fd00::1/128"]),
        ({"namespaceSelector": {"matchLabels": {"name": "b"}}}, ["10.2.0.1/32"]),
        (
            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "client"}}},
            ["10.1.0.1/32", "fd00::1/128", "10.2.0.1/32"],
        ),
        ({"podSelector": {"matchLabels": {"app": "nobody"}}}, []),
    ],
)
def test_selectors_stand_for_the_addresses_of_pods(peer: Raw, addresses: list[str]) -> None:
    """Without a selector of namespaces, of those in the policy's own."""
    found = openings(SERVER, "Ingress", [a_policy("Ingress", {"from": [peer]})], PODS)
    assert found == [Opening(tuple(map(ip_network, addresses)), (), None)]


def test_a_named_port_is_that_of_whoever_receives() -> None:
    """Going in it is the pod's own; going out each peer may have another."""
    named: Raw = {"ports": [{"port": "web", "protocol": "TCP"}]}
    assert openings(SERVER, "Ingress", [a_policy("Ingress", named)], PODS) == [
        Opening(None, (), Ports("TCP", 8080, 8080))
    ]
    assert openings(SERVER, "Egress", [a_policy("Egress", named)], (CLIENT, FOREIGN)) == [
        Opening((ip_network("10.1.0.1/32"), ip_network("fd00::1/128")), (), Ports("TCP", 8080, 8080)),
        Opening((ip_network("10.2.0.1/32"),), (), Ports("TCP", 9090, 9090)),
    ]
    udp: Raw = {"ports": [{"port": "web", "protocol": "UDP"}]}
    assert openings(SERVER, "Ingress", [a_policy("Ingress", udp)], PODS) == []


def test_the_table_drops_whom_it_does_not_know() -> None:
    """Pods of other nodes are no concern of it; who is known and not isolated has its say elsewhere."""
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.1.2.0/24"]}}
    ports = [{"port": 80, "endPort": 90, "protocol": "TCP"}, {"protocol": "SCTP"}]
    of_client: Raw = {"matchLabels": {"app": "client"}}
    text = table("one", PODS, [a_policy("Egress", {"to": [block], "ports": ports}, selector=of_client)])
    assert "10.2.0.1" not in text
    for lines in (
        (
            "    ip saddr vmap { 10.1.0.1 : goto out-0, 10.1.0.2 : return }\n"
            "    ip6 saddr vmap { fd00::1 : goto out-0, fd00::2 : return }\n"
            "    drop\n"
        ),
        (
            "    ip daddr { 10.0.0.0/8 } ip daddr != { 10.1.0.0/16 } tcp dport 80-90 return\n"
            "    ip daddr { 10.0.0.0/8 } ip daddr != { 10.1.0.0/16 } sctp dport 0-65535 return\n"
            "    drop\n"
        ),
    ):
        assert lines in text
    assert "drop" in table("one", (), [])


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "app", "operator": "In", "values": ["web"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "tier", "operator": "DoesNotExist"}, True),
    ],
)
def test_expressions_of_selectors(expression: Raw, holds: bool) -> None:  # noqa: FBT001
    """What lacks a label has none of its values."""
    assert selectors.selects({"matchExpressions": [expression]}, {"app": "web"}) == holds


def test_a_pod_is_known_while_it_runs_with_addresses_of_its_own() -> None:
    """Neither before it has any, nor once it ended, nor with those of its node, nor in a namespace that is not read."""

    def pod(**changes: Raw) -> Raw:
        whole: Raw = {
            "metadata": {"namespace": "a", "name": "one"},
            "spec": {"nodeName": "one", "containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.1.0.1"}]},
        }
        return {part: content | changes.get(part, {}) for part, content in whole.items()}

    namespaces = [{"metadata": {"name": "a"}}]
    (found,) = selectors.known([pod()], namespaces)
    assert (found.addresses, found.ports) == ((ip_address("10.1.0.1"),), (WEB,))
    unknown = [
        pod(status={"podIPs": []}),
        pod(status={"phase": "Failed"}),
        pod(spec={"hostNetwork": True}),
        pod(metadata={"namespace": "b"}),
    ]
    assert list(selectors.known(unknown, namespaces)) == []
