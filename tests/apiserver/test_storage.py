"""Volumes in a lease: tenants get those of the classes on offer, and nodes wait at the end until all are gone."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind
from tests.apiserver import workloads
from tests.apiserver.provisioner import CLAIM, CSI, Provisioner
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

BY_HAND: Raw = {"hostPath": {"path": "/owner"}}
"""A volume that Kubernetes itself tries to delete, and cannot: only what lies under /tmp may be."""


@pytest.fixture
async def provisioner(bare_site: Site) -> AsyncIterator[Provisioner]:
    """A provisioner of a class of the site's own, which does not exist yet."""
    one = Provisioner(bare_site.admin, f"{bare_site.prefix}-nvme")
    yield one
    await one.leave()


async def offering(site: Site, provisioner: Provisioner) -> None:
    """Have a pool of two nodes that offers the class."""
    await site.pool(nodes=2, isolation={"storageClasses": [provisioner.storage_class]})


async def active(site: Site, provisioner: Provisioner) -> str:
    """Have an Active lease of a pool that offers the class, which exists; return its namespace."""
    await provisioner.create_class()
    await offering(site, provisioner)
    await site.lease("a")
    namespace: str = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    return namespace


async def stored(
    site: Site, provisioner: Provisioner, alice: Tool, source: Raw = CSI, count: int = 1
) -> tuple[str, list[str]]:
    """Have an Active lease with so many bound claims; return its namespace and the volumes."""
    namespace = await active(site, provisioner)
    for number in range(count):
        create(alice, namespace, workloads.volume_claim(f"data-{number}", provisioner.storage_class))
    volumes = await provisioner.provide(namespace, count, source)

    async def bound() -> bool:
        claims = (await site.admin.list(CLAIM, namespace))["items"]
        return all(claim["status"]["phase"] == "Bound" for claim in claims)

    await eventually(bound, "the claims are bound")
    return namespace, volumes


def create(alice: Tool, namespace: str, *manifests: Raw) -> None:
    """Create objects as the tenant."""
    for manifest in manifests:
        alice("create", "--namespace", namespace, "-f", "-", input=json.dumps(manifest))


async def waits(site: Site, reason: str, message: str) -> None:
    """Wait until the end of the lease waits for what is said, and holds all its nodes meanwhile."""

    async def look() -> bool:
        status = (await site.see("a"))["status"]
        (released,) = (c for c in status["conditions"] if c["type"] == "Released")
        return (status["phase"], released["reason"], status["message"]) == ("Releasing", reason, message)

    await eventually(look, f"the lease waits: {message}")
    assert len(await site.holders()) == 2


def going(*volumes: str) -> str:
    """What is said of volumes that somebody will delete."""
    names = ", ".join(sorted(volumes))
    return f"volumes still being deleted: {names}; if one stays, see the events of `kubectl describe pv`"


async def events(site: Site, reason: str) -> list[str]:
    """The messages of the lease's warnings of that reason."""
    of_lease = f"involvedObject.name={site.name('a')},reason={reason},type=Warning"
    found = (await site.admin.list(kinds.EVENT, "default", fieldSelector=of_lease))["items"]
    return [event["message"] for event in found]


async def accepted(site: Site, *, status: str) -> str:
    """Wait until the pool is accepted, or is not; return what it says."""

    async def look() -> str | None:
        pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
        conditions = pool.get("status", {}).get("conditions", ())
        return next((c["message"] for c in conditions if (c["type"], c["status"]) == ("Accepted", status)), None)

    return await eventually(look, f"the pool has Accepted={status}")


async def offered(site: Site, namespace: str, classes: str) -> None:
    """Wait until a running lease may claim these classes."""

    async def look() -> bool:
        found = await site.admin.get(kinds.NAMESPACE, namespace)
        return bool(found["metadata"]["annotations"]["sublet.dev/allowed-storage-classes"] == classes)

    await eventually(look, f"the lease may claim {classes or 'nothing'}")


async def test_a_tenants_workloads_store_and_nodes_wait_for_the_volumes(
    site: Site, provisioner: Provisioner, alice: Tool
) -> None:
    """A Deployment with a claim and a Service, and a StatefulSet with templates, as people write them."""
    namespace = await active(site, provisioner)
    create(alice, namespace, *workloads.database(provisioner.storage_class))
    create(alice, namespace, workloads.keeping_stateful_set(provisioner.storage_class))
    volumes = await eventually(lambda: provisioner.provide(namespace, 3), "there are three claims")

    async def running() -> bool:
        pods = json.loads(alice("get", "pods", "-n", namespace, "-o", "json").stdout)["items"]
        return [pod["status"].get("phase") for pod in pods] == ["Running"] * 3

    await eventually(running, "three pods run")

    await site.edit("a", release=True)
    await site.gone(kinds.NAMESPACE, namespace)
    await waits(site, "Removing", going(*volumes))
    await provisioner.delete(*volumes[:2])
    await waits(site, "Removing", going(volumes[2]))
    assert await events(site, "VolumesLeft") == []
    await provisioner.delete(volumes[2])
    await site.reach("a", "Ended")
    assert await site.holders() == {}


@pytest.mark.parametrize("kept", ["by its policy", "by a failure"])
async def test_a_volume_that_does_not_go_keeps_the_nodes(
    site: Site, provisioner: Provisioner, alice: Tool, kept: str
) -> None:
    """The lease says which one and what to do, as does a warning, until somebody did it."""
    namespace, (volume,) = await stored(site, provisioner, alice, CSI if kept == "by its policy" else BY_HAND)
    if kept == "by its policy":
        change = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        await site.admin.patch(kinds.PERSISTENT_VOLUME, volume, change)
        why = (
            "is kept by its reclaim policy Retain: "
            "set its spec.persistentVolumeReclaimPolicy to Delete, or delete it and the storage behind it"
        )
    else:
        why = (
            "could not be deleted (phase Failed): "
            "see `kubectl describe pv` for why, then delete it and the storage behind it"
        )

    await site.edit("a", release=True)
    await site.gone(kinds.NAMESPACE, namespace)
    await waits(site, "VolumesLeft", f"the volume {volume} {why}")
    assert await events(site, "VolumesLeft") == [f"the volume {volume} {why}"]
    for _ in range(3):
        site.clock.advance(site.settings.sweep_every)
        await asyncio.sleep(0.2)
    assert len(await site.holders()) == 2

    await provisioner.delete(volume)
    await site.reach("a", "Ended")
    assert await site.holders() == {}


async def test_a_volume_that_was_retained_goes_once_its_policy_says_so(
    site: Site, provisioner: Provisioner, alice: Tool
) -> None:
    """Following the first half of the advice makes it a volume that its provisioner deletes."""
    namespace, (volume,) = await stored(site, provisioner, alice)
    await site.admin.patch(kinds.PERSISTENT_VOLUME, volume, {"spec": {"persistentVolumeReclaimPolicy": "Retain"}})
    await site.edit("a", release=True)
    await site.gone(kinds.NAMESPACE, namespace)
    await eventually(lambda: events(site, "VolumesLeft"), "somebody is told")
    await site.admin.patch(kinds.PERSISTENT_VOLUME, volume, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
    await waits(site, "Removing", going(volume))
    await provisioner.delete(volume)
    await site.reach("a", "Ended")


class Deaf(Client):
    """A client whose watch on volumes tells nothing, as one that lags behind."""

    async def watch(  # noqa: D102
        self, kind: Kind, since: str, namespace: str | None = None, **query: str
    ) -> AsyncIterator[Raw]:
        if kind is kinds.PERSISTENT_VOLUME:
            await asyncio.Event().wait()
        async for event in super().watch(kind, since, namespace, **query):
            yield event


async def test_a_lagging_watch_gives_no_node_back_early(bare_site: Site, provisioner: Provisioner, alice: Tool) -> None:
    """That no volume is left is read anew before nodes go back, and not believed of the watch."""
    site = bare_site
    deaf = await site.start_operator(await Deaf.connect(str(site.cluster.kubeconfig.with_name("operator.kubeconfig"))))
    namespace, (volume,) = await stored(site, provisioner, alice)
    assert len(deaf.service.world.volumes) == 0

    await site.edit("a", release=True)
    await site.gone(kinds.NAMESPACE, namespace)
    await waits(site, "Removing", going(volume))
    await deaf.stop()
    await provisioner.delete(volume)
    await site.start_operator()
    await site.reach("a", "Ended")


async def test_nodes_of_a_lost_lease_wait_for_its_volumes(
    site: Site, provisioner: Provisioner, alice: Tool, kubectl: Tool
) -> None:
    """A lease whose finalizer was stripped by force leaves volumes too, and its nodes are no sooner free."""
    namespace, (volume,) = await stored(site, provisioner, alice)
    await site.operators[0].stop()
    kubectl("delete", "gpulease", site.name("a"), "--wait=false")
    kubectl("patch", "gpulease", site.name("a"), "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    await site.start_operator()

    async def emptied() -> bool:
        site.clock.advance(site.settings.sweep_every)
        return await site.find(kinds.NAMESPACE, namespace) is None

    await eventually(emptied, "the namespace is swept")
    for _ in range(5):
        site.clock.advance(site.settings.sweep_every)
        await asyncio.sleep(0.1)
    assert len(await site.holders()) == 2

    await site.lease("a")
    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"] == (
        f"metadata.name: the volume {volume} is left of an earlier lease with the namespace {namespace}; "
        "delete it and the storage behind it, or delete this lease and apply it under another name"
    )
    assert len(await site.holders()) == 2

    await provisioner.delete(volume)

    async def freed() -> bool:
        site.clock.advance(site.settings.sweep_every)
        return "startsAt" in (await site.see("a"))["status"]

    await eventually(freed, "the nodes are free again, and the name is too")


async def test_a_pool_is_accepted_once_its_class_is_there(site: Site, provisioner: Provisioner) -> None:
    """What is not there cannot be sold, and whoever waits for it goes on by itself."""
    await offering(site, provisioner)
    missing = await accepted(site, status="False")
    assert missing == (
        f"spec.isolation.storageClasses[0]: there is no StorageClass {provisioner.storage_class}; "
        "create it, or take the name off the list"
    )
    await site.lease("a")
    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"] == f"spec.pool: the pool {site.prefix} is not accepted: {missing}"

    await provisioner.create_class()
    await accepted(site, status="True")
    await site.reach("a", "Active")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"reclaimPolicy": "Retain"}, "has reclaimPolicy Retain"),
        ({"provisioner": "kubernetes.io/no-provisioner"}, "makes no volumes"),
    ],
    ids=["retain", "by hand"],
)
async def test_a_class_that_is_not_safe_is_not_sold(
    site: Site, provisioner: Provisioner, fields: dict[str, str], fault: str
) -> None:
    await provisioner.create_class(**fields)
    await offering(site, provisioner)
    assert fault in await accepted(site, status="False")


async def test_a_class_that_vanishes_or_turns_bad_is_lost_to_running_leases(
    site: Site, provisioner: Provisioner, alice: Tool
) -> None:
    """What they have stays; only new claims are refused, until the class is as it was."""
    namespace, (volume,) = await stored(site, provisioner, alice)
    name = provisioner.storage_class
    more = json.dumps(workloads.volume_claim("more", name))
    await offered(site, namespace, name)

    await site.admin.delete(kinds.STORAGE_CLASS, name)
    await offered(site, namespace, "")
    assert f"there is no StorageClass {name}" in await accepted(site, status="False")
    refused = alice("create", "-n", namespace, "-f", "-", input=more, check=False)
    assert "this lease has no volume claims" in refused.stderr

    await provisioner.create_class(reclaimPolicy="Retain")
    await asyncio.sleep(0.5)
    await offered(site, namespace, "")
    await site.admin.delete(kinds.STORAGE_CLASS, name)
    await provisioner.create_class()
    await offered(site, namespace, name)
    await accepted(site, status="True")
    claim = await site.admin.get(CLAIM, "data-0", namespace)
    assert (claim["status"]["phase"], claim["spec"]["volumeName"]) == ("Bound", volume)
    assert (await site.see("a"))["status"]["phase"] == "Active"


async def test_no_tenant_gets_a_volume_that_is_there_already(site: Site, provisioner: Provisioner, alice: Tool) -> None:
    """A free volume of the class would be bound to the next claim, so nobody may claim until it is gone."""
    namespace = await active(site, provisioner)
    free = await provisioner.create_volume(None)
    assert f"the volume {free} of the StorageClass" in await accepted(site, status="False")
    await offered(site, namespace, "")
    claim = json.dumps(workloads.volume_claim("data", provisioner.storage_class))
    assert "claim-class: " in alice("create", "-n", namespace, "-f", "-", input=claim, check=False).stderr

    await provisioner.delete(free)
    await accepted(site, status="True")
    await offered(site, namespace, provisioner.storage_class)
    create(alice, namespace, json.loads(claim))
