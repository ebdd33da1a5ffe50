"""Nodes with a kubelet and a container runtime of their own, on this machine, without Docker.

Each is a network and a mount namespace in which containerd, kubelet, kube-proxy and a device plugin run. They hang on
one bridge; so does the API server, by the bridge's own address. Pods are routed, not bridged (CNI's ptp).

Whatever there is of them is in cgroups that are named after the cluster, and so is the bridge: `remove` needs no
record of what was made. Mounts, veths, routes, rules and pods' networks go with the namespaces, and those with the
last process.
"""

from hack.cluster.realnodes.config import PROBE, REGISTRY, SANITIZE, TENANT
from hack.cluster.realnodes.inside import containers, processes, run
from hack.cluster.realnodes.outside import make as make_outside
from hack.cluster.realnodes.plan import PREFIX, Address, Plan, facts
from hack.cluster.realnodes.plan import noted as plan_of
from hack.cluster.realnodes.requirements import lack, packages
from hack.cluster.realnodes.start import DAEMONS, add_image, identities, launch, prepare, ready_urls
from hack.cluster.realnodes.teardown import remove

__all__ = [
    "DAEMONS",
    "PREFIX",
    "PROBE",
    "REGISTRY",
    "SANITIZE",
    "TENANT",
    "Address",
    "Plan",
    "add_image",
    "containers",
    "facts",
    "identities",
    "lack",
    "launch",
    "make_outside",
    "packages",
    "plan_of",
    "prepare",
    "processes",
    "ready_urls",
    "remove",
    "run",
]
