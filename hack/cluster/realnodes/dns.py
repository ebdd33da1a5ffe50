"""The cluster's name server: CoreDNS in a pod on each real node, behind the Service that pods are told of."""

from typing import Any

from hack.cluster.api import Api
from hack.cluster.nodes import PREFIX_LABEL
from hack.cluster.processes import wait_until
from hack.cluster.realnodes import config, rbac
from hack.cluster.realnodes.plan import PREFIX

NAME = "kube-dns"
NAMESPACE = "kube-system"
ACCOUNT = "coredns"
LABELS = {"k8s-app": NAME}
# Of these pods alone: whatever else has the labels of a name server is not the DaemonSet's.
OWN = {"app.kubernetes.io/name": ACCOUNT}
ROLE = "system:coredns"
RULES = (
    rbac.reads("", "services", "namespaces", "pods"),
    rbac.reads("discovery.k8s.io", "endpointslices"),
)
PORTS = (
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
)
READY_SECONDS = 60
# Names of the cluster, and no others.
COREFILE = f"""\
. {{
    errors
    kubernetes {config.DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
    }}
}}
"""

Raw = dict[str, Any]


def publish(api: Api) -> None:
    """Let CoreDNS read what it serves, have it run on every real node, and make its Service."""
    rbac.grant(api, ROLE, rbac.account(NAMESPACE, ACCOUNT), RULES)
    objects = {
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts": {},
        f"/api/v1/namespaces/{NAMESPACE}/configmaps": {"data": {"Corefile": COREFILE}},
        f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets": {"spec": _daemon_set()},
    }
    ports = [{"name": each["name"], "port": 53, "protocol": each["protocol"]} for each in PORTS]
    service = {"clusterIP": config.DNS_SERVICE_IP, "selector": LABELS, "ports": ports}
    with api.connect() as connection:
        for path, content in objects.items():
            connection.call("POST", path, {"metadata": {"name": ACCOUNT, "labels": LABELS}, **content}).accept(409)
        own = {"metadata": {"name": NAME, "labels": LABELS}, "spec": service}
        connection.call("POST", f"/api/v1/namespaces/{NAMESPACE}/services", own).accept(409)


def wait_ready(api: Api, count: int) -> None:
    """Wait until a name server answers on each of `count` nodes."""
    with api.connect() as connection:

        def ready() -> bool:
            path = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{ACCOUNT}"
            status: Raw = connection.call("GET", path).accept().json()["status"]
            return bool(status.get("numberReady") == count)

        wait_until(ready, READY_SECONDS, f"CoreDNS does not run on {count} nodes", every=0.1)


def _daemon_set() -> Raw:
    container = {
        "name": "coredns",
        "image": f"{config.REGISTRY}/coredns:1",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": PORTS,
        # It opens its port once it knows the cluster's names.
        "readinessProbe": {"tcpSocket": {"port": 53}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
    }
    pod = {
        "serviceAccountName": ACCOUNT,
        "priorityClassName": "system-node-critical",
        "nodeSelector": {PREFIX_LABEL: PREFIX},
        "tolerations": [{"operator": "Exists"}],  # also of nodes that are leased
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": ACCOUNT}}],
    }
    template = {"metadata": {"labels": {**LABELS, **OWN}}, "spec": pod}
    return {"selector": {"matchLabels": OWN}, "template": template}
