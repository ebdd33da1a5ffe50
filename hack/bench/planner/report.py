"""What is printed of the figures."""

import math
import statistics

from hack.bench.planner.measure import Figures


def show(title: str, figures: Figures) -> None:
    """One line of a curve."""
    parts = []
    for name, times in (("find", figures.find), ("place", figures.place)):
        wall, used = [each[0] for each in times], [each[1] for each in times]
        tail = f"p99 {p99(wall):6.2f} (CPU {p99(used):5.2f})  max {max(wall):6.2f} ms"
        parts.append(f"{name} p50 {statistics.median(wall):5.2f}  {tail}")
    counts = f"{figures.at_once}/{figures.later}/{figures.never}"
    print(f"  {title:<25} load {figures.load / 1e3:5.2f} s   {'   '.join(parts)}   {counts}", flush=True)


def growth(title: str, curve: list[Figures]) -> None:
    """How the means grow from the first to the last size, beside n log n for the nodes of all bookings."""
    low, high = curve[0].entries, curve[-1].entries
    bound = high * math.log(high) / (low * math.log(low))
    find = mean(curve[-1].find) / mean(curve[0].find)
    place = mean(curve[-1].place) / mean(curve[0].place)
    print(f"  {title}: nodes of bookings from {low:,} to {high:,}, x {high / low:.1f}; n log n would be x {bound:.1f}")
    print(f"  find x {find:.1f}, place x {place:.1f}, load x {curve[-1].load / curve[0].load:.1f}\n")


def p99(figures: list[float]) -> float:
    """The value that one of a hundred exceeds."""
    return sorted(figures)[min(math.ceil(len(figures) * 0.99) - 1, len(figures) - 1)]


def mean(times: list[tuple[float, float]]) -> float:
    """Of the processor's time."""
    return statistics.mean(used for _, used in times)
