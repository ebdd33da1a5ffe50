"""Pods that do not want to stop are gone when their lease is."""

import time

from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.workloads import deployment, pod

LONGEST_GRACE = 60
# The operator leaves pods 5 s; the kubelet is told at once, and takes a moment to kill and to say so.
WITHIN = 10


async def test_pods_that_do_not_stop_are_killed_after_seconds(site: RealSite, alice: Tool) -> None:
    """They ignore SIGTERM, have the longest grace period there is, or are made anew by a controller."""
    await site.pool(NODES, **QUICK)
    namespace, _ = await site.rent()
    mine = ("--namespace", namespace)
    refused = alice("create", *mine, "-f", "-", input=_stubborn("endless", 300), check=False)
    assert "short-grace" in refused.stderr
    alice("create", *mine, "-f", "-", input=_stubborn("stubborn", LONGEST_GRACE))
    alice("create", *mine, "-f", "-", input=deployment("again", "ignore-term", replicas=2))
    alice("wait", *mine, "--for=condition=Available", "deployment/again", "--timeout=20s")
    alice("wait", *mine, "--for=condition=Ready", "pod", "--all", "--timeout=20s")
    assert len(site.running(namespace)) == 6  # three pods, each with its sandbox

    began = time.monotonic()
    await site.edit("a", release=True)
    await site.stopped(namespace, WITHIN)
    assert time.monotonic() - began >= 4, "they were left no time to stop"
    await site.reach("a", "Ended")
    assert await site.holders() == {}


def _stubborn(name: str, grace: int) -> str:
    return pod(name, "ignore-term", terminationGracePeriodSeconds=grace)
