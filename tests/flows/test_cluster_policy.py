"""What the ClusterNetworkPolicies deny, over the same peers: all that is not sold, and nothing that is.

No engine that reads the kind was found as a Go module, so the reader is this project's own, of the unit tests.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sublet.desired.render import render
from sublet.desired.tenancy import Tenancy
from tests.flows.contract import Leases, Packet, Peer, may_pass
from tests.flows.engine import sentence, table
from tests.flows.sites import SITES, site
from tests.unit.desired.test_cluster_network import decision, selects

Raw = dict[str, Any]

PACKETS = (Packet("UDP", 53), Packet("TCP", 53), Packet("SCTP", 53), Packet("TCP", 443), Packet("UDP", 30_000))
"""Few, since the kind knows no port but that of DNS here."""

MOST_SENTENCES = 20


def is_left(source: Peer, destination: Peer, packet: Packet, leases: Leases) -> bool:
    """What is sold; ports of sold networks, and what comes from no pod, are the NetworkPolicies' part."""
    if destination.namespace in leases and not source.namespace:
        return True
    if source.namespace in leases and not destination.namespace:
        return any(may_pass(source, destination, each, leases) for each in PACKETS)
    return may_pass(source, destination, packet, leases)


def is_denied(policies: Sequence[Raw], source: Peer, destination: Peer, packet: Packet) -> bool:
    """Whether a policy of either end denies the packet."""
    port = (packet.protocol.lower(), packet.port)

    def denies(subject: Peer, direction: str, other: Peer) -> bool:
        namespace = dict(other.namespace_labels) if other.namespace else None
        return any(
            decision(policy["spec"][direction], namespace, dict(other.labels), other.address, port) == "Deny"
            for policy in policies
            if selects(policy["spec"]["subject"]["namespaces"], dict(subject.namespace_labels))
        )

    return denies(source, "egress", destination) or denies(destination, "ingress", source)


@pytest.mark.parametrize("tenancies", SITES.values(), ids=SITES)
def test_it_denies_what_is_not_sold_and_nothing_else(tenancies: tuple[Tenancy, ...]) -> None:
    with_policies = [replace(each, has_cluster_policies=True) for each in tenancies]
    around = site(with_policies)
    policies = [
        manifest
        for tenancy in with_policies
        for manifest in render(tenancy).guards
        if manifest["kind"] == "ClusterNetworkPolicy"
    ]
    assert len(policies) == len(tenancies)
    judged = table(around.peers, around.leases, is_left, packets=PACKETS)
    found = [
        sentence(judged, cell, expected=expected)
        for cell, expected in zip(judged.cells, judged.expected, strict=True)
        if is_denied(policies, judged.peers[cell.source], judged.peers[cell.destination], cell.packet) == expected
    ]
    assert not found, "\n".join([f"{len(found)} of {len(judged.cells)} cells:", *found[:MOST_SENTENCES]])
