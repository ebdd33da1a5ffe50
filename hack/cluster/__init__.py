"""A real Kubernetes control plane for demo and tests, on a machine that may have nothing but Python.

    cluster = up("mine", nodes=16)
    subprocess.run([cluster.bin / "kubectl", "--kubeconfig", cluster.kubeconfig, "get", "nodes"], check=True)
    cluster.down()

Nothing is faked but the kubelets and the GPUs, and with `real_nodes` only the GPUs.
`python -m hack.cluster` is the same on the command line.
"""

from hack.cluster.errors import ClusterError
from hack.cluster.handle import Cluster, attach, down
from hack.cluster.lifecycle import up

__all__ = ["Cluster", "ClusterError", "attach", "down", "up"]
