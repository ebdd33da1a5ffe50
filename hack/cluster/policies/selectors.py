"""Label selectors, and pods as far as policies speak of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

Raw = dict[str, Any]
Address = IPv4Address | IPv6Address

ENDED = ("Succeeded", "Failed")


class NamedPort(NamedTuple):
    """A port of a container that policies may call by its name."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True)
class Pod:
    """A pod that has addresses of its own.

    Attributes:
        node: Where it runs.
        labels: Its own.
        around: The labels of its namespace.
        ports: Of all its containers.
    """

    namespace: str
    name: str
    node: str
    labels: Mapping[str, str]
    around: Mapping[str, str]
    addresses: tuple[Address, ...]
    ports: tuple[NamedPort, ...]


def known(pods: Iterable[Raw], namespaces: Iterable[Raw]) -> Iterator[Pod]:
    """The pods that run with addresses of their own, in namespaces that are known."""
    around = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces}
    for pod in pods:
        meta, spec, status = pod["metadata"], pod["spec"], pod["status"]
        addresses = tuple(ip_address(each["ip"]) for each in status.get("podIPs") or ())
        ended = status.get("phase") in ENDED
        if addresses and not ended and not spec.get("hostNetwork") and meta["namespace"] in around:
            yield Pod(
                namespace=meta["namespace"],
                name=meta["name"],
                node=spec["nodeName"],
                labels=meta.get("labels") or {},
                around=around[meta["namespace"]],
                addresses=addresses,
                ports=tuple(_ports(spec)),
            )


def _ports(spec: Raw) -> Iterator[NamedPort]:
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        for port in container.get("ports") or ():
            if "name" in port:
                yield NamedPort(port["name"], port.get("protocol", "TCP"), port["containerPort"])


def selects(selector: Raw, labels: Mapping[str, str]) -> bool:
    """Whether a label selector means what has these labels; an empty one means everything."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    return wanted.items() <= labels.items() and all(_holds(each, labels) for each in expressions)


def _holds(expression: Raw, labels: Mapping[str, str]) -> bool:
    key: str = expression["key"]
    operator: str = expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    if operator in ("In", "NotIn"):
        values: Sequence[str] = expression["values"]
        return (labels.get(key) in values) == (operator == "In")
    raise ValueError(f"a label selector with the operator {operator!r}")
