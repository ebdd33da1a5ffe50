"""Isolation, measured where it is enforced: the doctor finds everything closed, and lets a tenant in on its word."""

import asyncio
from typing import Any

from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.packets.enforcement import nothing_enforced
from tests.nodes.packets.test_packets import own_networks
from tests.nodes.test_doctor import OPEN, measure


def sold(site: RealSite, **isolation: object) -> dict[str, Any]:
    """A pool that sells the internet, and names the networks of the cluster."""
    return {
        **QUICK,
        "isolation": {
            "egress": ["0.0.0.0/0", "::/0"],
            "clusterCIDRs": list(own_networks(site.cluster)),
            **isolation,
        },
    }


async def test_everything_is_measured_to_be_closed_as_long_as_it_is(site: RealSite) -> None:
    """Each check passes, also those in the first seconds of a pod's life; without the agents each fails again."""
    await site.pool(NODES, **sold(site))
    code, found = await asyncio.to_thread(measure, site.cluster, "--node", "real-001")
    assert {name: each["message"] for name, each in found.items() if each["verdict"] != "Passed"} == {}
    assert code == 0
    # What is closed, rather than not there at all: each way that is open where nothing is enforced, but the last.
    closed = {name for name, each in found.items() if each["message"].endswith(" is closed")}
    assert closed == OPEN - {"first-seconds"}
    with nothing_enforced(site.cluster):
        code, found = await asyncio.to_thread(measure, site.cluster, "--node", "real-001")
    assert code == 1
    assert {name for name, each in found.items() if each["verdict"] != "Passed"} == OPEN


async def test_a_tenant_is_let_in_where_isolation_is_required_and_enforced(site: RealSite) -> None:
    """The next one at once, because the answer counts for a day."""
    await site.pool(NODES, **sold(site, probe="Required"))
    for lease in ("a", "b"):
        await site.lease(lease, nodes=1)
        status = (await site.reach(lease, "Active"))["status"]
        assert status["nodes"] == ["real-000"]
        found = {each["type"]: each for each in status["conditions"]}
        assert found["Isolated"]["reason"] == "GuardsInPlace"
        await site.edit(lease, release=True)
        await site.reach(lease, "Ended")
    log = await site.nodes()
    assert '"verdict": "Passed"' in log[0]["metadata"]["annotations"]["sublet.dev/measured"]
