"""The planner's bench: how fast the calendar of a large pool answers, beside the simple algorithm it replaced.

    python -m hack.bench.planner [--nodes N] [--bookings N] [--queries N]

It prints figures and asserts nothing. Everything is drawn from a fixed seed.
"""

import argparse
import os
from pathlib import Path

from hack.bench.machine import describe_machine
from hack.bench.planner.measure import measure
from hack.bench.planner.report import growth, show
from hack.bench.planner.simple import compare
from hack.bench.planner.workload import FILL, LENGTHS, SIZES


def main() -> int:
    """Measure one pool, then how the figures grow, then the baseline."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench.planner", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=2_000)
    given = parser.parse_args()
    describe_machine(f"load {os.getloadavg()[0]:.1f}")
    print(
        f"leases of {SIZES} nodes (of 100), requests of {LENGTHS} hours (of 100); horizon 56 days, filled to {FILL:.0%}"
    )
    print(
        "15 of 100 requests require one rack or block, 10 prefer one; the owner keeps 2 %, and 3 % on two days a week"
    )
    print("columns: found at once / later / never\n")
    before = resident()
    figures = measure(given.nodes, given.bookings, given.queries, given.nodes // 50)
    show(f"{given.nodes:,} nodes, {given.bookings:,} b.", figures)
    print(f"  memory of the process {resident():.0f} MiB, of which {before:.0f} MiB before the pool was made\n")
    queries = max(given.queries // 4, 1)
    parts = (8, 4, 2, 1)
    nodes = [given.nodes // part for part in parts]
    curve = [measure(n, given.bookings * n // given.nodes, queries, n // 50) for n in nodes]
    for n, each in zip(nodes, curve, strict=True):
        show(f"{n:,} nodes, {given.bookings * n // given.nodes:,} b.", each)
    growth("nodes and bookings x 8", curve)
    bookings = [given.bookings // part for part in parts]
    curve = [measure(given.nodes, b, queries, given.nodes // 50) for b in bookings]
    for b, each in zip(bookings, curve, strict=True):
        show(f"{given.nodes:,} nodes, {b:,} b.", each)
    growth("bookings x 8", curve)
    compare(250, 1250, 60)
    return 0


def resident() -> float:
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    raise SystemExit(main())
