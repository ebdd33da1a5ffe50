"""OR-tools' CP-SAT: the optimum of a stream that is known beforehand, and a solver that is asked again and again."""

import math
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from hack.bench.quality.moments import Sold, instant, moments
from hack.bench.quality.stream import GAP, Ask


@dataclass(frozen=True)
class Solution:
    """What CP-SAT sells: node-quarters found, and proven that nobody sells more; start and length of each lease."""

    worth: int
    bound: int
    chosen: dict[int, tuple[int, int]]

    @property
    def proven(self) -> bool:
        """Whether nobody sells more."""
        return self.bound == self.worth


def solve(asks: dict[int, Ask], nodes: int, horizon: int, seconds: float, sold: Sold) -> Solution:
    """The most that can be sold beside what is sold, as far as found in `seconds`; of equals, what begins earlier."""
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
        return Solution(0, sum(ask.nodes * ask.length for ask in asks.values()), {})
    chosen = {
        number: (solver.value(start), solver.value(length))
        for number, (taken, start, length) in variables.items()
        if solver.value(taken)
    }
    found = sum(solver.value(each) for each in worth)
    # The starts take away less than one `scale`, so this holds for every solution, not for the one found alone.
    return Solution(found, math.floor(solver.best_objective_bound + scale - 1) // scale, chosen)


def by_solver(asks: list[Ask], nodes: int, horizon: int, seconds: float) -> Sold:
    """CP-SAT again at every moment, with what the planner knows then: nobody who comes later, but no order either.

    It has `seconds` for each moment, and goes on with the best that it found.
    """
    sold: Sold = []
    for now, waiting in moments(asks, lambda: [instant(end) for _, end, _ in sold]):
        known = {number: replace(ask, first=max(ask.first, now)) for number, ask in waiting.items()}
        for number, (start, length) in solve(known, nodes, horizon, seconds, sold).chosen.items():
            # Who begins now is served; a fixed start is promised. The others are thought over next time.
            if start == now or asks[number].first > asks[number].arrival:
                sold.append((start, start + length, asks[number].nodes))
                del waiting[number]
        for number in [number for number in waiting if asks[number].first > asks[number].arrival]:
            del waiting[number]
    return sold
