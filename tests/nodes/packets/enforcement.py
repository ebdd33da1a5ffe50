"""Taking the agents that enforce NetworkPolicies away, and bringing them back."""

from collections.abc import Iterator
from contextlib import contextmanager

from hack import cluster as clusters
from hack.cluster import ClusterError, realnodes
from hack.cluster.policies.table import NAME
from hack.cluster.processes import wait_until


@contextmanager
def nothing_enforced(cluster: clusters.Cluster) -> Iterator[None]:
    """The agents are dead and their tables gone; afterwards both are back."""
    nodes = [node.name for node in realnodes.plan_of(cluster.state).nodes]
    agents = [cluster.component(f"{node}-policies") for node in nodes]
    for node, agent in zip(nodes, agents, strict=True):
        agent.kill()
        realnodes.run(cluster.state, node, "nft", "delete", "table", "inet", NAME)
    try:
        yield
    finally:
        for agent in agents:
            agent.start()
        for node in nodes:
            wait_until(lambda node=node: _is_enforced(cluster, node), 20, f"nothing is enforced on {node}")  # type: ignore[misc]


def _is_enforced(cluster: clusters.Cluster, node: str) -> bool:
    try:
        return bool(realnodes.run(cluster.state, node, "nft", "list", "table", "inet", NAME))
    except ClusterError:
        return False
