"""Two tenants side by side: neither sees or reaches anything of the other's."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.conftest import Tool
from tests.nodes.conftest import NODES, QUICK, RealSite
from tests.nodes.workloads import pod

GLOBEX = {"name": "globex", "subjects": [{"kind": "User", "name": "bob@globex.example"}]}
SCRATCH = {
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "mounts": [{"name": "scratch", "mountPath": "/scratch"}],
}


@dataclass(frozen=True)
class Tenant:
    """A tenant with two pods in its lease, and what only its own may see.

    Attributes:
        kubectl: kubectl, as the tenant.
        namespace: Of its lease.
        node: Of its lease.
        secret: What its pods answer and keep on their disk.
    """

    kubectl: Tool
    namespace: str
    node: str
    secret: str

    def do(self, *args: str, input: str | None = None) -> str:  # noqa: A002
        """Run kubectl in the lease's namespace."""
        return self.kubectl("--namespace", self.namespace, *args, input=input).stdout

    def inside(self, name: str, *command: str) -> list[str]:
        """The lines that a command of the tenant program prints in a pod."""
        return self.do("exec", name, "--", "/tenant", *command).splitlines()

    def work(self) -> None:
        """Run a Service and two pods with three GPUs each, one after another so that each knows the Service."""
        self.do("create", "service", "clusterip", self.secret, "--tcp=80:8080")
        for name in ("one", "two"):
            self.do("create", "-f", "-", input=_server(name, self.secret))
        self.do("wait", "--for=condition=Ready", "pod/one", "pod/two", "--timeout=20s")
        self.inside("one", "write", "/scratch/kept", self.secret)


async def test_two_tenants_see_nothing_of_each_other(site: RealSite, alice: Tool, bob: Tool) -> None:
    """Neither processes, environment, disk nor GPUs, from inside; and neither gets into the other's pods."""
    await site.pool(NODES, **QUICK)
    tenants = [
        Tenant(alice, *await site.rent("a"), "of-alice"),
        Tenant(bob, *await site.rent("b", tenant=GLOBEX), "of-bob"),
    ]
    await asyncio.gather(*(asyncio.to_thread(tenant.work) for tenant in tenants))
    (first, second), devices = tenants, [_devices(tenant) for tenant in tenants]
    assert first.node != second.node
    for tenant, other, own in ((first, second, devices[0]), (second, first, devices[1])):
        assert len(own) == 6
        assert all(device.startswith(f"GPU-{tenant.node}-") for device in own)
        _see_their_own(tenant)
        _keep_out(tenant, other)
    assert not devices[0] & devices[1]


def _see_their_own(tenant: Tenant) -> None:
    """Each pod sees itself alone, also beside a pod of the same tenant on the same node."""
    for name in ("one", "two"):
        serving = f"/tenant serve 8080 {tenant.secret} {name}"
        assert tenant.inside(name, "processes") == [serving, "/tenant processes"]
        environment = tenant.inside(name, "env")
        services = {line.partition("_SERVICE_HOST=")[0] for line in environment if "_SERVICE_HOST=" in line}
        assert services == {"KUBERNETES", tenant.secret.replace("-", "_").upper()}
        assert f"HOSTNAME={name}" in environment
    assert tenant.inside("one", "list", "/scratch") == ["kept"]
    assert tenant.inside("two", "list", "/scratch") == []


def _keep_out(tenant: Tenant, other: Tenant) -> None:
    """What a tenant may not: the node's disk, and whatever leads into the other's pods."""
    host: dict[str, Any] = {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}
    refused = tenant.kubectl(
        "-n", tenant.namespace, "create", "-f", "-", input=pod("host", "sleep", **host), check=False
    )
    assert "hostPath" in refused.stderr
    for command in (
        ("exec", "one", "--", "/tenant", "env"),
        ("attach", "one"),
        ("logs", "one"),
        ("port-forward", "one", ":8080"),
        ("get", "pods"),
        ("get", "secrets"),
        ("debug", "one", "--image=images.test/tenant:1"),
        ("delete", "pod", "one"),
    ):
        answer = tenant.kubectl("--namespace", other.namespace, *command, check=False)
        assert answer.returncode != 0
        assert "forbidden" in answer.stderr.lower(), (command, answer.stderr)


def _devices(tenant: Tenant) -> set[str]:
    ids: set[str] = set()
    for name in ("one", "two"):
        (line,) = [each for each in tenant.inside(name, "env") if each.startswith("NVIDIA_VISIBLE_DEVICES=")]
        ids.update(line.partition("=")[2].split(","))
    return ids


def _server(name: str, secret: str) -> str:
    manifest = json.loads(pod(name, "serve", "8080", f"{secret} {name}", gpus=3, volumes=SCRATCH["volumes"]))
    manifest["spec"]["containers"][0]["volumeMounts"] = SCRATCH["mounts"]
    return json.dumps(manifest)
