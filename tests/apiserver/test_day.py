"""A day, compressed: leases of every kind, nodes that fail, an operator that is killed, and every promise kept."""

import os
from collections.abc import Iterator

import pytest

from hack import cluster as clusters
from hack.day.day import live_through
from hack.day.size import small
from hack.day.stage import prepare


@pytest.fixture
def own_cluster() -> Iterator[clusters.Cluster]:
    """A cluster of its own: its guards of time judge by the clock of the day."""
    running = clusters.up(f"day-{os.getpid()}", nodes=0)
    try:
        prepare(running, small().nodes)
        yield running
    finally:
        running.down()


@pytest.mark.nightly
async def test_a_day_breaks_no_promise(own_cluster: clusters.Cluster) -> None:
    """Forty leases on forty-eight nodes: every change that the API server told of is held against every rule."""
    day = await live_through(own_cluster, small())

    assert day.book.violations == []
    seen = day.book.checked
    assert min(seen[rule] for rule in ("no node is booked twice", "no claim before the cleaning is over")) > 0
    assert seen["the owner has the nodes that are kept"] > 1000
    assert seen["one record for each lease that was held"] == day.size.leases
    assert len(day.records) > day.size.leases / 2
