"""Taking away: the order of undoing, and what must be proven gone before the next step.

    access -> pods -> namespaces -> (proof: no namespace is left) -> (proof: no volume of theirs is left)
    -> the policy of the whole lease, and nodes: each is cleaned, and then free (see `sanitizing`)

The ClusterNetworkPolicy does not go with a namespace: it closes the network until the last pod is gone.

A node that does not answer may still run what the API server believes to be gone. It is waited for, as long as a failed
node is under a lease, and then quarantined.

A volume may lie on a node of the lease, where its provisioner must still reach it, and holds the tenant's data.

Each step is taken again on every pass until its proof is seen, so a crash between any two of them, or a
write that was lost, changes nothing. Nothing here asks how far an earlier pass came, or whether the lease
itself still exists: an orphan is taken away by the same steps.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sublet.plan import sanitizing
from sublet.plan.diff import delete, is_leaving
from sublet.plan.observed import NodeSeen, VolumeSeen
from sublet.plan.sanitizing import NOTHING_TO_RUN, Cleaning, Turn
from sublet.plan.steps import Plan, StopPods, Wave
from sublet.plan.supply import PATIENCE, was_ready
from sublet.plan.volumes import awaited

Raw = dict[str, Any]

POD_GRACE_SECONDS = 5
"""Time a pod gets to stop at the end of a lease: the notice was the draining before it."""


def tear_down(
    children: Sequence[Raw],
    claimed: Sequence[NodeSeen],
    volumes: Sequence[VolumeSeen],
    reusable_at: datetime,
    now: datetime,
    cleaning: Cleaning = NOTHING_TO_RUN,
) -> Plan:
    """The steps that take a lease away, as far as they can be taken now.

    Args:
        children: The live objects of the lease.
        claimed: The nodes that carry its claim.
        volumes: The volumes that were made for its claims, read after its last namespace was seen to be gone.
        reusable_at: When its nodes may be booked again.
        now: The instant of the pass.
        cleaning: How its nodes are cleaned before that, and what was done of it.
    """
    access = revoke(children)
    namespaces = [child for child in children if child["kind"] == "Namespace"]
    if namespaces:
        staying = [ns for ns in namespaces if not is_leaving(ns)]
        # Also in a namespace that somebody else deleted: its pods would take all the time they ask for.
        pods: Wave = tuple(StopPods(ns["metadata"]["name"], POD_GRACE_SECONDS) for ns in namespaces)
        names = ", ".join(sorted(ns["metadata"]["name"] for ns in namespaces))
        return Plan(
            (access, pods, tuple(delete(ns) for ns in staying)),
            waiting=f"namespaces still being deleted: {names}",
        )
    if volumes:
        return Plan((access,), waiting=awaited(volumes))
    policies = [child for child in children if child["kind"] == "ClusterNetworkPolicy"]
    gone = tuple(delete(policy) for policy in policies if not is_leaving(policy))
    awaited_nodes = [node for node in claimed if not node.ready and was_ready(node, now - PATIENCE)]
    turns = {node.name: _turn(node, cleaning, reusable_at) for node in claimed if node not in awaited_nodes}
    back = tuple(turn.step for turn in turns.values() if turn.step is not None)
    cleaned = sanitizing.awaited((name, turn.waiting) for name, turn in turns.items() if turn.waiting)
    return Plan(
        (access, (*back, *gone, *sanitizing.finished(cleaning, claimed))),
        waiting=_waiting(policies, awaited_nodes, cleaned),
    )


def _waiting(policies: Sequence[Raw], nodes: Sequence[NodeSeen], cleaned: str) -> str:
    waits = [cleaned] if cleaned else []
    if nodes:
        waits.append(f"nodes that are not ready: {', '.join(node.name for node in nodes)}")
    if policies:
        names = ", ".join(policy["metadata"]["name"] for policy in policies)
        waits.append(f"cluster network policies still being deleted: {names}")
    return "; ".join(waits)


def revoke(children: Sequence[Raw]) -> Wave:
    """The steps that shut the tenant out."""
    return tuple(delete(c) for c in children if c["kind"] == "RoleBinding" and not is_leaving(c))


def is_emptied(children: Sequence[Raw]) -> bool:
    """Whether no namespace is left, and so no pod and no claim of a volume."""
    return all(child["kind"] != "Namespace" for child in children)


def is_cleared(
    children: Sequence[Raw],
    claimed: Sequence[NodeSeen],
    volumes: Sequence[VolumeSeen],
    cleaning: Cleaning = NOTHING_TO_RUN,
) -> bool:
    """Whether nothing is left: no claim, no volume, no Job, and no object but those that go with a namespace."""
    return (
        not claimed
        and not volumes
        and not sanitizing.left_over(cleaning.jobs, claimed)
        and all("namespace" in child["metadata"] for child in children)
    )


def _turn(node: NodeSeen, cleaning: Cleaning, reusable_at: datetime) -> Turn:
    if not node.ready:
        return Turn(sanitizing.quarantine(node, cleaning, "the node was not ready for 5m when it was to be given back"))
    return sanitizing.take_turn(node, cleaning, reusable_at)
