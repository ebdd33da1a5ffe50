"""NetworkPolicies: nothing in, nothing out, but inside the lease and to the cluster's DNS."""

from typing import Any

from sublet.desired import naming
from sublet.desired.tenancy import Tenancy

_DNS_PORTS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """A default deny in both directions, and what is allowed beside it, in each namespace.

    Policies add up, so the deny stays in force whatever becomes of the second one.
    """
    return [
        manifest
        for namespace in tenancy.namespaces
        for manifest in (
            # Empty rather than left out: so a rule that somebody adds is ours to take away again.
            _policy(tenancy, namespace, "sublet-default-deny", {"ingress": [], "egress": []}),
            _policy(tenancy, namespace, "sublet-allow", _allowed(tenancy)),
        )
    ]


def _policy(tenancy: Tenancy, namespace: str, name: str, rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": tenancy.labels},
        # Both directions are named: a direction that is not named is open.
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], **rules},
    }


def _allowed(tenancy: Tenancy) -> dict[str, Any]:
    # By UID: a later lease of the same name is another tenant's.
    inside = [{"namespaceSelector": {"matchLabels": {naming.LEASE_UID: tenancy.uid}}}]
    dns = [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenancy.dns_namespace}},
            "podSelector": {"matchLabels": dict(tenancy.dns_labels)},
        }
    ]
    return {
        "ingress": [{"from": inside}],
        "egress": [{"to": inside}, {"to": dns, "ports": _DNS_PORTS}],
    }
