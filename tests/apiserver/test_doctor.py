"""The checkup: an installation that is whole passes, and what is missing or changed is found and named."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from sublet.cli.checkup import is_as_shipped
from sublet.cluster import kinds
from sublet.doctor.policies import OPEN_NAMESPACE
from sublet.guards.catalogue import POLICIES
from tests.apiserver.by_hand import without
from tests.apiserver.objects import Kubectl
from tests.apiserver.site import Raw, Site, eventually

Doctor = Callable[[], tuple[int, dict[str, Raw]]]


@pytest.fixture
def doctor(site: Site) -> Doctor:
    """Run `sublet doctor` as the administrator: its exit code, and each finding by its check."""

    def run() -> tuple[int, dict[str, Raw]]:
        done = subprocess.run(
            [sys.executable, "-m", "sublet", "doctor", "-o", "json"],
            env={**os.environ, "KUBECONFIG": str(site.cluster.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["installation"]}

    return run


async def test_a_whole_installation_passes(site: Site, doctor: Doctor) -> None:
    """With a pool and a lease. That no network plugin is known is told, and is no failure."""
    await site.pool(nodes=2)
    await site.lease("a")
    await site.reach("a", "Active")
    code, found = doctor()
    assert (code, {name for name, each in found.items() if each["verdict"] != "Passed"}) == (0, {"network-plugin"})
    assert found["claims"]["message"] == "2 nodes are claimed, each whole"
    assert found["pool"]["message"] == f"{site.prefix}: it can be sold from"


async def test_a_rule_that_is_missing_is_found(site: Site, doctor: Doctor, kubectl: Kubectl) -> None:
    """A policy that exists and lacks one of its rules is named, and so is one that is gone."""
    await site.pool(nodes=1)
    policy = next(each for each in POLICIES if each.name == "pods")
    with without(kubectl, policy, policy.rules[0]):
        code, found = doctor()
    assert (code, found["guards"]["verdict"]) == (1, "Failed")
    assert found["guards"]["message"] == "missing, or not as this version ships them: sublet-pods"
    assert "chart" in found["guards"]["remedy"]
    assert doctor()[0] == 0


async def test_a_pool_that_sells_nothing_is_found(site: Site, doctor: Doctor) -> None:
    """In the words of its own condition."""
    await site.pool(nodes=1, isolation={"deviceClasses": ["gpu.example.com"]})

    async def judged() -> bool:
        return "not enforced by this version" in doctor()[1]["pool"]["message"]

    await eventually(judged, "the pool is judged")
    code, found = doctor()
    assert (code, found["pool"]["verdict"]) == (1, "Failed")


async def test_a_lease_says_why_a_node_could_not_be_measured(site: Site, kubectl: Kubectl) -> None:
    """Here a quota keeps probe pods out; the tenant stays outside until the owner asks no longer."""
    quota = ("patch", "resourcequota", OPEN_NAMESPACE, "--namespace", OPEN_NAMESPACE, "-p")
    before = kubectl("get", *quota[1:5], "-o", "jsonpath={.spec.hard.pods}").stdout
    kubectl(*quota, '{"spec": {"hard": {"pods": "0"}}}')
    try:
        await site.pool(nodes=2, isolation={"probe": "Required"})
        await site.lease("a", nodes=1)

        async def told() -> Raw | None:
            status = (await site.see("a")).get("status", {})
            found = {each["type"]: each for each in status.get("conditions", ())}
            return found if "not let in" in found.get("Isolated", {}).get("message", "") else None

        found = await eventually(told, "the lease says why")
    finally:
        kubectl(*quota, json.dumps({"spec": {"hard": {"pods": before}}}))
    assert (found["Isolated"]["reason"], found["AccessGranted"]["status"]) == ("NotMeasured", "False")
    assert f"exceeded quota: {OPEN_NAMESPACE}" in found["Isolated"]["message"]
    await site.admin.patch(kinds.GPU_POOL, site.prefix, {"spec": {"isolation": {"probe": "OnRequest"}}})
    await site.reach("a", "Active")


@pytest.mark.parametrize(
    ("live", "same"),
    [
        ({"a": "by 'system:x' now", "b": [1], "more": 1}, True),
        ({"a": "by 'system:x' now", "b": [1, 2]}, False),
        ({"a": "by 'system:x' || true || 'y' now", "b": [1]}, False),
        ({"a": "by '' now", "b": [1]}, False),
        ({"b": [1]}, False),
        (None, False),
    ],
)
def test_what_the_chart_fills_in_is_a_name_and_no_more(live: object, *, same: bool) -> None:
    """A policy is compared word for word but for the names in it."""
    assert is_as_shipped(live, {"a": "by '@OPERATOR@' now", "b": [1]}) is same
