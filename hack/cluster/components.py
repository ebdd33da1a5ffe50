"""The control plane as data: for each component its command line and where it says that it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.state import State

LOOPBACK = "127.0.0.1"
SERVICE_RANGE = "10.96.0.0/16"
# For Services that ask for IPv6, where nodes have it.
SERVICE_RANGES = f"{SERVICE_RANGE},fd00:10:96::/108"
SERVICE_IP = "10.96.0.1"
POD_RANGE = "10.244.0.1/16"
ISSUER = "https://kubernetes.default.svc"
# In the order in which they are started: each needs the one before, the last three need the API server.
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
READY_PATHS = {
    "etcd": "/health",
    "kube-apiserver": "/readyz",
    "kube-controller-manager": "/healthz",
    "kube-scheduler": "/readyz",
    "kwok": "/readyz",
}


@dataclass(frozen=True)
class Component:
    """One process of the control plane."""

    name: str
    argv: tuple[str, ...]
    ready_url: str


def ready_url(name: str, port: int, host: str = LOOPBACK) -> str:
    """Where a component answers 200 once it does its work."""
    return f"https://{host if name == 'kube-apiserver' else LOOPBACK}:{port}{READY_PATHS[name]}"


def control_plane(
    state: State, ports: Mapping[str, int], *, audit: bool, host: str = LOOPBACK, services: str = SERVICE_RANGE
) -> tuple[Component, ...]:
    """The components of a cluster, in starting order; at another `host` than loopback kubelets reach the API server.

    `services` are the ranges of Services, one of each family.
    """
    server = f"https://127.0.0.1:{ports['etcd']}"
    flags = {
        "etcd": _etcd(state, server),
        "kube-apiserver": _apiserver(state, ports["kube-apiserver"], server, host, services)
        + _audit(state, wanted=audit),
        "kube-controller-manager": _controller_manager(state, ports["kube-controller-manager"]),
        "kube-scheduler": _scheduler(state, ports["kube-scheduler"]),
        "kwok": _kwok(state, ports["kwok"]),
    }
    return tuple(
        Component(name, (str(state.bin / name), *flags[name]), ready_url(name, ports[name], host)) for name in NAMES
    )


def _etcd(state: State, server: str) -> tuple[str, ...]:
    return (
        f"--data-dir={state.folder / 'etcd'}",
        f"--listen-client-urls={server}",
        f"--advertise-client-urls={server}",
        "--listen-peer-urls=http://127.0.0.1:0",
        f"--cert-file={state.folder / 'pki/server.crt'}",
        f"--key-file={state.folder / 'pki/server.key'}",
        f"--trusted-ca-file={state.folder / 'pki/ca.crt'}",
        "--client-cert-auth",
        "--unsafe-no-fsync",  # the data is not meant to survive the machine
        "--log-level=warn",
    )


def _apiserver(state: State, port: int, etcd: str, host: str, services: str) -> tuple[str, ...]:
    pki = state.folder / "pki"
    return (
        f"--etcd-servers={etcd}",
        f"--etcd-cafile={pki / 'ca.crt'}",
        f"--etcd-certfile={pki / 'server.crt'}",
        f"--etcd-keyfile={pki / 'server.key'}",
        f"--bind-address={host}",
        f"--advertise-address={host}",
        f"--secure-port={port}",
        *_to_pods_and_kubelets(pki, host),
        f"--tls-cert-file={pki / 'server.crt'}",
        f"--tls-private-key-file={pki / 'server.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--token-auth-file={pki / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        f"--enable-admission-plugins={','.join(_admission(host))}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        f"--service-cluster-ip-range={services}",
        "--event-ttl=30m",
        # As every distribution has it, for its own pods: what tenants may do is for admission to say.
        "--allow-privileged=true",
        "--profiling=false",
    )


def _admission(host: str) -> tuple[str, ...]:
    """Kubelets are held by the API server itself where there are any; elsewhere our own guards are tried without it."""
    return ("OwnerReferencesPermissionEnforcement", *(("NodeRestriction",) if host != LOOPBACK else ()))


def _to_pods_and_kubelets(pki: Path, host: str) -> tuple[str, ...]:
    if host == LOOPBACK:
        # The `kubernetes` Service may not have a loopback endpoint, and nothing here looks for one.
        return ("--endpoint-reconciler-type=none",)
    return (
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'server.crt'}",
        f"--kubelet-client-key={pki / 'server.key'}",
        "--kubelet-preferred-address-types=InternalIP",
    )


def _audit(state: State, *, wanted: bool) -> tuple[str, ...]:
    if not wanted:
        return ()
    policy = Path(__file__).with_name("audit-policy.yaml")
    return (f"--audit-policy-file={policy}", f"--audit-log-path={state.logs / 'audit.jsonl'}")


def _client(state: State, name: str) -> tuple[str, ...]:
    """What the controllers and the scheduler have in common."""
    kubeconfig = state.folder / "pki" / f"{name}.kubeconfig"
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        # What it would look up are the CAs of aggregated API servers, of which there are none.
        "--authentication-skip-lookup",
        "--bind-address=127.0.0.1",
        f"--tls-cert-file={state.folder / 'pki/server.crt'}",
        f"--tls-private-key-file={state.folder / 'pki/server.key'}",
        "--leader-elect=false",
        # The defaults (20 and 30 a second) are meant to spare a server that others share.
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    )


def _controller_manager(state: State, port: int) -> tuple[str, ...]:
    pki = state.folder / "pki"
    return (
        *_client(state, "kube-controller-manager"),
        f"--secure-port={port}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--concurrent-namespace-syncs=20",
        # It tells kubelets how long to cache Secrets, and rewrites every node as their number grows.
        "--controllers=*,-ttl-controller",
    )


def _scheduler(state: State, port: int) -> tuple[str, ...]:
    return (*_client(state, "kube-scheduler"), f"--secure-port={port}")


def _kwok(state: State, port: int) -> tuple[str, ...]:
    return (
        f"--kubeconfig={state.folder / 'pki/kwok.kubeconfig'}",
        f"--config={Path(__file__).with_name('kwok.yaml')}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
        f"--cidr={POD_RANGE}",
        "--node-ip=127.0.0.1",
        f"--node-port={port}",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={state.folder / 'pki/server.crt'}",
        f"--tls-private-key-file={state.folder / 'pki/server.key'}",
    )
