"""The ClusterNetworkPolicy of a lease on a real API server, under upstream's own definition of the kind.

That a network plugin enforces it is not shown: there is none here.
"""

import json
from typing import Any

import pytest

from sublet.cluster import kinds
from sublet.desired import cluster_network
from tests.apiserver.by_hand import create
from tests.apiserver.site import Site, eventually
from tests.builders import a_tenancy
from tests.conftest import Tool
from tests.unit.desired.test_cluster_network import widest

Raw = dict[str, Any]

pytestmark = pytest.mark.usefixtures("cluster_policies")

POOL: Raw = {
    "isolation": {"egress": ["0.0.0.0/0", "2001:db8::/32"], "clusterCIDRs": ["10.0.0.0/8", "2001:db8:0:1::/64"]}
}
SOLD: Raw = {"egress": [{"cidr": "0.0.0.0/0", "ports": [{"port": 443}]}, {"cidr": "2001:db8:7::/48"}]}
ANYBODY = {"name": "open", "action": "Accept", "from": [{"namespaces": {}}]}
DAMAGE: dict[str, list[Raw]] = {
    "an accepting rule before all others": [{"op": "add", "path": "/spec/ingress/0", "value": ANYBODY}],
    "a denial that is gone": [{"op": "remove", "path": "/spec/ingress/1"}],
    "a denial of one protocol": [
        {"op": "add", "path": "/spec/egress/2/protocols", "value": [{"tcp": {"destinationPort": {"number": 9}}}]}
    ],
    "a denial of some pods": [
        {"op": "add", "path": "/spec/egress/2/to/0/namespaces/matchLabels", "value": {"a": "b"}},
    ],
    "a network that is open": [{"op": "remove", "path": "/spec/egress/3/to/0/networks/0"}],
    "a subject that is narrower": [
        {"op": "add", "path": "/spec/subject/namespaces/matchLabels", "value": {"a": "b"}},
    ],
    "a lower tier": [{"op": "replace", "path": "/spec/tier", "value": "Baseline"}],
    "a later priority": [{"op": "replace", "path": "/spec/priority", "value": 1000}],
    "no sign of its lease": [{"op": "remove", "path": "/metadata/labels"}],
}


def policy_of(site: Site, lease: str) -> str:
    """The name of a lease's policy: that of its first namespace."""
    return f"lease-{site.name(lease)}"


async def active(site: Site, lease: str = "a", **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
    """The policy of a lease that has just become Active."""
    await site.pool(nodes=2, **POOL)
    await site.lease(lease, **spec)
    await site.reach(lease, "Active")
    return await site.admin.get(kinds.CLUSTER_NETWORK_POLICY, policy_of(site, lease))


async def test_a_lease_has_its_policy_before_anybody_is_let_in(site: Site) -> None:
    """The API server keeps it as it was meant, and had it before the tenant's RoleBinding."""
    policy = await active(site, namespaces=["staging"], network=SOLD)

    lease = await site.see("a")
    namespaces = lease["status"]["namespaces"]
    own = {"namespaces": {"matchLabels": {"sublet.dev/lease-uid": lease["metadata"]["uid"]}}}
    spec = policy["spec"]
    assert (spec["tier"], spec["priority"]) == ("Admin", 0)
    (subject,) = spec["subject"]["namespaces"]["matchExpressions"]
    assert subject == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}
    assert [(rule["name"], rule["action"]) for rule in spec["ingress"]] == [
        ("own-lease", "Pass"),
        ("other-pods", "Deny"),
    ]
    assert spec["ingress"][0]["from"] == spec["egress"][0]["to"] == [own]
    closed = spec["egress"][3]["to"][0]["networks"]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(closed)
    assert not {"0.0.0.0/0", "203.0.113.0/24", "2001:db8:7::/48"} & set(closed)
    for namespace in namespaces:
        binding = await site.admin.get(kinds.ROLE_BINDING, "sublet-tenant", namespace)
        assert int(policy["metadata"]["resourceVersion"]) < int(binding["metadata"]["resourceVersion"])


async def test_a_lease_at_rest_with_its_policy_is_left_in_peace(site: Site) -> None:
    """What the API server gives back is what was written, so that no pass writes it again."""
    before = await active(site, network=SOLD)
    service = site.operators[0].service

    async def idle() -> bool:
        return service.leases.is_idle() and service.pools.is_idle()

    await eventually(idle, "the operator is at rest")
    written = service.world.client.writes
    service.leases.add(site.name("a"))
    await eventually(idle, "the operator is at rest again")

    assert service.world.client.writes == written
    after = await site.admin.get(kinds.CLUSTER_NETWORK_POLICY, policy_of(site, "a"))
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


@pytest.mark.parametrize("what", DAMAGE)
async def test_what_is_changed_by_hand_is_as_before(site: Site, kubectl: Tool, what: str) -> None:
    """Rules, peers, subject and place are ours, also where a field is added that makes a denial match less."""
    before = await active(site, network=SOLD)
    name = policy_of(site, "a")

    kubectl("patch", "clusternetworkpolicy", name, "--type=json", "-p", json.dumps(DAMAGE[what]))

    async def as_before() -> bool:
        found = await site.admin.get(kinds.CLUSTER_NETWORK_POLICY, name)
        return (found["spec"], found["metadata"].get("labels")) == (before["spec"], before["metadata"]["labels"])

    await eventually(as_before, f"{what} is repaired", within=10)


async def test_a_deleted_policy_comes_back(site: Site, kubectl: Tool) -> None:
    before = await active(site)
    kubectl("delete", "clusternetworkpolicy", policy_of(site, "a"), "--wait=false")

    async def back() -> bool:
        found = await site.find(kinds.CLUSTER_NETWORK_POLICY, policy_of(site, "a"))
        if found is None or found["metadata"]["uid"] == before["metadata"]["uid"]:
            return False
        return bool(found["spec"] == before["spec"])

    await eventually(back, "the policy is back")


async def test_the_network_is_closed_until_the_last_namespace_is_gone(site: Site, kubectl: Tool) -> None:
    """The policy outlives what it holds, and the lease is not over while it is there."""
    await active(site)
    name = policy_of(site, "a")
    let_go = ("--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    hold = ("--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    for kind in ("namespace", "clusternetworkpolicy"):
        kubectl("patch", kind, name, *hold)

    await site.edit("a", release=True)

    async def emptied() -> bool:
        """Whether the namespace controller has done its part, and the finalizer is all that holds it."""
        namespace = await site.admin.get(kinds.NAMESPACE, name)
        return "finalizers" not in namespace["spec"]

    await eventually(emptied, "the namespace is held by its finalizer alone")
    policy = await site.admin.get(kinds.CLUSTER_NETWORK_POLICY, name)
    assert "deletionTimestamp" not in policy["metadata"]
    assert len(await site.holders()) == 2

    kubectl("patch", "namespace", name, *let_go)

    async def policy_goes() -> bool:
        conditions = (await site.see("a"))["status"]["conditions"]
        (message,) = (each["message"] for each in conditions if each["type"] == "Released")
        return bool(message == f"cluster network policies still being deleted: {name}")

    await eventually(policy_goes, "the lease waits for its policy alone")
    assert await site.find(kinds.NAMESPACE, name) is None
    assert (await site.see("a"))["status"]["phase"] == "Releasing"

    kubectl("patch", "clusternetworkpolicy", name, *let_go)
    await site.reach("a", "Ended")
    assert await site.find(kinds.CLUSTER_NETWORK_POLICY, name) is None
    assert await site.holders() == {}


async def test_a_policy_that_a_lost_lease_left_is_swept(site: Site, kubectl: Tool) -> None:
    """A lease whose finalizer was stripped by force leaves no policy either, and a foreign one is left alone."""
    await active(site)
    name = policy_of(site, "a")
    uid = (await site.see("a"))["metadata"]["uid"]
    await site.operators[0].stop()
    foreign = await site.admin.get(kinds.CLUSTER_NETWORK_POLICY, name)
    labels = {"sublet.dev/lease": site.name("a"), "sublet.dev/lease-uid": uid}
    create(kubectl, {**foreign, "metadata": {"name": f"owner-{name}", "labels": labels}})

    kubectl("delete", "gpulease", site.name("a"), "--wait=false")
    kubectl("patch", "gpulease", site.name("a"), "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    await site.start_operator()

    async def swept() -> bool:
        site.clock.advance(site.settings.sweep_every)
        return await site.find(kinds.CLUSTER_NETWORK_POLICY, name) is None and not await site.holders()

    await eventually(swept, "nothing of the orphan is left")
    assert await site.find(kinds.CLUSTER_NETWORK_POLICY, f"owner-{name}") is not None


@pytest.mark.parametrize(
    "words",
    [
        ["get", "{name}"],
        ["delete", "{name}"],
        ["patch", "{name}", "--type=merge", "-p", '{"spec":{"priority":9}}'],
    ],
    ids=lambda words: words[0],
)
async def test_a_tenant_cannot_touch_it(site: Site, alice: Tool, words: list[str]) -> None:
    """It belongs to no namespace, and a tenant has no right outside of the lease's."""
    await active(site)
    verb, *rest = [word.replace("{name}", policy_of(site, "a")) for word in words]
    done = alice(verb, "clusternetworkpolicy", *rest, check=False)
    assert done.returncode != 0
    assert 'User "alice@acme.example" cannot' in done.stderr


def test_the_widest_policy_is_valid(kubectl: Tool) -> None:
    """One with thousands of networks is admitted: the rules of the kind about numbers, sets and CIDRs hold."""
    (policy,) = cluster_network.manifests(a_tenancy(egress=widest(), has_cluster_policies=True))
    policy["metadata"]["name"] = "widest"
    kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=json.dumps(policy))
