"""The clock: the only module that asks the machine for the time.

Everything else takes `now` as an argument, so a test can stand at any instant.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the shell needs of a clock: the instant, and a way to wait for one."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `moment` has come; at once if it has passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `moment` has come; at once if it has passed."""
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - there is no event: time is it
            # The wall clock may be set while we sleep, so a long wait looks at it again now and then.
            await asyncio.sleep(min(left, 30.0))


class ManualClock:
    """A clock that runs with the machine's, moved ahead by hand, for tests and compressed days.

    It keeps running between the moves because a real API server and its real latency stand behind it.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move the clock ahead and wake everybody whose moment has come."""
        self._ahead += by
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `moment` has come; at once if it has passed."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(left):
                    await moved.wait()
            except TimeoutError:
                continue


class CompressedClock:
    """A clock that runs faster than the machine's from one instant on, for a day in minutes.

    Trials alone use it: what the API server stamps is the machine's time still, and `at` says what it means here.
    """

    def __init__(self, base: datetime, factor: int) -> None:
        """A clock that shows the machine's time at `base`, and from then on `factor` seconds for each second."""
        self.base = base
        self.factor = factor

    def at(self, instant: datetime) -> datetime:
        """What this clock shows at an instant of the machine's time."""
        return self.base + (instant - self.base) * self.factor

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        return self.at(datetime.now(UTC))

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `moment` has come; at once if it has passed."""
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - there is no event: time is it
            await asyncio.sleep(min(left / self.factor, 30.0))
