"""The table, and what it says about the target."""

import argparse
import random
import statistics
from dataclasses import dataclass

from hack.bench.quality.backfill import by_count, in_order
from hack.bench.quality.moments import sold_in
from hack.bench.quality.planner import by_planner
from hack.bench.quality.solver import by_solver, solve
from hack.bench.quality.stream import DAY, SHAPES, stream

COLUMNS = ("FCFS", "EASY", "conservative", "planner", "in order", "online solver")

TARGET = 97.0
"""Per cent of the best that the planner ought to sell."""


@dataclass(frozen=True)
class Outcome:
    """What became of one stream; `bound` and `sold`, which has a value for each column, in % of what CP-SAT found."""

    leases: int
    proven: bool
    bound: float
    sold: list[float]


def table(given: argparse.Namespace, *, known: bool) -> list[Outcome]:
    """Every shape at three loads."""
    print(
        f"{'stream':<8} {'asked':>6} {'leases':>7} {'proven':>7} {'bound':>7} " + " ".join(f"{c:>14}" for c in COLUMNS)
    )
    every: list[Outcome] = []
    for shape in SHAPES:
        for load in (0.7, 0.9, 1.1):
            some = [outcome(random.Random(seed), shape, load, given, known=known) for seed in range(given.seeds)]  # noqa: S311
            leases = statistics.mean(each.leases for each in some)
            print(f"{shape:<8} {load:>6.0%} {leases:>7.0f} {summary(some)}", flush=True)
            every += some
    print(f"{'mean':<23} {summary(every)}\n")
    return every


def summary(some: list[Outcome]) -> str:
    """How many optima are proven, and the means of the bound and of all columns."""
    proven = f"{sum(each.proven for each in some)}/{len(some)}"
    shares = " ".join(
        f"{statistics.mean(values):>13.1f}%" for values in zip(*(each.sold for each in some), strict=True)
    )
    return f"{proven:>7} {statistics.mean(each.bound for each in some):>6.1f}% {shares}"


def outcome(rng: random.Random, shape: str, load: float, given: argparse.Namespace, *, known: bool) -> Outcome:
    """Draw one stream, and sell it in every way."""
    horizon = given.days * DAY
    asks = stream(rng, shape, load, given, known=known)
    optimum = solve(dict(enumerate(asks)), given.nodes, horizon, given.seconds, [])
    ways = [
        by_count(asks, given.nodes, "none"),
        by_count(asks, given.nodes, "EASY"),
        by_count(asks, given.nodes, "conservative"),
        by_planner(asks, given.nodes),
        in_order(asks, given.nodes),
        by_solver(asks, given.nodes, horizon, given.online_seconds),
    ]
    sold = [100 * sold_in(horizon, way) / optimum.worth for way in ways]
    return Outcome(len(asks), optimum.proven, 100 * optimum.bound / optimum.worth, sold)


def verdict(title: str, every: list[Outcome]) -> None:
    """Compare the planner with the target, and say how far the optimum can be trusted.

    Where an optimum is not proven, the share of what was found may be too high, and that of the bound too low.
    """
    planner, exact, online = (COLUMNS.index(column) for column in ("planner", "in order", "online solver"))
    proven = [each for each in every if each.proven]
    print(f"{title}: {len(proven)} of {len(every)} optima proven ({len(proven) / len(every):.0%})")
    print(
        f"  of what CP-SAT found, the online solver sells {statistics.mean(each.sold[online] for each in every):.1f} %"
    )
    kept = [100 * each.sold[planner] / each.sold[exact] for each in every]
    print(f"  of what strict order allows, the planner sells {beside_target(kept)}")
    print(f"  of what CP-SAT found, the planner sells {beside_target([each.sold[planner] for each in every])}")
    if proven:
        print(f"  of the proven optima, the planner sells {beside_target([each.sold[planner] for each in proven])}")
    least = [100 * each.sold[planner] / each.bound for each in every]
    print(f"  of the bounds, which nobody beats, the planner sells {beside_target(least)}")


def beside_target(shares: list[float]) -> str:
    """The mean, and how far it is above or below the target."""
    share = statistics.mean(shares)
    side = "above" if share >= TARGET else "below"
    return f"{share:.1f} %: {abs(share - TARGET):.1f} points {side} the target of {TARGET:.0f} %"
