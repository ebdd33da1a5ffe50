"""Proof: whether the nodes of a lease were measured to keep it apart, where its pool requires that."""

from dataclasses import dataclass
from datetime import datetime

from sublet.api.pool_isolation import ProbeMode
from sublet.api.reasons import Reason
from sublet.doctor.judge import Verdict
from sublet.doctor.policies import digest
from sublet.doctor.standing import passed
from sublet.plan.observed import LeaseView, NodeSeen


@dataclass(frozen=True)
class Unproven:
    """Why a lease is not known to be kept apart."""

    reason: Reason
    message: str


def unproven(view: LeaseView, image: str, now: datetime) -> Unproven | None:
    """What is wrong, or not known, of the lease's nodes; None if nothing, or nobody asks.

    A tenant that was let in is there: of its nodes the last answer counts, until there is a new one.

    Args:
        view: The lease and its nodes.
        image: The image of probe pods.
        now: The instant.
    """
    if view.pool is None or view.pool.spec.isolation.probe is not ProbeMode.REQUIRED:
        return None
    rests_on, is_in = digest(view.pool, image), view.lease.status.active_at is not None

    def is_good(node: NodeSeen) -> bool:
        if is_in:
            return node.measured is not None and node.measured.verdict is Verdict.PASSED
        return passed(node.measured, rests_on, node.changed_at, now)

    bad = [node for name in view.lease.status.nodes if (node := view.nodes.get(name)) and not is_good(node)]
    # What was measured to be open says more than what was not measured.
    failed = [node for node in bad if _says(node, Verdict.FAILED)]
    for nodes, reason in ((failed, Reason.NOT_ENFORCED), (bad, Reason.NOT_MEASURED)):
        if nodes:
            return Unproven(reason, _sentence(nodes))
    return None


def _says(node: NodeSeen, verdict: Verdict) -> bool:
    return node.measured is not None and node.measured.verdict is verdict


def _sentence(nodes: list[NodeSeen]) -> str:
    first = nodes[0]
    more = f" (and {len(nodes) - 1} more nodes)" if len(nodes) > 1 else ""
    if first.measured is None or first.measured.verdict is Verdict.PASSED:
        return f"{first.name}{more}: isolation is being measured; a node takes about 15 seconds"
    return f"{first.name}{more}: {first.measured.message}"
