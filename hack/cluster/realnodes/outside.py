"""What lies beyond a cluster, for tests: addresses of the internet, of a cloud's metadata, of a private network.

They are in one network namespace beside the nodes, and something listens on them, so that whatever gets out is noticed.
They are never the machine's own: its metadata address may be a real one.
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from hack.cluster.errors import ClusterError
from hack.cluster.processes import Process, wait_until
from hack.cluster.realnodes import cgroups, join, network, plan
from hack.cluster.realnodes.plan import Address
from hack.cluster.state import State

NAME = "outside"


def make(state: State, addresses: Sequence[Address], ports: Iterable[int]) -> None:
    """Listen at ports of addresses that the nodes of a running cluster find beyond it; all goes when they do."""
    made = plan.noted(state)
    group = f"{plan.cgroup(state)}/{NAME}"
    cgroups.make(group)
    into = (sys.executable, "-I", "-S", join.__file__, f"{group}/{cgroups.DAEMONS}")
    holder, tenant = state.process(f"{NAME}-machine"), str(state.bin / "tenant")
    holder.start([*into, str(shutil.which("unshare")), "--net", "--", tenant, "sleep"])
    here = Path("/proc/self/ns/net").readlink()
    wait_until(lambda: Path(f"/proc/{_pid(holder)}/ns/net").readlink() != here, 10, f"{NAME} has no network")
    nodes = [_pid(state.process(f"{node.name}-machine")) for node in made.nodes]
    network.connect_outside(made, _pid(holder), addresses, nodes)
    listener = state.process(f"{NAME}-listener")
    inside = (str(shutil.which("nsenter")), f"--net=/proc/{_pid(holder)}/ns/net", "--")
    listener.start([*into, *inside, tenant, "listen", ",".join(map(str, ports)), ",".join(map(str, addresses))])
    wait_until(lambda: "listening" in listener.log_tail(), 10, f"nothing listens {NAME}")


def _pid(process: Process) -> int:
    if process.pid is None:
        raise ClusterError(f"{process.name} does not run. The end of its log:\n{process.log_tail()}")
    return process.pid
