"""A tenant who wants to compute on after the end: whatever it asks for, its node is given back empty or not at all."""

import json

from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.workloads import pod

GRACE = 15
HOUR = 3600
# The namespace takes 5 s to go once its pods are gone.
AT_THE_LATEST = GRACE + 15


async def test_no_way_of_deleting_a_pod_keeps_it_beyond_its_lease(site: RealSite, alice: Tool) -> None:
    """An hour of grace is refused. A pod may outlast the end by what is not, and its node waits for it."""
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent()
    within = ("--namespace", namespace)
    for name in ("patient", "forced"):
        alice("create", *within, "-f", "-", input=pod(name, "ignore-term"))
    alice("wait", *within, "--for=condition=Ready", "pod", "--all", "--timeout=20s")

    hour = alice("delete", "pod", "patient", *within, f"--grace-period={HOUR}", "--wait=false", check=False)
    assert "short-deletion-grace" in hour.stderr
    alice("delete", "pod", "forced", *within, f"--grace-period={GRACE}", "--wait=false")
    force = alice("delete", "pod", "forced", *within, "--grace-period=0", "--force", check=False)
    assert "no-forced-deletion" in force.stderr

    await site.edit("a", release=True)
    await site.stopped(namespace, within=AT_THE_LATEST)
    assert await site.holders() == {node: site.name("a")}
    await site.reach("a", "Ended")
    assert await site.holders() == {}


async def test_no_probe_keeps_a_pod_beyond_its_lease(site: RealSite, alice: Tool) -> None:
    """The kubelet gives a container that fails its probe what the probe says, not what the pod says."""
    await site.pool(NODES, **QUICK)
    namespace, _ = await site.rent()
    refused = alice("create", "--namespace", namespace, "-f", "-", input=_failing(HOUR), check=False)
    assert "short-probe-grace" in refused.stderr

    alice("create", "--namespace", namespace, "-f", "-", input=_failing(GRACE))
    alice("wait", "--namespace", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=20s")
    await site.edit("a", release=True)
    await site.stopped(namespace, within=AT_THE_LATEST)
    await site.reach("a", "Ended")


def _failing(grace: int) -> str:
    manifest = json.loads(pod("probed", "ignore-term"))
    check = {"exec": {"command": ["/tenant", "list", "/nowhere"]}, "periodSeconds": 1, "failureThreshold": 1}
    manifest["spec"]["containers"][0]["livenessProbe"] = {**check, "terminationGracePeriodSeconds": grace}
    return json.dumps(manifest)
