"""The bench: what a lease costs in time, requests, memory and CPU, beside the same work by a bare client.

    python -m hack.bench [--leases N] [--pods N] [--many N]

It prints figures and asserts nothing. The baseline is measured in the same run, on the same cluster: a loop that
sends the same objects through the same client, with no operator.
"""

import argparse
import asyncio
import sys

from hack import cluster as clusters
from hack import running
from hack.bench.ends import end_times
from hack.bench.guards import cost_of_guards
from hack.bench.machine import describe_machine
from hack.bench.many import many_at_once
from hack.bench.objects import pool
from hack.bench.ready import ready_times
from hack.bench.site import Site
from hack.cluster.processes import Process
from hack.cluster.state import free_ports
from sublet.cluster.client import Client


def main() -> int:
    """Run the bench on a cluster of its own."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--leases", type=int, default=50, help="leases of 2 nodes, one after another (default 50)")
    parser.add_argument("--pods", type=int, default=50, help="pods of the tenant whose lease ends (default 50)")
    parser.add_argument("--many", type=int, default=200, help="leases at once, on twice as many nodes (default 200)")
    given = parser.parse_args()
    describe_machine("control plane, operator and bench share it")
    cluster = clusters.up("bench", nodes=given.many * 2)
    try:
        port = free_ports(1)[0]
        operator = running.start(cluster, SUBLET_METRICS_PORT=str(port))
        asyncio.run(measure(cluster, operator, port, given))
    finally:
        cluster.down()
    return 0


async def measure(cluster: clusters.Cluster, operator: Process, port: int, given: argparse.Namespace) -> None:
    """Measure everything and print it."""
    client = await Client.connect(str(cluster.kubeconfig))
    site = Site(client, operator, port)
    try:
        await client.create(pool())
        await ready_times(site, given.leases)
        await cost_of_guards(site)
        await end_times(site, given.pods)
        await many_at_once(site, given.many)
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main())
