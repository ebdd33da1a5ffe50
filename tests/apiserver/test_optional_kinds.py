"""A kind that a cluster may lack: nothing is missed without it, and it is used once it is there."""

import logging

import pytest
from prometheus_client import REGISTRY

from sublet.cluster import kinds
from tests.apiserver.cluster_policies import cluster_policies
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

LAST_SWEEP = "sublet_last_sweep_timestamp_seconds"


async def has_policy(site: Site) -> bool:
    """Whether the lease has its policy, after one more sweep."""
    site.clock.advance(site.settings.sweep_every)
    return await site.find(kinds.CLUSTER_NETWORK_POLICY, f"lease-{site.name('a')}") is not None


async def is_ready(site: Site) -> bool:
    """Whether the operator is at rest and the lease is Ready."""
    conditions = (await site.see("a"))["status"]["conditions"]
    ready = {"Ready": "True"}.items() <= {each["type"]: each["status"] for each in conditions}.items()
    return ready and site.operators[0].service.leases.is_idle()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the operator complained of."""
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_lease_lives_without_cluster_network_policies(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Where the kind is not served nothing is missed: from its start to its end, sweeps included, no word of it."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    swept = REGISTRY.get_sample_value(LAST_SWEEP)
    site.clock.advance(site.settings.sweep_every)

    async def swept_again() -> bool:
        return REGISTRY.get_sample_value(LAST_SWEEP) != swept

    await eventually(swept_again, "the operator has swept")
    await site.edit("a", release=True)
    await site.reach("a", "Ended")
    assert warnings(caplog) == []


async def test_cluster_network_policies_may_come_and_go(
    site: Site, kubectl: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    """A lease that runs gets its policy within a sweep, as often as the kind is installed, and ends without it too."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    world = site.operators[0].service.world

    async def forgotten() -> bool:
        return not world.serves(kinds.CLUSTER_NETWORK_POLICY)

    for _ in range(2):
        with cluster_policies(kubectl):
            await eventually(lambda: has_policy(site), "the lease has its policy")
            assert warnings(caplog) == []
        await eventually(forgotten, "the operator knows that the kind is gone")
        await eventually(lambda: is_ready(site), "the lease is as it was without the kind")
        caplog.clear()  # a policy that could not be put back while its kind went

    await site.edit("a", release=True)
    await site.reach("a", "Ended")
    assert warnings(caplog) == []
