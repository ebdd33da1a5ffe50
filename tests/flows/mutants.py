"""Every small change of a policy's rules: what is written is taken away, widened by one or narrowed by one."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from ipaddress import ip_network
from typing import Any

Raw = dict[str, Any]
Path = tuple[str | int, ...]

_DIRECTIONS = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}


def mutants(policy: Raw) -> Iterator[tuple[str, Raw]]:
    """What was changed, and the changed policy."""
    spec = policy["spec"]
    for where, what, change in _changes(spec):
        changed = deepcopy(policy)
        place: Any = changed["spec"]
        for step in where[:-1]:
            place = place[step]
        change(place, where[-1])
        yield f"{policy['metadata']['name']}: {'.'.join(map(str, where))} {what}", changed


Change = Callable[[Any, Any], None]


def _remove(place: Any, key: Any) -> None:  # noqa: ANN401 - a list or an object
    del place[key]


def _set(value: object) -> Change:
    def change(place: Any, key: Any) -> None:  # noqa: ANN401 - a list or an object
        place[key] = value

    return change


def _changes(spec: Raw) -> Iterator[tuple[Path, str, Change]]:
    yield ("podSelector",), "selects others", _set({"matchLabels": {"app": "another"}})
    for number, direction in enumerate(spec["policyTypes"]):
        yield ("policyTypes", number), f"({direction}) is gone", _remove
        rules, peers = _DIRECTIONS[direction]
        yield (rules,), "opens everything", _set([{}])
        for place, rule in enumerate(spec[rules]):
            where: Path = (rules, place)
            yield where, "is gone", _remove
            yield (*where, peers), "is gone", _remove
            yield from _changes_of_peers((*where, peers), rule[peers])
            if rule.get("ports"):
                yield (*where, "ports"), "is gone", _remove
                yield from _changes_of_ports((*where, "ports"), rule["ports"])


def _changes_of_peers(where: Path, peers: list[Raw]) -> Iterator[tuple[Path, str, Change]]:
    for number, peer in enumerate(peers):
        if len(peers) > 1:  # without its last one a rule opens everything, which is tried already
            yield (*where, number), "is gone", _remove
        for selector in peer.keys() & {"namespaceSelector", "podSelector"}:
            for label in peer[selector]["matchLabels"]:
                yield (*where, number, selector, "matchLabels", label), "is gone", _remove
                yield (*where, number, selector, "matchLabels", label), "is another", _set("another")
        if "podSelector" in peer:
            yield (*where, number, "podSelector"), "is gone", _remove
            yield (*where, number, "namespaceSelector"), "is gone", _remove
        if "ipBlock" in peer:
            yield from _changes_of_block((*where, number, "ipBlock"), peer["ipBlock"])


def _changes_of_block(where: Path, block: Raw) -> Iterator[tuple[Path, str, Change]]:
    network = ip_network(block["cidr"])
    for half in network.subnets():
        yield (*where, "cidr"), f"is {half}", _set(str(half))
    if network.prefixlen:
        yield (*where, "cidr"), f"is {network.supernet()}", _set(str(network.supernet()))
    for number, cut in enumerate(block["except"]):
        yield (*where, "except", number), f"({cut}) is gone", _remove
        shut = ip_network(cut)
        yield (*where, "except", number), f"is {shut.supernet()}", _set(str(shut.supernet()))
        if shut.prefixlen < shut.max_prefixlen:
            for half in shut.subnets():
                yield (*where, "except", number), f"is {half}", _set(str(half))


def _changes_of_ports(where: Path, ports: list[Raw]) -> Iterator[tuple[Path, str, Change]]:
    for number, port in enumerate(ports):
        first, last = port["port"], port["endPort"]
        if len(ports) > 1:
            yield (*where, number), "is gone", _remove
        for protocol in ("TCP", "UDP", "SCTP"):
            if protocol != port["protocol"]:
                yield (*where, number, "protocol"), f"is {protocol}", _set(protocol)
        yield (*where, number, "port"), f"is {first - 1}", _set(first - 1)
        yield (*where, number, "endPort"), f"is {last + 1}", _set(last + 1)
        if first < last:
            yield (*where, number, "port"), f"is {first + 1}", _set(first + 1)
            yield (*where, number, "endPort"), f"is {last - 1}", _set(last - 1)
