"""The work list: each key once, never two passes at a time, and no failure that ends the service."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from sublet.clock import ManualClock
from sublet.errors import SubletError
from sublet.worklist import Worklist

HOUR = timedelta(hours=1)


class CountingClock(ManualClock):
    """A clock that counts how often somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    async def sleep_until(self, moment: datetime) -> None:
        """Wait, and be counted."""
        self.waits += 1
        await super().sleep_until(moment)


class Site:
    """A work list whose passes are written down as they start and do as they are told."""

    def __init__(self, workers: int = 4) -> None:
        self.clock = CountingClock()
        self.worklist = Worklist(self.clock, self._work, workers=workers)
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.wakes: dict[str, datetime] = {}
        self.fails: dict[str, Exception] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.under_way: Counter[str] = Counter()

    async def _work(self, key: str) -> datetime | None:
        self.under_way[key] += 1
        assert self.under_way[key] == 1, f"two passes over {key} at a time"
        self.started.put_nowait(key)
        try:
            if key in self.gates:
                await self.gates[key].wait()
            if key in self.fails:
                raise self.fails[key]
            return self.wakes.pop(key, None)
        finally:
            self.under_way[key] -= 1

    def hold(self, key: str) -> asyncio.Event:
        """Keep passes over a key from ending until the event is set."""
        self.gates[key] = asyncio.Event()
        return self.gates[key]

    async def passes(self, count: int) -> list[str]:
        """The next passes to start, in their order; waits for them."""
        async with asyncio.timeout(5):
            return [await self.started.get() for _ in range(count)]

    def rests(self) -> bool:
        """Whether nothing is under way or due, and nobody has started unseen."""
        return self.worklist.is_idle() and self.started.empty()


@contextlib.asynccontextmanager
async def running(site: Site) -> AsyncIterator[Site]:
    """A site whose work list runs; it is cancelled at the end, and fails the test if it died before."""
    task = asyncio.create_task(site.worklist.run())
    yield site
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_key_that_is_asked_for_thrice_is_looked_at_once() -> None:
    """Requests for the same key are one pass, however many there are before it starts."""
    site = Site(workers=1)
    for key in ("a", "a", "b", "a"):
        site.worklist.add(key)
    async with running(site):
        assert await site.passes(2) == ["a", "b"]
        assert site.rests()


async def test_a_key_is_never_worked_on_twice_at_a_time() -> None:
    """A key that is asked for during its own pass is looked at once more, and only afterwards."""
    async with running(Site()) as site:
        gate = site.hold("a")
        site.worklist.add("a")
        await site.passes(1)
        for _ in range(3):
            site.worklist.add("a")
        site.worklist.add("b")
        assert await site.passes(1) == ["b"]
        assert not site.worklist.is_idle()
        assert site.started.empty()
        gate.set()
        assert await site.passes(1) == ["a"]
        assert site.rests()


async def test_a_key_that_waits_for_its_own_pass_is_not_waited_for_in_a_circle() -> None:
    """A key that is due while it is worked on costs nothing until its pass is done."""
    async with running(Site()) as site:
        gate = site.hold("a")
        site.worklist.add("a")
        await site.passes(1)
        site.worklist.add("a")
        for _ in range(100):
            await asyncio.sleep(0)
        assert site.clock.waits < 5
        gate.set()
        assert await site.passes(1) == ["a"]


async def test_no_more_passes_run_than_there_are_workers() -> None:
    """With two workers the third key waits until one of the first is done."""
    async with running(Site(workers=2)) as site:
        gates = [site.hold(key) for key in ("a", "b", "c")]
        for key in ("a", "b", "c"):
            site.worklist.add(key)
        assert await site.passes(2) == ["a", "b"]
        assert sum(site.under_way.values()) == 2
        assert site.started.empty()
        gates[0].set()
        assert await site.passes(1) == ["c"]


async def test_a_pass_is_woken_at_the_moment_it_asked_for() -> None:
    """A pass that wants to look again in an hour is started when the clock has come there, and not before."""
    async with running(Site()) as site:
        site.wakes["a"] = site.clock.now() + HOUR
        site.worklist.add("a")
        await site.passes(1)
        site.clock.advance(timedelta(minutes=59))
        assert site.rests()
        site.clock.advance(timedelta(minutes=2))
        assert await site.passes(1) == ["a"]
        assert site.rests()


async def test_the_earlier_of_two_moments_counts() -> None:
    """A later request does not put off an earlier one, an earlier one brings a later one forward."""
    async with running(Site()) as site:
        start = site.clock.now()
        for hours in (3, 1, 2):
            site.worklist.add("a", start + hours * HOUR)
        site.clock.advance(1.5 * HOUR)
        assert await site.passes(1) == ["a"]
        site.clock.advance(5 * HOUR)
        site.worklist.add("b")
        assert await site.passes(1) == ["b"]
        assert site.rests()


async def test_keys_come_in_the_order_in_which_they_are_due() -> None:
    """After a leap of the clock the key that was due first is served first."""
    site = Site(workers=1)
    start = site.clock.now()
    for key, hours in (("c", 3), ("a", 1), ("b", 2)):
        site.worklist.add(key, start + hours * HOUR)
    async with running(site):
        site.clock.advance(5 * HOUR)
        assert await site.passes(3) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [SubletError("the API server is away"), RuntimeError("a defect of ours")])
@pytest.mark.parametrize(("failures", "too_short", "enough"), [(5, 2, 4.1), (6, 4.5, 8.1), (9, 22, 38), (40, 22, 38)])
async def test_a_failure_is_tried_again_with_a_growing_pause(
    failures: int, too_short: float, enough: float, error: Exception
) -> None:
    """0.2 seconds at first, doubled each time up to 30, and a quarter more or less so that not all come at once."""
    async with running(Site()) as site:
        site.fails["a"] = error
        site.worklist.add("a")
        await site.passes(1)
        for _ in range(failures - 1):
            site.clock.advance(timedelta(seconds=40))
            await site.passes(1)
        site.clock.advance(timedelta(seconds=too_short))
        assert site.rests()
        site.clock.advance(timedelta(seconds=enough - too_short))
        assert await site.passes(1) == ["a"]


async def test_a_success_ends_the_growth_of_the_pause() -> None:
    """After a pass that went well, the next failure is tried again as soon as the first one was."""
    async with running(Site()) as site:
        site.fails["a"] = SubletError("the API server is away")
        site.worklist.add("a")
        await site.passes(1)
        for _ in range(9):
            site.clock.advance(timedelta(seconds=40))
            await site.passes(1)
        failure = site.fails.pop("a")
        site.clock.advance(timedelta(seconds=40))
        await site.passes(1)
        assert site.rests()
        site.fails["a"] = failure
        site.worklist.add("a")
        await site.passes(1)
        site.clock.advance(timedelta(seconds=0.26))
        assert await site.passes(1) == ["a"]


async def test_an_error_may_say_when_to_try_again() -> None:
    """An error that knows better than the pause is believed."""
    async with running(Site()) as site:
        site.fails["a"] = SubletError("too many requests", retry_after=HOUR)
        site.worklist.add("a")
        await site.passes(1)
        site.clock.advance(timedelta(minutes=59))
        assert site.rests()
        site.clock.advance(timedelta(minutes=2))
        assert await site.passes(1) == ["a"]


async def test_a_change_does_not_wait_for_the_pause() -> None:
    """A failed key that is asked for is looked at now: what changed may be what was missing."""
    async with running(Site()) as site:
        site.fails["a"] = SubletError("no pool", retry_after=HOUR)
        site.worklist.add("a")
        await site.passes(1)
        site.worklist.add("a")
        assert await site.passes(1) == ["a"]


async def test_other_keys_are_served_while_one_fails() -> None:
    """A key that fails for ever, with one worker, holds up nobody and ends nothing."""
    async with running(Site(workers=1)) as site:
        site.fails["bad"] = RuntimeError("a defect of ours")
        for round_ in range(5):
            site.worklist.add("bad")
            site.worklist.add(f"good-{round_}")
            assert await site.passes(2) == ["bad", f"good-{round_}"]


async def test_a_list_with_work_for_later_is_idle() -> None:
    """Idle means that nothing is due now; work that is due, or under way, is not idle."""
    site = Site()
    assert site.worklist.is_idle()
    site.worklist.add("a", site.clock.now() + HOUR)
    assert site.worklist.is_idle()
    site.worklist.add("b")
    assert not site.worklist.is_idle()


async def test_a_key_that_is_looked_at_often_does_not_fill_the_memory() -> None:
    """A lease that ends in a year and is looked at a hundred times has a handful of entries, not a hundred."""
    async with running(Site(workers=1)) as site:
        for _ in range(100):
            site.wakes["a"] = site.clock.now() + 9000 * HOUR
            site.worklist.add("a")
            await site.passes(1)
        assert len(site.worklist._heap) < 10  # noqa: SLF001 - memory has no public face
