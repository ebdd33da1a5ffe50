"""One cluster with two real nodes for all tests of this folder: kubelets, containers, and GPUs that are allocated."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from hack import cluster as clusters
from hack.cluster import binaries, realnodes
from hack.install import install
from sublet.cluster.client import Client
from tests.apiserver.site import Site
from tests.conftest import Tool, tool

NODES = 2


class RealSite(Site):
    """A site whose nodes are the cluster's real ones; they stay."""

    async def scale(self, nodes: int) -> None:
        """Leave the nodes as they are."""
        assert nodes <= NODES, f"there are {NODES} real nodes"


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A real control plane with real nodes, with the chart installed but for its Deployment."""
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        pytest.skip(missing.sentence)
    running = clusters.up(f"nodes-{os.getpid()}", nodes=0, real_nodes=NODES)
    try:
        install(running.kubeconfig, running.bin)
        yield running
    finally:
        if not request.config.getoption("--keep-cluster"):
            running.down()


@pytest.fixture(scope="session")
def kubectl(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the cluster's administrator."""
    return tool(cluster.bin / "kubectl", "--kubeconfig", str(cluster.kubeconfig))


@pytest.fixture(scope="session")
def alice(cluster: clusters.Cluster) -> Tool:
    """Run kubectl as the user alice@acme.example, a tenant."""
    return tool(cluster.bin / "kubectl", "--kubeconfig", str(cluster.kubeconfig), "--context", "alice")


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
