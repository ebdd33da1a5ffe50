"""The configuration of a node's daemons, as data.

Paths in /run, /dev/shm and /var/lib are the node's own (see `machine`), so the defaults of all daemons are left as they
are.
"""

from typing import Any

from hack.cluster import nodes
from hack.cluster.realnodes.plan import PREFIX, Node, Plan

REGISTRY = "images.test"
REGISTRY_PORT = 5000
PAUSE = f"{REGISTRY}/pause:1"
TENANT = f"{REGISTRY}/tenant:1"
PROBE = f"{REGISTRY}/probe:1"
SANITIZE = f"{REGISTRY}/sanitize:1"
KUBELET_PORT = 10250
DNS_SERVICE_IP = "10.96.0.10"
DOMAIN = "cluster.local"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def containerd(plan: Plan, node: Node) -> str:
    """The config.toml of containerd."""
    runtime = "plugins.'io.containerd.cri.v1.runtime'"
    images = "plugins.'io.containerd.cri.v1.images'"
    binaries = plan.state.bin
    return f"""\
version = 3
[{runtime}]
# Where CAP_SYS_RESOURCE is missing, a score below one's own is refused, and with it the container.
restrict_oom_score_adj = true
[{runtime}.cni]
bin_dirs = ["{binaries}"]
conf_dir = "{node.folder / "cni"}"
[{runtime}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
runtime_path = "{binaries / "containerd-shim-runc-v2"}"
[{runtime}.containerd.runtimes.runc.options]
BinaryName = "{binaries / "runc"}"
SystemdCgroup = false
[{images}.pinned_images]
sandbox = "{PAUSE}"
[{images}.registry]
config_path = "{node.folder / "registries"}"
"""


def hosts(plan: Plan) -> str:
    """hosts.toml of the registry: its name stands for an address on the bridge."""
    return f'server = "http://{plan.gateway}:{REGISTRY_PORT}"\n'


def cni(node: Node) -> dict[str, Any]:
    """The pods' network: a link of its own for each pod, to the node, which routes."""
    ranges = [[{"subnet": str(pods)}] for pods in node.pods]
    everywhere = [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    ipam = {"type": "host-local", "ranges": ranges, "routes": everywhere[: len(ranges)]}
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipam": ipam},
            {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet(plan: Plan, node: Node) -> dict[str, Any]:
    """The kubelet's configuration. Nobody is served who is not known and allowed by the API server."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "::" if plan.wide else str(node.address),
        "port": KUBELET_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plan.state.folder / "pki/ca.crt")},
        },
        # An API server that was just started refuses for a moment what it allows later.
        "authorization": {"mode": "Webhook", "webhook": {"cacheUnauthorizedTTL": "1s"}},
        "tlsCertFile": str(node.folder / "kubelet.crt"),
        "tlsPrivateKeyFile": str(node.folder / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_SERVICE_IP],
        "clusterDomain": DOMAIN,
        "resolvConf": str(node.folder / "resolv.conf"),
        # A disk that is nearly full is this machine's, not the node's, and evicting pods would not help.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        # The defaults make a node wait for up to a minute for what it is told.
        "nodeStatusUpdateFrequency": "5s",
        "serializeImagePulls": False,
    }


def proxy(plan: Plan, node: Node) -> dict[str, Any]:
    """kube-proxy's configuration."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": str(node.address),
        "hostnameOverride": node.name,
        "clusterCIDR": ",".join(map(str, plan.blocks)),
        "clientConnection": {"kubeconfig": str(plan.state.folder / "pki/kube-proxy.kubeconfig")},
        # The size of the machine's own table, which is not a node's to set.
        "conntrack": {"maxPerCore": 0},
    }


def labels(index: int) -> str:
    """What a node says of itself when it registers: the same as the nodes that kwok plays."""
    told = nodes.gpu_node(index, PREFIX)["metadata"]["labels"]
    own = ("kubernetes.io/", "beta.kubernetes.io/")  # a kubelet finds these out by itself
    return ",".join(f"{key}={value}" for key, value in told.items() if not key.startswith(own))
