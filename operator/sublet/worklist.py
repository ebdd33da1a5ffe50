"""The work list: keys to look at, each once however often it is asked for, and never two passes at a time."""

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sublet.clock import Clock
from sublet.errors import ConflictError, SubletError

_LOG = logging.getLogger(__name__)

Work = Callable[[str], Awaitable[datetime | None]]
"""One pass over a key; returns the moment at which the key wants to be looked at again."""

_FIRST_PAUSE = timedelta(seconds=0.2)
_SPARE = 4
_LONGEST_PAUSE = timedelta(seconds=30)


class Worklist:
    """Keys with the moment at which each is due.

    A key that is asked for during its own pass is looked at once more afterwards. A pass that fails is
    repeated for ever, with a pause that doubles from 0.2 s to 30 s and is jittered.
    """

    def __init__(self, clock: Clock, work: Work, *, workers: int) -> None:
        self._clock = clock
        self._work = work
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._busy: set[str] = set()
        self._failures: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._free = asyncio.Semaphore(workers)

    def add(self, key: str, at: datetime | None = None) -> None:
        """Ask for a pass over `key`, now or at a moment; an earlier moment already asked for stays."""
        moment = at or self._clock.now()
        known = self._due.get(key)
        if known is not None and known <= moment:
            return
        self._due[key] = moment
        heapq.heappush(self._heap, (moment, key))
        if len(self._heap) > 2 * len(self._due) + _SPARE:
            # Entries that an earlier moment has overtaken would stay until their own moment, years ahead.
            self._heap = [(due, name) for name, due in self._due.items()]
            heapq.heapify(self._heap)
        self._changed.set()

    def is_idle(self) -> bool:
        """Whether nothing is under way and nothing is due by now."""
        now = self._clock.now()
        return not self._busy and all(moment > now for moment in self._due.values())

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as passes:
            while True:
                await self._free.acquire()
                key = await self._next()
                passes.create_task(self._pass(key))

    async def _next(self) -> str:
        while True:
            self._changed.clear()
            key = self._pop_due()
            if key is not None:
                return key
            await self._wait()

    def _pop_due(self) -> str | None:
        now = self._clock.now()
        held: list[tuple[datetime, str]] = []
        found = None
        while self._heap and self._heap[0][0] <= now:
            moment, key = heapq.heappop(self._heap)
            if self._due.get(key) != moment:
                continue  # an earlier moment was asked for and is served by its own entry
            if key in self._busy:
                held.append((moment, key))
                continue
            del self._due[key]
            self._busy.add(key)
            found = key
            break
        for entry in held:
            heapq.heappush(self._heap, entry)
        return found

    async def _wait(self) -> None:
        """Return when something was added or finished, or when the next key is due."""
        upcoming = [moment for moment, key in self._heap if key not in self._busy]
        changed = asyncio.create_task(self._changed.wait())
        waits: set[asyncio.Task[object]] = {changed}
        if upcoming:
            waits.add(asyncio.create_task(self._clock.sleep_until(min(upcoming))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _pass(self, key: str) -> None:
        again: datetime | None = None
        try:
            again = await self._work(key)
            self._failures.pop(key, None)
        except SubletError as error:
            again = self._clock.now() + (error.retry_after or self._pause(key))
            # A stale view is no trouble: somebody wrote first, and the next pass sees it.
            level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
            _LOG.log(level, "%s: %s; trying again", key, error)
        except Exception:  # noqa: BLE001
            # A defect of ours must neither end the other leases' service nor go unseen.
            again = self._clock.now() + self._pause(key)
            _LOG.exception("%s: the pass failed; trying again", key)
        finally:
            self._busy.discard(key)
            self._free.release()
            self._changed.set()
        if again is not None:
            self.add(key, again)

    def _pause(self, key: str) -> timedelta:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause: timedelta = min(_FIRST_PAUSE * 2 ** min(failures - 1, 16), _LONGEST_PAUSE)
        jitter: float = random.uniform(0.75, 1.25)  # noqa: S311 - not a secret
        return pause * jitter
