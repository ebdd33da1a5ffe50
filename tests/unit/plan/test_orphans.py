"""Orphans: what leases left behind that are no more, and nothing else."""

from typing import Any

from sublet.desired.render import render
from sublet.plan.observed import NodeSeen
from sublet.plan.orphans import Orphan, orphans, volumes_of
from tests.builders import a_lease, a_node, a_tenancy, a_volume, booked, live

LEASE = booked(a_lease())
CHILDREN = [live(manifest) for manifest in render(a_tenancy(has_cluster_policies=True)).all()]
NODES = [a_node("gpu-1", LEASE), a_node("gpu-2", LEASE)]


def test_what_belongs_to_a_known_lease_is_no_orphan() -> None:
    """Children and claims whose UID is that of a living lease are left alone."""
    assert orphans(CHILDREN, NODES, [], {"uid-acme-train"}) == []


def test_what_one_lease_left_is_found_together() -> None:
    """Objects and claims come under the name that the lease had, so that they are taken away in order."""
    assert orphans(CHILDREN, NODES, [], {"uid-other"}) == [Orphan("acme-train", CHILDREN, NODES, "uid-acme-train")]


def test_a_later_lease_of_the_name_does_not_inherit() -> None:
    """The UID counts: a living lease of the same name does not hide what an earlier one left."""
    (found,) = orphans(CHILDREN, [], [], {"uid-of-the-new-one"})
    assert (found.lease, found.children) == ("acme-train", CHILDREN)


def test_several_leases_are_kept_apart() -> None:
    """Each lease's remains are one orphan, in an order that does not change."""
    other = live(render(a_tenancy(lease="other", uid="uid-other")).namespaces[0])
    found = orphans([other, *CHILDREN], NODES, [], ())
    assert [(orphan.lease, len(orphan.children), len(orphan.claimed)) for orphan in found] == [
        ("acme-train", 9, 2),
        ("other", 1, 0),
    ]


def test_a_claim_without_children_is_an_orphan_of_its_own() -> None:
    """A node that is all that is left keeps the lease's name from its label."""
    assert orphans([], NODES[:1], [], ()) == [Orphan("acme-train", [], NODES[:1], "uid-acme-train")]


def test_a_child_without_a_uid_is_left_alone() -> None:
    """An object that somebody else labelled was not made by the operator."""
    stray: dict[str, Any] = live(CHILDREN[1], labels={"sublet.dev/lease": "acme-train"})
    unlabelled: dict[str, Any] = {"kind": "Namespace", "metadata": {"name": "x", "uid": "1"}}
    assert orphans([stray, unlabelled], [], [], ()) == []


def test_a_namespace_that_lost_its_labels_is_still_known() -> None:
    """Its annotation tells whose it was, so that stripping the labels does not let it stay."""
    stripped: dict[str, Any] = live(CHILDREN[0], labels={})
    (found,) = orphans([stripped], [], [], ())
    assert found.children == [stripped]
    assert orphans([stripped], [], [], {"uid-acme-train"}) == []


def test_volumes_that_an_orphan_may_have_left() -> None:
    """Its extra namespaces are forgotten, so all that could be one of them count, unless a booked lease has it."""
    own, extra = a_volume("pv-1"), a_volume("pv-2", namespace="lease-acme-train-b")
    others = [
        a_volume("pv-3", namespace="lease-acme"),
        a_volume("pv-4", namespace="lease-acme-trains"),
        a_volume("pv-5", namespace="lease-acme-train-of-another"),
    ]
    volumes, booked_by_others = [own, extra, *others], {"lease-acme-train-of-another"}
    assert volumes_of(Orphan("acme-train"), volumes, booked_by_others) == [own, extra]
    assert volumes_of(Orphan(""), volumes, booked_by_others) == [own, extra, *others[:2]]


def test_half_a_claim_on_a_node_is_an_orphan() -> None:
    """A label without a UID would keep the node out of every pool, so it is taken off."""
    half: NodeSeen = a_node("gpu-1", lease="acme-train")
    assert orphans([], [half], [], {"uid-acme-train"}) == [Orphan("acme-train", [], [half])]
