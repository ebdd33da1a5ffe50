"""Who plans a pool: one operator at a time, noted in the pool's status.

A booking is compare-and-set on its own lease alone, so two operators that do not know each other's newest bookings
could promise a node twice. As in client-go's leader election (tools/leaderelection), time is not compared between
machines: a record that did not change for a while by one's own clock belongs to somebody who is gone.
"""

import asyncio
from datetime import datetime, timedelta

from sublet.api.pool import GPUPool, Planner
from sublet.clock import Clock
from sublet.cluster import observe, publish
from sublet.cluster.world import World
from sublet.errors import ConflictError, NotFoundError

_HELD_FOR = timedelta(seconds=3)
"""How long the lock is held without being renewed; so long a pool may wait after its operator was killed."""

_RENEW_EVERY = timedelta(seconds=1)


class PlannerLock:
    """The lock as one operator sees it.

    It is taken when something is to be recorded, and kept for as long as that goes on: a pool at rest is not written.
    """

    def __init__(self, world: World, clock: Clock, holder: str) -> None:
        """The lock for an operator with a name that no other one has."""
        self._world = world
        self._clock = clock
        self._holder = holder
        self._renewed: dict[str, datetime] = {}
        self._others: dict[str, tuple[Planner, datetime]] = {}
        self._renewing = asyncio.Lock()

    def is_held(self, pool: str) -> bool:
        """Whether this operator is the one that plans the pool."""
        renewed = self._renewed.get(pool)
        return renewed is not None and self._clock.now() < renewed + _HELD_FOR

    async def take(self, name: str) -> datetime | None:
        """Take the lock, and read anew what is booked.

        Returns:
            None if it was taken, or there is no such pool; else when to try again, because another operator has it.

        Raises:
            ConflictError: Somebody wrote to the pool first.
        """
        now, pool = self._clock.now(), observe.find_pool(self._world, name)
        if pool is None:
            return None
        planner = pool.status.planner
        if planner is not None and planner.holder != self._holder:
            known, since = self._others.get(name, (None, now))
            if planner != known:
                since = now
                self._others[name] = planner, now
            if now < since + _HELD_FOR:
                return since + _HELD_FOR
        await self._renew(pool)
        # What the one before wrote last may not have been heard of yet.
        await self._world.refresh()
        return None

    async def keep(self, name: str) -> bool:
        """Renew the lock if it is time to; False if it is lost."""
        async with self._renewing:
            pool = observe.find_pool(self._world, name)
            if pool is None or not self.is_held(name):
                return False
            if self._clock.now() >= self._renewed[name] + _RENEW_EVERY:
                try:
                    await self._renew(pool)
                except (ConflictError, NotFoundError):
                    return False
            return self.is_held(name)

    async def _renew(self, pool: GPUPool) -> None:
        began = self._clock.now()
        renewals = pool.status.planner.renewals + 1 if pool.status.planner is not None else 0
        await publish.pool_planner(self._world, pool, Planner(holder=self._holder, renewals=renewals))
        self._renewed[pool.metadata.name] = began
