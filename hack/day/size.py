"""How large a day is, and how much of it one second holds."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Size:
    """A day.

    Attributes:
        leases: How many are written.
        nodes: How many the pool has at first.
        hours: How long the day is.
        factor: Seconds of the day in one second.
        median: Length of a lease that half of all stay below.
        shortest: The shortest that is sold.
        longest: The longest that is asked for.
        gap: Cleaning after each lease.
        raised: Nodes that the owner keeps from 60 % of the day on.
        notice: What an interruptible lease gets before it is taken back.
        seed: Of all choices; the same seed, the same day.
    """

    leases: int
    nodes: int
    hours: float
    factor: int
    median: timedelta
    shortest: timedelta
    longest: timedelta
    gap: timedelta
    notice: timedelta
    raised: int
    seed: int = 1

    @property
    def length(self) -> timedelta:
        """From the first moment to the last."""
        return timedelta(hours=self.hours)


def full(*, leases: int = 1000, nodes: int = 2000, factor: int = 96, seed: int = 1) -> Size:
    """A whole day, in 15 minutes unless said otherwise."""
    return Size(
        leases=leases,
        nodes=nodes,
        hours=24,
        factor=factor,
        median=timedelta(hours=2.5),
        shortest=timedelta(minutes=40),
        longest=timedelta(hours=8),
        gap=timedelta(minutes=30),
        notice=timedelta(hours=1),
        raised=nodes // 10,
        seed=seed,
    )


def small(*, seed: int = 1) -> Size:
    """Eight hours with 40 leases on 48 nodes, in 80 seconds: what a test has time for."""
    return Size(
        leases=40,
        nodes=48,
        hours=8,
        factor=360,
        median=timedelta(minutes=110),
        shortest=timedelta(minutes=40),
        longest=timedelta(hours=4),
        gap=timedelta(hours=1),
        notice=timedelta(minutes=40),
        raised=20,
        seed=seed,
    )
