"""The main job: a lease brings namespace, nodes, guards and access, and its end takes all of them away."""

from datetime import timedelta

from sublet.cluster import kinds
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

CONDITIONS = {
    "Accepted",
    "Scheduled",
    "NodesReady",
    "Isolated",
    "AccessGranted",
    "Ready",
    "Draining",
    "Stalled",
    "Released",
    "Sanitized",
}


def condition(lease: dict[str, object], kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition."""
    found = next(c for c in lease["status"]["conditions"] if c["type"] == kind)  # type: ignore[index]
    return found["status"], found["reason"], found["message"]


async def test_a_lease_brings_everything(site: Site) -> None:
    """A lease brings its namespace with guards, its nodes with label and taint, and access, and says so."""
    await site.pool(nodes=4)
    await site.lease("a", nodes=2)

    lease = await site.reach("a", "Active")

    status, namespace = lease["status"], f"lease-{site.name('a')}"
    assert {c["type"] for c in status["conditions"]} == CONDITIONS
    assert condition(lease, "Ready") == ("True", "LeaseActive", "the tenant can work")
    assert condition(lease, "Stalled")[0] == "False"
    assert status["nodes"] == [f"{site.prefix}-000", f"{site.prefix}-001"]
    assert (status["nodeCount"], status["gpus"], status["namespaces"]) == (2, 16, [namespace])
    assert lease["metadata"]["finalizers"] == ["sublet.dev/give-back"]
    labels = (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["labels"]
    assert labels["sublet.dev/lease-uid"] == lease["metadata"]["uid"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    quota = (await site.admin.get(kinds.RESOURCE_QUOTA, "sublet", namespace))["spec"]["hard"]
    assert quota["requests.nvidia.com/gpu"] == "16"
    policies = (await site.admin.list(kinds.NETWORK_POLICY, namespace))["items"]
    assert [p["spec"]["policyTypes"] for p in policies] == [["Ingress", "Egress"]] * 2
    for node in await site.nodes():
        mine = node["metadata"]["name"] in status["nodes"]
        taints = node["spec"].get("taints", [])
        assert (node["metadata"]["labels"].get("sublet.dev/lease") == site.name("a")) is mine
        assert ({"key": "sublet.dev/lease", "value": site.name("a"), "effect": "NoExecute"} in taints) is mine


async def test_access_comes_last(site: Site) -> None:
    """The RoleBinding is written after every guard and every claim, so there is never an unguarded tenant."""
    await site.pool(nodes=2)
    await site.lease("a")
    lease = await site.reach("a", "Active")

    namespace = lease["status"]["namespaces"][0]
    binding = await site.admin.get(kinds.ROLE_BINDING, "sublet-tenant", namespace)
    before = [await site.admin.get(kinds.NODE, name) for name in lease["status"]["nodes"]]
    before += [await site.admin.get(kinds.LIMIT_RANGE, "sublet", namespace)]
    before += (await site.admin.list(kinds.NETWORK_POLICY, namespace))["items"]

    opened = int(binding["metadata"]["resourceVersion"])
    assert all(int(guard["metadata"]["resourceVersion"]) < opened for guard in before)


async def test_the_tenant_works_on_its_nodes_and_nowhere_else(site: Site, alice: Tool) -> None:
    """The tenant's pod runs on a leased node; other namespaces and the nodes themselves are closed to it."""
    await site.pool(nodes=2)
    await site.lease("a")
    lease = await site.reach("a", "Active")
    namespace = lease["status"]["namespaces"][0]

    alice("create", "-n", namespace, "-f", "-", input=pod("train", site.name("a"), gpus=8))
    alice("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Running", "pod/train", "--timeout=20s")

    node = alice("get", "pod", "-n", namespace, "train", "-o", "jsonpath={.spec.nodeName}").stdout
    assert node in lease["status"]["nodes"]
    for forbidden in (
        ["get", "nodes"],
        ["get", "pods", "-n", "default"],
        ["delete", "netpol", "-n", namespace, "--all"],
    ):
        refused = alice(*forbidden, check=False)
        assert refused.returncode != 0
        assert "forbidden" in refused.stderr


async def test_a_lease_ends_by_the_clock(site: Site, alice: Tool) -> None:
    """At draining new pods stop, at the end access goes, then pods, namespace and claims; a record stays."""
    await site.pool(nodes=2, pricing={"currency": "EUR", "firm": "2.50"})
    await site.lease("a", duration="1h")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    alice("create", "-n", namespace, "-f", "-", input=pod("train", site.name("a"), gpus=8))

    site.clock.advance(timedelta(minutes=56))
    drained = await site.reach("a", "Draining")
    assert condition(drained, "Draining")[:2] == ("True", "EndNear")
    refused = alice("create", "-n", namespace, "-f", "-", input=pod("late", site.name("a"), gpus=1), check=False)
    assert "exceeded quota" in refused.stderr

    site.clock.advance(timedelta(minutes=5))
    await site.gone(kinds.ROLE_BINDING, "sublet-tenant", namespace)
    ended = await site.reach("a", "Ended")

    assert await site.find(kinds.NAMESPACE, namespace) is None
    assert await site.holders() == {}
    assert all("taints" not in node["spec"] for node in await site.nodes())
    assert condition(ended, "Released") == ("True", "Removed", "nothing of the lease is left")

    async def let_go() -> bool:
        return "finalizers" not in (await site.see("a"))["metadata"]

    await eventually(let_go, "the finalizer is gone")
    record = await site.admin.get(kinds.LEASE_RECORD, f"{site.name('a')}-{ended['metadata']['uid'][:8]}")
    row = record["spec"]["rows"][0]
    assert (row["gpuSeconds"], row["amount"]) == (16 * 3600, "40.00")


async def test_shortening_ends_a_lease_at_once(site: Site) -> None:
    """A duration that is over ends the lease, however late the operator sees it: as of when that was written."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")

    site.clock.advance(timedelta(minutes=10))
    await site.edit("a", duration="5m")

    ended = await site.reach("a", "Ended")
    record = await site.admin.get(kinds.LEASE_RECORD, f"{site.name('a')}-{ended['metadata']['uid'][:8]}")
    assert record["spec"]["rows"][0]["gpuSeconds"] == 300 * 16


async def test_deletion_gives_everything_back_first(site: Site) -> None:
    """A deleted lease goes away only after its namespace is gone and its nodes are free."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]

    await site.admin.delete(kinds.GPU_LEASE, site.name("a"))
    await site.gone(kinds.GPU_LEASE, site.name("a"))

    assert await site.find(kinds.NAMESPACE, namespace) is None
    assert await site.holders() == {}


async def test_suspension_shuts_the_tenant_out_and_keeps_the_nodes(site: Site) -> None:
    """A suspended lease keeps its nodes without access or new pods, and resumes when told to."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]

    await site.edit("a", suspend=True)
    await site.reach("a", "Suspended")
    assert await site.find(kinds.ROLE_BINDING, "sublet-tenant", namespace) is None
    assert (await site.admin.get(kinds.RESOURCE_QUOTA, "sublet", namespace))["spec"]["hard"]["pods"] == "0"
    assert len(await site.holders()) == 2

    await site.edit("a", suspend=False)
    await site.reach("a", "Active")
    assert await site.find(kinds.ROLE_BINDING, "sublet-tenant", namespace) is not None


async def test_a_released_lease_makes_room_for_the_next(site: Site) -> None:
    """A lease that finds no nodes waits with a place and a time, and gets them when they are given back."""
    await site.pool(nodes=3, schedule={"drainBefore": "5m", "cleaningGap": "2s"})
    await site.lease("a", nodes=2)
    await site.reach("a", "Active")
    await site.lease("b", nodes=2)

    async def waiting() -> object:
        return (await site.see("b")).get("status", {}).get("queue")

    queue = await eventually(waiting, "b has a place in the queue")
    first_end = (await site.see("a"))["status"]["reusableAt"]
    assert queue == {"position": 1, "earliestStart": first_end}

    await site.edit("a", release=True)
    await site.reach("a", "Ended")
    assert "queue" not in (await site.reach("b", "Active"))["status"]


async def test_a_reservation_starts_on_its_second(site: Site) -> None:
    """A lease with a start ahead is Reserved, touches nothing, and starts when the clock says so."""
    await site.pool(nodes=2)
    # The API server has a clock of its own, which lets nobody in before the start: it cannot be moved.
    start = (site.clock.now() + timedelta(seconds=4)).replace(microsecond=0)
    await site.lease("a", start=start.strftime("%Y-%m-%dT%H:%M:%SZ"), duration="1h")

    reserved = await site.reach("a", "Reserved")
    assert await site.find(kinds.NAMESPACE, f"lease-{site.name('a')}") is None
    assert await site.holders() == {}

    active = await site.reach("a", "Active")
    assert active["status"]["startsAt"] == reserved["status"]["startsAt"] == start.strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(name: str, lease: str, gpus: int) -> str:
    """A pod on the nodes of a lease, as JSON."""
    return f"""{{
      "apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}},
      "spec": {{
        "nodeSelector": {{"sublet.dev/lease": "{lease}"}},
        "tolerations": [{{"key": "sublet.dev/lease", "value": "{lease}", "effect": "NoExecute"}}],
        "containers": [{{
          "name": "main", "image": "registry.example/train:1",
          "resources": {{"limits": {{"nvidia.com/gpu": "{gpus}"}}}}
        }}]
      }}
    }}"""
