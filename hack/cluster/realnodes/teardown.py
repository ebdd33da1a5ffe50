"""Taking real nodes away, by the cluster's name alone."""

from hack.cluster.realnodes import cgroups, network, plan
from hack.cluster.state import State


def remove(state: State) -> None:
    """Kill every process of the cluster's nodes and pods, and remove cgroups and bridge; there may be none of them."""
    cgroups.remove(plan.cgroup(state))
    network.remove_bridge(plan.bridge(state))
