"""The pass over a pool: plan it, record the bookings, report. The only writer of bookings.

One pass at a time for each pool, and a booking is written only onto the very state of the lease that was
planned with. So a second operator, or a stale view, is refused by the API server.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from sublet.cluster import observe, publish
from sublet.cluster.planner_lock import PlannerLock
from sublet.cluster.world import World
from sublet.errors import ConflictError, NotFoundError
from sublet.plan import pool_status
from sublet.plan.booking import StatusChange, plan_pool
from sublet.plan.supply import holds_nodes
from sublet.telemetry import events

_SOON = timedelta(milliseconds=100)

_TELL_EVERY = timedelta(seconds=2)
"""How often a queue is told of its new hours: with a long one each plan moves everybody in it, and what a thousand
writes hold up is starts and ends."""

_AT_ONCE = 16


async def place(
    world: World, lock: PlannerLock, name: str, told: dict[str, datetime], now: datetime
) -> datetime | None:
    """One planning pass over a pool.

    Args:
        world: The world.
        lock: Whether this operator is the one that books.
        name: The pool.
        told: When the queue of each pool was last told of new hours; the pass notes it here.
        now: The instant of the pass.

    Returns:
        When to look again by the clock; None if only a change can matter.
    """
    seen = observe.pool_view(world, name)
    if seen is None:
        return None
    # The longest piece of work there is; in a thread it holds up nothing else. The view never changes.
    plan = await asyncio.to_thread(plan_pool, seen, now)
    report = pool_status.report(seen, plan.short, now)
    if pool_status.is_news(seen.pool, report):
        await publish.pool_status(world, seen.pool, report)
    in_use = any(holds_nodes(lease) for lease in seen.leases)
    if seen.pool.metadata.deletion_timestamp is not None and not in_use:
        await publish.let_pool_go(world, seen.pool)
    if in_use or plan.moves or plan.changes:
        # Leases are rendered from their pool; one that is deleted under them stays until they have ended.
        await publish.hold_pool(world, seen.pool)
    tell_at = told.get(name, now - _TELL_EVERY) + _TELL_EVERY
    forecasts = plan.forecasts if now >= tell_at else ()
    if (plan.moves or plan.changes or forecasts) and not lock.is_held(name):
        # Planned again with all that whoever had it before has booked.
        return await lock.take(name) or now
    # Only what has been moved for certain makes room for others.
    for several in (plan.moves, plan.changes, forecasts):
        if not await _record_all(world, lock, name, several, now):
            return now + _SOON
    if forecasts:
        told[name] = now
    elif plan.forecasts:
        return min(tell_at, plan.look_again_at or tell_at)
    return plan.look_again_at


async def _record_all(
    world: World, lock: PlannerLock, pool: str, changes: Iterable[StatusChange], now: datetime
) -> bool:
    """Write changes, in any order; False if some of it must be planned anew."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def record(change: StatusChange) -> bool:
        async with limit:
            return await lock.keep(pool) and await _record(world, change, now)

    return all(await asyncio.gather(*(record(change) for change in changes)))


async def _record(world: World, change: StatusChange, now: datetime) -> bool:
    """Write one change; False if the lease had changed since it was planned with, so that it must be planned anew."""
    try:
        await publish.booking(world, change.lease, change.status)
    except ConflictError:
        return False
    except NotFoundError:
        return True
    answer = change.status.get("extension")
    if answer:
        event = events.extension(answer["answer"], answer["message"] or f"the lease ends at {answer['requestedEnd']}")
        await publish.event(world, events.manifest(event, change.lease, now))
    return True
