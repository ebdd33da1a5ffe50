"""Drift: what somebody deletes or edits comes back, and a lease that is as it should be is left in peace."""

from typing import Any

import pytest

from sublet.cluster import kinds
from tests.apiserver.by_hand import BREAK_GLASS
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

REPAIRED_WITHIN_SECONDS = 10.0

DAMAGE = {
    "a deleted quota": ["delete", "resourcequota", "sublet", "-n", "{ns}"],
    "a raised quota": ["patch", "resourcequota", "sublet", "-n", "{ns}", "-p", '{"spec":{"hard":{"pods":"9999"}}}'],
    "a deleted limit range": ["delete", "limitrange", "sublet", "-n", "{ns}"],
    "a deleted default deny": ["delete", "networkpolicy", "sublet-default-deny", "-n", "{ns}"],
    "a default deny for some pods only": [
        *["patch", "networkpolicy", "sublet-default-deny", "-n", "{ns}", "-p"],
        '{"spec":{"podSelector":{"matchLabels":{"a":"b"}}}}',
    ],
    "a policy opened to the world": [
        *["patch", "networkpolicy", "sublet-allow", "-n", "{ns}", "--type=json", "-p"],
        '[{"op":"add","path":"/spec/egress/-","value":{}}]',
    ],
    "a deleted binding": ["delete", "rolebinding", "sublet-tenant", "-n", "{ns}"],
    "a stranger in the binding": [
        *["patch", "rolebinding", "sublet-tenant", "-n", "{ns}", "--type=json", "-p"],
        """[{"op": "add", "path": "/subjects/-",
             "value": {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}}]""",
    ],
    "deleted facts": ["delete", "configmap", "sublet-lease", "-n", "{ns}"],
    "facts with a later end": [
        *["patch", "configmap", "sublet-lease", "-n", "{ns}", "-p"],
        '{"data":{"endsAt":"2999-01-01T00:00:00Z"}}',
    ],
    "facts without their lease": ["label", "configmap", "sublet-lease", "-n", "{ns}", "sublet.dev/lease-"],
    "a namespace without Pod Security": ["label", "namespace", "{ns}", "pod-security.kubernetes.io/enforce-"],
    "a namespace without its lease": ["label", "namespace", "{ns}", "sublet.dev/lease-", "sublet.dev/lease-uid-"],
    "a later end in the annotations": [
        *["annotate", "namespace", "{ns}", "--overwrite"],
        "sublet.dev/ends-at=2999-01-01T00:00:00Z",
    ],
    "a node without its taint": ["taint", "node", "{node}", "sublet.dev/lease-"],
    "a node without its label": ["label", "node", "{node}", "sublet.dev/lease-"],
    "a node without its owner": ["annotate", "node", "{node}", "sublet.dev/lease-uid-"],
}


async def snapshot(site: Site, namespace: str, node: str) -> Raw:
    """Everything of a lease that may drift, as it is now."""
    found: Raw = {}
    for kind, name in (
        (kinds.RESOURCE_QUOTA, "sublet"),
        (kinds.LIMIT_RANGE, "sublet"),
        (kinds.NETWORK_POLICY, "sublet-default-deny"),
        (kinds.NETWORK_POLICY, "sublet-allow"),
        (kinds.CONFIG_MAP, "sublet-lease"),
        (kinds.ROLE_BINDING, "sublet-tenant"),
        (kinds.CLUSTER_NETWORK_POLICY, namespace),
    ):
        seen = await site.find(kind, name, namespace if kind.namespaced else None)
        parts = ("spec", "data", "subjects", "roleRef")
        found[f"{kind.kind}/{name}"] = {key: seen.get(key) for key in parts} if seen else None
    for kind, name in ((kinds.NAMESPACE, namespace), (kinds.NODE, node)):
        metadata = (seen := await site.admin.get(kind, name))["metadata"]
        marks = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
        ours = {key: value for key, value in marks.items() if "sublet.dev/" in key or "pod-security" in key}
        found[kind.kind] = {"marks": ours, "taints": seen["spec"].get("taints")}
    return found


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_repaired(site: Site, kubectl: Tool, what: str) -> None:
    """What an administrator breaks by mistake is as before within ten seconds."""
    await site.pool(nodes=2)
    await site.lease("a")
    status = (await site.reach("a", "Active"))["status"]
    namespace, node = status["namespaces"][0], status["nodes"][0]
    before = await snapshot(site, namespace, node)

    words = [word.replace("{ns}", namespace).replace("{node}", node) for word in DAMAGE[what]]
    # Sublet's own marks are protected from everybody else: a member of the break-glass group can still be mistaken.
    protected = any("sublet.dev/" in word or word == "sublet-lease" for word in words)
    kubectl(*words, *(BREAK_GLASS if protected else ()))

    async def as_before() -> bool:
        return await snapshot(site, namespace, node) == before

    await eventually(as_before, f"{what} is repaired", REPAIRED_WITHIN_SECONDS)


async def test_a_deleted_namespace_comes_back_whole(site: Site, kubectl: Tool) -> None:
    """A namespace that was deleted is made anew with its guards and access."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    uid = (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["uid"]

    kubectl("delete", "namespace", namespace, "--wait=false")

    async def back() -> bool:
        found = await site.find(kinds.NAMESPACE, namespace)
        binding = await site.find(kinds.ROLE_BINDING, "sublet-tenant", namespace)
        return found is not None and found["metadata"]["uid"] != uid and binding is not None

    await eventually(back, "the namespace and its access are back")


async def test_a_lease_at_rest_is_left_in_peace(site: Site) -> None:
    """A pass over a lease that is as it should be writes nothing."""
    await site.pool(nodes=2)
    await site.lease("a", namespaces=["staging"])
    await site.reach("a", "Active")
    operator = site.operators[0].service

    async def counted() -> bool:
        pool = await site.admin.get(kinds.GPU_POOL, site.prefix)
        leased: int = pool["status"]["nodes"]["leased"]
        return leased == 2

    async def idle() -> bool:
        return operator.leases.is_idle() and operator.pools.is_idle()

    await eventually(counted, "the pool's own status is written")
    await eventually(idle, "the operator is at rest")
    written = operator.world.client.writes
    operator.leases.add(site.name("a"))
    operator.pools.add(site.prefix)
    await eventually(idle, "the operator is at rest again")

    assert operator.world.client.writes == written


async def test_orphans_are_swept(site: Site, kubectl: Tool) -> None:
    """A lease whose finalizer was stripped by force leaves nothing behind either."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    await site.operators[0].stop()

    kubectl("delete", "gpulease", site.name("a"), "--wait=false")
    kubectl("patch", "gpulease", site.name("a"), "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    await site.start_operator()
    site.clock.advance(site.settings.sweep_every)

    async def clean() -> bool:
        site.clock.advance(site.settings.sweep_every)
        return await site.find(kinds.NAMESPACE, namespace) is None and not await site.holders()

    await eventually(clean, "nothing of the orphan is left")
