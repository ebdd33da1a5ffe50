"""Streams of requests, drawn at random.

No trace is replayed, and none is of leases. The streams are drawn in the manner of traces of jobs on GPUs: where a
trace has GPUs, a stream has nodes, in powers of two whose weights fall so that the mean is met; lengths are log-normal
with the spread of the trace. From published files:

- Philly, lengths: 83,154 run times, median 1,186 s, mean 14,613 s, in github.com/alibaba/clusterdata,
  `cluster-trace-gpu-v2020/analysis/philly_runtime.csv`.
- Helios, nodes and lengths: 1,580,464 jobs, 3.72 GPUs and 6,652 s on average, median 206 s, in
  github.com/S-Lab-System-Group/HeliosArtifact, `analysis/1_compare with Philly trace/helios_cluster_summary.csv`.
- PAI, lengths: median about 500 s, 90 of 100 below about 11,000 s, read off the plot of task run times in
  github.com/alibaba/clusterdata, `cluster-trace-gpu-v2020/analysis/analysis.ipynb`; right to about a tenth.

Assumed, from no source: 2 nodes on average for Philly and PAI; a median of 6 h for all, since leases are longer than
jobs; lengths cut to 1 h and a third of the horizon; arrivals that are spread evenly; and how many fix a start or can be
shortened (see `stream`). "random" follows no trace: 1 to half of the nodes and 1 to 24 h, each as likely.
"""

import argparse
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UNIT = timedelta(minutes=15)
HOUR = 4
DAY = 24 * HOUR
GAP = 1
START = datetime(2026, 12, 1, tzinfo=UTC)

SHAPES = {
    "Philly": (2, math.sqrt(2 * math.log(14_613 / 1_186))),
    "Helios": (3.72, math.sqrt(2 * math.log(6_652 / 206))),
    "PAI": (2, math.log(11_000 / 500) / 1.2816),
    "random": None,
}
"""Mean of the nodes and spread (sigma) of the lengths: the one at which a log-normal has both figures of the trace."""


@dataclass(frozen=True)
class Ask:
    """A request of the stream, in quarters of an hour."""

    arrival: int
    nodes: int
    first: int
    latest: int
    length: int
    shortest: int


def stream(rng: random.Random, shape: str, load: float, given: argparse.Namespace, *, known: bool) -> list[Ask]:
    """Requests that together ask for `load` of what the nodes have in the horizon, in order of arrival.

    Of ten, two fix a start, within two days of their arrival. The others start as soon as possible, within a day or
    not at all; three of ten are interruptible and take half of the length if need be. If all are `known`, they arrive
    at once, fix starts anywhere in the horizon, and wait until its end.
    """
    nodes, horizon = given.nodes, given.days * DAY
    asks: list[Ask] = []
    while sum(ask.nodes * ask.length for ask in asks) < load * nodes * horizon:
        arrival = 0 if known else rng.randrange(horizon * 9 // 10)
        size, length = some_size(rng, shape, nodes), some_length(rng, shape, horizon)
        ahead = rng.randrange(1, horizon if known else 2 * DAY)
        first = arrival + ahead if rng.random() < 0.2 else arrival  # noqa: PLR2004
        latest = first if first > arrival else horizon if known else arrival + DAY
        shortest = max(length // 2, HOUR) if first == arrival and rng.random() < 0.3 else length  # noqa: PLR2004
        asks.append(Ask(arrival, size, first, latest, length, min(shortest, length)))
    return sorted(asks, key=lambda ask: ask.arrival)


def some_size(rng: random.Random, shape: str, nodes: int) -> int:
    """Nodes of a request."""
    figures = SHAPES[shape]
    if figures is None:
        return rng.randint(1, nodes // 2)
    sizes = [1 << power for power in range(nodes.bit_length() - 1)]
    # The weights fall by a factor that is found so that the mean is met.
    low, high = 0.0, 4.0
    for _ in range(40):
        factor = (low + high) / 2
        weights = [factor**power for power in range(len(sizes))]
        mean = sum(s * w for s, w in zip(sizes, weights, strict=True)) / sum(weights)
        low, high = (factor, high) if mean < figures[0] else (low, factor)
    return rng.choices(sizes, weights)[0]


def some_length(rng: random.Random, shape: str, horizon: int) -> int:
    """Length of a request."""
    figures = SHAPES[shape]
    if figures is None:
        return rng.randint(HOUR, DAY)
    return min(max(round(rng.lognormvariate(math.log(6 * HOUR), figures[1])), HOUR), horizon // 3)
