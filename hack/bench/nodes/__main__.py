"""The bench of real nodes: what a lease costs a pod at its start and its end, and how exact the hard stop is.

    python -m hack.bench.nodes [--times N]

It prints figures and asserts nothing. The baseline is measured in the same run, in turn with what it is compared to:
the same pod on the same nodes, in a namespace without a lease.
"""

import argparse
import asyncio
import os
import sys
import time

from hack import cluster as clusters
from hack import running
from hack.bench.machine import describe_machine
from hack.bench.nodes.ends import end_times
from hack.bench.nodes.memory import memory_of_nodes
from hack.bench.nodes.objects import pool
from hack.bench.nodes.place import NODES, Place, row
from hack.bench.nodes.starts import start_times
from hack.bench.nodes.stops import hard_stops
from hack.bench.site import Site
from hack.cluster import binaries, realnodes
from hack.cluster.processes import Process
from hack.cluster.state import free_ports
from sublet.cluster.client import Client

NAME = "bench-nodes"


def main() -> int:
    """Run the bench on clusters of its own, one after another."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench.nodes", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--times", type=int, default=5, help="how often everything is measured (default 5)")
    given = parser.parse_args()
    binaries.resolve(print)
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        print(missing.sentence, file=sys.stderr)
        return 1
    binaries.resolve_for_nodes(print)
    describe_machine(f"control plane, nodes, operator and bench share it; load before it {os.getloadavg()[0]:.1f}")
    bring_up_times(given.times)
    cluster = clusters.up(NAME, nodes=0, real_nodes=NODES)
    try:
        port = free_ports(1)[0]
        operator = running.start(cluster, SUBLET_METRICS_PORT=str(port))
        memory_of_nodes(cluster.state)
        asyncio.run(measure(cluster, operator, port, given.times))
    finally:
        cluster.down()
    return 0


def bring_up_times(times: int) -> None:
    """From nothing to a control plane whose nodes are Ready with their GPUs, everything compiled; and without nodes."""
    taken: dict[int, list[float]] = {NODES: [], 0: []}
    for _ in range(times):
        for nodes, seconds in taken.items():
            began = time.monotonic()
            cluster = clusters.up(NAME, nodes=0, real_nodes=nodes, say=lambda _: None)
            seconds.append(time.monotonic() - began)
            cluster.down()
    print(f"a cluster brought up, {times} times each, seconds")
    row(f"{NODES} real nodes", taken[NODES])
    row("no nodes", taken[0], against=taken[NODES])


async def measure(cluster: clusters.Cluster, operator: Process, port: int, times: int) -> None:
    """Measure what needs the operator, and print it."""
    client = await Client.connect(str(cluster.kubeconfig))
    place = Place(cluster, Site(client, operator, port))
    try:
        await client.create(pool())
        await start_times(place, times)
        await end_times(place, times)
        await hard_stops(place, times)
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
