"""Run upstream's own suite for NetworkPolicies against the agents that enforce them on real nodes.

`python -m hack.netpol [FLAGS]` passes flags on to the suite: Ginkgo's (`--ginkgo.focus`, `--ginkgo.skip`) and those of
upstream's framework. What needs SCTP is skipped where the kernel has none.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hack import cluster as clusters
from hack.cluster import binaries, nodes, realnodes
from hack.cluster.progress import to_stderr

NAME = "netpol"
NODES = 2
# As in upstream's test/utils/image/manifest.go of the version that is compiled.
AGNHOST_TAG = "2.66.1"
SCTP = r"\[Feature:SCTPConnectivity\]"


def main(flags: Sequence[str]) -> int:
    """Run the suite on a cluster of its own; return its exit code."""
    if missing := realnodes.lack(compiled=binaries.compiled_for_nodes()):
        print(missing.sentence, file=sys.stderr)
        return 1
    suite = binaries.resolve(to_stderr, ("netpol", "agnhost"), binaries.SUITE_MODULES)
    cluster = clusters.up(NAME, nodes=0, real_nodes=NODES, enforce=True)
    try:
        return run(cluster, suite["netpol"], suite["agnhost"], flags)
    finally:
        cluster.down()


def run(cluster: clusters.Cluster, suite: Path, agnhost: Path, flags: Sequence[str]) -> int:
    """Run the suite on a cluster; return its exit code."""
    realnodes.add_image(cluster.state, "agnhost", agnhost, AGNHOST_TAG)
    # A node that is played would run pods that answer nobody.
    kubectl = (cluster.bin / "kubectl", f"--kubeconfig={cluster.kubeconfig}")
    subprocess.run([*kubectl, "cordon", nodes.CPU_NODE], check=True, stdout=subprocess.DEVNULL)
    repositories = cluster.state.folder / "repositories.yaml"
    repositories.write_text(f"promoterE2eRegistry: {realnodes.REGISTRY}\n")
    skipped = () if _has_sctp() else (f"--ginkgo.skip={SCTP}",)
    command = [suite, f"--kubeconfig={cluster.kubeconfig}", "--provider=skeleton", *skipped, *flags]
    return subprocess.run(command, check=False, env={**os.environ, "KUBE_TEST_REPO_LIST": str(repositories)}).returncode


def _has_sctp() -> bool:
    """Whether this kernel has sockets for SCTP."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
