"""A day of leases, compressed, with every promise held against what the API server saw.

    python -m hack.day [--leases N] [--nodes N] [--factor N] [--seed N] [--small]

It prints figures, and fails if a promise was broken.
"""

import argparse
import asyncio
import os
import sys

from hack import cluster as clusters
from hack.bench.machine import describe_machine
from hack.day.day import live_through
from hack.day.report import tell
from hack.day.size import full, small
from hack.day.stage import prepare


def main() -> int:
    """Live through a day on a cluster of its own."""
    parser = argparse.ArgumentParser(prog="python -m hack.day", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--leases", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--factor", type=int, default=96, help="seconds of the day in one second (default 96)")
    parser.add_argument("--seed", type=int, default=1, help="of all choices (default 1)")
    parser.add_argument("--small", action="store_true", help="the day of the tests: 40 leases, 48 nodes, 8 hours")
    given = parser.parse_args()
    size = full(leases=given.leases, nodes=given.nodes, factor=given.factor, seed=given.seed)
    if given.small:
        size = small(seed=given.seed)
    describe_machine("control plane, operators, scenario and judges share it")
    cluster = clusters.up(f"day-{os.getpid()}", nodes=0)
    broken = True
    try:
        prepare(cluster, size.nodes)
        day = asyncio.run(live_through(cluster, size))
        tell(day)
        broken = bool(day.book.violations)
    finally:
        cluster.down(keep_logs=broken)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
