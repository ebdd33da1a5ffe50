"""One cluster with two real nodes for all tests of this folder: kubelets, containers, and GPUs that are allocated."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, realnodes
from sublet.cluster.client import Client
from tests.apiserver.site import Raw, Site, eventually
from tests.conftest import Tool, installed, kubectl_for

NODES = 2
PROBES = {"doctor": {"image": realnodes.PROBE}}
"""Values of the chart: the image of probe pods that the nodes can pull."""
QUICK = {
    "terms": {"minDuration": "1s", "extendLatest": "1s"},
    "schedule": {"drainBefore": "1s", "cleaningGap": "1s"},
}


class RealSite(Site):
    """A site whose nodes are the cluster's real ones; they stay."""

    async def scale(self, nodes: int) -> None:
        """Leave the nodes as they are."""
        assert nodes <= NODES, f"there are {NODES} real nodes"

    async def rent(self, lease: str = "a", **spec: Any) -> tuple[str, str]:  # noqa: ANN401 - a field of any kind
        """Lease one node, for an hour and to Alice unless said otherwise; return its namespace and its node."""
        await self.lease(lease, nodes=1, **spec)
        status: Raw = (await self.reach(lease, "Active"))["status"]
        (namespace,), (node,) = status["namespaces"], status["nodes"]
        return namespace, node

    def running(self, namespace: str) -> list[int]:
        """The first process of each container that runs for a namespace on any node, sandboxes among them."""
        return realnodes.processes(self.cluster.state, namespace)

    async def stopped(self, namespace: str, within: float) -> None:
        """Wait until nothing runs on any node for a namespace."""

        async def look() -> bool:
            return not await asyncio.to_thread(self.running, namespace)

        await eventually(look, f"no process of {namespace} runs", within=within)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A real control plane with real nodes, with the chart installed but for its Deployment."""
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        pytest.skip(missing.sentence)
    with installed(clusters.up(f"nodes-{os.getpid()}", nodes=0, real_nodes=NODES), request, PROBES) as running:
        yield running


# pytest makes a session's fixture once: those of the same names in tests/conftest would speak to the other cluster.
@pytest.fixture(scope="session")
def kubectl(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the cluster's administrator."""
    return kubectl_for(cluster)


@pytest.fixture(scope="session")
def alice(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user alice@acme.example, a tenant."""
    return kubectl_for(cluster, "--context", "alice")


@pytest.fixture(scope="session")
def bob(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user bob@globex.example, another tenant."""
    return kubectl_for(cluster, "--context", "bob")


@pytest.fixture
async def site(cluster: clusters.Cluster) -> AsyncIterator[RealSite]:
    """Both nodes, and an operator that runs."""
    admin = await Client.connect(str(cluster.kubeconfig))
    kubeconfig = str(cluster.kubeconfig.with_name("operator.kubeconfig"))
    mine = RealSite(cluster, admin, own=lambda: Client.connect(kubeconfig), prefix=realnodes.PREFIX)
    await mine.start_operator()
    try:
        yield mine
        await mine.leave()
    finally:
        await asyncio.gather(*(operator.kill() for operator in mine.operators))
        await admin.close()
