"""A whole lease with real pods: they run where they may, get GPUs of their own, and are gone when it ends."""

import asyncio
import json
import time
from datetime import datetime

from hack.cluster import realnodes
from tests.apiserver.site import eventually
from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.workloads import deployment

SECONDS = 25
# Pods have 5 s to stop, and a namespace takes 5 s to go once they are gone.
AT_THE_LATEST = 15
# The kubelet sweeps what is left of sandboxes once a minute.
SWEPT = 75


async def test_a_tenants_pods_run_get_their_gpus_and_end_on_time(site: RealSite, alice: Tool) -> None:
    """The main job, with nothing played but the GPUs."""
    await site.pool(NODES, **QUICK)
    namespace, node = await site.rent(duration=f"{SECONDS}s")
    ends = datetime.fromisoformat((await site.see("a"))["status"]["endsAt"]).timestamp()
    await asyncio.to_thread(_work, alice, namespace, node)
    assert len(site.running(namespace)) == 4  # two pods, each with its sandbox

    async def swept() -> bool:
        return not await asyncio.to_thread(realnodes.containers, site.cluster.state, namespace)

    await site.stopped(namespace, within=SECONDS + AT_THE_LATEST)
    assert 0 <= time.time() - ends < AT_THE_LATEST
    await site.reach("a", "Ended")
    assert time.time() - ends < AT_THE_LATEST
    assert await site.holders() == {}
    await eventually(swept, "the nodes have no container of the lease", within=SWEPT)


def _work(alice: Tool, namespace: str, node: str) -> None:
    """What the tenant does: run two pods with three GPUs each, look into them, and find what it may not do refused."""
    mine = ("--namespace", namespace)
    alice("create", *mine, "-f", "-", input=deployment("train", "sleep", replicas=2, gpus=3))
    alice("wait", *mine, "--for=condition=Available", "deployment/train", "--timeout=20s")
    pods = json.loads(alice("get", "pods", *mine, "-o", "json").stdout)["items"]
    assert [pod["spec"]["nodeName"] for pod in pods] == [node, node]
    names = [pod["metadata"]["name"] for pod in pods]
    assert [alice("logs", *mine, name).stdout for name in names] == ["hello\n", "hello\n"]
    devices = [device for name in names for device in _devices(alice, namespace, name)]
    assert len(devices) == len(set(devices)) == 6
    assert all(device.startswith(f"GPU-{node}-") for device in devices)


def _devices(alice: Tool, namespace: str, pod: str) -> list[str]:
    lines = alice("exec", "--namespace", namespace, pod, "--", "/tenant", "env").stdout.splitlines()
    return next(line for line in lines if line.startswith("NVIDIA_VISIBLE_DEVICES=")).partition("=")[2].split(",")
