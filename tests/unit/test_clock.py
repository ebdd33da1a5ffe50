"""Clocks: aware instants, and waits that end when their moment has come."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sublet.clock import Clock, CompressedClock, ManualClock, SystemClock

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=["system", "manual"])
def test_now_is_the_machines_time_in_utc(clock: Clock) -> None:
    """Both clocks start at the machine's own time, aware and in UTC."""
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta()


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=["system", "manual"])
async def test_a_moment_that_has_passed_is_not_waited_for(clock: Clock) -> None:
    """Who asks for the past goes on at once."""
    async with asyncio.timeout(1):
        await clock.sleep_until(clock.now())
        await clock.sleep_until(clock.now() - HOUR)


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=["system", "manual"])
async def test_a_wait_never_ends_before_its_moment(clock: Clock) -> None:
    """When the wait is over, the clock shows the moment or later."""
    moment = clock.now() + timedelta(milliseconds=20)
    async with asyncio.timeout(5):
        await clock.sleep_until(moment)
    assert clock.now() >= moment


def test_a_manual_clock_is_moved_ahead() -> None:
    """Moves add up, and between them it goes on with the machine's time."""
    clock = ManualClock()
    clock.advance(HOUR)
    clock.advance(HOUR)
    assert timedelta() <= clock.now() - datetime.now(UTC) - 2 * HOUR + timedelta(seconds=5) < timedelta(seconds=10)


async def test_advancing_wakes_those_whose_moment_has_come_and_nobody_else() -> None:
    """Of two sleepers the one with the nearer moment wakes; the other sleeps on until its own."""
    clock = ManualClock()
    start = clock.now()
    near = asyncio.create_task(clock.sleep_until(start + 1 * HOUR))
    far = asyncio.create_task(clock.sleep_until(start + 3 * HOUR))
    await asyncio.wait({near, far}, timeout=0)
    async with asyncio.timeout(5):
        clock.advance(2 * HOUR)
        await near
        assert not far.done()
        clock.advance(2 * HOUR)
        await far


async def test_a_sleeper_is_woken_by_moves_that_add_up() -> None:
    """Three moves of half an hour reach a moment that lies more than an hour ahead."""
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(minutes=80)))
    for _ in range(3):
        await asyncio.wait({sleeper}, timeout=0)
        assert not sleeper.done()
        clock.advance(HOUR / 2)
    async with asyncio.timeout(5):
        await sleeper


def test_a_compressed_clock_agrees_with_the_machines_at_its_base_and_runs_faster() -> None:
    """What was before its base is further away as well."""
    base = datetime(2026, 1, 1, 12, tzinfo=UTC)
    clock = CompressedClock(base, 60)
    assert clock.at(base) == base
    assert clock.at(base + timedelta(minutes=1)) == base + HOUR
    assert clock.at(base - timedelta(minutes=1)) == base - HOUR


async def test_a_compressed_clock_waits_a_fraction_of_the_time() -> None:
    """An hour passes in less than the machine's ten seconds, and not before it is over."""
    clock = CompressedClock(datetime.now(UTC), 36000)
    moment = clock.now() + HOUR
    async with asyncio.timeout(10):
        await clock.sleep_until(moment)
    assert clock.now() >= moment
