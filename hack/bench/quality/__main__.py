"""How much the planner sells, beside the optimum and beside what others would sell, on the same streams of requests.

    python -m hack.bench.quality [--nodes N] [--days N] [--seeds N] [--seconds S] [--online-seconds S]

The optimum is OR-tools' CP-SAT, which knows the whole stream beforehand, keeps no order, turns away whom it likes and
moves leases between nodes until they begin. The planner sees each request when it arrives and serves in strict order.
So the distance to the optimum is the price of order, of not knowing, and of what the planner does worse than it could.
Two columns part the causes: "in order" is the exact answer to the planner's own task, which keeps the order; "online
solver" is CP-SAT that is asked again at every moment, knows as little as the planner and keeps no order.

The streams are drawn, not recorded; `stream` says what is taken from traces and what is assumed. CP-SAT stops by the
clock, so its figures vary with the machine. The defaults take about 10 minutes on 2 cores.
"""

import argparse
import os

from hack.bench.machine import describe_machine
from hack.bench.quality.report import table, verdict


def main() -> int:
    """Print both tables and what they say."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench.quality", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--nodes", type=int, default=16)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=2, help="streams for each line of a table (default 2)")
    parser.add_argument("--seconds", type=float, default=8, help="for each optimum (default 8)")
    parser.add_argument("--online-seconds", type=float, default=0.2, help="for each moment online (default 0.2)")
    given = parser.parse_args()
    describe_machine(f"load {os.getloadavg()[0]:.1f}")
    print(f"{given.nodes} nodes, {given.days} days, {given.seeds} streams a line; sold node-hours in % of CP-SAT's")
    print(f"CP-SAT has {given.seconds:g} s for each optimum, and {given.online_seconds:g} s for each moment online")
    print("asked: of the capacity; proven: optima of all; bound: what nobody beats, in % of what CP-SAT found\n")
    titles = {False: "requests as they arrive", True: "all requests known at once, in the order of the queue"}
    outcomes = {}
    for known, title in titles.items():
        print(title)
        outcomes[known] = table(given, known=known)
    for known, title in titles.items():
        verdict(title, outcomes[known])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
