"""Building up: the order of the waves, and nobody else's things touched."""

from dataclasses import replace
from typing import Any

import pytest

from sublet.api.lease import GPULease, Outage
from sublet.desired.render import NOTHING, Manifests, render
from sublet.plan.diff import build_up, holds, out_of_reach
from sublet.plan.observed import NodeSeen
from sublet.plan.steps import Apply, ChangeNode, Create, Delete, Plan, Probe, Step
from tests.builders import a_lease, a_lease_view, a_node, a_tenancy, at, booked, live

Raw = dict[str, Any]

LEASE = booked(a_lease())
OTHER = booked(a_lease("other"))
WANTED = render(a_tenancy())
LIVE = tuple(live(manifest) for manifest in WANTED.all())
CLAIMED = (a_node("gpu-1", LEASE), a_node("gpu-2", LEASE))
ELSEWHERE = {"sublet.dev/lease": "acme-train", "sublet.dev/lease-uid": "uid-of-an-earlier-one"}


def said(step: Step) -> str:
    """A step in a few words."""
    match step:
        case Create(manifest):
            return f"create {manifest['kind']} {manifest['metadata']['name']}"
        case Apply(manifest):
            return f"apply {manifest['kind']} {manifest['metadata']['name']}"
        case Delete(kind, name):
            return f"delete {kind} {name}"
        case ChangeNode(name):
            return f"claim {name}"
        case _:
            return str(step)


def waves(plan: Plan) -> list[list[str]]:
    """The waves of a plan in words, without the empty ones."""
    return [[said(step) for step in wave] for wave in plan.waves if wave]


def changed(index: int, **fields: object) -> tuple[Raw, ...]:
    """The live objects with one of them changed."""
    return (*LIVE[:index], {**LIVE[index], **fields}, *LIVE[index + 1 :])


def test_a_lease_is_built_from_the_guards_to_the_door() -> None:
    """Namespace, then quotas and policies, then nodes and what the tenant is told, and its access last of all."""
    assert waves(build_up(a_lease_view(LEASE), WANTED)) == [
        ["create Namespace lease-acme-train"],
        [
            "apply ResourceQuota sublet",
            "apply LimitRange sublet",
            "apply NetworkPolicy sublet-default-deny",
            "apply NetworkPolicy sublet-allow",
            "apply RoleBinding sublet-probe",
        ],
        ["claim gpu-1", "claim gpu-2", "apply ConfigMap sublet-lease"],
        ["apply RoleBinding sublet-tenant"],
    ]


def test_a_lease_that_is_complete_needs_nothing() -> None:
    """Once everything is as wanted, a pass writes nothing at all."""
    plan = build_up(a_lease_view(LEASE, CLAIMED, LIVE), WANTED)
    assert waves(plan) == []
    assert plan.waiting == ""


def test_guards_are_probed_before_access_is_given_and_only_then() -> None:
    """Probes stand between the claims and the door; a lease whose door is open is not probed again."""
    probe = Probe("a plain pod is admitted and pinned", {}, pinned_to="acme-train")
    opening = build_up(a_lease_view(LEASE), WANTED, (probe,))
    assert [wave for wave in opening.waves if probe in wave] == [(probe,)]
    assert opening.waves.index((probe,)) == len(opening.waves) - 2
    settled = build_up(a_lease_view(LEASE, CLAIMED, LIVE), WANTED, (probe,))
    assert not any(probe in wave for wave in settled.waves)


def test_what_should_not_be_there_goes_first() -> None:
    """Access that is no longer granted is taken away before anything else is done."""
    outside = render(a_tenancy(grants_access=False, admits_pods=False))
    assert waves(build_up(a_lease_view(LEASE, (), LIVE), outside)) == [
        ["delete RoleBinding sublet-tenant"],
        ["apply ResourceQuota sublet"],
    ]


def test_a_deletion_names_the_very_object_that_was_seen() -> None:
    """The UID goes with it, so that an object made anew under that name is not hit."""
    plan = build_up(a_lease_view(LEASE, CLAIMED, LIVE), Manifests(WANTED.namespaces, WANTED.guards, WANTED.facts))
    uid = "uid-RoleBinding-lease-acme-train/sublet-tenant"
    assert plan.waves[0] == (Delete("RoleBinding", "sublet-tenant", "lease-acme-train", uid),)


def test_a_surplus_child_of_another_lease_is_left_alone() -> None:
    """An object that carries our name but an earlier lease's UID is not ours to delete here."""
    stray = live(
        {"kind": "RoleBinding", "metadata": {"name": "x", "namespace": "lease-acme-train-x"}}, labels=ELSEWHERE
    )
    assert waves(build_up(a_lease_view(LEASE, CLAIMED, (*LIVE, stray)), WANTED)) == []


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        (changed(0, metadata=LIVE[0]["metadata"] | {"annotations": {}}), "apply Namespace lease-acme-train"),
        (changed(1, spec={"hard": {"pods": "9999"}}), "apply ResourceQuota sublet"),
        (
            changed(3, spec={"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress", "Egress"]}),
            "apply NetworkPolicy sublet-default-deny",
        ),
        (changed(3, spec={"podSelector": {}, "policyTypes": ["Ingress"]}), "apply NetworkPolicy sublet-default-deny"),
        (changed(6, data=LIVE[6]["data"] | {"endsAt": "2999-01-01T00:00:00Z"}), "apply ConfigMap sublet-lease"),
        (changed(7, subjects=[]), "apply RoleBinding sublet-tenant"),
        (LIVE[:4] + LIVE[5:], "apply NetworkPolicy sublet-allow"),
        (changed(1, metadata=LIVE[1]["metadata"] | {"labels": ELSEWHERE}), "apply ResourceQuota sublet"),
    ],
    ids=["annotations", "quota", "narrowed", "one direction", "facts", "subjects", "deleted", "another uid"],
)
def test_drift_is_repaired(children: tuple[Raw, ...], expected: str) -> None:
    """Whatever somebody changed or deleted is put back, and nothing else is written."""
    assert waves(build_up(a_lease_view(LEASE, CLAIMED, children), WANTED)) == [[expected]]


@pytest.mark.parametrize("opened", [{"ingress": [{}]}, {"egress": [{}]}])
def test_a_rule_added_to_the_default_deny_is_drift(opened: Raw) -> None:
    """`ingress: [{}]` in the default deny lets everybody in, so it must not stay."""
    deny = LIVE[3]["spec"] | opened
    assert waves(build_up(a_lease_view(LEASE, CLAIMED, changed(3, spec=deny)), WANTED)) != []


def test_a_namespace_of_an_earlier_lease_of_the_name_is_not_taken_over() -> None:
    """What the tenant before left in it would be the new tenant's; it is waited for or refused, never applied."""
    theirs = changed(0, metadata=LIVE[0]["metadata"] | {"labels": ELSEWHERE})
    said_steps = [step for wave in waves(build_up(a_lease_view(LEASE, CLAIMED, theirs), WANTED)) for step in wave]
    assert "apply Namespace lease-acme-train" not in said_steps


def test_our_namespace_that_lost_its_labels_gets_them_back() -> None:
    """Its annotation still says whose it is, so it is repaired and not made a second time."""
    stripped = changed(0, metadata=LIVE[0]["metadata"] | {"labels": {}})
    assert waves(build_up(a_lease_view(LEASE, CLAIMED, stripped), WANTED)) == [["apply Namespace lease-acme-train"]]


def test_a_namespace_that_is_being_deleted_is_waited_for() -> None:
    """Nothing is built into a namespace that goes away; what should not be there still goes."""
    leaving = (live(WANTED.namespaces[0], leaving=True), *LIVE[1:])
    plan = build_up(a_lease_view(LEASE, (), leaving), render(a_tenancy(grants_access=False)))
    assert waves(plan) == [["delete RoleBinding sublet-tenant"]]
    assert plan.waiting == "deleted by somebody and made anew once gone: lease-acme-train"


def test_a_claim_is_written_onto_the_very_state_that_was_seen() -> None:
    """The node's resource version goes with the claim, so the API server refuses the second of two."""
    claim = build_up(a_lease_view(LEASE), WANTED).waves[3][0]
    assert isinstance(claim, ChangeNode)
    assert claim.change["metadata"]["resourceVersion"] == "41"
    assert claim.change["metadata"]["labels"]["sublet.dev/lease"] == "acme-train"
    assert claim.change["metadata"]["annotations"]["sublet.dev/lease-uid"] == "uid-acme-train"


@pytest.mark.parametrize(
    "node",
    [
        a_node("gpu-1", OTHER),
        a_node("gpu-1", LEASE, lease_uid="uid-of-an-earlier-one"),
        a_node("gpu-1", lease="other"),
        a_node("gpu-1", lease_uid="uid-other"),
    ],
    ids=["claimed", "earlier lease of the name", "label only", "annotation only"],
)
def test_a_foreign_claim_is_never_overwritten(node: NodeSeen) -> None:
    """A node that carries any part of somebody else's claim is left alone, and the tenant is not let in without it."""
    view = a_lease_view(LEASE, (node, a_node("gpu-2", LEASE)), LIVE[:7])
    assert waves(build_up(view, WANTED)) == []
    assert out_of_reach(view) == ["gpu-1"]


@pytest.mark.parametrize(
    "node",
    [
        a_node("gpu-1", LEASE, taints=[{"key": "sublet.dev/lease", "value": "x", "effect": "NoExecute"}]),
        a_node("gpu-1", lease="acme-train", lease_uid="uid-acme-train"),
        a_node("gpu-1", lease_uid="uid-acme-train"),
        a_node("gpu-1", lease="acme-train"),
        a_node("gpu-1", LEASE, labels={"sublet.dev/lease": "acme-train"}),
    ],
    ids=["a second taint", "no taint", "no label", "no annotation", "no pool"],
)
def test_a_claim_that_was_tampered_with_is_made_whole(node: NodeSeen) -> None:
    """Label, annotation and taint are checked together and written together."""
    view = a_lease_view(LEASE, (node, a_node("gpu-2", LEASE)), LIVE)
    assert not holds(node, view)
    assert waves(build_up(view, WANTED)) == [["claim gpu-1"]]


def entry(lease: GPULease, *nodes: NodeSeen) -> bool:
    """Whether a pass that finds these nodes lets the tenant in."""
    plan = build_up(a_lease_view(lease, nodes, LIVE[:5]), WANTED)
    return "apply RoleBinding sublet-tenant" in [step for wave in waves(plan) for step in wave]


def test_a_tenant_is_let_in_once_all_nodes_are_within_reach() -> None:
    """A node that does not exist, or is somebody else's, keeps the door shut; one that is free does not."""
    assert entry(LEASE, a_node("gpu-1"), a_node("gpu-2", LEASE))
    assert not entry(LEASE, a_node("gpu-2"))
    assert not entry(LEASE, a_node("gpu-1", OTHER), a_node("gpu-2"))


def test_a_tenant_who_was_in_is_not_shut_out_by_a_lost_node() -> None:
    """Access that somebody deleted comes back, also while a node is missing."""
    active = booked(a_lease(), active_at=at(0.1))
    assert entry(active, a_node("gpu-2", active))


def test_a_lease_that_should_have_nothing_loses_everything() -> None:
    """With nothing wanted, every child is surplus; the claims of a booked lease stay."""
    (surplus, *rest) = waves(build_up(a_lease_view(LEASE, CLAIMED, LIVE), NOTHING))
    assert len(surplus) == len(LIVE)
    assert rest == []


def test_a_pass_over_an_old_state_of_the_lease_gives_up_no_newer_node() -> None:
    """An operator that has not seen the move yet must not take the node that came after it for a failed one."""
    before = booked(a_lease(), ["gpu-1", "gpu-2"])
    view = a_lease_view(before, [*CLAIMED, a_node("gpu-3", LEASE)], LIVE)
    assert not [step for wave in build_up(view, WANTED).waves for step in wave if isinstance(step, ChangeNode)]


def test_a_node_that_another_took_the_place_of_is_quarantined_before_the_other_is_claimed() -> None:
    """The claim goes and the taint comes in one write, onto the very state that was seen."""
    outage = Outage(node="gpu-1", gpus=8, start=at(1), end=at(2))
    moved = booked(a_lease(), ["gpu-2", "gpu-3"], outages=(outage,))
    failed = a_node("gpu-1", LEASE, taints=[{"key": "example.com/dust", "effect": "NoSchedule"}])
    view = a_lease_view(moved, [failed, CLAIMED[1], a_node("gpu-3")], LIVE)
    steps = [step for wave in build_up(view, WANTED).waves for step in wave if isinstance(step, ChangeNode)]
    assert [step.name for step in steps] == ["gpu-1", "gpu-3"]
    assert steps[0].change == {
        "metadata": {
            "labels": {"sublet.dev/lease": None, "sublet.dev/pool": None, "sublet.dev/sanitizing": None},
            "annotations": {
                "sublet.dev/lease-uid": None,
                "sublet.dev/reusable-at": None,
                "sublet.dev/quarantined-after": "uid-acme-train",
                "sublet.dev/quarantine-reason": "under acme-train: the node failed, and another one took its place",
            },
            "resourceVersion": "41",
        },
        "spec": {
            "taints": [
                {"key": "example.com/dust", "effect": "NoSchedule"},
                {"key": "sublet.dev/quarantined", "effect": "NoExecute"},
            ]
        },
    }


def test_who_is_to_be_out_is_out_before_anything_else_and_who_is_to_be_in_waits_for_the_probes() -> None:
    """A guard that does not answer as it must keeps nobody in."""
    anna, bert, carl = (
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"oidc:{name}@acme.example"}
        for name in ("anna", "bert", "carl")
    )
    wanted = render(a_tenancy(subjects=(("User", anna["name"]), ("User", carl["name"]))))
    door = next(n for n, manifest in enumerate(LIVE) if manifest["metadata"]["name"] == "sublet-tenant")
    view = a_lease_view(LEASE, CLAIMED, changed(door, subjects=[anna, bert]))
    probe = Probe("a pod", {}, "nothing")
    first, asked, last = [wave for wave in build_up(view, wanted, (probe,)).waves if wave]
    assert [step.manifest["subjects"] for step in first if isinstance(step, Apply)] == [[anna]]
    assert asked == (probe,)
    assert [step.manifest["subjects"] for step in last if isinstance(step, Apply)] == [[anna, carl]]


def test_a_node_that_was_given_up_is_not_claimed_again_by_an_old_state_of_the_lease() -> None:
    """Once somebody took the taint off it may be booked for the same lease anew."""
    given_up = a_node("gpu-1", quarantined=True, quarantined_after=LEASE.metadata.uid)
    for node, expected in ((given_up, []), (replace(given_up, quarantined=False), ["gpu-1"])):
        view = a_lease_view(LEASE, [node, CLAIMED[1]], LIVE)
        steps = [step for wave in build_up(view, WANTED).waves for step in wave if isinstance(step, ChangeNode)]
        assert [step.name for step in steps] == expected
