"""The operator as a process of this machine, on a cluster with the chart but without its Deployment."""

import os
import sys
import urllib.request
from pathlib import Path

from hack.cluster import Cluster, ClusterError
from hack.cluster.processes import Process, wait_until
from hack.install import install

_SERVES = "serving "
_START_SECONDS = 30


def start(cluster: Cluster, **settings: str) -> Process:
    """Install the chart and start the operator as the chart's ServiceAccount; returns once it serves.

    `settings` are its environment variables. It is stopped with the cluster, or with `stop`.
    """
    installed = install(cluster.kubeconfig, cluster.bin)
    process = cluster.state.process("operator")
    process.log.unlink(missing_ok=True)
    environment = {"KUBECONFIG": str(installed.kubeconfig), **settings}
    python = [sys.executable, "-m", "sublet", "run"]
    process.start(["/usr/bin/env", *(f"{key}={value}" for key, value in environment.items()), *python])

    def serves() -> bool:
        if process.pid is None:
            raise ClusterError(f"The operator ended while starting. The end of its log:\n{process.log_tail(30)}")
        return _SERVES in process.log_tail(50)

    wait_until(serves, _START_SECONDS, "the operator does not serve")
    return process


def stop(cluster: Cluster) -> None:
    """End the operator; the cluster goes on."""
    process = cluster.state.process("operator")
    process.kill()
    process.pidfile.unlink(missing_ok=True)


def footprint(process: Process) -> tuple[float, float]:
    """Resident memory in MiB at its highest, and CPU seconds so far (Linux)."""
    root = Path(f"/proc/{process.pid}")
    peak = next(line for line in (root / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    fields = (root / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return int(peak.split()[1]) / 1024, ticks / os.sysconf("SC_CLK_TCK")


def requests(port: int) -> dict[str, float]:
    """Requests that an operator has sent so far, `read` and `write`, by its metrics on a port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        lines = page.read().decode().splitlines()
    figures = {
        line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("sublet_api_requests_total")
    }
    return {kind: figures.get(f'sublet_api_requests_total{{kind="{kind}"}}', 0.0) for kind in ("read", "write")}
