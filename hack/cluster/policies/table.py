"""The table of a node, as `nft -f` reads it: what comes from its pods and what goes to them.

It filters what is forwarded, after kube-proxy has put a pod's address in the place of a Service's, and what pods send
to the node itself. What the node sends to its pods, as a kubelet does to probe them, is let through, as NetworkPolicy
has it. What comes from or goes to an address that is no known pod's is dropped: a pod is cut off until it is known,
and the agent knows it no sooner than its policies.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import collapse_addresses

from hack.cluster.policies.rules import Network, Opening, openings
from hack.cluster.policies.selectors import Address, Pod, Raw

NAME = "sublet-test-policies"
FAMILIES = {4: "ip", 6: "ip6"}
ENDS = {"Ingress": ("in", "saddr", "daddr"), "Egress": ("out", "daddr", "saddr")}
"""By direction: the name of its chains, where its packets have the other end, and where they have the pod."""

BASE = """\
chain own-addresses {
    type filter hook prerouting priority raw;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "veth*" fib saddr . iif oif missing drop
}
chain forwarded {
    type filter hook forward priority filter + 10;
    ct state established,related accept
    jump to-itself
    iifname "veth*" jump out
    oifname "veth*" jump in
}
chain to-the-node {
    type filter hook input priority filter + 10;
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "veth*" jump out
}"""


def table(node: str, pods: Sequence[Pod], policies: Sequence[Raw]) -> str:
    """What replaces the node's table at once, whatever it was."""
    own = sorted((pod for pod in pods if pod.node == node), key=lambda pod: (pod.namespace, pod.name))
    chains = [BASE, _chain("to-itself", _to_itself(own))]
    for direction, (name, _, place) in ENDS.items():
        verdicts: dict[Address, str] = {}
        for number, pod in enumerate(own):
            found = openings(pod, direction, policies, pods)
            verdicts |= dict.fromkeys(pod.addresses, "return" if found is None else f"goto {name}-{number}")
            if found is not None:
                # A comment cannot end early: names of namespaces and pods have no quotation marks.
                lines = [f'comment "{pod.namespace}/{pod.name}"', *_opened(found, direction), "drop"]
                chains.append(_chain(f"{name}-{number}", lines))
        chains.append(_chain(name, [*_verdicts(place, verdicts), "drop"]))
    body = "\n".join(chains)
    # Named once so that it can be deleted, there or not.
    return f"table inet {NAME}\ndelete table inet {NAME}\ntable inet {NAME} {{\n{body}\n}}\n"


def _chain(name: str, lines: Iterable[str]) -> str:
    return "\n".join([f"chain {name} {{", *(f"    {line}" for line in lines), "}"])


def _to_itself(pods: Iterable[Pod]) -> Iterator[str]:
    """No policy cuts a pod off from itself, as when it is the only one behind a Service that it asks."""
    for address in (address for pod in pods for address in pod.addresses):
        family = FAMILIES[address.version]
        yield f"{family} saddr {address} {family} daddr {address} accept"


def _verdicts(place: str, verdicts: Mapping[Address, str]) -> Iterator[str]:
    for version, family in FAMILIES.items():
        if found := [f"{address} : {verdict}" for address, verdict in verdicts.items() if address.version == version]:
            yield f"{family} {place} vmap {{ {', '.join(found)} }}"


def _opened(found: Iterable[Opening], direction: str) -> Iterator[str]:
    """A line for each opening and family; it leads back to where the pod at the other end has its say."""
    _, place, _ = ENDS[direction]
    for opening in dict.fromkeys(found):
        ports = _ports(opening)
        if opening.networks is None:
            yield f"{ports}return".strip()
            continue
        for version, family in FAMILIES.items():
            if networks := _set(opening.networks, version):
                closed = _set(opening.closed, version)
                but = f"{family} {place} != {closed} " if closed else ""
                yield f"{family} {place} {networks} {but}{ports}return"


def _ports(opening: Opening) -> str:
    if opening.ports is None:
        return ""
    protocol, first, last = opening.ports
    return f"{protocol.lower()} dport {first}-{last} "


def _set(networks: Iterable[Network], version: int) -> str:
    """An anonymous set of those of a family, in which nothing overlaps; empty where there are none."""
    merged = collapse_addresses(network for network in networks if network.version == version)  # type: ignore[type-var]
    found = ", ".join(str(network) for network in merged)
    return f"{{ {found} }}" if found else ""
