"""Who dials and is dialled: pods of two tenants, of the owner and of the system, the cluster itself, the rest.

They are the peers of the truth table (tests/flows), with the addresses that they really have.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from hack import cluster as clusters
from hack.cluster import components, realnodes
from tests.conftest import Tool
from tests.flows.contract import Packet, Peer, an_address
from tests.flows.sites import ADDRESSES, DNS, PACKETS
from tests.nodes.workloads import pod

Raw = dict[str, Any]
Send = Callable[[str, str], str]

REAL = tuple(packet for packet in PACKETS if packet.protocol != "SCTP")
PORTS = sorted({packet.port for packet in REAL})
NAMES = (Packet("UDP", 53), Packet("TCP", 53))
NODES = ("real-000", "real-001")
TOLERANT = [{"operator": "Exists"}]
# Not what the kernel keeps to itself, what a translator would have to be there for, or what the real cluster has.
BEYOND = tuple(
    (name, ip_address(address))
    for name, addresses in ADDRESSES.items()
    for address in addresses
    if "NAT64" not in name and "mapped" not in name and "node" not in name and "Service" not in name
    if not address.startswith("fe80:")
)


@dataclass(frozen=True, eq=False)
class End:
    """One end of flows.

    Attributes:
        peer: Who it is to policies.
        packets: What is answered there.
        place: What it shares with itself at its address of the other family.
        node: Where it runs, or which node it is; empty beyond them.
        virtual: Whether it is the address of a Service, which nodes alone translate.
        send: Given the arguments and the stdin of the tenant program, run it there; None where nothing is sent from.
    """

    peer: Peer
    packets: tuple[Packet, ...]
    place: str
    node: str = ""
    virtual: bool = False
    send: Send | None = None


@dataclass(frozen=True)
class Placed:
    """A pod that listens at all ports."""

    tool: Tool
    namespace: str
    name: str
    labels: Raw
    node: str

    def manifest(self, **spec: Any) -> str:  # noqa: ANN401 - a field of any kind
        """The pod, as JSON."""
        made = json.loads(pod(self.name, "listen", ",".join(map(str, PORTS)), terminationGracePeriodSeconds=1, **spec))
        made["metadata"]["labels"] = self.labels
        return json.dumps(made)

    def send(self, arguments: str, stdin: str) -> str:
        """Run the tenant program in it."""
        inside = ("exec", "-i", "--namespace", self.namespace, self.name, "--", "/tenant")
        return self.tool(*inside, *arguments.split(), input=stdin).stdout


OWNERS: tuple[tuple[str, str, Raw], ...] = (
    ("kube-system", "dns", DNS),
    ("kube-system", "something-else", {"k8s-app": "kube-dns-autoscaler"}),
    ("default", "of-the-owner", {"app": "worker"}),
    ("default", "named-like-dns", DNS),
    ("sublet-system", "operator", {"app.kubernetes.io/name": "sublet"}),
    ("kube-system-2", "named-like-dns", DNS),
)


def owners(kubectl: Tool) -> Iterator[Placed]:
    """Run a pod of each kind on either node; they tolerate that it is leased."""
    kubectl("create", "namespace", "kube-system-2")
    for namespace, name, labels in OWNERS:
        for node in NODES:
            one = Placed(kubectl, namespace, f"{name}-{node}", labels, node)
            # Never Ready: so none is a name server behind the Service of those that are.
            apart: Raw = {"readinessGates": [{"conditionType": "example.com/never"}]} if labels == DNS else {}
            made = one.manifest(nodeName=node, tolerations=TOLERANT, **apart)
            kubectl("create", "--namespace", namespace, "-f", "-", input=made)
            yield one


def tenants(tool: Tool, namespaces: Sequence[str], node: str) -> Iterator[Placed]:
    """Run two pods in each namespace of a lease, one with a Service and one dressed up as a name server."""
    for namespace in namespaces:
        for name, labels in (("worker", {"app": "worker"}), ("named-like-dns", {**DNS, "app": "coredns"})):
            one = Placed(tool, namespace, name, labels, node)
            tool("create", "--namespace", namespace, "-f", "-", input=one.manifest())
            yield one
        spec = {"selector": {"app": "worker"}, "ports": [{"port": 80}], "ipFamilyPolicy": "PreferDualStack"}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "worker"}, "spec": spec}
        tool("create", "--namespace", namespace, "-f", "-", input=json.dumps(service))


def of_pods(kubectl: Tool, placed: Sequence[Placed]) -> Iterator[End]:
    """Their ends, with the addresses that they have by now, and those of the cluster's name servers."""
    senders = {(each.namespace, each.name): each.send for each in placed}
    namespaces = json.loads(kubectl("get", "namespaces", "-o", "json").stdout)["items"]
    around = {each["metadata"]["name"]: each["metadata"]["labels"] for each in namespaces}
    for service in json.loads(kubectl("get", "services", "--all-namespaces", "-o", "json").stdout)["items"]:
        yield from _by_service(service, {(each.namespace, each.name): each for each in placed}, around)
    for found in json.loads(kubectl("get", "pods", "--all-namespaces", "-o", "json").stdout)["items"]:
        meta, node = found["metadata"], found["spec"]["nodeName"]
        own = (meta["namespace"], meta["name"])
        if own in senders or meta["name"].startswith("coredns"):
            for each in found["status"]["podIPs"]:
                name, labels = "/".join(own), around[meta["namespace"]]
                peer = Peer(name, ip_address(each["ip"]), meta["namespace"], labels, meta["labels"])
                yield End(peer, REAL if own in senders else NAMES, name, node, send=senders.get(own))


def _by_service(service: Raw, placed: Mapping[tuple[str, str], Placed], around: Mapping[str, Raw]) -> Iterator[End]:
    """What stands behind a Service at its addresses: the name servers, or the pod after which it is called."""
    meta, spec = service["metadata"], service["spec"]
    names = meta["name"] == "kube-dns"
    one = placed.get((meta["namespace"], meta["name"]))
    if names or one:
        for address in spec["clusterIPs"]:
            labels = one.labels if one else DNS
            name = f"{meta['namespace']}/{meta['name']}"
            peer = Peer(
                f"{name} by its Service", ip_address(address), meta["namespace"], around[meta["namespace"]], labels
            )
            yield End(peer, NAMES if names else (Packet("TCP", 80),), name, one.node if one else "", virtual=True)


def of_the_cluster(cluster: clusters.Cluster) -> Iterator[End]:
    """The API server, by its Service too, and the kubelets; nodes send as well."""
    server = urlsplit(cluster.server)
    assert server.hostname
    assert server.port
    yield End(an_address("the API server", server.hostname), (Packet("TCP", server.port),), "server")
    yield End(
        an_address("the API server's Service", components.SERVICE_IP), (Packet("TCP", 443),), "server", virtual=True
    )
    for node in realnodes.plan_of(cluster.state).nodes:
        for address in node.addresses:
            sends = _sender(cluster, node.name)
            yield End(an_address(node.name, address), (Packet("TCP", 10250),), node.name, node.name, send=sends)


def beyond(cluster: clusters.Cluster) -> Iterator[End]:
    """What is listened at outside of the cluster, from where pods are dialled as well."""
    realnodes.make_outside(cluster.state, [address for _, address in BEYOND], PORTS)
    for name, address in BEYOND:
        yield End(an_address(name, address), REAL, "outside", send=_sender(cluster, "outside"))


def _sender(cluster: clusters.Cluster, node: str) -> Send:
    program = str(cluster.bin / "tenant")

    def send(arguments: str, stdin: str) -> str:
        return realnodes.run(cluster.state, node, program, *arguments.split(), stdin=stdin)

    return send
