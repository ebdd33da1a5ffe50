"""Taking nodes back for the owner: interruptible leases end early, each with its notice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sublet.api.lease import EarlyEnd, EarlyEndReason, GPULease
from sublet.calendar.calendar import Calendar
from sublet.calendar.reclaim import Shortfall, reclaim
from sublet.plan.observed import PoolView
from sublet.plan.translate import promise

Raw = dict[str, Any]


def take_back(view: PoolView, calendar: Calendar, now: datetime) -> tuple[Mapping[str, Raw], tuple[Shortfall, ...]]:
    """The changes of status of leases that must end early, by name, and what the owner lacks even so.

    Args:
        view: The pool.
        calendar: What is booked, on nodes of which one that failed a moment ago still counts as sound: that is no
            reason to take another one back.
        now: The instant of the pass.
    """
    found = reclaim(calendar, now, view.pool.spec.schedule.reclaim_notice)
    leases = {lease.metadata.name: lease for lease in view.leases}
    cuts = {cut.lease: _cut(leases[cut.lease], view, cut.end, now) for cut in found.cuts}
    return {name: change for name, change in cuts.items() if change is not None}, found.short


def _cut(lease: GPULease, view: PoolView, end: datetime, now: datetime) -> Raw | None:
    """The change that makes a lease end at `end`; None if it is over, or being given back already."""
    status = lease.status
    if status.ended_at is not None or status.starts_at is None or status.ends_at is None or end >= status.ends_at:
        return None
    known = status.early_end
    early = EarlyEnd(
        reason=EarlyEndReason.RECLAIMED,
        asked_end=known.asked_end if known is not None else status.ends_at,
        end=end,
        noticed_at=now,
    )
    promised = promise(lease, view.pool, status.starts_at, end, status.gpus or 0)
    return {**promised, "hardStopAt": promised["endsAt"], "earlyEnd": early.dump()}
