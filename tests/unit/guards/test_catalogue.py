"""The catalogue of guards: names that can be told apart, messages that help, and an attack for every rule."""

import re

import pytest

from sublet.guards import pods
from sublet.guards.attacks import pods as attacks
from sublet.guards.catalogue import ATTACKS, MUTATIONS, POLICIES
from sublet.guards.rule import Mutation, Policy, Rule, manifests

RULES = [(policy, rule) for policy in POLICIES for rule in policy.rules]
EVERY: list[Policy | Mutation] = [*POLICIES, *MUTATIONS]
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
OTHER_GUARDS = {"rbac", "quota", "pod-security", "schema"}


def named(each: object) -> str:
    """The name of a policy or a rule."""
    return str(getattr(each, "name", each))


def test_every_policy_has_a_name_of_its_own() -> None:
    names = [policy.name for policy in EVERY]
    assert len(names) == len(set(names))
    assert all(KEBAB.fullmatch(name) for name in names)


@pytest.mark.parametrize("policy", POLICIES, ids=named)
def test_no_policy_has_two_rules_of_one_name(policy: Policy) -> None:
    """The name begins the message, and by it whoever is refused knows which rule it was."""
    names = [rule.name for rule in policy.rules]
    assert len(names) == len(set(names))
    assert all(KEBAB.fullmatch(name) for name in names)


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=named)
def test_a_message_is_one_line_that_says_more_than_no(policy: Policy, rule: Rule) -> None:
    assert policy.rules
    assert len(rule.message) > 40
    assert rule.is_cel or "\n" not in rule.message
    assert not rule.message.endswith(".")


@pytest.mark.parametrize("policy", EVERY, ids=named)
def test_a_policy_fails_closed_and_is_bound(policy: Policy | Mutation) -> None:
    """What cannot be evaluated is refused, and the binding of the same name denies."""
    written, binding = manifests(policy)
    assert written["spec"]["failurePolicy"] == "Fail"
    assert binding["spec"]["policyName"] == written["metadata"]["name"]
    assert binding["spec"].get("validationActions", ["Deny"]) == ["Deny"]


def test_every_rule_about_pods_has_an_attack() -> None:
    known = {a.stopped_by for a in (*attacks.ATTACKS, *attacks.ON_RESTRICTED, *attacks.BY_ADMIN, *attacks.UNAIDED)}
    assert {rule.name for policy in pods.POLICIES for rule in policy.rules} <= known


def test_every_attack_is_stopped_by_a_guard_that_there_is() -> None:
    known = {rule.name for _, rule in RULES} | OTHER_GUARDS
    assert {attack.stopped_by for attack in (*ATTACKS, *attacks.ON_RESTRICTED, *attacks.BY_ADMIN)} <= known


def test_advisories_that_a_pod_can_express_are_there() -> None:
    """By their ids."""
    found = {i for a in (*attacks.ATTACKS, *attacks.ON_RESTRICTED, *attacks.UNAIDED) for i in a.ids}
    assert found >= {"CVE-2023-2727", "CVE-2023-2728", "CVE-2024-10220", "CVE-2025-1767", "CVE-2025-23266"}
