"""Probes: a lease whose guards do not bite stays closed, says which one, and opens by itself once they do."""

import json

import pytest

from sublet.cluster import kinds
from tests.apiserver.site import Site, eventually
from tests.apiserver.test_main_job import pod
from tests.conftest import Tool

BROKEN = {
    "no rule for pods": (
        ["validatingadmissionpolicybinding", "sublet-pods"],
        "probe failed: a pod for another lease's nodes is refused; the answer was: admitted",
    ),
    "nothing pins pods": (
        ["mutatingadmissionpolicybinding", "sublet-complete-pods"],
        "probe failed: a plain pod is admitted and pinned; the answer was: ",
    ),
    "no end": (
        ["validatingadmissionpolicybinding", "sublet-creation-in-time"],
        "probe failed: what comes after the end is refused; the answer was: admitted",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_guard_that_does_not_bite_keeps_the_lease_closed(site: Site, kubectl: Tool, what: str) -> None:
    """The tenant is not let in, the condition names the probe, and the lease opens once the guard is back."""
    binding, message = BROKEN[what]
    saved = json.loads(kubectl("get", *binding, "-o", "json").stdout)
    await site.pool(nodes=20)
    kubectl("delete", *binding)
    try:
        # The API server goes by what it has read of its policies, once a second.
        await eventually(lambda: _stops_biting(site, what), "the guard is gone", within=60)
        lease = await site.see("probed")
        found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in lease["status"]["conditions"]}
        assert found["Isolated"][:2] == ("False", "GuardsMissing")
        assert found["Isolated"][2].startswith(message)
        assert "sublet-probe-" not in found["Isolated"][2], "a name that differs each time would be news each time"
        namespace = f"lease-{site.name('probed')}"
        assert await site.find(kinds.ROLE_BINDING, "sublet-tenant", namespace) is None
    finally:
        kubectl("create", "-f", "-", input=json.dumps(_fresh(saved)))
    await site.reach("probed", "Active")


async def test_no_pod_of_a_tenant_keeps_its_owner_in(site: Site, alice: Tool) -> None:
    """Not one with a name that probes had, nor anything else that lets a probe fail: who is to be out is out first."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    alice("create", "-n", namespace, "-f", "-", input=pod("sublet-probe", site.name("a"), gpus=1))

    bert = {"kind": "User", "name": "bert@acme.example"}
    await site.edit("a", tenant={"subjects": [bert]})

    async def changed() -> bool:
        door = await site.admin.get(kinds.ROLE_BINDING, "sublet-tenant", namespace)
        return [subject["name"] for subject in door.get("subjects", ())] == [bert["name"]]

    await eventually(changed, "alice is out and bert is in")
    assert "forbidden" in alice("get", "pods", "-n", namespace, check=False).stderr


async def _stops_biting(site: Site, what: str) -> bool:
    """Whether a new lease shows the guard as missing; one that was quicker than the API server is tried again."""
    found = await site.find(kinds.GPU_LEASE, site.name("probed"))
    if found is None:
        await site.lease("probed")
        return False
    conditions = {c["type"]: c for c in found.get("status", {}).get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True":
        await site.admin.delete(kinds.GPU_LEASE, site.name("probed"))
        await site.gone(kinds.GPU_LEASE, site.name("probed"))
        return False
    return BROKEN[what][1] in conditions.get("Isolated", {}).get("message", "")


def _fresh(saved: dict[str, object]) -> dict[str, object]:
    metadata = saved["metadata"]
    assert isinstance(metadata, dict)
    kept = {key: metadata[key] for key in ("name", "labels") if key in metadata}
    return {**saved, "metadata": kept}
