"""Taking away: access first, proof before nodes, and from any point onwards to the same end."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sublet.calendar.lifecycle import Stage
from sublet.desired.render import render
from sublet.plan.observed import NodeSeen, VolumeSeen
from sublet.plan.steps import Apply, ChangeNode, Create, Delete, Plan, Probe, RunJob, Step, StopPods
from sublet.plan.teardown import is_cleared, tear_down
from sublet.reconcile import _plan
from sublet.settings import Settings
from tests.builders import a_lease, a_lease_view, a_node, a_tenancy, a_volume, at, booked, live

Raw = dict[str, Any]

LEASE = booked(a_lease())
TWO_NAMESPACES = render(
    a_tenancy(namespaces=("lease-acme-train", "lease-acme-train-b"), has_cluster_policies=True)
).all()
(POLICY,) = (manifest for manifest in TWO_NAMESPACES if manifest["kind"] == "ClusterNetworkPolicy")
ONE = render(a_tenancy()).all()
TAINT = {"key": "nvidia.com/gpu", "effect": "NoSchedule"}


def said(step: Step) -> str:
    """A step in a few words."""
    match step:
        case Delete(kind, name, namespace):
            return f"delete {kind} {namespace or name}"
        case StopPods(namespace):
            return f"stop pods {namespace}"
        case ChangeNode(name):
            return f"return {name}"
        case _:
            return str(step)


def waves(plan: Plan) -> list[list[str]]:
    """The waves of a plan in words, without the empty ones."""
    return [[said(step) for step in wave] for wave in plan.waves if wave]


def test_the_tenant_loses_access_before_anything_else() -> None:
    """RoleBindings, then pods, then namespaces; no node is touched while a namespace is there."""
    plan = tear_down([live(m) for m in TWO_NAMESPACES], [a_node("gpu-1", LEASE)], [a_volume()], at(8.25), at(8))
    assert waves(plan) == [
        ["delete RoleBinding lease-acme-train", "delete RoleBinding lease-acme-train-b"] * 2,
        ["stop pods lease-acme-train", "stop pods lease-acme-train-b"],
        ["delete Namespace lease-acme-train", "delete Namespace lease-acme-train-b"],
    ]
    assert plan.waiting == "namespaces still being deleted: lease-acme-train, lease-acme-train-b"


def test_pods_get_five_seconds() -> None:
    """The notice was the draining before; at the end a pod cannot stretch its stay."""
    plan = tear_down([live(ONE[0])], [], [], at(8), at(8))
    assert plan.waves[1] == (StopPods("lease-acme-train", 5),)


def test_a_namespace_on_its_way_out_is_emptied_but_not_deleted_again() -> None:
    """Somebody else's deletion gives pods their own time, so they are stopped all the same."""
    leaving = [live(manifest, leaving=True) for manifest in ONE]
    assert waves(tear_down(leaving, [a_node("gpu-1", LEASE)], [], at(8), at(8))) == [["stop pods lease-acme-train"]]


def test_nodes_go_back_only_when_no_namespace_is_left() -> None:
    """With the last namespace gone, the claims are taken off and nothing is waited for."""
    node = a_node("gpu-1", LEASE, taints=[TAINT])
    plan = tear_down([], [node], [], at(8.25), at(8))
    assert plan.waiting == ""
    assert plan.waves[1] == (
        ChangeNode(
            "gpu-1",
            {
                "metadata": {
                    "labels": {"sublet.dev/lease": None, "sublet.dev/pool": None, "sublet.dev/sanitizing": None},
                    "annotations": {
                        "sublet.dev/lease-uid": None,
                        "sublet.dev/reusable-at": "2026-12-01T20:15:00Z",
                        "sublet.dev/sanitized": None,
                    },
                    "resourceVersion": "41",
                },
                "spec": {"taints": [TAINT]},
            },
        ),
    )


def test_the_network_stays_closed_until_no_namespace_is_left() -> None:
    """The policy of the whole lease goes with the claims on the nodes, and is waited for."""
    plan = tear_down([live(POLICY)], [a_node("gpu-1", LEASE)], [], at(8.25), at(8))
    assert waves(plan) == [["return gpu-1", "delete ClusterNetworkPolicy lease-acme-train"]]
    assert plan.waiting == "cluster network policies still being deleted: lease-acme-train"


def test_a_policy_that_is_held_back_is_waited_for() -> None:
    """Its deletion is asked for once; a finalizer of somebody else may take its time."""
    plan = tear_down([live(POLICY, leaving=True)], [], [], at(8.25), at(8))
    assert waves(plan) == []
    assert plan.waiting == "cluster network policies still being deleted: lease-acme-train"


@pytest.mark.parametrize(
    ("children", "claimed", "volumes", "cleared"),
    [
        ([], [], [], True),
        ([live(ONE[5])], [], [], True),
        ([live(ONE[0])], [], [], False),
        ([live(ONE[0], leaving=True)], [], [], False),
        ([live(POLICY)], [], [], False),
        ([live(POLICY, leaving=True)], [], [], False),
        ([], [a_node("gpu-1", LEASE)], [], False),
        ([], [], [a_volume(leaving=True)], False),
    ],
    ids=[
        *("nothing", "a remnant of a namespace that is gone", "namespace", "leaving namespace"),
        *("policy", "leaving policy", "claim", "leaving volume"),
    ],
)
def test_cleared_means_no_namespace_no_policy_no_claim_and_no_volume(
    children: list[Raw], claimed: list[NodeSeen], volumes: list[VolumeSeen], *, cleared: bool
) -> None:
    """A namespace counts until it is gone, not until its deletion was asked for."""
    assert is_cleared(children, claimed, volumes) is cleared


@dataclass
class Site:
    """A cluster, as far as give-back changes it: steps are taken on it one by one."""

    children: list[Raw] = field(default_factory=lambda: [live(manifest) for manifest in TWO_NAMESPACES])
    nodes: list[NodeSeen] = field(default_factory=lambda: [a_node("gpu-1", LEASE), a_node("gpu-2", LEASE)])
    volumes: list[VolumeSeen] = field(default_factory=lambda: [a_volume()])

    @property
    def namespaces(self) -> list[Raw]:
        """The namespaces that are still there."""
        return [child for child in self.children if child["kind"] == "Namespace"]

    @property
    def claimed(self) -> list[NodeSeen]:
        """The nodes that still carry the claim."""
        return [node for node in self.nodes if node.lease_uid is not None]

    def plan(self) -> Plan:
        """What a pass that starts now would do."""
        return tear_down(self.children, self.claimed, self.volumes, at(8.25), at(8))

    def take(self, step: Step) -> None:
        """Carry out one step; a namespace that is deleted stays for a while, and so does what is in it."""
        match step:
            case Delete("Namespace", name):
                self.children = [leaving(c) if _is_namespace(c, name) else c for c in self.children]
            case Delete("ClusterNetworkPolicy", uid=uid):
                assert not self.namespaces, "the network was opened too early"
                self.children = [c for c in self.children if c["metadata"]["uid"] != uid]
            case Delete(uid=uid):
                self.children = [c for c in self.children if c["metadata"]["uid"] != uid]
            case ChangeNode(name):
                assert not self.namespaces, "a node went back too early"
                assert not self.volumes, "a node went back before the volumes that may lie on it"
                free: dict[str, Any] = {"lease": None, "lease_uid": None}
                self.nodes = [replace(n, **free) if n.name == name else n for n in self.nodes]
            case StopPods(namespace):
                assert not self.has_access(namespace), "pods were stopped while the tenant could start new ones"
            case Create() | Apply() | Probe() | RunJob():
                pass  # changes nothing here

    def has_access(self, namespace: str) -> bool:
        """Whether the tenant can still reach a namespace."""
        return any(c["kind"] == "RoleBinding" and c["metadata"]["namespace"] == namespace for c in self.children)

    def settle(self) -> None:
        """Let the cluster finish the deletions that are under way; volumes go after the claims in the namespaces."""
        self.volumes = self.volumes if self.namespaces else []
        gone = {c["metadata"]["name"] for c in self.namespaces if "deletionTimestamp" in c["metadata"]}
        self.children = [
            c
            for c in self.children
            if c["metadata"].get("namespace") not in gone and not any(_is_namespace(c, name) for name in gone)
        ]


def _is_namespace(child: Raw, name: str) -> bool:
    return (child["kind"], child["metadata"]["name"]) == ("Namespace", name)


def leaving(child: Raw) -> Raw:
    """The object once its deletion was asked for."""
    return {**child, "metadata": {**child["metadata"], "deletionTimestamp": "2026-12-01T20:00:00Z"}}


def steps_of(plan: Plan) -> list[Step]:
    """The steps of a plan in their order."""
    return [step for wave in plan.waves for step in wave]


@pytest.mark.parametrize("crash_after", range(10))
@pytest.mark.parametrize("settles", [True, False], ids=["cluster is quick", "cluster is slow"])
def test_give_back_ends_from_wherever_it_was_broken_off(crash_after: int, *, settles: bool) -> None:
    """After any number of steps the operator may die; passes that know nothing of it come to the same end."""
    site, taken = Site(), 0
    for _ in range(5):
        for step in steps_of(site.plan()):
            if taken == crash_after:
                break
            site.take(step)
            taken += 1
        if settles:
            site.settle()
    for _ in range(4):
        for step in steps_of(site.plan()):
            site.take(step)
        site.settle()
    assert is_cleared(site.children, site.claimed, site.volumes)
    assert site.plan() == Plan(((), ()))


def test_nodes_stay_claimed_until_no_volume_is_left() -> None:
    """Its provisioner may have to reach a volume on a node of the lease, so nothing is given back before it is gone."""
    claimed = [a_node("gpu-1", LEASE)]
    plan = tear_down([live(POLICY)], claimed, [a_volume(), a_volume("pv-2")], at(8.25), at(8))
    assert waves(plan) == []
    assert plan.waiting == (
        "volumes still being deleted: pv-1, pv-2; if one stays, see the events of `kubectl describe pv`"
    )
    assert waves(tear_down([], claimed, [], at(8.25), at(8))) == [["return gpu-1"]]


def test_give_back_waits_for_a_namespace_that_will_not_go() -> None:
    """A namespace held by a finalizer keeps the nodes claimed, however many passes there are."""
    site = Site()
    for _ in range(5):
        for step in steps_of(site.plan()):
            site.take(step)
    assert len(site.claimed) == 2
    assert site.plan().waiting == "namespaces still being deleted: lease-acme-train, lease-acme-train-b"


def test_nodes_of_a_lease_that_was_released_early_are_reusable_a_gap_later() -> None:
    """Released after one hour of eight, a node may be booked again 15 minutes later, not only after the planned end."""
    released = booked(a_lease(release=True), ended_at=at(1))
    view = a_lease_view(released, [a_node("gpu-1", released), a_node("gpu-2", released)])
    (change, _) = steps_of(
        _plan(view, Stage.RELEASING, Settings(), at(1, 0, 5), mutating=True, has_cluster_policies=True)
    )
    assert isinstance(change, ChangeNode)
    assert change.change["metadata"]["annotations"]["sublet.dev/reusable-at"] == "2026-12-01T13:15:00Z"


AWAY_AT_NOON = replace(a_node("gpu-1", LEASE, ready=False), changed_at=at(0))


def test_a_node_that_does_not_answer_is_waited_for() -> None:
    """Its kubelet may come back and say that nothing of the lease is left; the other node goes back meanwhile."""
    plan = tear_down([], [AWAY_AT_NOON, a_node("gpu-2", LEASE)], [], at(0.25), at(0, 4))
    assert waves(plan) == [["return gpu-2"]]
    assert plan.waiting == "nodes that are not ready: gpu-1"


@pytest.mark.parametrize("away", [AWAY_AT_NOON, replace(AWAY_AT_NOON, changed_at=None)])
def test_a_node_that_stays_away_is_quarantined(away: NodeSeen) -> None:
    """What ran there may run on; NoExecute puts it off, and nobody gets the node before somebody looked at it."""
    plan = tear_down([], [away], [], at(0.25), at(0, 5))
    ((_, (step,)), waiting) = plan.waves, plan.waiting
    assert isinstance(step, ChangeNode)
    assert step.change["spec"]["taints"] == [{"key": "sublet.dev/quarantined", "effect": "NoExecute"}]
    assert step.change["metadata"]["annotations"]["sublet.dev/lease-uid"] is None
    assert waiting == ""
