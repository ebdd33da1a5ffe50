"""Planning one pool: which leases are booked now, what the others wait for, and what becomes of those that have begun.

The single place where bookings are decided. It returns changes of status; nothing is done before they are
recorded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease
from sublet.calendar.booking import Booking
from sublet.calendar.calendar import Calendar
from sublet.calendar.reclaim import Shortfall
from sublet.plan import extension
from sublet.plan.healing import Ward, heal
from sublet.plan.observed import PoolView
from sublet.plan.queueing import Turn, Turns, take_turns
from sublet.plan.reclaiming import take_back
from sublet.plan.supply import PATIENCE, Supply, bookings_of, supply_of
from sublet.policy import pools

Raw = dict[str, Any]


@dataclass(frozen=True)
class StatusChange:
    """A change of one lease's status.

    Attributes:
        lease: The lease as it was seen; the change holds only if nobody wrote since.
        status: The fields to change; None removes one.
    """

    lease: GPULease
    status: Raw


@dataclass(frozen=True)
class PoolPlan:
    """What a planning pass decided.

    Attributes:
        moves: The new nodes of leases that have not begun, on whose former nodes others are booked by `changes`: to be
            recorded before them.
        changes: The statuses to change, the oldest lease first.
        forecasts: New places and hours of leases that wait and have been told of others: of all changes those that come
            most often and matter least.
        short: When the owner lacks nodes that no interruptible lease could give back.
        look_again_at: When something changes by the clock alone; None if nothing does.
    """

    moves: tuple[StatusChange, ...]
    changes: tuple[StatusChange, ...]
    forecasts: tuple[StatusChange, ...]
    short: tuple[Shortfall, ...]
    look_again_at: datetime | None


@dataclass(frozen=True)
class Served:
    """A pool after everybody who comes first had a turn.

    Attributes:
        supply: What the pool has to sell.
        booked: What was booked before, by lease.
        calendar: The pool with that, with what replaces failed nodes, and with what was found for all who wait.
        healed: The changes of status of leases that lost a node or got it back.
        turns: What the turns of the queue brought; nothing in a pool that is not accepted.
        closed: Why the pool is not accepted, and sells nothing; None if it is.
    """

    supply: Supply
    booked: Mapping[str, Booking]
    calendar: Calendar
    healed: Mapping[str, Raw]
    turns: Turns
    closed: str | None


def serve(view: PoolView, now: datetime) -> Served:
    """Serve whoever lost a node, and then the queue in its order."""
    supply = supply_of(view, now)
    booked = bookings_of(view, now)
    calendar = supply.calendar(booked.values())
    ward = Ward(view.pool, {node.name: node for node in view.nodes}, supply.per_node)
    healed = {}
    for lease in _held(view, booked):
        change = heal(lease, booked[lease.metadata.name], ward, calendar, now)
        if change is not None:
            healed[lease.metadata.name] = change
    objection = pools.judge(view.pool, view.classes)
    turns = take_turns(view, supply, booked.values(), calendar, now) if objection is None else Turns()
    return Served(supply, booked, calendar, healed, turns, objection.message if objection is not None else None)


def plan_pool(view: PoolView, now: datetime) -> PoolPlan:
    """Decide everything that can be decided at `now`. Same view, same plan.

    The owner comes first, then whoever lost a node, then the queue in its order, and then who wants to stay longer:
    an extension delays nobody who waits. A pool that is not accepted sells nothing, extensions neither; its leases
    are told so, and may end earlier all the same.
    """
    served = serve(view, now)
    taken_back, short = take_back(view, served.supply.calendar(served.booked.values()), now)
    changes: dict[str, Raw] = {}

    def change(name: str, status: Raw | None) -> None:
        if status is not None:
            changes[name] = changes.get(name, {}) | status

    for name, nodes in served.turns.moved.items():
        change(name, {"nodes": list(nodes)})
    for several in (taken_back, served.healed):
        for name, status in several.items():
            change(name, status)
    for turn in served.turns.each:
        change(turn.lease, turn.status)
    waiting = {turn.lease for turn in served.turns.each if turn.waits}
    sale = extension.Sale(view.pool, served.calendar, waiting, served.closed)
    for lease in _held(view, served.booked):
        name = lease.metadata.name
        # What has just been cut or moved to another node is answered once that is recorded.
        if name not in taken_back and "nodes" not in changes.get(name, {}):
            change(name, extension.answer(lease, served.booked[name], sale, now))
    found = [StatusChange(lease, changes[n]) for lease in view.leases if (n := lease.metadata.name) in changes]
    return PoolPlan(
        moves=tuple(change for change in found if change.lease.metadata.name in served.turns.moved),
        changes=tuple(c for c in found if c.lease.metadata.name not in served.turns.moved and not _is_forecast(c)),
        forecasts=tuple(change for change in found if _is_forecast(change)),
        short=short,
        look_again_at=_next_look(view, served.supply, served.turns.each, now),
    )


def _is_forecast(change: StatusChange) -> bool:
    """Whether a lease that waits is only told of another place or hour than before."""
    before, after = change.lease.status.queue, change.status.get("queue")
    return before is not None and before.refusal is None and after is not None and after["refusal"] is None


def _held(view: PoolView, booked: Iterable[str]) -> list[GPULease]:
    held = set(booked)
    return [lease for lease in view.leases if lease.metadata.name in held]


def is_promised(lease: GPULease) -> bool:
    """Whether the lease has, or had, a booking."""
    return lease.status.starts_at is not None


def _next_look(view: PoolView, supply: Supply, turns: Iterable[Turn], now: datetime) -> datetime | None:
    """When the clock alone changes something.

    Somebody in the queue may start, a node is clean or given up, or a window of the owner opens or closes.
    """
    moments = [turn.waits_until for turn in turns]
    moments += [node.reusable_at for node in view.nodes]
    moments += [node.changed_at + PATIENCE for node in view.nodes if not node.ready and node.changed_at is not None]
    moments += [o.start + PATIENCE for lease in view.leases for o in lease.status.outages if o.end is None]
    moments += [moment for window in supply.floor.windows for moment in (window.interval.start, window.interval.end)]
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
