"""The site of a test: nodes, pool and operator of its own on the session's cluster."""

from collections.abc import AsyncIterator

import pytest

from hack import cluster as clusters
from sublet.cluster.client import Client
from tests.apiserver.site import Site


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
