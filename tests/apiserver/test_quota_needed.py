"""No line of the quota or of the limits is idle: without any one of them an attack succeeds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from sublet.desired import quota as desired
from sublet.desired.tenancy import Allowed
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Scene
from sublet.guards.attacks.claims import ALLOWED_CLASS
from sublet.guards.attacks.pods_shapes import Bad, pod
from sublet.guards.attacks.quota import DEVICE_CLASS, LINES, Line
from tests.apiserver.attacker import Answer, Attacker
from tests.apiserver.by_hand import BREAK_GLASS, FAR_AHEAD, LONG_AGO, create, leased_namespace, times
from tests.apiserver.counted import Quota, exceeded
from tests.apiserver.leased import until
from tests.apiserver.objects import Kubectl
from tests.builders import a_tenancy

LEASED, BARE = "lease-quota", "quota-alone"
PLAIN = pod(Bad("plain", "Nothing.", ADMITTED))

Raw = dict[str, Any]


def scene(namespace: str) -> Scene:
    """A lease that has the name of its namespace."""
    return Scene(namespace, namespace, "none", "none", "default", "nvidia.com/gpu")


def limits_of(namespace: str) -> list[Raw]:
    """The ResourceQuota and the LimitRange that the operator would write, for a pool that allows some classes."""
    allowed = Allowed(storage_classes=(ALLOWED_CLASS,), device_classes=(DEVICE_CLASS,))
    return desired.manifests(a_tenancy(namespaces=(namespace,), allowed=allowed))


HARD: Mapping[str, str] = limits_of(LEASED)[0]["spec"]["hard"]
DEFAULTS: Mapping[str, str] = limits_of(LEASED)[1]["spec"]["limits"][0]["defaultRequest"]


@pytest.fixture(scope="module")
def quotas(kubectl: Kubectl, admin: Attacker, tenant: Attacker) -> Iterator[dict[str, Quota]]:
    """The quotas of a lease's namespace with all its guards, and of a namespace that has no other guard."""
    notes = times(LONG_AGO, FAR_AHEAD) | {"allowed-storage-classes": ALLOWED_CLASS}
    with leased_namespace(kubectl, LEASED, notes):
        kubectl("create", "namespace", BARE)
        for namespace in (LEASED, BARE):
            for manifest in limits_of(namespace):
                create(kubectl, manifest, *BREAK_GLASS)
            until(lambda: kubectl("get", "cm", "-n", namespace).stdout != "", "the namespace is whole")  # noqa: B023
        until(lambda: tenant.try_out(PLAIN.request(scene(LEASED))).stopped_by == ADMITTED, "Alice is let in")
        yield {namespace: Quota(admin, namespace) for namespace in (LEASED, BARE)}
        kubectl("delete", "namespace", BARE, "--wait=false")


def test_every_line_of_the_quota_has_an_attack() -> None:
    """A line that a later version adds needs one as well, or is not needed itself."""
    assert sorted(line.name for line in LINES) == sorted(HARD)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_without_the_line_its_attack_succeeds(
    quotas: dict[str, Quota], tenant: Attacker, admin: Attacker, line: Line
) -> None:
    """A line that is a second lock is tried where the first one is missing, and the first one is tried without it."""
    second = line.attack.stopped_by != "quota"
    namespace = BARE if second else LEASED
    who = admin if second or line.by_controllers else tenant
    request = line.attack.request(scene(namespace))
    quota = quotas[namespace]
    others = {name: value for name, value in HARD.items() if name != line.name}
    limit = quota.status()["used"][line.name] if line.used_up else HARD[line.name]

    def outcome(expected: Callable[[Answer], bool], what: str) -> None:
        until(lambda: expected(who.try_out(request)), what)

    try:
        quota.write(others | {line.name: limit})
        outcome(lambda answer: exceeded(answer) == [line.name], f"{line.attack.name} is refused by {line.name}")
        quota.write(others)
        outcome(lambda answer: answer.stopped_by == ADMITTED, f"{line.attack.name} succeeds without {line.name}")
    finally:
        quota.write(HARD)
    if second:
        assert tenant.try_out(line.attack.request(scene(LEASED))).stopped_by == line.attack.stopped_by


@pytest.mark.parametrize("resource", DEFAULTS)
def test_without_the_default_request_a_pod_is_not_counted(
    quotas: dict[str, Quota], admin: Attacker, tenant: Attacker, resource: str
) -> None:
    """Of CPU and memory the quota wants to know and refuses; disk would be used without anybody counting it."""
    path = f"/api/v1/namespaces/{LEASED}/limitranges/sublet"
    request = PLAIN.request(scene(LEASED))

    def write(defaults: Mapping[str, str]) -> None:
        change = [{"op": "replace", "path": "/spec/limits/0/defaultRequest", "value": defaults}]
        assert not (answer := admin.send("PATCH", path, change)).message, answer.message

    def outcome(expected: Callable[[Answer], bool], what: str) -> None:
        until(lambda: expected(tenant.try_out(request)), what)

    counted = resource in {"cpu", "memory"}
    line = f"requests.{resource}"
    try:
        if not counted:
            quotas[LEASED].write({**HARD, line: "0"})
            outcome(lambda answer: exceeded(answer) == [line], f"a plain pod is refused by {line}")
        write({name: value for name, value in DEFAULTS.items() if name != resource})
        if counted:
            outcome(lambda answer: f"must specify {line}" in answer.message, f"a plain pod has to specify {line}")
        else:
            outcome(lambda answer: answer.stopped_by == ADMITTED, f"a plain pod is not counted in {line}")
    finally:
        write(DEFAULTS)
        quotas[LEASED].write(HARD)
    outcome(lambda answer: answer.stopped_by == ADMITTED, "a plain pod is admitted")
