"""NetworkPolicies: nothing in; out only inside the lease, to the cluster's DNS, and where egress was sold.

What stays closed is cut out of each opened network: the cluster's own networks and what no tenant ever reaches. The
API server's addresses are cluster addresses too, and the owner names them with the others. Where the cluster can,
`cluster_network` closes the same once more, above all NetworkPolicies.
"""

from ipaddress import ip_network
from typing import Any

from sublet.api import ranges
from sublet.api.network import EgressRule, Port, Protocol
from sublet.api.ranges import Range
from sublet.desired import naming
from sublet.desired.tenancy import Egress, Tenancy

DNS_PORTS = (Port(protocol=Protocol.UDP, port=53), Port(protocol=Protocol.TCP, port=53))


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """A default deny in both directions, and what is allowed beside it, in each namespace.

    Policies add up, so the deny stays in force whatever becomes of the second one.
    """
    return [
        manifest
        for namespace in tenancy.namespaces
        for manifest in (
            # Empty rather than left out: so a rule that somebody adds is ours to take away again.
            _policy(tenancy, namespace, "sublet-default-deny", {"ingress": [], "egress": []}),
            _policy(tenancy, namespace, "sublet-allow", _allowed(tenancy)),
        )
    ]


def _policy(tenancy: Tenancy, namespace: str, name: str, rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": tenancy.labels},
        # Both directions are named: a direction that is not named is open.
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], **rules},
    }


def _allowed(tenancy: Tenancy) -> dict[str, Any]:
    # By UID: a later lease of the same name is another tenant's.
    inside = [{"namespaceSelector": {"matchLabels": {naming.LEASE_UID: tenancy.uid}}}]
    dns = [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenancy.dns_namespace}},
            "podSelector": {"matchLabels": dict(tenancy.dns_labels)},
        }
    ]
    return {
        "ingress": [{"from": inside}],
        "egress": [{"to": inside}, {"to": dns, "ports": _ports(DNS_PORTS)}, *_ways_out(tenancy.egress)],
    }


def opened(egress: Egress) -> list[tuple[EgressRule, list[Range]]]:
    """The networks of each rule that the lease asks for, as far as the pool allows them now.

    What is closed is not cut out of them yet. The pool may have changed since the lease was accepted. What it allows no
    longer is left out; so is a family in which it names no network of the cluster, because nothing could be cut out of
    it.
    """
    allowed = [ip_network(cidr) for cidr in egress.allowed]
    families = {ip_network(cidr).version for cidr in egress.cluster}
    return [
        (rule, [each for each in ranges.common(ip_network(rule.cidr), allowed) if each.version in families])
        for rule in egress.asked
    ]


def _ways_out(egress: Egress) -> list[dict[str, Any]]:
    closed = ranges.closed(egress.cluster)
    found = []
    for rule, networks in opened(egress):
        blocks = [_block(each, closed) for each in networks if not any(ranges.lies_in(each, shut) for shut in closed)]
        if blocks:  # a rule without destinations would open all there are
            found.append({"to": blocks, "ports": _ports(rule.ports)})
    return found


def _block(network: Range, closed: tuple[Range, ...]) -> dict[str, Any]:
    """An opened network; what is cut out must be smaller than it, or the API server refuses the whole policy."""
    inside = [str(each) for each in closed if ranges.lies_in(each, network)]
    return {"ipBlock": {"cidr": str(network), "except": inside}}


def _ports(ports: tuple[Port, ...]) -> list[dict[str, Any]]:
    # The end is named for a single port too: so one that somebody adds is ours to take away again.
    return [
        {"protocol": each.protocol.value, "port": each.port, "endPort": each.end_port or each.port} for each in ports
    ]
