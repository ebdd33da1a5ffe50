"""The cluster's name server: CoreDNS as a process of the host, behind the Service that pods are told of."""

from typing import Any

from hack.cluster.api import Api
from hack.cluster.realnodes import config
from hack.cluster.realnodes.plan import Plan

NAME = "kube-dns"
LABELS = {"k8s-app": NAME}
PORTS = ({"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"})
ROLE = "system:coredns"


def corefile(plan: Plan) -> str:
    """CoreDNS' configuration: names of the cluster, and no others."""
    return f"""\
. {{
    bind {plan.gateway}
    errors
    kubernetes {config.DOMAIN} in-addr.arpa {{
        kubeconfig {plan.state.folder / "pki/coredns.kubeconfig"}
        pods insecure
    }}
}}
"""


def publish(api: Api, plan: Plan) -> None:
    """Let CoreDNS read what it serves, and make its Service."""
    with api.connect() as connection:
        for path, manifest in _objects(plan):
            connection.call("POST", path, manifest).accept(409)


def _objects(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    rbac, system = "/apis/rbac.authorization.k8s.io/v1", "namespaces/kube-system"
    read = [
        {"apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": ROLE}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {"clusterIP": config.DNS_SERVICE_IP, "ports": PORTS},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": NAME, "labels": {**LABELS, "kubernetes.io/service-name": NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [str(plan.gateway)]}],
        "ports": PORTS,
    }
    return [
        (f"{rbac}/clusterroles", {**role, "rules": read}),
        (f"{rbac}/clusterrolebindings", binding(ROLE, ROLE)),
        (f"/api/v1/{system}/services", service),
        (f"/apis/discovery.k8s.io/v1/{system}/endpointslices", endpoints),
    ]


def binding(role: str, user: str) -> dict[str, Any]:
    """A ClusterRoleBinding of a role to a user, named after the user."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
