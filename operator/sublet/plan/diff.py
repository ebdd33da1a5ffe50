"""Building up: desired and observed objects in, the steps that make the difference out."""

from collections.abc import Iterable, Mapping
from typing import Any

from sublet.desired import naming
from sublet.desired import nodes as node_claims
from sublet.desired.render import Manifests
from sublet.plan.observed import LeaseView, NodeSeen, belongs_to
from sublet.plan.steps import Apply, ChangeNode, Create, Delete, Plan, Step, Wave

Raw = dict[str, Any]
Identity = tuple[str, str, str]


def build_up(view: LeaseView, wanted: Manifests, probes: Wave = ()) -> Plan:
    """The steps towards `wanted`, in the order that never opens a door before it is guarded.

    1. What should not be there goes first: above all access that is no longer granted, to all or to one of them.
    With it go nodes that others have taken the place of. 2. Namespaces, 3. quotas and network policies, 4. node
    claims and lease facts, 5. probes of the guards, 6. access, last.

    Probes are asked only where access is about to be given.
    """
    live = {identity(child): child for child in view.children}
    surplus = _surplus(view, wanted)
    leaving = [c["metadata"]["name"] for c in view.own_children if c["kind"] == "Namespace" and is_leaving(c)]
    narrowed = _narrowed(wanted.access, live)
    if leaving:
        return Plan(
            ((*surplus, *narrowed),),
            waiting=f"deleted by somebody and made anew once gone: {', '.join(sorted(leaving))}",
        )
    # A tenant is let in once, onto all the nodes that were promised; one that fails later shuts nobody out.
    may_enter = view.lease.status.active_at is not None or not out_of_reach(view)
    access = _changes(wanted.access, live, view) if may_enter else ()
    return Plan(
        (
            (*surplus, *narrowed, *_given_up(view)),
            _changes(wanted.namespaces, live, view),
            _changes(wanted.guards, live, view),
            (*_claims(view), *_changes(wanted.facts, live, view)),
            probes if access else (),
            access,
        )
    )


def out_of_reach(view: LeaseView) -> list[str]:
    """The booked nodes that do not exist, or that carry somebody else's claim."""
    seen = {name: view.nodes.get(name) for name in view.lease.status.nodes}
    return [name for name, node in seen.items() if node is None or not _may_claim(node, view)]


def _surplus(view: LeaseView, wanted: Manifests) -> Wave:
    desired = {identity(manifest) for manifest in wanted.all()}
    return tuple(delete(child) for child in view.own_children if identity(child) not in desired)


def _narrowed(access: Iterable[Raw], live: Mapping[Identity, Raw]) -> Wave:
    """Live bindings without those that are to be out; whoever is to be in comes after the probes of the guards."""
    steps: list[Step] = []
    for manifest in access:
        known = (live.get(identity(manifest)) or {}).get("subjects") or []
        staying = [subject for subject in known if subject in manifest["subjects"]]
        if staying != known:
            steps.append(Apply({**manifest, "subjects": staying}))
    return tuple(steps)


def _changes(manifests: Iterable[Raw], live: Mapping[Identity, Raw], view: LeaseView) -> Wave:
    steps: list[Step] = []
    for manifest in manifests:
        seen = live.get(identity(manifest))
        ours = seen is not None and belongs_to(seen, view.lease.metadata.uid)
        if not ours and manifest["kind"] == "Namespace":
            steps.append(Create(manifest))
        elif not ours or not matches(seen, manifest):
            steps.append(Apply(manifest))
    return tuple(steps)


def _given_up(view: LeaseView) -> Wave:
    """Nodes that failed and were replaced: the claim goes, and nobody gets them before somebody looked at them.

    The outage is asked for, so that a pass over an old state of the lease gives up no node that came after it.
    """
    metadata, status = view.lease.metadata, view.lease.status
    why = f"under {metadata.name}: the node failed, and another one took its place"
    failed = {outage.node for outage in status.outages} - set(status.nodes)
    return tuple(
        change_node(node, node_claims.quarantined(node.taints, metadata.uid, why))
        for node in view.claimed
        if node.name in failed
    )


def _claims(view: LeaseView) -> Wave:
    """A claim for every booked node that is free or whose claim was tampered with.

    A node that carries another lease's claim is left alone; it shows in the conditions.
    """
    lease = view.lease
    return tuple(
        _claim(node, lease.metadata.name, lease.metadata.uid, lease.spec.pool)
        for name in lease.status.nodes
        if (node := view.nodes.get(name)) is not None and _may_claim(node, view) and not holds(node, view)
    )


def _claim(node: NodeSeen, lease: str, uid: str, pool: str) -> ChangeNode:
    return change_node(node, node_claims.claimed(lease, uid, pool, node.taints))


def change_node(node: NodeSeen, change: Raw) -> ChangeNode:
    """The step that changes a node, if it is still as it was seen."""
    return ChangeNode(node.name, {**change, "metadata": {**change["metadata"], "resourceVersion": node.version}})


def _may_claim(node: NodeSeen, view: LeaseView) -> bool:
    """Whether the node carries no claim, or ours, and was not given up: an old state of the lease still names it."""
    metadata = view.lease.metadata
    is_given_up = node.quarantined and node.quarantined_after == metadata.uid
    return not is_given_up and node.lease_uid in {None, metadata.uid} and node.lease in {None, metadata.name}


def holds(node: NodeSeen, view: LeaseView) -> bool:
    """Whether the node carries our claim, whole: labels, annotation and taint."""
    metadata = view.lease.metadata
    return (
        node.lease == metadata.name
        and node.lease_uid == metadata.uid
        and node.labels.get(naming.POOL) == view.lease.spec.pool
        and node_claims.is_claimed_whole(metadata.name, node.taints)
    )


def delete(child: Raw) -> Delete:
    """The step that deletes a live object."""
    kind, namespace, name = identity(child)
    return Delete(kind, name, namespace, child["metadata"]["uid"])


def is_leaving(obj: Raw) -> bool:
    """Whether the API server is deleting the object."""
    return "deletionTimestamp" in obj["metadata"]


def identity(obj: Raw) -> Identity:
    """Kind, namespace ("" if none) and name."""
    return obj["kind"], obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


def matches(live: object, wanted: object) -> bool:
    """Whether a live value is what we want, apart from fields that we have no opinion on.

    Lists are compared whole, with all that is in them, since a list in our manifests is one that we own: a field that
    somebody adds to a rule would make it match less. So is an empty object: an empty selector means everything. An
    empty list is as good as none, since the API server keeps none.
    """
    if isinstance(wanted, dict):
        if not isinstance(live, dict) or (not wanted and live):
            return False
        return all(matches(live.get(key, [] if value == [] else None), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and _without_empty_lists(live) == _without_empty_lists(wanted)
    return live == wanted


def _without_empty_lists(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_empty_lists(part) for key, part in value.items() if part != []}
    if isinstance(value, list):
        return [_without_empty_lists(part) for part in value]
    return value
