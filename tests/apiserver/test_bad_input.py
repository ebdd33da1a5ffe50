"""Bad input: refused or held with one clear sentence that names the field; nothing half-made stays behind."""

import asyncio
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any

import pytest

from sublet.api.scalars import format_timestamp
from sublet.cluster import kinds
from sublet.errors import InvalidError
from sublet.policy.times import FURTHEST_STOP
from tests.apiserver.site import Site, eventually
from tests.conftest import Tool

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "more nodes than exist": (
        {"nodes": 5},
        "TooFewNodes",
        "spec.nodes: 5 asked for, but the pool {pool} has 4 nodes for sale; ask for at most 4",
    ),
    "GPUs that do not fill nodes": (
        {"gpus": 12},
        "NodesNotWhole",
        "spec.gpus: 12 does not fill whole nodes of 8 GPUs; ask for 8 or 16",
    ),
    "too short a lease": (
        {"duration": "30s"},
        "OutsideTerms",
        "spec.duration: shorter than the 1m that the pool sells at least",
    ),
    "a lease that would only drain": (
        {"duration": "5m"},
        "OutsideTerms",
        "spec.duration: must be longer than the 5m for which the pool drains a lease before its end",
    ),
    "a hard stop that no pod can be given": (
        {"extendableUntil": "2999-01-01T00:00:00Z"},
        "InvalidSpec",
        (
            "spec.extendableUntil: more than 68 years after the start, and no pod's deadline can be that far away; "
            "give an earlier time"
        ),
    ),
    "a latest start too far ahead": (
        {"start": "2999-01-01T00:00:00Z", "duration": "1h", "latestStart": "2999-01-02T00:00:00Z"},
        "OutsideTerms",
        "spec.latestStart: further ahead than the 56d for which the pool sells; give an earlier time",
    ),
    "a level that the pool has not": (
        {"duration": "1h", "placement": {"level": "example.com/rack"}},
        "NotOffered",
        (
            "spec.placement.level: example.com/rack is no level of the pool's topology; "
            "the pool names none, so remove spec.placement"
        ),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_lease_that_cannot_be_had_is_refused(site: Site, kubectl: Tool, what: str) -> None:
    """The reason stands in the status, in `kubectl get` and in an event, and nothing was created."""
    spec, reason, template = REFUSED[what]
    await site.pool(nodes=4)
    message = template.format(pool=site.prefix)

    await site.lease("a", **spec)
    lease = await site.reach("a", "Refused")

    assert lease["status"]["message"] == message
    found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in lease["status"]["conditions"]}
    assert found["Accepted"] == ("False", reason, message)
    assert found["Stalled"] == ("True", reason, message)
    assert found["Ready"][0] == "False"
    assert message in kubectl("get", "gpulease", site.name("a")).stdout
    await told(kubectl, site.name("a"), message)
    assert await site.find(kinds.NAMESPACE, f"lease-{site.name('a')}") is None
    assert await site.holders() == {}


async def told(kubectl: Tool, lease: str, message: str) -> None:
    """Wait until an event about the lease says it."""

    async def look() -> bool:
        return message in kubectl("events", "--for", f"gpulease/{lease}", "-n", "default").stdout

    await eventually(look, f"an event says: {message}")


async def test_the_furthest_hard_stop_is_a_pods_deadline(site: Site, alice: Tool) -> None:
    """What is sold at most can be written into a pod; three weeks more, and every pod would be refused."""
    await site.pool(nodes=2)
    await site.lease("a", extendableUntil=format_timestamp(site.clock.now() + FURTHEST_STOP))
    namespace = (await site.reach("a", "Active"))["status"]["namespaces"][0]

    def run() -> "CompletedProcess[str]":
        words = ("run", "a", "--image", "registry.example/a:1", "--namespace", namespace, "--dry-run=server")
        return alice(*words, "-o", "jsonpath={.spec.activeDeadlineSeconds}", check=False)

    assert 0 <= FURTHEST_STOP.total_seconds() - float(run().stdout) < 60
    await site.operators[0].stop()  # it would write the hard stop back
    later = format_timestamp(site.clock.now() + FURTHEST_STOP + timedelta(weeks=3))
    notes = {"metadata": {"annotations": {"sublet.dev/hard-stop-at": later}}}
    client = await site.own()
    await client.patch(kinds.NAMESPACE, namespace, notes)
    await client.close()
    assert "must be between 1 and 2147483647" in run().stderr


async def test_a_refused_lease_gains_no_lead_time_by_its_age(site: Site) -> None:
    """Edited later, it is held to what is asked of a lease that is written then."""
    await site.pool(nodes=2, terms={"minDuration": "1m", "leadTime": "6s"})
    await site.lease("a", start=format_timestamp(site.clock.now() + timedelta(seconds=3)), duration="1h")
    await site.reach("a", "Refused")
    await asyncio.sleep(7)

    await site.edit("a", start=format_timestamp(site.clock.now() + timedelta(seconds=3)))

    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"].startswith("spec.start: the pool wants 6s of lead time; give ")


async def test_a_refused_lease_is_had_once_it_can_be(site: Site) -> None:
    """A refusal is not for ever: when the pool appears, the lease that named it goes on by itself."""
    await site.lease("a")
    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"] == (
        f"spec.pool: there is no GPUPool {site.prefix}; "
        "create it, or delete this lease and name one of `kubectl get gpupools`"
    )

    await site.pool(nodes=2)

    await site.reach("a", "Active")


async def test_a_refused_lease_is_had_once_the_pool_has_grown(site: Site) -> None:
    """A lease that wanted more nodes than there were goes on when nodes join."""
    await site.pool(nodes=1)
    await site.lease("a", nodes=2)
    await site.reach("a", "Refused")

    site.cluster.create_nodes(2, site.prefix)

    await site.reach("a", "Active")


async def test_a_namespace_of_somebody_else_is_never_taken_over(site: Site, kubectl: Tool) -> None:
    """A lease whose namespace exists already is refused, and the namespace is left as it was."""
    await site.pool(nodes=2)
    namespace = f"lease-{site.name('a')}"
    kubectl("create", "namespace", namespace)
    before = kubectl("get", "namespace", namespace, "-o", "jsonpath={.metadata.labels}").stdout

    await site.lease("a")
    lease = await site.reach("a", "Refused")

    assert lease["status"]["message"] == (
        f"metadata.name: the namespace {namespace} belongs to somebody outside Sublet; "
        "delete this lease and apply it under another name"
    )
    assert kubectl("get", "namespace", namespace, "-o", "jsonpath={.metadata.labels}").stdout == before
    assert await site.holders() == {}
    kubectl("delete", "namespace", namespace, "--wait=false")


async def test_two_leases_that_want_one_namespace(site: Site) -> None:
    """Of two leases whose names make the same namespace, the older one has it and the other is told whose it is."""
    await site.pool(nodes=4)
    await site.lease("a-b")
    await site.reach("a-b", "Active")

    await site.lease("a", namespaces=["b"])
    refused = await site.reach("a", "Refused")

    assert refused["status"]["message"] == (
        f"spec.namespaces[0]: the namespace lease-{site.name('a-b')} belongs to the lease {site.name('a-b')}; "
        "choose another suffix"
    )
    assert await site.find(kinds.NAMESPACE, f"lease-{site.name('a')}") is None


async def test_a_pool_that_asks_for_what_is_not_enforced_sells_nothing(site: Site) -> None:
    """An owner who offers device classes is told that this is not enforced, instead of being left to rely on it."""
    pool: dict[str, Any] = {"isolation": {"deviceClasses": ["gpu"]}}
    await site.pool(nodes=2, **pool)
    await site.lease("a")

    refused = await site.reach("a", "Refused")

    assert refused["status"]["message"] == (
        f"spec.pool: the pool {site.prefix} is not accepted: spec.isolation.deviceClasses: "
        "not enforced by this version of Sublet; remove the field to sell without it"
    )


async def test_a_lease_is_held_to_the_longest_total_of_its_pool(site: Site) -> None:
    """Also one that is never extended; just that long, it is had."""
    await site.pool(nodes=2, terms={"minDuration": "1m", "longestTotal": "2h"})
    await site.lease("a", duration="2h1s")
    refused = await site.reach("a", "Refused")
    assert refused["status"]["message"] == "spec.duration: longer than the 2h that the pool lets a lease last in all"

    await site.edit("a", duration="2h")

    await site.reach("a", "Active")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"tenant": {"name": "Not A Label", "subjects": [{"kind": "User", "name": "x"}]}}, "spec.tenant.name"),
        ({"start": "2999-01-02T00:00:00Z", "end": "2999-01-01T00:00:00Z"}, "end"),
        ({"end": "2020-01-01T00:00:00Z"}, "spec.end"),
    ],
)
async def test_nonsense_is_refused_at_the_door(site: Site, spec: dict[str, Any], message: str) -> None:
    """The API server itself refuses what can never be meant, and names the field."""
    with pytest.raises(InvalidError, match=message):
        await site.lease("a", **spec)
