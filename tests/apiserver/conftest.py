"""The site of a test: nodes, pool and operator of its own on the session's cluster."""

from collections.abc import AsyncIterator, Iterator

import pytest

from hack import cluster as clusters
from sublet.cluster.client import Client
from tests.apiserver.attacker import Attacker, attacker
from tests.apiserver.cluster_policies import cluster_policies as served
from tests.apiserver.leased import Scenes, leases
from tests.apiserver.site import Site
from tests.conftest import Tool


@pytest.fixture
async def bare_site(cluster: clusters.Cluster) -> AsyncIterator[Site]:
    """A site whose operator the test starts itself."""
    admin = await Client.connect(str(cluster.kubeconfig))
    operator_kubeconfig = str(cluster.kubeconfig.with_name("operator.kubeconfig"))
    site = Site(cluster, admin, own=lambda: Client.connect(operator_kubeconfig))
    try:
        yield site
        await site.leave()
    finally:
        for operator in site.operators:
            await operator.kill()
        await admin.close()


@pytest.fixture
async def site(bare_site: Site) -> Site:
    """A site with its operator running."""
    await bare_site.start_operator()
    return bare_site


@pytest.fixture(scope="module")
def cluster_policies(kubectl: Tool) -> Iterator[None]:
    """An API server that serves ClusterNetworkPolicies, which it does not without this."""
    with served(kubectl):
        yield


@pytest.fixture(scope="module")
def scenes(cluster: clusters.Cluster) -> Iterator[Scenes]:
    """Two live leases."""
    with leases(cluster) as two:
        yield two


@pytest.fixture(scope="module")
def tenant(cluster: clusters.Cluster) -> Iterator[Attacker]:
    """Alice."""
    with attacker(cluster) as one:
        yield one


@pytest.fixture(scope="module")
def admin(cluster: clusters.Cluster) -> Iterator[Attacker]:
    """Somebody with every right."""
    with attacker(cluster, "admin") as one:
        yield one
