"""Isolation, measured: without a plugin that enforces policies the doctor says so, and nobody is let in on its word."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hack import cluster as clusters
from hack.cluster.processes import wait_until
from sublet.cluster import kinds
from sublet.doctor.policies import NAMESPACES
from tests.apiserver.site import Raw, eventually
from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite

METADATA = "169.254.169.254"
OPEN = {
    "other-tenant",
    "egress",
    "ingress",
    "node-kubelet",
    "node-kube-proxy",
    "far-kubelet",
    "far-kube-proxy",
    "api-server",
    "first-seconds",
}
"""What a network that only routes leaves open. The nodes have no other ports, and nobody serves metadata."""


def doctor(cluster: clusters.Cluster, *flags: str) -> "subprocess.Popen[str]":
    """Start `sublet doctor` as the administrator."""
    return subprocess.Popen(
        [sys.executable, "-m", "sublet", "doctor", *flags],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def measure(cluster: clusters.Cluster, *flags: str) -> tuple[int, Raw]:
    """The exit code of `sublet doctor --probe`, and the verdict and message of each check on the one node."""
    with doctor(cluster, "--probe", "-o", "json", *flags) as process:
        out, err = process.communicate()
    assert out, err
    (node,) = json.loads(out)["nodes"]
    return process.returncode, {each["check"]: each for each in node["findings"]}


def left(kubectl: Tool) -> list[str]:
    """The pods of the namespaces in which isolation is measured."""
    every = json.loads(kubectl("get", "pods", "-A", "-o", "json").stdout)["items"]
    return [pod["metadata"]["name"] for pod in every if pod["metadata"]["namespace"] in NAMESPACES]


@contextmanager
def metadata_service(cluster: clusters.Cluster, node: str) -> Iterator[None]:
    """Something that listens at the metadata address of a node, as in a cloud."""
    machine = cluster.component(f"{node}-machine").pid
    inside = ["nsenter", f"--target={machine}", "--net", "--"]
    subprocess.run([*inside, "ip", "address", "add", f"{METADATA}/32", "dev", "lo"], check=True)
    listen = json.dumps({"listen": 80, "word": "credentials", "seconds": 120})
    serve = [*inside, sys.executable, "-I", "-m", "sublet.doctor.probe", listen]
    with subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()
            subprocess.run([*inside, "ip", "address", "delete", f"{METADATA}/32", "dev", "lo"], check=True)


async def test_the_doctor_names_each_open_way_and_leaves_nothing(site: RealSite, kubectl: Tool) -> None:
    """Each is measured to be open, and what must be open is so; the reason and what to do are told."""
    await site.pool(NODES, **QUICK)
    with metadata_service(site.cluster, "real-001"):
        code, found = await asyncio.to_thread(measure, site.cluster, "--node", "real-001")
    assert code == 1
    assert {name for name, each in found.items() if each["verdict"] != "Passed"} == {*OPEN, "metadata"}
    assert found["other-tenant"]["message"] == "the way from one lease to another is open"
    assert "does not enforce NetworkPolicy" in found["other-tenant"]["remedy"]
    assert {found[name]["verdict"] for name in ("own-lease", "dns", "devices")} == {"Passed"}
    assert left(kubectl) == []


async def test_nobody_is_let_in_where_isolation_is_required_and_not_enforced(site: RealSite, kubectl: Tool) -> None:
    """The lease says which way is open and what to do; the tenant stays outside, until the owner asks no longer."""
    await site.pool(NODES, **QUICK, isolation={"probe": "Required"})
    await site.lease("a", nodes=1)

    async def refused() -> Raw | None:
        status = (await site.see("a")).get("status", {})
        found = {each["type"]: each for each in status.get("conditions", ())}
        is_told = found.get("Isolated", {}).get("reason") == "NotEnforced"
        return {"phase": status["phase"], **found} if is_told else None

    told = await eventually(refused, "the lease says that isolation is not enforced", within=60)
    assert told["phase"] == "Provisioning"
    assert told["Isolated"]["message"] == (
        "real-000: the way from one lease to another is open (and 8 more); the network plugin does not enforce "
        "NetworkPolicy for ingress and egress: install one that does, or switch its enforcement on"
    )
    assert (told["Ready"]["status"], told["Ready"]["reason"]) == ("False", "NotEnforced")
    assert told["AccessGranted"]["status"] == "False"
    namespace = f"lease-{site.name('a')}"
    assert await site.find(kinds.ROLE_BINDING, "sublet-tenant", namespace) is None
    assert await site.holders() == {"real-000": site.name("a")}
    await eventually(lambda: asyncio.to_thread(lambda: left(kubectl) == []), "no probe pod is left")
    change: dict[str, Any] = {"spec": {"isolation": {"probe": "OnRequest"}}}
    await site.admin.patch(kinds.GPU_POOL, site.prefix, change)
    await site.reach("a", "Active")


async def test_what_a_killed_doctor_leaves_goes_with_the_next(site: RealSite, kubectl: Tool) -> None:
    """Its pods stop by themselves and hold up nobody for longer; while they may still be in use, others wait."""
    await site.operators[0].stop()  # whose sweep would take them away as well
    await site.pool(NODES, **QUICK)
    with doctor(site.cluster, "--probe") as killed:
        await eventually(lambda: asyncio.to_thread(lambda: len(left(kubectl)) == 5), "all probe pods are there")
        killed.kill()
    with doctor(site.cluster, "--probe") as second:
        _, err = second.communicate()
    assert (second.returncode, "another measurement is under way" in err) == (2, True)
    # As if its time were over, which is a matter of minutes.
    kubectl("patch", "pod", "target", "-n", NAMESPACES[0], "-p", '{"spec": {"activeDeadlineSeconds": 1}}')

    def over() -> bool:
        return kubectl("get", "pod", "target", "-n", NAMESPACES[0], "-o", "jsonpath={.status.phase}").stdout == "Failed"

    await asyncio.to_thread(wait_until, over, 30, "the pod is stopped")
    code, _ = await asyncio.to_thread(measure, site.cluster, "--node", "real-001")
    assert code == 1
    assert left(kubectl) == []


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--node", "nowhere"), "--node: nowhere is in no pool; name a node that a GPUPool selects"),
        (("--pool", "nothing"), "--pool: there is no GPUPool nothing; name one of `kubectl get gpupools`"),
    ],
)
async def test_where_there_is_nothing_to_measure_it_says_so(
    site: RealSite, flags: tuple[str, str], sentence: str
) -> None:
    """In one sentence that names the flag."""
    await site.pool(NODES, **QUICK)
    with doctor(site.cluster, "--probe", *flags) as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert sentence in err
