"""The conditions of a lease, each derived from one situation by one function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sublet.api.lease import GPULease
from sublet.api.pool_sanitize import SanitizeMode
from sublet.api.reasons import ConditionType, Reason
from sublet.api.scalars import format_timestamp
from sublet.calendar.lifecycle import Stage
from sublet.plan.observed import NodeSeen
from sublet.plan.proof import Unproven
from sublet.policy.chain import Verdict

Raw = dict[str, Any]

RUNNING = {Stage.PROVISIONING, Stage.ACTIVE, Stage.SUSPENDED, Stage.DRAINING, Stage.RECLAIMING}
"""The stages in which a lease has its objects."""

OVER = {Stage.RELEASING, Stage.SANITIZING, Stage.ENDED}
"""The stages of its end."""


@dataclass(frozen=True)
class Situation:
    """What a pass found and did, as far as the status tells of it.

    Attributes:
        lease: The lease.
        stage: Its stage after the pass.
        verdict: The objection to it, if it is not booked and there is one.
        notices: Times before the end at which the tenant is told of it.
        cleaning_gap: Time after the end for which the nodes are kept free.
        missing: Booked nodes that do not exist, or that somebody else holds.
        claimed: Booked nodes that carry the lease's claim.
        guarded: Whether namespaces, quotas and network policies are all in place.
        admitted: Whether the tenant has access.
        waiting: What has to happen in the cluster before the pass can go on; empty if nothing.
        volumes_stuck: Whether that is a volume which does not go by itself.
        failure: Why a step could not be carried out; empty if all could.
        probe_failed: Whether that was a guard that did not answer as it must.
        unproven: Why nodes are not known to keep the lease apart, where its pool requires that they are measured.
        sanitize: Who cleans the nodes at the end; None if nobody does.
        dirty: Nodes that were quarantined at the end, since nobody could say that they are clean.
    """

    lease: GPULease
    stage: Stage
    verdict: Verdict | None = None
    notices: Sequence[timedelta] = ()
    cleaning_gap: timedelta = timedelta()
    missing: Sequence[str] = ()
    claimed: Sequence[NodeSeen] = ()
    guarded: bool = False
    admitted: bool = False
    waiting: str = ""
    volumes_stuck: bool = False
    failure: str = ""
    probe_failed: bool = False
    unproven: Unproven | None = None
    sanitize: SanitizeMode | None = None
    dirty: Sequence[NodeSeen] = ()


class Finding(NamedTuple):
    """Status, reason and message of a condition."""

    status: str
    reason: Reason
    message: str = ""


def conditions(situation: Situation, now: datetime) -> list[Raw]:
    """All conditions, `Ready` first; one keeps its transition time for as long as its status stays the same."""
    found: dict[ConditionType, Finding] = {kind: judge(situation) for kind, judge in _TABLE.items()}
    found = {ConditionType.READY: _ready(found), **found}
    known = {condition.type: condition for condition in situation.lease.status.conditions}
    result = []
    for kind, finding in found.items():
        before = known.get(kind.value)
        same = before is not None and before.status == finding.status
        since = before.last_transition_time if same and before is not None else now
        result.append(
            {
                "type": kind.value,
                "status": finding.status,
                "reason": finding.reason.value,
                "message": finding.message[:1024],
                "lastTransitionTime": format_timestamp(since),
                "observedGeneration": situation.lease.metadata.generation,
            }
        )
    return result


def _accepted(s: Situation) -> Finding:
    if s.verdict is not None:
        return Finding("False", s.verdict.reason, s.verdict.message)
    return Finding("True", Reason.ACCEPTED, "the lease can be had as it is written")


def _scheduled(s: Situation) -> Finding:
    status = s.lease.status
    if status.starts_at is not None and status.ends_at is not None:
        span = f"{format_timestamp(status.starts_at)} to {format_timestamp(status.ends_at)}"
        return Finding("True", Reason.BOOKED, f"{status.node_count} nodes from {span}")
    if s.verdict is not None or s.stage in OVER:
        return Finding("False", Reason.NOT_YET, "nothing is booked")
    if status.queue is None:
        return Finding("False", Reason.PENDING, "waiting to be planned")
    if status.queue.earliest_start is None:
        eta = "no start within reach"
    else:
        eta = f"earliest start {format_timestamp(status.queue.earliest_start)}"
    return Finding("False", Reason.WAITING_FOR_NODES, f"number {status.queue.position} in the queue, {eta}")


def _nodes_ready(s: Situation) -> Finding:
    if s.stage in OVER:
        return Finding("False", Reason.ENDED)
    if s.stage not in RUNNING:
        return Finding("False", Reason.WAITING_FOR_START)
    lost = [outage.node for outage in s.lease.status.outages if outage.end is None]
    if lost:
        return Finding(
            "False",
            Reason.DEGRADED,
            f"not to be had: {', '.join(lost[:5])}; another node takes its place when one is free, "
            "and the time without it is credited",
        )
    if s.missing:
        return Finding("False", Reason.NODE_UNHEALTHY, f"not to be had: {', '.join(s.missing[:5])}")
    if len(s.claimed) < len(s.lease.status.nodes):
        return Finding("False", Reason.CLAIMING, s.failure)
    unhealthy = [node.name for node in s.claimed if not node.ready]
    if unhealthy:
        return Finding("False", Reason.NODE_UNHEALTHY, f"not ready: {', '.join(unhealthy[:5])}")
    return Finding("True", Reason.NODES_CLAIMED, f"{len(s.claimed)} nodes are claimed and ready")


def _isolated(s: Situation) -> Finding:
    if s.stage in OVER:
        return Finding("False", Reason.ENDED)
    if s.stage not in RUNNING:
        return Finding("False", Reason.WAITING_FOR_START)
    if s.guarded and s.unproven is not None:
        return Finding("False", s.unproven.reason, s.unproven.message)
    if s.guarded:
        return Finding("True", Reason.GUARDS_IN_PLACE, "guards are in place and answered their probes")
    reason = Reason.GUARDS_MISSING if s.probe_failed or not s.failure else Reason.APPLY_FAILED
    return Finding("False", reason, s.failure or s.waiting)


def _access_granted(s: Situation) -> Finding:
    if s.stage in OVER:
        return Finding("False", Reason.REVOKED, "the lease has ended")
    if s.stage not in RUNNING:
        return Finding("False", Reason.NOT_YET)
    if s.lease.spec.suspend:
        return Finding("False", Reason.SUSPENDED, "spec.suspend is true; set it to false to resume")
    if s.admitted:
        return Finding("True", Reason.GRANTED, "the tenant's subjects have access")
    return Finding("False", Reason.NOT_YET, s.failure or s.waiting or (s.unproven.message if s.unproven else ""))


def _draining(s: Situation) -> Finding:
    if s.stage is Stage.DRAINING:
        return Finding("True", Reason.END_NEAR, "the end is near: no new pods start, running ones may finish")
    return Finding("False", Reason.ENDED if s.stage in OVER else Reason.NOT_YET)


def _stalled(s: Situation) -> Finding:
    if s.verdict is not None:
        return Finding("True", s.verdict.reason, s.verdict.message)
    return Finding("False", Reason.NOT_STALLED)


def _released(s: Situation) -> Finding:
    if s.stage is Stage.ENDED:
        return Finding("True", Reason.REMOVED, "nothing of the lease is left")
    if s.stage is Stage.RELEASING:
        reason = Reason.VOLUMES_LEFT if s.volumes_stuck and not s.failure else Reason.REMOVING
        return Finding("False", reason, s.failure or s.waiting or "nodes are being given back")
    if s.stage is Stage.SANITIZING:
        return Finding("False", Reason.SANITIZING, s.failure or s.waiting or "nodes are being given back")
    return Finding("False", Reason.NOT_YET)


def _sanitized(s: Situation) -> Finding:
    status = s.lease.status
    known = next((c for c in status.conditions if c.type == ConditionType.SANITIZED.value), None)
    if status.released_at is not None and known is not None and s.stage is Stage.ENDED:
        # What was found when the nodes went back stays true; they are others' since, and Jobs and marks are gone.
        return Finding(known.status, Reason(known.reason), known.message)
    if s.stage not in {Stage.SANITIZING, Stage.ENDED} or status.starts_at is None:
        return Finding("Unknown", Reason.NOT_YET)
    if s.dirty:
        found = "; ".join(f"{node.name} ({node.quarantine_reason})" for node in s.dirty)
        return Finding("False", Reason.SANITIZING_FAILED, f"quarantined: {found}")
    if s.stage is Stage.SANITIZING:
        by_steps = s.sanitize is SanitizeMode.STEPS
        reason = Reason.SANITIZING if by_steps else Reason.WAITING_FOR_EXTERNAL
        return Finding("False", reason, s.failure or s.waiting)
    if s.sanitize is None:
        return Finding("Unknown", Reason.NOT_CONFIGURED, "the pool names no sanitizing steps; nothing was run")
    if status.active_at is None:
        return Finding("Unknown", Reason.NOT_YET, "the tenant never got the nodes")
    return Finding("True", Reason.SANITIZED, "the nodes were cleaned and are back in the pool")


_TABLE = {
    ConditionType.ACCEPTED: _accepted,
    ConditionType.SCHEDULED: _scheduled,
    ConditionType.NODES_READY: _nodes_ready,
    ConditionType.ISOLATED: _isolated,
    ConditionType.ACCESS_GRANTED: _access_granted,
    ConditionType.DRAINING: _draining,
    ConditionType.STALLED: _stalled,
    ConditionType.RELEASED: _released,
    ConditionType.SANITIZED: _sanitized,
}

_NEEDED = (
    ConditionType.ACCEPTED,
    ConditionType.SCHEDULED,
    ConditionType.NODES_READY,
    ConditionType.ISOLATED,
    ConditionType.ACCESS_GRANTED,
)
"""What `Ready` sums up; the first that fails explains it."""


def _ready(found: dict[ConditionType, Finding]) -> Finding:
    for kind in _NEEDED:
        if found[kind].status != "True":
            finding = found[kind]
            return Finding("False", finding.reason, finding.message or f"{kind.value} is not True yet")
    return Finding("True", Reason.LEASE_ACTIVE, "the tenant can work")
