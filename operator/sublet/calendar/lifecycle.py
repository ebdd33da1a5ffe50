"""The stages of a lease, and the moment at which the next one is due."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """Where a lease stands. The words are those that users see as its phase."""

    QUEUED = "Queued"
    RESERVED = "Reserved"
    PROVISIONING = "Provisioning"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    DRAINING = "Draining"
    RECLAIMING = "Reclaiming"
    RELEASING = "Releasing"
    SANITIZING = "Sanitizing"
    ENDED = "Ended"
    REFUSED = "Refused"


_RUNNING = frozenset({Stage.PROVISIONING, Stage.ACTIVE, Stage.SUSPENDED, Stage.DRAINING, Stage.RECLAIMING})
_OVER = frozenset({Stage.RELEASING, Stage.SANITIZING, Stage.ENDED})

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.QUEUED: _RUNNING | _OVER | {Stage.RESERVED, Stage.REFUSED},
    Stage.REFUSED: _RUNNING | _OVER | {Stage.QUEUED, Stage.RESERVED},
    Stage.RESERVED: _RUNNING | _OVER,
    # Among the running stages a lease may move freely: it loses a node and is provisioned again, is suspended
    # and resumed, drains and is extended.
    **dict.fromkeys(_RUNNING, _RUNNING | _OVER),
    # Something that was gone may turn up again, from a backup for instance; it is given back once more.
    **dict.fromkeys(_OVER, _OVER),
}
"""Every move between stages that a lease may make; staying is always allowed.

A stage may be skipped, since the clock goes on while the operator is down; from give-back no way leads back to
running.
"""


def may_move(before: Stage, after: Stage) -> bool:
    """Whether a lease may go from one stage to another."""
    return before is after or after in MOVES[before]


@dataclass(frozen=True)
class Facts:
    """What decides the stage of one lease.

    Attributes:
        refused: The policy refuses the lease as it is written.
        starts_at: Start of the booking; None while there is none.
        drain_at: When new pods stop; within the booking.
        ends_at: End of the booking.
        unanswered: A later end was asked for in time, and is not answered yet.
        withdrawn: The tenant or the owner gave the lease back, or deleted it.
        ended: The end was reached before and give-back has begun; there is no way back from it.
        suspended: The owner suspended it.
        reclaimed: The owner takes it back, and the notice runs.
        in_place: Nodes, guards and access are all as they should be.
        cleaning: Nothing of it is left but nodes, which its pool has cleaned before they are free.
        cleared: Nothing of the lease is left in the cluster.
    """

    refused: bool = False
    starts_at: datetime | None = None
    drain_at: datetime | None = None
    ends_at: datetime | None = None
    unanswered: bool = False
    withdrawn: bool = False
    ended: bool = False
    suspended: bool = False
    reclaimed: bool = False
    in_place: bool = False
    cleaning: bool = False
    cleared: bool = False


def stage(facts: Facts, now: datetime) -> Stage:
    """The stage at `now`; the first scenario that applies, most final first."""
    over = facts.ends_at is not None and now >= facts.ends_at and not facts.unanswered
    # Taken back before it began.
    over = over or (facts.ends_at is not None and facts.ends_at == facts.starts_at)
    # 1. The end has come, by the clock or by somebody's wish: give back, and never turn round.
    if facts.ended or facts.withdrawn or over:
        if facts.cleared:
            return Stage.ENDED
        return Stage.SANITIZING if facts.cleaning else Stage.RELEASING
    # 2. Nothing is promised yet.
    if facts.starts_at is None:
        return Stage.REFUSED if facts.refused else Stage.QUEUED
    # 3. Promised for later.
    if now < facts.starts_at:
        return Stage.RESERVED
    # 4. Running: the end that draws near goes before a suspension, and both before readiness.
    if facts.drain_at is not None and now >= facts.drain_at:
        return Stage.DRAINING
    if facts.suspended:
        return Stage.SUSPENDED
    if not facts.in_place:
        return Stage.PROVISIONING
    return Stage.RECLAIMING if facts.reclaimed else Stage.ACTIVE


def next_boundary(facts: Facts, now: datetime) -> datetime | None:
    """The next instant at which the stage changes by the clock alone; None if none does."""
    moments = (facts.starts_at, facts.drain_at, facts.ends_at)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
