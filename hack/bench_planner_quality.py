"""How much the planner sells, beside the optimum and beside what others would sell, on the same streams of requests.

    python -m hack.bench_planner_quality [--nodes N] [--days N] [--seeds N] [--seconds N]

The optimum is OR-tools' CP-SAT, which knows the whole stream beforehand, keeps no order, turns away whom it likes and
moves leases between nodes until they begin. The planner sees each request when it arrives, serves in strict order
and keeps the nodes that it has promised. So the distance to the optimum is the price of order and of not knowing. Two
columns part the causes: "online solver" is CP-SAT that is asked again at every moment, knows as little as the planner
and keeps no order; "conservative" keeps the planner's order, and counts nodes as if leases could always be moved.
"without extras" is the planner with no lease shortened.

The streams are drawn, not recorded. Their shapes follow the summary figures of published traces: nodes are powers of
two with the mean that the paper gives for GPUs, lengths are log-normal with the spread that follows from two of its
figures, with a median of 6 h as leases have, cut to 1 h and a third of the horizon.

- Philly: Jeon et al., USENIX ATC 2019: 1.75 GPUs and 28,329 s on average, median about 13 minutes.
- Helios: Hu et al., SC 2021: 3.72 GPUs and 6,652 s on average, median 206 s.
- PAI: Weng et al., NSDI 2022: median 23 minutes, 90 of 100 below 4.5 hours; the number of nodes is assumed as Philly's.
- random: 1 to half of the nodes and 1 to 24 h, each as likely.
"""

import argparse
import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ortools.sat.python import cp_model

from hack.bench_planner import describe_machine
from sublet.calendar.allocator import place
from sublet.calendar.booking import Node, Request
from sublet.calendar.calendar import Calendar

UNIT = timedelta(minutes=15)
HOUR = 4
DAY = 24 * HOUR
GAP = 1
START = datetime(2026, 12, 1, tzinfo=UTC)

SHAPES = {
    "Philly": (1.75, math.sqrt(2 * math.log(28_329 / 780))),
    "Helios": (3.72, math.sqrt(2 * math.log(6_652 / 206))),
    "PAI": (1.75, math.log(270 / 23) / 1.2816),
    "random": None,
}
"""Mean of the nodes and spread (sigma) of the lengths."""


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
    # The weights fall by a factor that is found so that the mean is the paper's.
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


Sold = list[tuple[int, int, int]]
"""Start, end and nodes of what was sold."""


def sold_in(horizon: int, sold: Sold) -> int:
    """Node-quarters within the horizon."""
    return sum(nodes * (min(end, horizon) - start) for start, end, nodes in sold if start < horizon)


def by_planner(asks: list[Ask], nodes: int, *, extras: bool = True) -> Sold:
    """The library, called whenever somebody arrives or nodes become clean."""
    calendar = Calendar([Node(f"n{number:02}") for number in range(nodes)], GAP * UNIT)
    for now, waiting in moments(asks, lambda: [b.interval.end for b in calendar.bookings]):
        requests = [
            Request(
                str(number),
                ask.nodes,
                instant(ask.first),
                ask.length * UNIT,
                None,
                shortest=ask.shortest * UNIT,
                latest_start=instant(ask.latest),
                firm=ask.shortest == ask.length or not extras,
            )
            for number, ask in waiting.items()
        ]
        for request, placement in zip(requests, place(requests, calendar, instant(now)), strict=True):
            if placement.final and placement.booking is not None:
                calendar.book(placement.booking)
                del waiting[int(request.lease)]
    return [(quarter(b.interval.start), quarter(b.interval.end), len(b.nodes)) for b in calendar.bookings]


def instant(quarters: int) -> datetime:
    """The instant after so many quarters of an hour."""
    return START + quarters * UNIT


def quarter(moment: datetime) -> int:
    """The quarters of an hour until an instant."""
    return (moment - START) // UNIT


def moments(asks: list[Ask], ends: Callable[[], list[datetime]]) -> Iterator[tuple[int, dict[int, Ask]]]:
    """Every moment at which something may be decided, with those who wait; who waited too long is gone."""
    waiting: dict[int, Ask] = {}
    arrived, now = 0, -1
    while True:
        ahead = [quarter(end) + GAP for end in ends()] + [ask.arrival for ask in asks[arrived:]]
        now = min((moment for moment in ahead if moment > now), default=-1)
        if now < 0:
            return
        while arrived < len(asks) and asks[arrived].arrival <= now:
            waiting[arrived] = asks[arrived]
            arrived += 1
        for number in [number for number, ask in waiting.items() if ask.latest < now]:
            del waiting[number]
        yield now, waiting


def fits(sold: Sold, ask: Ask, start: int, nodes: int) -> bool:
    """Whether so many nodes are free by count, gaps included; who would need which node is not asked."""
    end = start + ask.length + GAP
    inside = [(s, e + GAP, n) for s, e, n in sold if s < end and e + GAP > start]
    points = [start, *(s for s, _, _ in inside if s > start)]
    return all(sum(n for s, e, n in inside if s <= point < e) + ask.nodes <= nodes for point in points)


def by_count(asks: list[Ask], nodes: int, backfill: str) -> Sold:
    """First come first served, EASY or conservative backfill, of whole lengths; fixed starts are reserved on arrival.

    They count nodes only, as if leases could be moved until they begin: a little more than such schedulers can do.
    """
    sold: Sold = []
    for now, waiting in moments(asks, lambda: [instant(end) for _, end, _ in sold]):
        reserved: Sold = []
        blocked = False
        for number, ask in [*waiting.items()]:
            at_once = max(ask.first, now)
            if ask.first > ask.arrival:
                # A fixed start: reserved or turned away at once.
                del waiting[number]
                if fits(sold + reserved, ask, at_once, nodes):
                    sold.append((at_once, at_once + ask.length, ask.nodes))
            elif blocked and backfill == "none":
                continue
            elif fits(sold + reserved, ask, now, nodes):
                sold.append((now, now + ask.length, ask.nodes))
                del waiting[number]
            elif backfill == "conservative" or not blocked:
                blocked = True
                openings = sorted({e + GAP for _, e, _ in sold + reserved if now < e + GAP <= ask.latest})
                start = next((at for at in openings if fits(sold + reserved, ask, at, nodes)), None)
                if start is not None and backfill != "none":
                    reserved.append((start, start + ask.length, ask.nodes))
    return sold


def by_solver(asks: list[Ask], nodes: int, horizon: int) -> Sold:
    """CP-SAT again at every moment, with what the planner knows then: nobody who comes later, but no order either."""
    sold: Sold = []
    for now, waiting in moments(asks, lambda: [instant(end) for _, end, _ in sold]):
        known = {number: replace(ask, first=max(ask.first, now)) for number, ask in waiting.items()}
        for number, (start, length) in solve(known, nodes, horizon, 2, sold).chosen.items():
            # Who begins now is served; a fixed start is promised. The others are thought over next time.
            if start == now or asks[number].first > asks[number].arrival:
                sold.append((start, start + length, asks[number].nodes))
                del waiting[number]
        for number in [number for number in waiting if asks[number].first > asks[number].arrival]:
            del waiting[number]
    return sold


@dataclass(frozen=True)
class Solution:
    """What CP-SAT sells: the node-quarters found and proven not to be beaten; start and length of each lease."""

    worth: float
    bound: float
    chosen: dict[int, tuple[int, int]]


def solve(asks: dict[int, Ask], nodes: int, horizon: int, seconds: float, sold: Sold) -> Solution:
    """The most that can be sold beside what is sold; of equals, those that begin earlier."""
    model = cp_model.CpModel()
    intervals = [model.new_fixed_size_interval_var(s, e + GAP - s, f"sold {n}") for n, (s, e, _) in enumerate(sold)]
    demands = [count for _, _, count in sold]
    variables, worth, starts = {}, [], []
    for number, ask in asks.items():
        taken = model.new_bool_var(f"taken {number}")
        start = model.new_int_var(ask.first, max(ask.latest, ask.first), f"start {number}")
        length = model.new_int_var(ask.shortest, ask.length, f"length {number}")
        end = model.new_int_var(0, ask.latest + ask.length + 2 * GAP, f"end {number}")
        intervals.append(model.new_optional_interval_var(start, length + GAP, end, taken, f"interval {number}"))
        demands.append(ask.nodes)
        inside = model.new_int_var(0, ask.length, f"inside {number}")
        model.add(inside <= length)
        model.add(inside <= ask.length * taken)
        model.add(inside + start <= horizon).only_enforce_if(taken)
        worth.append(ask.nodes * inside)
        starts.append(start)
        variables[number] = taken, start, length
    model.add_cumulative(intervals, demands, nodes)
    scale = sum(max(ask.latest, ask.first) for ask in asks.values()) + 1
    model.maximize(scale * sum(worth) - sum(starts))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 1
    if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return Solution(0, math.inf, {})
    chosen = {
        number: (solver.value(start), solver.value(length))
        for number, (taken, start, length) in variables.items()
        if solver.value(taken)
    }
    found = sum(solver.value(each) for each in worth)
    return Solution(found, (solver.best_objective_bound + sum(map(solver.value, starts))) / scale, chosen)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench_planner_quality")
    parser.add_argument("--nodes", type=int, default=16)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="for each optimum")
    given = parser.parse_args()
    describe_machine()
    print(f"{given.nodes} nodes, {given.days} days, {given.seeds} streams a line; sold node-hours in % of CP-SAT's")
    print("bound: what CP-SAT has proven that nobody beats, in % of what it found; asked: of the capacity\n")
    for known in (False, True):
        print("all requests known at once, in the order of the queue" if known else "requests as they arrive")
        table(given, known=known)
    return 0


def table(given: argparse.Namespace, *, known: bool) -> None:
    """Every shape at three loads."""
    columns = ("FCFS", "EASY", "conservative", "without extras", "planner", "online solver")
    print(f"{'stream':<8} {'asked':>6} {'leases':>7} {'bound':>7} " + " ".join(f"{c:>14}" for c in columns))
    totals = []
    for shape in SHAPES:
        for load in (0.7, 0.9, 1.1):
            lines = [line(random.Random(seed), shape, load, given, known=known) for seed in range(given.seeds)]  # noqa: S311
            mean = [statistics.mean(values) for values in zip(*lines, strict=True)]
            totals.append(mean[2:])
            shares = " ".join(f"{value:>13.1f}%" for value in mean[2:])
            print(f"{shape:<8} {load:>6.0%} {mean[0]:>7.0f} {mean[1]:>6.1f}% {shares}", flush=True)
    means = " ".join(f"{statistics.mean(values):>13.1f}%" for values in zip(*totals, strict=True))
    print(f"{'mean':<31} {means}\n")


def line(rng: random.Random, shape: str, load: float, given: argparse.Namespace, *, known: bool) -> list[float]:
    """One stream: leases, bound, and the share of the optimum for each column."""
    horizon = given.days * DAY
    asks = stream(rng, shape, load, given, known=known)
    optimum = solve(dict(enumerate(asks)), given.nodes, horizon, given.seconds, [])
    ways = [
        by_count(asks, given.nodes, "none"),
        by_count(asks, given.nodes, "EASY"),
        by_count(asks, given.nodes, "conservative"),
        by_planner(asks, given.nodes, extras=False),
        by_planner(asks, given.nodes),
        by_solver(asks, given.nodes, horizon),
    ]
    sold = [100 * sold_in(horizon, way) / optimum.worth for way in ways]
    return [len(asks), 100 * optimum.bound / optimum.worth, *sold]


if __name__ == "__main__":
    raise SystemExit(main())
