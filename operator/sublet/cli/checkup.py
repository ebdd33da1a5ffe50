"""What can be seen of an installation without running anything on it."""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.api.record import LeaseRecord
from sublet.cluster import observe
from sublet.cluster.client import Client
from sublet.cluster.kinds import MUTATING_POLICY
from sublet.cluster.world import World
from sublet.desired import nodes as node_claims
from sublet.doctor.judge import Finding, Verdict
from sublet.errors import SubletError
from sublet.guards.catalogue import MUTATIONS, POLICIES
from sublet.guards.rule import PLACEHOLDERS, manifests

Raw = dict[str, Any]

_UPGRADE: Final = "install or upgrade Sublet's chart, of the version of this command"
_OLDEST: Final = (1, 34)
_COMPLETES: Final = (1, 36)
_BY_HAND: Final = ("sublet-lease-times", "sublet-operator-bounds", "sublet-operator-marks")
"""Policies of the chart that are not generated."""

_PLUGINS: Final = {
    "antrea-agent": "Antrea",
    "aws-node": "Amazon VPC CNI, which enforces only with its network policy agent",
    "azure-npm": "Azure NPM",
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "kindnet": "kindnet",
    "kube-flannel-ds": "Flannel, which enforces no NetworkPolicy by itself",
    "kube-router": "kube-router",
    "ovnkube-node": "OVN-Kubernetes",
    "weave-net": "Weave Net",
}
"""DaemonSets by which a network plugin is known."""


async def checkup(client: Client, world: World) -> list[Finding]:
    """A finding for each check; what may not be read is Unknown."""
    checks: dict[str, Callable[[], Awaitable[Finding]]] = {
        "kubernetes": lambda: _kubernetes(client),
        "kinds": lambda: _kinds(client),
        "guards": lambda: _guards(client),
        "completion": lambda: _completion(client),
        "network-plugin": lambda: _network_plugin(client),
    }
    return [
        *[await _without_rights(name, check) for name, check in checks.items()],
        *_pools(world),
        _claims(world),
    ]


async def _without_rights(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except SubletError as error:
        return Finding(name, Verdict.UNKNOWN, f"it cannot be seen: {error}", "run it with an administrator's rights")


async def _kubernetes(client: Client) -> Finding:
    told = await client.request("GET", "/version")
    version = tuple(int(re.sub(r"\D.*", "", told[part]) or 0) for part in ("major", "minor"))
    text = f"the API server is Kubernetes {told['gitVersion']}"
    if version < _OLDEST:
        return Finding("kubernetes", Verdict.FAILED, text, "upgrade to 1.34 or later: the guards need what it has")
    return Finding("kubernetes", Verdict.PASSED, text)


async def _kinds(client: Client) -> Finding:
    served = {each["name"] for each in (await client.request("GET", "/apis/sublet.dev/v1alpha1"))["resources"]}
    missing = sorted({kind.plural for kind in (GPULease, GPUPool, LeaseRecord)} - served)
    if missing:
        return Finding("kinds", Verdict.FAILED, f"not served: {', '.join(missing)}", _UPGRADE)
    return Finding("kinds", Verdict.PASSED, "pools, leases and records are served")


async def _guards(client: Client) -> Finding:
    """Every policy and binding as this version generates it: one that was changed may let something through."""
    live = {}
    for plural in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        answer = await client.request("GET", f"/apis/admissionregistration.k8s.io/v1/{plural}")
        live[plural] = {each["metadata"]["name"]: each["spec"] for each in answer["items"]}
    policies, bindings = live.values()
    wrong = [
        f"sublet-{policy.name}"
        for policy in POLICIES
        for wanted, there in zip(manifests(policy), (policies, bindings), strict=True)
        if not is_as_shipped(there.get(f"sublet-{policy.name}"), wanted["spec"])
    ]
    wrong += [
        name
        for name in _BY_HAND
        if policies.get(name, {}).get("failurePolicy") != "Fail"
        or bindings.get(name, {}).get("validationActions") != ["Deny"]
    ]
    if wrong:
        names = ", ".join(sorted(set(wrong)))
        return Finding("guards", Verdict.FAILED, f"missing, or not as this version ships them: {names}", _UPGRADE)
    count = len(POLICIES) + len(_BY_HAND)
    return Finding("guards", Verdict.PASSED, f"{count} admission policies and their bindings are as shipped")


async def _completion(client: Client) -> Finding:
    name = "completion"
    if not await client.serves(MUTATING_POLICY):
        text = "the API server completes no pods; tenants write node selector, toleration and deadline themselves"
        return Finding(name, Verdict.PASSED, text, "Kubernetes 1.36 completes them")
    there = {each["metadata"]["name"] for each in (await client.list(MUTATING_POLICY))["items"]}
    missing = sorted({f"sublet-{mutation.name}" for mutation in MUTATIONS} - there)
    if missing:
        return Finding(name, Verdict.FAILED, f"pods are not completed; missing: {', '.join(missing)}", _UPGRADE)
    return Finding(name, Verdict.PASSED, "pods are completed by the API server")


async def _network_plugin(client: Client) -> Finding:
    answer = await client.request("GET", "/apis/apps/v1/daemonsets")
    seen = sorted({_PLUGINS[n] for each in answer["items"] if (n := each["metadata"]["name"]) in _PLUGINS})
    measure = "what it enforces, --probe measures"
    if not seen:
        return Finding("network-plugin", Verdict.UNKNOWN, "no network plugin is known by its DaemonSet", measure)
    return Finding("network-plugin", Verdict.PASSED, f"seen: {', '.join(seen)}", measure)


def _pools(world: World) -> Iterable[Finding]:
    for raw in world.pools:
        name = raw["metadata"]["name"]
        found = [c for c in (raw.get("status") or {}).get("conditions") or () if c["type"] == "Accepted"]
        if not found:
            yield Finding("pool", Verdict.UNKNOWN, f"{name}: nobody looked at it yet", "see that the operator runs")
        elif found[0]["status"] != "True":
            yield Finding("pool", Verdict.FAILED, f"{name}: {found[0]['message']}", "correct the pool")
        else:
            yield Finding("pool", Verdict.PASSED, f"{name}: it can be sold from")


def _claims(world: World) -> Finding:
    """The nodes that are claimed, and whether each claim is whole and of a lease that there is."""
    leases = {lease["metadata"]["name"]: lease["metadata"]["uid"] for lease in world.leases}
    claimed = observe.claimed_nodes(world)
    wrong = [
        node.name
        for node in claimed
        if leases.get(node.lease or "") != node.lease_uid
        or not node_claims.is_claimed_whole(node.lease or "", node.taints)
    ]
    if wrong:
        text = f"labels, annotation and taint do not agree, or their lease is gone: {', '.join(wrong[:5])}"
        return Finding("claims", Verdict.FAILED, text, "the operator repairs them within a minute: see that it runs")
    return Finding("claims", Verdict.PASSED, f"{len(claimed)} nodes are claimed, each whole")


def is_as_shipped(live: object, wanted: object) -> bool:
    """Whether a live specification says all that is wanted; of names that the chart fills in, any will do."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(is_as_shipped(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        is_list = isinstance(live, list) and len(live) == len(wanted)
        return is_list and all(map(is_as_shipped, live, wanted))  # type: ignore[call-overload]
    if isinstance(wanted, str) and isinstance(live, str):
        pattern = re.escape(wanted)
        for placeholder in PLACEHOLDERS:
            pattern = pattern.replace(re.escape(placeholder), "[^']+")
        # The API server, or YAML on its way there, may end a text with a line or not.
        return re.fullmatch(pattern.rstrip(), live.rstrip()) is not None
    return live == wanted
