"""Lease facts: a tenant reads when its lease ends, and nobody but the operator says so."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hack import cluster as clusters
from sublet.api.scalars import format_timestamp
from sublet.cluster import kinds
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Request
from tests.apiserver.attacker import attacker
from tests.apiserver.by_hand import BREAK_GLASS, FAR_AHEAD, LONG_AGO, create, instant, leased_namespace, soon, times
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

Raw = dict[str, Any]

NAMESPACE = "lease-facts"
FACTS: Raw = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sublet-lease"}, "data": {"endsAt": "x"}}
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/sublet-lease"
CONTROLLERS = "system:serviceaccount:kube-system"


def read(alice: Tool, namespace: str) -> dict[str, str]:
    """What Alice reads in a namespace."""
    text = alice("get", "configmap", "sublet-lease", "--namespace", namespace, "-o", "json").stdout
    data: dict[str, str] = json.loads(text)["data"]
    return data


async def test_a_tenant_reads_its_lease(site: Site, alice: Tool) -> None:
    """In every namespace, in the words of the lease's status."""
    await site.pool(nodes=3)
    who = {"name": "acme", "contact": "ops@acme.example", "subjects": [{"kind": "User", "name": "alice@acme.example"}]}
    await site.lease("a", tenant=who, namespaces=["staging"], extendableUntil=instant(86_400))
    status = (await site.reach("a", "Active"))["status"]

    expected = {
        "lease": site.name("a"),
        "pool": site.prefix,
        "tenantContact": "ops@acme.example",
        **{key: status[key] for key in ("startsAt", "drainAt", "endsAt", "hardStopAt")},
        "nodes": f"{site.prefix}-000,{site.prefix}-001",
        "nodeCount": "2",
        "gpus": "16",
        "gpuResource": "nvidia.com/gpu",
    }
    assert [read(alice, namespace) for namespace in status["namespaces"]] == [expected, expected]


async def test_a_tenant_is_told_of_a_new_end(site: Site, alice: Tool) -> None:
    """After an extension, and after a shortening, end and draining are the new ones; the rest stays."""
    await site.pool(nodes=2)
    await site.lease("a", extendableUntil=instant(86_400))
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]
    before = read(alice, namespace)
    start = datetime.fromisoformat(before["startsAt"])

    for hours in (3, 2):
        await site.edit("a", duration=f"{hours}h")
        end = start + timedelta(hours=hours)
        expected = before | {
            "endsAt": format_timestamp(end),
            "drainAt": format_timestamp(end - timedelta(minutes=5)),
        }

        async def told(wanted: Raw = expected) -> bool:
            return read(alice, namespace) == wanted

        await eventually(told, f"the tenant reads that its lease lasts {hours} hours")
        notes = (await site.admin.get(kinds.NAMESPACE, namespace))["metadata"]["annotations"]
        assert notes["sublet.dev/ends-at"] == expected["endsAt"]


async def test_a_tenant_cannot_say_otherwise(site: Site, alice: Tool) -> None:
    """Whatever kubectl offers is refused, and what else the tenant has it can still change and delete."""
    await site.pool(nodes=2)
    await site.lease("a")
    namespace = ("--namespace", (await site.reach("a", "Active"))["status"]["namespaces"][0])
    before = read(alice, namespace[1])
    live = json.loads(alice("get", "configmap", "sublet-lease", *namespace, "-o", "json").stdout)
    forged = json.dumps({**live, "data": {**before, "endsAt": FAR_AHEAD}})
    alice("create", "configmap", "mine", "--from-literal", "a=b", *namespace)

    for words, sent in (
        (("patch", "configmap", "sublet-lease", "-p", '{"data":{"endsAt":"2999-01-01T00:00:00Z"}}'), None),
        (("replace", "-f", "-"), forged),
        (("replace", "--force", "-f", "-"), forged),
        (("label", "configmap", "sublet-lease", "a=b"), None),
        (("delete", "configmap", "sublet-lease"), None),
        (("delete", "configmaps", "--all"), None),
    ):
        refused = alice(*words, *namespace, input=sent, check=False)
        assert refused.returncode != 0, words
        assert "lease-facts: the ConfigMap sublet-lease says what was agreed" in refused.stderr, words
    assert read(alice, namespace[1]) == before
    assert alice("get", "configmap", "mine", *namespace, check=False).returncode != 0


@pytest.fixture(scope="module")
def facts(kubectl: Tool) -> Iterator[str]:
    """A lease made by hand, with its facts."""
    with leased_namespace(kubectl, NAMESPACE, times(LONG_AGO, FAR_AHEAD)) as namespace:
        create(kubectl, FACTS, *BREAK_GLASS, "--namespace", namespace)
        yield namespace


@pytest.mark.usefixtures("facts")
@pytest.mark.parametrize(
    "user",
    [
        "system:serviceaccount:sublet-system:sublet",
        f"{CONTROLLERS}:namespace-controller",
        f"{CONTROLLERS}:generic-garbage-collector",
        "system:kube-controller-manager",
    ],
)
def test_the_operator_and_the_cluster_go_on(cluster: clusters.Cluster, user: str) -> None:
    """Facts are written, and deleted with the namespace, also all at once and by controllers without own accounts."""
    with attacker(cluster, "admin", (user, "system:masters")) as one:
        answers = [
            one.try_out(Request("patch", PATH, {"data": {"endsAt": "y"}})),
            one.try_out(Request("delete", PATH)),
            one.try_out(Request("deletecollection", PATH.rpartition("/")[0])),
        ]
    assert [answer.stopped_by for answer in answers] == [ADMITTED] * 3, [answer.message for answer in answers]


@pytest.mark.parametrize("user", ["admin", "system:serviceaccount:lease-facts:default"])
def test_nobody_else_writes_facts(cluster: clusters.Cluster, facts: str, user: str) -> None:
    """Neither an administrator, who is told how, nor a tenant's own program, whatever rights it was given."""
    with attacker(cluster, "admin", (user, "system:masters")) as one:
        soon(lambda: one.try_out(Request("delete", PATH)).stopped_by == "lease-facts", f"{facts} is guarded")
        assert "the group sublet:break-glass" in one.try_out(Request("delete", PATH)).message


@pytest.mark.parametrize(
    ("starts", "ends"), [(FAR_AHEAD, FAR_AHEAD), (LONG_AGO, LONG_AGO)], ids=["before the start", "after the end"]
)
def test_facts_are_written_by_the_operators_clock(kubectl: Tool, starts: str, ends: str) -> None:
    """They are no workload: an operator whose clock is a little ahead, or late at the end, is not held up."""
    with leased_namespace(kubectl, "lease-facts-early", times(starts, ends)) as namespace:
        create(kubectl, FACTS, *BREAK_GLASS, "--namespace", namespace)
    soon(lambda: kubectl("get", "namespace", namespace, check=False).returncode != 0, "the namespace goes with them")
