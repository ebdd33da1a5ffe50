"""What the policies that select a pod let through, in one direction."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from hack.cluster.policies.selectors import Pod, Raw, selects

Network = IPv4Network | IPv6Network

RULES = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}


class Ports(NamedTuple):
    """Ports of a protocol, from the first to the last."""

    protocol: str
    first: int = 0
    last: int = 65_535


class Opening(NamedTuple):
    """What may pass: packets from or to these networks but not these, at these ports; None stands for all there are."""

    networks: tuple[Network, ...] | None
    closed: tuple[Network, ...]
    ports: Ports | None


class _Peer(NamedTuple):
    """The other end of a rule: networks, and the pods in them, of which a rule may name ports."""

    networks: tuple[Network, ...] | None
    closed: tuple[Network, ...]
    pods: tuple[Pod, ...]


def openings(pod: Pod, direction: str, policies: Iterable[Raw], pods: Sequence[Pod]) -> list[Opening] | None:
    """What may pass to (`Ingress`) or from (`Egress`) a pod; None where no policy selects it in that direction."""
    selecting = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    if not selecting:
        return None
    rules, peers = RULES[direction]
    return [
        opening
        for spec in selecting
        for rule in spec.get(rules) or ()
        for peer in _peers(rule.get(peers), pod.namespace, pods)
        for opening in _opened(peer, rule.get("ports"), pod if direction == "Ingress" else None)
    ]


def _peers(peers: Sequence[Raw] | None, namespace: str, pods: Sequence[Pod]) -> Iterator[_Peer]:
    if not peers:
        yield _Peer(None, (), tuple(pods))
    for peer in peers or ():
        if "ipBlock" in peer:
            network = ip_network(peer["ipBlock"]["cidr"])
            closed = tuple(ip_network(each) for each in peer["ipBlock"].get("except") or ())
            inside = (pod for pod in pods if any(each in network for each in pod.addresses))
            yield _Peer((network,), closed, tuple(inside))
        else:
            meant = tuple(pod for pod in pods if _means(peer, namespace, pod))
            yield _Peer(_addresses(meant), (), meant)


def _means(peer: Raw, namespace: str, pod: Pod) -> bool:
    """Whether selectors mean a pod; without one for namespaces, those of the policy's own."""
    around = peer.get("namespaceSelector")
    place = pod.namespace == namespace if around is None else selects(around, pod.around)
    return place and selects(peer.get("podSelector") or {}, pod.labels)


def _opened(peer: _Peer, ports: Sequence[Raw] | None, receiver: Pod | None) -> Iterator[Opening]:
    """What a rule opens; a port that is named is that of the receiver, or of each of the peer's pods."""
    if not ports:
        yield Opening(peer.networks, peer.closed, None)
    for each in ports or ():
        protocol, port = each.get("protocol", "TCP"), each.get("port")
        if port is None:
            yield Opening(peer.networks, peer.closed, Ports(protocol))
        elif isinstance(port, int):
            yield Opening(peer.networks, peer.closed, Ports(protocol, port, each.get("endPort", port)))
        elif receiver:
            for number in _numbers(receiver, port, protocol):
                yield Opening(peer.networks, peer.closed, Ports(protocol, number, number))
        else:
            for pod in peer.pods:
                for number in _numbers(pod, port, protocol):
                    inside = tuple(own for own in _addresses((pod,)) if peer.networks is None or _lies(own, peer))
                    yield Opening(inside, peer.closed, Ports(protocol, number, number))


def _lies(own: Network, peer: _Peer) -> bool:
    return any(own.network_address in network for network in peer.networks or ())


def _numbers(pod: Pod, name: str, protocol: str) -> list[int]:
    return [port.number for port in pod.ports if (port.name, port.protocol) == (name, protocol)]


def _addresses(pods: Iterable[Pod]) -> tuple[Network, ...]:
    return tuple(ip_network(address) for pod in pods for address in pod.addresses)
