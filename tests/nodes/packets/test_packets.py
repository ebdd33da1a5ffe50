"""Every pair of the truth table is dialled for real, and so is what is forbidden in a pod's first two seconds."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, components, realnodes
from sublet.api.network import EgressRule
from sublet.cluster import kinds
from sublet.desired.tenancy import Egress, Tenancy
from tests.apiserver.site import eventually
from tests.builders import a_tenancy
from tests.conftest import Tool
from tests.flows.contract import Packet, Peer, may_pass
from tests.flows.engine import Cell, Table, ask, sentence
from tests.flows.sites import SOLD, with_ports
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.packets import ends as who
from tests.nodes.packets.dials import dialled, passing, target
from tests.nodes.packets.ends import End, Placed
from tests.nodes.packets.enforcement import nothing_enforced
from tests.nodes.workloads import pod
from tests.unit.desired.test_network import EVERYTHING, asked

Raw = dict[str, Any]

GLOBEX = {"name": "globex", "subjects": [{"kind": "User", "name": "bob@globex.example"}]}
MOST_SENTENCES = 20
RUSHES = 4


@pytest.fixture(scope="module")
def owned(kubectl: Tool) -> list[Placed]:
    """The owner's and the system's pods."""
    return list(who.owners(kubectl))


@pytest.fixture(scope="module")
def outside(cluster: clusters.Cluster) -> list[End]:
    """What lies beyond the cluster."""
    return list(who.beyond(cluster))


def own_networks(cluster: clusters.Cluster) -> tuple[str, ...]:
    """Pods, nodes, API server and Services."""
    return (*map(str, realnodes.plan_of(cluster.state).blocks), *components.SERVICE_RANGES.split(","))


async def rent(site: RealSite, lease: str, *rules: EgressRule, **spec: Any) -> Tenancy:  # noqa: ANN401
    """Lease a node with these ways out; what is sold with it."""
    egress = [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) for rule in rules]
    await site.lease(lease, nodes=1, network={"egress": egress}, **spec)
    active = await site.reach(lease, "Active")
    return a_tenancy(
        lease=site.name(lease),
        uid=active["metadata"]["uid"],
        namespaces=tuple(active["status"]["namespaces"]),
        nodes=tuple(active["status"]["nodes"]),
        egress=Egress(rules, EVERYTHING, own_networks(site.cluster)),
    )


async def sell(site: RealSite) -> None:
    """A pool that sells all ways out."""
    isolation = {"egress": EVERYTHING, "clusterCIDRs": own_networks(site.cluster)}
    await site.pool(NODES, isolation=isolation, **QUICK)


def wait_for(placed: Sequence[Placed]) -> None:
    """Wait until pods run; not all of them are ever Ready."""
    for each in placed:
        run = ("wait", "--namespace", each.namespace, f"pod/{each.name}", "--timeout=60s")
        each.tool(*run, "--for=condition=ContainersReady")


def unlike(judged: Table, passed: set[Cell]) -> list[str]:
    """A sentence for each cell that is not as expected."""
    return [
        sentence(judged, cell, expected=expected)
        for cell, expected in zip(judged.cells, judged.expected, strict=True)
        if (cell in passed) != expected
    ]


def told(found: Sequence[str], judged: Table) -> str:
    return "\n".join([f"{len(found)} of {len(judged.cells)} packets:", *found[:MOST_SENTENCES]])


async def test_every_packet_goes_where_it_may_and_nowhere_else(
    site: RealSite,
    kubectl: Tool,
    alice: Tool,
    bob: Tool,
    owned: list[Placed],
    outside: list[End],
    record_property: Any,  # noqa: ANN401 - pytest's own
) -> None:
    """As the contract says, and as an engine reads the policies that are there; with none in force all of it passes."""
    await sell(site)
    acme = await rent(site, "a", *with_ports(*SOLD), namespaces=["staging"])
    globex = await rent(site, "b", *asked(*EVERYTHING), tenant=GLOBEX)
    leases = {namespace: lease for lease in (acme, globex) for namespace in lease.namespaces}
    tenants = [(alice, acme), (bob, globex)]
    placed = [*owned, *(each for tool, own in tenants for each in who.tenants(tool, own.namespaces, own.nodes[0]))]
    await asyncio.to_thread(wait_for, placed)
    ends = [*who.of_pods(kubectl, placed), *who.of_the_cluster(site.cluster), *outside]
    judged = dialled(ends, leases)

    policies = (await site.admin.list(kinds.NETWORK_POLICY))["items"]
    verdicts = ask(binaries.resolve(print, ["flows"], binaries.TEST_MODULES)["flows"], policies, judged)
    computed = {cell for cell, verdict in zip(judged.cells, verdicts, strict=True) if verdict.allowed}
    assert not (found := unlike(judged, computed)), told(found, judged)
    # First: a flow that passed once is known to the kernel, and what is a part of it passes later too.
    assert not (found := unlike(judged, await passing(ends, judged))), told(found, judged)
    with nothing_enforced(site.cluster):
        everything = judged._replace(expected=[True] * len(judged.cells))
        assert not (found := unlike(everything, await passing(ends, everything))), told(found, everything)
    record_property("packets", len(judged.cells))
    record_property("shut", judged.expected.count(False))


async def test_a_pods_first_two_seconds_get_nothing_through_that_is_forbidden(
    site: RealSite, kubectl: Tool, alice: Tool, owned: list[Placed], outside: list[End]
) -> None:
    """It dials all of it at once and without a pause from its first moment on; with nothing in force it succeeds."""
    await sell(site)
    lease = await rent(site, "a", *with_ports(*SOLD))
    await asyncio.to_thread(wait_for, owned)
    (namespace,) = lease.namespaces
    ends = [*who.of_pods(kubectl, owned), *who.of_the_cluster(site.cluster), *outside]
    flows = sorted(forbidden(lease, ends))
    assert len(flows) > len(ends)

    tries = (rushed(alice, namespace, f"in-force-{n}", 2, flows) for n in range(RUSHES))
    for answers in await asyncio.gather(*tries):
        assert sorted(answers) == [f"shut {flow}" for flow in flows]
    with nothing_enforced(site.cluster):
        # It ends as soon as all of them are open.
        unheeded = await rushed(alice, namespace, "unheeded", 10, flows)
        assert sorted(unheeded) == [f"open {flow}" for flow in flows]


def forbidden(lease: Tenancy, ends: Sequence[End]) -> Iterator[str]:
    """Flows to everywhere that a pod of the lease may not send to."""
    namespace = lease.namespaces[0]
    for end in ends:
        new = Peer("new", end.peer.address, namespace, {}, {})
        for packet in {Packet("TCP", 80), Packet("UDP", 54)}.intersection(end.packets) or end.packets[:1]:
            if not may_pass(new, end.peer, packet, {namespace: lease}):
                yield target(end, packet)


async def rushed(alice: Tool, namespace: str, name: str, seconds: int, flows: Sequence[str]) -> list[str]:
    """What a new pod says of each flow after its first seconds."""
    manifest = json.loads(pod(name, "rush", str(seconds), *flows, terminationGracePeriodSeconds=1))
    mine = ("--namespace", namespace)
    await asyncio.to_thread(alice, "create", *mine, "-f", "-", input=json.dumps(manifest))

    async def ended() -> list[str]:
        said = await asyncio.to_thread(alice, "logs", *mine, name, check=False)
        found, done, _ = said.stdout.partition("done\n")
        return found.splitlines() if done else []

    return await eventually(ended, f"{name} says what it found")
