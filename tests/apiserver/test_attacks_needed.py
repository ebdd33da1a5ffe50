"""No guard of pods is idle: without any one of them an attack succeeds. And what completes pods is no guard."""

import contextlib
from collections.abc import Iterator

import pytest

from sublet.desired import naming
from sublet.guards import pods as guards
from sublet.guards.attacks import pods
from sublet.guards.attacks.answer import ADMITTED
from sublet.guards.attacks.attack import Attack, Scene
from sublet.guards.attacks.pods_shapes import Bad, pod
from sublet.guards.attacks.pods_unaided import COMPLETE
from sublet.guards.rule import Policy, Rule
from tests.apiserver.attacker import Attacker
from tests.apiserver.leased import OPERATOR, Scenes, until
from tests.apiserver.unaided import PLAIN, uncompleted

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
UNAIDED_RULES = {"always-pull", "ends-by-hard-stop"}
"""Rules that nothing meets while pods are completed."""

RULES = [(policy, rule) for policy in guards.POLICIES for rule in policy.rules]


@contextlib.contextmanager
def without_rule(admin: Attacker, policy: Policy, rule: Rule) -> Iterator[None]:
    """Take one rule out of a policy; it is back afterwards, and bites a moment later."""
    path = f"{ADMISSION}/validatingadmissionpolicies/sublet-{policy.name}"
    validations = admin.send("GET", path).body["spec"]["validations"]
    # Made idle rather than left out, for a policy of one rule cannot be without it.
    others = [{"expression": "true"} if _is(each, rule) else each for each in validations]
    assert others.count({"expression": "true"}) == 1
    try:
        _write(admin, path, others)
        yield
    finally:
        _write(admin, path, validations)


def _is(validation: dict[str, str], rule: Rule) -> bool:
    return validation["message"].startswith(f"{rule.name}: ")


def _write(admin: Attacker, path: str, validations: object) -> None:
    answer = admin.send("PATCH", path, [{"op": "replace", "path": "/spec/validations", "value": validations}])
    assert not answer.message, answer.message


def _about(policy: Policy, path: str) -> bool:
    """Whether a policy looks at what lies behind a path."""
    wanted = {resource.split("/")[0] for match in policy.matches for resource in match.resources}
    return bool(wanted & set(path.split("/")[path.split("/").index("namespaces") + 2 :]))


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=lambda each: each.name)
def test_without_the_rule_an_attack_succeeds(
    admin: Attacker, tenant: Attacker, scenes: Scenes, policy: Policy, rule: Rule
) -> None:
    def stopped(attacks: tuple[Attack, ...], scene: Scene) -> list[tuple[Attack, Scene]]:
        found = [(attack, scene) for attack in attacks if attack.stopped_by == rule.name]
        return [(attack, scene) for attack, scene in found if _about(policy, attack.request(scene).path)]

    known = [*stopped(pods.ATTACKS, scenes.baseline), *stopped(pods.ON_RESTRICTED, scenes.restricted)]
    with contextlib.ExitStack() as stack:
        if rule.name in UNAIDED_RULES:
            stack.enter_context(uncompleted(admin, tenant, scenes.baseline))
            known = stopped(pods.UNAIDED, scenes.baseline)
        assert known, "no attack needs this rule"
        stack.enter_context(without_rule(admin, policy, rule))
        until(
            lambda: any(tenant.try_out(each.request(scene)).stopped_by == ADMITTED for each, scene in known),
            f"one of {[attack.name for attack, _ in known]} succeeds without {rule.name}",
        )
    attack, scene = known[0]
    if rule is policy.rules[-1] and rule.name not in UNAIDED_RULES:
        # The policy as it was is in force again before the next one is touched.
        until(lambda: tenant.try_out(attack.request(scene)).stopped_by == rule.name, f"{rule.name} is back")


def test_a_device_is_held_back_by_the_quota_as_well(admin: Attacker, tenant: Attacker, scenes: Scenes) -> None:
    """Without the rule a pod that asks for a device by resource is admitted, and waits for a claim that it never gets.

    No quota can name every DeviceClass there is, but the scheduler has to make a ResourceClaim in the namespace.
    """
    scene = scenes.baseline
    (policy, rule) = next((policy, rule) for policy, rule in RULES if rule.name == "allowed-device-classes")
    (attack,) = (each for each in pods.ATTACKS if each.name == "device-in-requests")
    request, resource = attack.request(scene), "/apis/resource.k8s.io/v1"
    selected = [{"cel": {"expression": "device.driver == 'owner.example'"}}]
    named = {"apiVersion": "resource.k8s.io/v1", "metadata": {"name": "owner"}}
    pool = {"name": scene.node, "generation": 1, "resourceSliceCount": 1}
    there = {"driver": "owner.example", "nodeName": scene.node, "pool": pool, "devices": [{"name": "gpu-0"}]}
    events = f"/api/v1/namespaces/{scene.namespace}/events?fieldSelector=reason%3DFailedScheduling"

    def refused() -> bool:
        messages = [event["message"] for event in admin.send("GET", events).body["items"]]
        return any("exceeded quota: sublet, requested: count/resourceclaims" in message for message in messages)

    try:
        admin.send(
            "POST", f"{resource}/deviceclasses", {**named, "kind": "DeviceClass", "spec": {"selectors": selected}}
        )
        admin.send("POST", f"{resource}/resourceslices", {**named, "kind": "ResourceSlice", "spec": there})
        with without_rule(admin, policy, rule):
            until(lambda: not tenant.send("POST", request.path, request.body).message, "the pod is admitted")
        until(refused, "the scheduler is refused a claim")
        assert "nodeName" not in tenant.send("GET", f"{request.path}/attack").body["spec"]
    finally:
        tenant.send("DELETE", f"{request.path}/attack")
        admin.send("DELETE", f"{resource}/resourceslices/owner")
        admin.send("DELETE", f"{resource}/deviceclasses/owner")
    until(lambda: tenant.try_out(request).stopped_by == rule.name, f"{rule.name} is back")


def test_what_is_completed_is_demanded(admin: Attacker, tenant: Attacker, scenes: Scenes) -> None:
    """Where nothing completes pods, one that says all by itself is admitted, and any other one is told what to add."""
    scene = scenes.baseline
    with uncompleted(admin, tenant, scene):
        assert tenant.try_out(pod(COMPLETE).request(scene)).stopped_by == ADMITTED
        assert {each.name: tenant.try_out(each.request(scene)).stopped_by for each in pods.UNAIDED} == {
            each.name: each.stopped_by for each in pods.UNAIDED
        }


@pytest.mark.parametrize(
    ("annotation", "attack", "rule"),
    [
        (naming.HARD_STOP_AT, PLAIN, "ends-by-hard-stop"),
        (naming.ALLOWED_REGISTRIES, PLAIN, "allowed-registries"),
        (
            naming.ALLOWED_PRIORITY_CLASSES,
            pod(Bad("offered", "Nothing.", ADMITTED, lambda _: {"priorityClassName": "offered"})),
            "allowed-priority-class",
        ),
    ],
    ids=["hard stop", "registries", "priorities"],
)
def test_a_missing_annotation_closes(
    admin: Attacker, tenant: Attacker, scenes: Scenes, annotation: str, attack: Attack, rule: str
) -> None:
    """What guards would read is not there: they refuse instead of letting everything through."""
    scene = scenes.baseline
    path = f"/api/v1/namespaces/{scene.namespace}"
    before = admin.send("GET", path).body["metadata"]["annotations"][annotation]

    def write(value: str | None) -> None:
        answer = admin.send("PATCH", path, {"metadata": {"annotations": {annotation: value}}}, OPERATOR)
        assert not answer.message, answer.message

    def outcome(expected: str) -> None:
        until(lambda: tenant.try_out(attack.request(scene)).stopped_by == expected, expected)

    outcome(ADMITTED)
    try:
        write(None)
        outcome(rule)
    finally:
        write(before)
    outcome(ADMITTED)
