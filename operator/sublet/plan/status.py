"""The status of a lease: facts in; conditions, phase and one sentence for people out.

Messages hold no generated names and no running times: a message that changed on every pass would make the
status, and so the operator, never rest.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sublet.api.lease import EarlyEndReason, GPULease, Phase
from sublet.api.reasons import ConditionType
from sublet.api.scalars import format_duration, format_timestamp
from sublet.calendar.lifecycle import Stage
from sublet.plan.conditions import OVER, Situation, conditions
from sublet.policy.times import booked_end

Raw = dict[str, Any]


def report(situation: Situation, now: datetime) -> Raw:
    """The fields of the status that a lease's own pass writes, as JSON."""
    lease, stage = situation.lease, situation.stage
    known = lease.status
    inside = situation.admitted and stage in {Stage.ACTIVE, Stage.RECLAIMING, Stage.DRAINING}
    active = known.active_at or (now if inside else None)
    ready = known.ready_at or active or (now if situation.admitted and stage is Stage.SUSPENDED else None)
    ended = end_of(lease, now) if stage in OVER else None
    released = known.released_at or (now if stage is Stage.ENDED else None)
    observed = conditions(situation, now)
    return {
        "phase": Phase(stage.value).value,
        "message": _sentence(situation, observed, now),
        "conditions": observed,
        "observedGeneration": lease.metadata.generation,
        "activeAt": _text(active),
        "readyAt": _text(ready),
        "endedAt": _text(ended),
        "releasedAt": _text(released),
        "gpuSeconds": gpu_seconds(lease, ended or now),
        # An end that has come is a fact, and no longer the planner's to move.
        **({"endsAt": _text(ended), "reusableAt": _text(_reusable(situation, ended, released))} if ended else {}),
    }


def _reusable(situation: Situation, ended: datetime, released: datetime | None) -> datetime:
    """When the gap is over, or, where taking away and cleaning took longer than it, when that was done."""
    return max(ended + situation.cleaning_gap, released or ended)


def end_of(lease: GPULease, now: datetime) -> datetime | None:
    """When a lease ended that is over at `now`; None if nothing was ever booked.

    The contract's end counts where the operator came late to it, and so does the moment at which the lease was given
    back or shortened. A reservation that is given back before its start ends where it would have begun.
    """
    status = lease.status
    if status.starts_at is None or status.ends_at is None:
        return None
    earlier = (_released_at(lease), lease.metadata.deletion_timestamp, _shortened_to(lease))
    return status.ended_at or max(status.starts_at, min([now, status.ends_at, *filter(None, earlier)]))


def _released_at(lease: GPULease) -> datetime | None:
    """When `release` was set, as far as is known: no change is written after it but in vain."""
    return lease.metadata.release_written_at if lease.spec.release else None


def _shortened_to(lease: GPULease) -> datetime | None:
    """The earlier end that was written into the lease and that no planning pass has seen yet, as far as is known."""
    written = lease.metadata.times_written_at
    return max(booked_end(lease), written) if written is not None else None


def is_reclaimed(lease: GPULease) -> bool:
    """Whether the owner takes the lease back."""
    early = lease.status.early_end
    return early is not None and early.reason is EarlyEndReason.RECLAIMED


def gpu_seconds(lease: GPULease, until: datetime) -> int | None:
    """GPUs times seconds from the start of the lease to `until`; reserved time counts, used or not."""
    status = lease.status
    if status.starts_at is None or until < status.starts_at:
        return None
    return (status.gpus or 0) * int((until - status.starts_at).total_seconds())


def is_news(lease: GPULease, status: Raw) -> bool:
    """Whether a status says more than the one the lease has; GPU-seconds run on and are no news by themselves."""
    known = dict.fromkeys(status) | lease.status.dump()
    return any(known[key] != value for key, value in status.items() if key != "gpuSeconds")


def _sentence(situation: Situation, observed: Sequence[Raw], now: datetime) -> str:
    by_type = {condition["type"]: condition for condition in observed}
    lease = situation.lease
    match situation.stage:
        case Stage.ACTIVE:
            return _notice(situation, now)
        case Stage.RECLAIMING:
            return _deadline(lease)
        case Stage.RESERVED:
            return f"starts at {format_timestamp(lease.status.starts_at)}" if lease.status.starts_at else ""
        case Stage.DRAINING:
            return str(by_type[ConditionType.DRAINING]["message"])
        case Stage.RELEASING | Stage.SANITIZING:
            return str(by_type[ConditionType.RELEASED]["message"])
        case Stage.ENDED:
            return ""
        case Stage.QUEUED:
            return str(by_type[ConditionType.SCHEDULED]["message"])
        case _:
            return str(by_type[ConditionType.READY]["message"])


def _notice(situation: Situation, now: datetime) -> str:
    """The tightest of the pool's notices that has begun, or nothing."""
    ends_at = situation.lease.status.ends_at
    if ends_at is None:
        return ""
    begun = [notice for notice in situation.notices if now >= ends_at - notice]
    return f"ends within {format_duration(min(begun))}" if begun else ""


def _deadline(lease: GPULease) -> str:
    ends_at = lease.status.ends_at
    return f"the owner takes the nodes back at {format_timestamp(ends_at)}; save your work" if ends_at else ""


def _text(moment: datetime | None) -> str | None:
    return format_timestamp(moment) if moment else None
