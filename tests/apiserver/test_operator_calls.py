"""The operator's rights are the calls that it makes: none is missing, and none is granted that it does not use."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sublet.cluster import kinds
from sublet.doctor.policies import NAMESPACES
from tests.apiserver.cleaning import steps
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]
Right = tuple[str, str, str]

OPERATOR = "system:serviceaccount:sublet-system:sublet"
BREAK_GLASS = ("--as", "admin", "--as-group", "sublet:break-glass", "--as-group", "system:masters")
RBAC = "rbac.authorization.k8s.io"


def granted(kubectl: Tool) -> set[Right]:
    """Group, resource and verb of everything that the chart grants."""
    measuring = [["role", name, "--namespace", name] for name in NAMESPACES]
    roles = [
        ["clusterrole", "sublet"],
        ["role", "sublet-events", "--namespace", "default"],
        ["role", "sublet-sanitize", "--namespace", "sublet-sanitize"],
        *measuring,
    ]
    rules = [rule for role in roles for rule in json.loads(kubectl("get", *role, "-o", "json").stdout)["rules"]]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(log: str) -> Iterator[Right]:
    """The same of every call that the audit log has of the operator, with what RBAC asked besides the verb itself."""
    whole = log[: log.rfind("\n") + 1]  # the last line may be half written
    for entry in map(json.loads, whole.splitlines()):
        if entry["user"]["username"] != OPERATOR or "objectRef" not in entry:
            continue
        if "impersonatedUser" in entry:
            yield "", "users", "impersonate"
            continue
        target = entry["objectRef"]
        group, resource = target.get("apiGroup", ""), target["resource"]
        name = f"{resource}/{target['subresource']}" if "subresource" in target else resource
        yield group, name, entry["verb"]
        if entry["verb"] == "patch" and entry["responseStatus"]["code"] == 201:
            yield group, name, "create"
        if resource == "rolebindings" and entry["verb"] in {"create", "patch"}:
            yield RBAC, "clusterroles", "bind"


def surplus(kind: str, api_version: str, namespace: str, labels: Raw, name: str = "surplus", **rest: object) -> str:
    """An object that claims to be the lease's and is not, as JSON."""
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return json.dumps({"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest})


@pytest.mark.usefixtures("cluster_policies")
async def test_every_right_is_used_and_none_is_missing(site: Site, kubectl: Tool) -> None:
    """Over the whole life of a lease, drift and surplus included, the calls made are exactly the rights granted."""
    await site.pool(nodes=2, sanitize=steps("wipe"))
    await site.lease("a", namespaces=["staging"])
    lease = await site.reach("a", "Active")
    namespace = lease["status"]["namespaces"][0]
    labels = {"sublet.dev/lease": site.name("a"), "sublet.dev/lease-uid": lease["metadata"]["uid"]}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "sublet-tenant"}
    await site.operators[0].stop()
    kubectl("delete", "resourcequota", "sublet", "--namespace", namespace)  # it allows no second one
    for manifest in (
        surplus("ResourceQuota", "v1", namespace, labels, spec={"hard": {}}),
        surplus("LimitRange", "v1", namespace, labels, spec={"limits": []}),
        surplus("NetworkPolicy", "networking.k8s.io/v1", namespace, labels, spec={"podSelector": {}}),
        surplus("RoleBinding", f"{RBAC}/v1", namespace, labels, roleRef=role),
    ):
        kubectl("create", *BREAK_GLASS, "-f", "-", input=manifest)
    elsewhere = f"{namespace}-elsewhere"  # of two ConfigMaps of one name, the one that the lease should not have
    kubectl("create", "namespace", elsewhere)
    stray = surplus("ConfigMap", "v1", elsewhere, labels, name="sublet-lease")
    kubectl("create", *BREAK_GLASS, "-f", "-", input=stray)
    await site.start_operator()
    await site.gone(kinds.CONFIG_MAP, "sublet-lease", elsewhere)
    kubectl("delete", "namespace", elsewhere, "--wait=false")
    for kind in (kinds.RESOURCE_QUOTA, kinds.LIMIT_RANGE, kinds.NETWORK_POLICY, kinds.ROLE_BINDING):
        await site.gone(kind, "surplus", namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")
    await eventually(lambda: _repaired(site, namespace), "the namespace is repaired")
    # On nodes that kwok plays nobody answers; what is looked at here is what the operator does.
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"isolation": {"probe": "Required"}}})
    await eventually(lambda: _measured(site), "probe pods run")
    kubectl("delete", "pod", "tenant", "--namespace", "sublet-doctor-b", "--now")
    await eventually(lambda: _noted(site), "what came of it is noted on a node")
    await site.edit("a", release=True)
    await site.reach("a", "Ended")

    rights = granted(kubectl)
    calls = set(used((site.cluster.state.logs / "audit.jsonl").read_text()))

    assert calls - rights == set(), "calls without a right"
    assert rights - calls == set(), "rights without a call"


async def _repaired(site: Site, namespace: str) -> bool:
    labels = (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["labels"]
    return "pod-security.kubernetes.io/enforce" in labels


async def _measured(site: Site) -> bool:
    return await site.find(kinds.POD, "tenant", "sublet-doctor-b") is not None


async def _noted(site: Site) -> bool:
    return any("sublet.dev/measured" in node["metadata"].get("annotations", {}) for node in await site.nodes())
