"""A ClusterNetworkPolicy: what never opens to a lease, above all NetworkPolicies of its namespaces.

One object for each lease, in API group `policy.networking.k8s.io/v1alpha2` (KEP-2091 and NPEP-285 of
sigs.k8s.io/network-policy-api). Tiers are evaluated in the order Admin, NetworkPolicy, Baseline, and in a tier the
lowest priority first; the first rule that matches decides.

- Tier `Admin`: NetworkPolicies add up, so one more of them opens more. What is denied in this tier stays denied.
- Priority 0: an `Accept` that the owner wrote for other workloads comes later and opens no tenant by mistake. Several
  policies of one priority are evaluated in any order, which does no harm here: no two leases share a namespace.
- `Deny` for every pod and every address that is not the lease's to reach, and never `Accept`, which would overrule the
  namespaces' own policies.
- `Pass` to the lease's own pods and to DNS: networks match pods by their addresses too, so these must be decided before
  networks are denied. It leaves the tier, so it is not used for egress that was sold: that matches no rule here, and
  what the owner denies to everybody at a later priority still counts. NetworkPolicies then decide, also on ports.

Ingress knows pods as its only peers. What comes from nodes or from outside of the cluster is the NetworkPolicies' part.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sublet.api import ranges
from sublet.desired import naming
from sublet.desired.network import DNS_PORTS, opened
from sublet.desired.tenancy import Tenancy

Rule = dict[str, Any]
T = TypeVar("T")

_PRIORITY = 0

_MOST = 25
"""The most networks of a peer, peers of a rule and rules of a policy.

At most 32 networks are asked for and 32 allowed, so at most 64 are open, and each parts the rest into at most 128
more: with what is always closed under 9000 networks, in 15 rules.
"""

_EVERY_POD: dict[str, Any] = {"namespaces": {}}


def manifests(tenancy: Tenancy) -> list[dict[str, Any]]:
    """The policy of a lease, where the API server serves its kind."""
    if not tenancy.has_cluster_policies:
        return []
    # By UID: a later lease of the same name is another tenant's.
    own = {"namespaces": {"matchLabels": {naming.LEASE_UID: tenancy.uid}}}
    return [
        {
            "apiVersion": "policy.networking.k8s.io/v1alpha2",
            "kind": "ClusterNetworkPolicy",
            # A name that is the lease's alone: that of its first namespace.
            "metadata": {"name": naming.namespace_name(tenancy.lease), "labels": tenancy.labels},
            "spec": {
                "tier": "Admin",
                "priority": _PRIORITY,
                "subject": {"namespaces": _named(tenancy.namespaces)},
                "ingress": [
                    {"name": "own-lease", "action": "Pass", "from": [own]},
                    {"name": "other-pods", "action": "Deny", "from": [_EVERY_POD]},
                ],
                "egress": [
                    {"name": "own-lease", "action": "Pass", "to": [own]},
                    _dns(tenancy),
                    {"name": "other-pods", "action": "Deny", "to": [_EVERY_POD]},
                    *_closed(tenancy),
                ],
            },
        }
    ]


def _named(namespaces: Sequence[str]) -> dict[str, Any]:
    """A selector by the one label that nobody can take off a namespace.

    Written whole, so that a label that somebody adds, and that would select less, is ours to take away again.
    """
    names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    return {"matchLabels": {}, "matchExpressions": [names]}


def _dns(tenancy: Tenancy) -> Rule:
    pods = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenancy.dns_namespace}},
        "podSelector": {"matchLabels": dict(tenancy.dns_labels)},
    }
    protocols = [{each.protocol.value.lower(): {"destinationPort": {"number": each.port}}} for each in DNS_PORTS]
    return {"name": "dns", "action": "Pass", "to": [{"pods": pods}], "protocols": protocols}


def _closed(tenancy: Tenancy) -> Iterator[Rule]:
    """Denials of every address of which no port is open to the lease, in both families."""
    open_ones = [network for _, networks in opened(tenancy.egress) for network in networks]
    closed = ranges.merged((*ranges.outside(open_ones), *ranges.closed(tenancy.egress.cluster)))
    peers = [{"networks": networks} for networks in _portions([str(network) for network in closed])]
    for number, portion in enumerate(_portions(peers), start=1):
        yield {"name": f"closed-networks-{number}", "action": "Deny", "to": portion}


def _portions(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _MOST):
        yield list(items[start : start + _MOST])
