"""What is measured, as data: who dials what, what must come of it, why, and what to do if it does not."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Raw = dict[str, Any]

PORT: Final = 8080
"""Where the listening pods listen, by TCP and UDP."""


class Pod(StrEnum):
    """The pods of a measurement, by their namespace and name."""

    OPEN_TARGET = "sublet-doctor-open/target"
    """Listens; no policy is about it."""
    LEASE_TARGET = "sublet-doctor-a/target"
    """Listens in the first lease."""
    OPEN_CONTROL = "sublet-doctor-open/control"
    """Dials; no policy is about it. What it cannot reach, nobody can."""
    LEASE_PEER = "sublet-doctor-a/peer"
    """Dials in the first lease."""
    TENANT = "sublet-doctor-b/tenant"
    """Dials in the second lease: the one that is kept from all the rest."""


TARGETS: Final = (Pod.OPEN_TARGET, Pod.LEASE_TARGET)
DIALLERS: Final = (Pod.OPEN_CONTROL, Pod.LEASE_PEER, Pod.TENANT)


@dataclass(frozen=True)
class Facts:
    """What is known before anybody dials.

    Attributes:
        addresses: The addresses of the listening pods.
        node: The addresses of the node that is measured.
        other_nodes: The addresses of some other nodes; none if the cluster has no others.
        word: What the listening pods answer: nobody else knows it.
    """

    addresses: Mapping[Pod, Sequence[str]]
    node: Sequence[str]
    other_nodes: Sequence[str]
    word: str


@dataclass(frozen=True)
class Check:
    """One way that must be closed, or open.

    Attributes:
        name: In one word or two, for tables.
        way: The way, as in "the way ... is open".
        by: The pod that tries it.
        control: The pod that tries the same and may.
        dials: What is dialled, each by a name of its own: the same for whoever else dials it.
        closed: Whether the way must be closed; else it must be open.
        listens: Whether something listens there for certain. If it may not, and the control does not get through
            either, nobody can be harmed; else nothing was measured.
        remedy: What to do if it is not so.
    """

    name: str
    way: str
    by: Pod
    control: Pod
    dials: Mapping[str, Raw]
    remedy: str
    closed: bool = True
    listens: bool = False


_PLUGIN: Final = (
    "the network plugin does not enforce NetworkPolicy {direction}: install one that does, or switch its enforcement on"
)
_METADATA: Final = (
    ("metadata", "from a lease to the metadata service at {}", "169.254.169.254", 80),
    ("metadata-v6", "from a lease to the metadata service at {}", "fd00:ec2::254", 80),
    ("metadata-alibaba", "from a lease to the metadata service of Alibaba Cloud at {}", "100.100.100.200", 80),
    ("metadata-azure", "from a lease to the host agent of Azure at {}", "168.63.129.16", 80),
    ("metadata-pods", "from a lease to the pod identity agent of AWS at {}", "169.254.170.23", 80),
)
_NODE_PORTS: Final = (
    ("kubelet", "the kubelet", 10250),
    ("kubelet-readonly", "the kubelet's read-only port", 10255),
    ("kube-proxy", "kube-proxy", 10256),
    ("node-exporter", "node metrics", 9100),
    ("ssh", "SSH", 22),
)
_NODE_REMEDY: Final = (
    "close the way from pods to nodes, which NetworkPolicy may leave open for a pod's own node: a host policy of the "
    "network plugin (Calico: defaultEndpointToHostAction Drop; Cilium: host firewall), or a node firewall; and name "
    "the nodes' addresses in spec.isolation.clusterCIDRs"
)
_METADATA_REMEDY: Final = (
    "the network plugin does not keep pods from link-local addresses: have it enforce egress policies for them, or "
    "block the address on the node for all that comes from pods; require session tokens with a hop limit of 1 as well"
)


def checks(facts: Facts) -> tuple[Check, ...]:
    """All checks, in the order in which they are told."""
    return (*_pairs(facts), *_metadata(), *_nodes(facts), _api_server())


def _named(dials: Iterable[Raw]) -> dict[str, Raw]:
    """Dials by short names: the answers about all of them must fit into a termination message."""
    return {_name(dial): dial for dial in dials}


def _name(dial: Raw) -> str:
    whole = "|".join(f"{key}={value}" for key, value in sorted(dial.items()))
    return hashlib.sha256(whole.encode()).hexdigest()[:6]


def _pairs(facts: Facts) -> Iterator[Check]:
    """Between pods: each direction is measured with the other one open, and then both at once."""
    both = "for ingress and egress"
    ways = (
        ("other-tenant", "from one lease to another", Pod.TENANT, Pod.LEASE_PEER, Pod.LEASE_TARGET, both),
        ("egress", "from a lease to a pod of nobody's", Pod.TENANT, Pod.OPEN_CONTROL, Pod.OPEN_TARGET, "for egress"),
        (
            "ingress",
            "from a pod of nobody's into a lease",
            Pod.OPEN_CONTROL,
            Pod.LEASE_PEER,
            Pod.LEASE_TARGET,
            "for ingress",
        ),
    )
    for name, way, by, control, target, direction in ways:
        remedy = _PLUGIN.format(direction=direction)
        yield Check(name, way, by, control, _at_pod(facts, target), remedy, listens=True)
    yield Check(
        "own-lease",
        "between pods of one lease",
        Pod.LEASE_PEER,
        Pod.LEASE_PEER,
        _at_pod(facts, Pod.LEASE_TARGET),
        "look at the network plugin of the node, and at network policies that are not Sublet's",
        closed=False,
        listens=True,
    )


def _at_pod(facts: Facts, target: Pod) -> dict[str, Raw]:
    return _named(
        {"protocol": protocol, "host": address, "port": PORT, "word": facts.word}
        for address in facts.addresses[target]
        for protocol in ("TCP", "UDP")
    )


def _metadata() -> Iterator[Check]:
    for name, way, address, port in _METADATA:
        dials = _named([{"protocol": "TCP", "host": address, "port": port}])
        yield Check(name, way.format(address), Pod.TENANT, Pod.OPEN_CONTROL, dials, _METADATA_REMEDY)


def _nodes(facts: Facts) -> Iterator[Check]:
    for whose, prefix, addresses in (("its own node", "node", facts.node), ("other nodes", "far", facts.other_nodes)):
        if not addresses:
            continue
        for name, what, port in _NODE_PORTS:
            yield Check(
                f"{prefix}-{name}",
                f"from a lease to {what} of {whose} (port {port})",
                Pod.TENANT,
                Pod.OPEN_CONTROL,
                _named({"protocol": "TCP", "host": address, "port": port} for address in addresses),
                _NODE_REMEDY,
            )


def _api_server() -> Check:
    service = {
        "protocol": "TCP",
        "environment": "KUBERNETES_SERVICE_HOST",
        "environmentPort": "KUBERNETES_SERVICE_PORT",
    }
    return Check(
        "api-server",
        "from a lease to the API server",
        Pod.TENANT,
        Pod.OPEN_CONTROL,
        _named([service]),
        "no lease may reach the API server from its pods: have the network plugin enforce egress policies, and name "
        "the API server's addresses in spec.isolation.clusterCIDRs",
        listens=True,
    )


def dials_of(pod: Pod, every: Sequence[Check]) -> dict[str, Raw]:
    """What a pod has to dial: for checks of its own, and as the control of others."""
    return {name: dial for check in every if pod in {check.by, check.control} for name, dial in check.dials.items()}
