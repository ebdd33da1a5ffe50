"""Attacks on rights, one by one: the guards around the lease, nodes, identities, and ways to run past the rules."""

from typing import Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Request, Scene, Verb
from sublet.guards.attacks.requests import InScene, add, ask, patch

_RBAC: Final = "rbac.authorization.k8s.io/v1"


def _refused(name: str, what: str, request: InScene, *ids: str) -> Attack:
    return Attack(name, what, "rbac", request, ids)


def _on_the_node(verb: Verb, path: str) -> InScene:
    return lambda scene: Request(verb, f"/api/v1/nodes/{scene.node}/{path}", {} if verb == "update" else None)


def _on_the_namespace(verb: Verb, subresource: str = "") -> InScene:
    def request(scene: Scene) -> Request:
        path = f"/api/v1/namespaces/{scene.namespace}{subresource}"
        metadata = {"name": scene.namespace, "annotations": {naming.ENDS_AT: "2999-01-01T00:00:00Z"}}
        whole = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        operations = [add("/metadata/annotations/sublet.dev~1ends-at", "2999-01-01T00:00:00Z")]
        return Request(verb, path, {"update": whole, "patch": operations}.get(verb))

    return request


_HIJACKED = ("CVE-2026-30963",)
_NAMESPACE = (
    _refused("namespace-end-moved", "Move the end of the lease.", _on_the_namespace("patch")),
    _refused("namespace-rewritten", "Write the namespace anew, without its lease.", _on_the_namespace("update")),
    _refused("namespace-status", "Move the end by /status.", _on_the_namespace("patch", "/status"), *_HIJACKED),
    _refused("namespace-finalize", "Move the end by /finalize.", _on_the_namespace("update", "/finalize"), *_HIJACKED),
    _refused("namespace-deleted", "Delete the namespace, and its guards with it.", _on_the_namespace("delete")),
)
_NODE = (
    _refused("node-proxy", "Run commands in any pod of the node by its kubelet.", _on_the_node("get", "proxy/pods")),
    _refused("node-proxy-run", "Have the kubelet run a command.", _on_the_node("connect", "proxy/run/a/b/c")),
    _refused("node-status", "Give the node more GPUs than it has.", _on_the_node("patch", "status")),
    _refused("node-logs", "Read the node's own logs.", _on_the_node("get", "proxy/logs/")),
)

_QUOTA = ("MTB-PL1-CC-TI-1", "MTB-PL1-BC-CPI-2")
_NETWORK = ("MTB-PL2-BC-OPS-4", "MTB-PL1-BC-CPI-2", "MTB-pending-1201")
_GUARDS = (
    _refused("quota-created", "Add a quota.", ask("create", "v1", "resourcequotas", body={}), *_QUOTA),
    _refused(
        "quota-raised",
        "Raise the quota.",
        patch("v1", "resourcequotas/sublet", add("/spec/hard/pods", "9999")),
        *_QUOTA,
    ),
    _refused("quota-rewritten", "Replace the quota.", ask("update", "v1", "resourcequotas/sublet", body={}), *_QUOTA),
    _refused("quota-deleted", "Delete the quota.", ask("delete", "v1", "resourcequotas/sublet"), *_QUOTA),
    _refused("quotas-deleted", "Delete all quotas.", ask("deletecollection", "v1", "resourcequotas"), *_QUOTA),
    _refused(
        "quota-status",
        "Have the quota forget what is used.",
        patch("v1", "resourcequotas/sublet/status", add("/status/used", {})),
        *_QUOTA,
    ),
    _refused("limits-deleted", "Delete the limits.", ask("delete", "v1", "limitranges/sublet"), "MTB-PL1-BC-CPI-2"),
    _refused(
        "network-opened",
        "Open the network policy to the world.",
        patch("networking.k8s.io/v1", "networkpolicies/sublet-allow", add("/spec/egress/-", {})),
        *_NETWORK,
    ),
    _refused(
        "network-policy-added",
        "Add a network policy, for policies add up.",
        ask("create", "networking.k8s.io/v1", "networkpolicies", body={}),
        *_NETWORK,
    ),
    _refused(
        "network-policies-deleted",
        "Delete all network policies.",
        ask("deletecollection", "networking.k8s.io/v1", "networkpolicies"),
        *_NETWORK,
    ),
)
_BINDINGS = ("MTB-PL2-BC-OPS-3", "MTB-PL2-CC-TI-1")
_IDENTITY = (
    _refused("role-created", "Make a role with more rights.", ask("create", _RBAC, "roles", body={}), *_BINDINGS),
    _refused("role-bound", "Bind a role.", ask("create", _RBAC, "rolebindings", body={}), *_BINDINGS),
    _refused(
        "binding-widened",
        "Let a stranger in.",
        patch(_RBAC, "rolebindings/sublet-tenant", add("/subjects/-", {"kind": "User", "name": "mallory"})),
        *_BINDINGS,
    ),
    _refused(
        "probe-shut-out",
        "Have the guards tried no more.",
        ask("delete", _RBAC, "rolebindings/sublet-probe"),
        "MTB-PL1-BC-CPI-2",
    ),
    _refused("binding-kept", "Read who is let in.", ask("list", _RBAC, "rolebindings"), *_BINDINGS),
    _refused(
        "token-made",
        "Get a token that outlives the lease.",
        ask("create", "v1", "serviceaccounts/default/token", body={"spec": {"expirationSeconds": 315_360_000}}),
    ),
    _refused(
        "rights-of-others",
        "Ask what the owner's accounts may do here.",
        ask("create", "authorization.k8s.io/v1", "localsubjectaccessreviews", body={}),
    ),
    _refused("account-made", "Make an account of one's own.", ask("create", "v1", "serviceaccounts", body={})),
    _refused("account-impersonated", "Act as an account.", ask("update", "v1", "serviceaccounts/default", body={})),
    _refused(
        "evict-others",
        "Push pods off by evicting them.",
        ask("create", "v1", "pods/attack/eviction", elsewhere=True, body={}),
    ),
)
_DOORS = (
    _refused(
        "endpoints-by-hand",
        "Point a Service to any address.",
        ask("create", "v1", "endpoints", body={}),
        "CVE-2021-25740",
    ),
    _refused(
        "slices-by-hand",
        "Point a Service to another tenant's pods.",
        ask("create", "discovery.k8s.io/v1", "endpointslices", body={}),
        "CVE-2021-25740",
        "CVE-2021-25737",
    ),
    _refused(
        "load-balancer-status",
        "Claim any address in the status of a Service.",
        patch("v1", "services/attack/status", add("/status/loadBalancer", {"ingress": [{"ip": "203.0.113.7"}]})),
        "CVE-2020-8554",
    ),
    _refused(
        "ingress-made",
        "Take over one of the owner's host names.",
        ask("create", "networking.k8s.io/v1", "ingresses", body={}),
    ),
    _refused("pod-proxy", "Reach addresses by the API server.", ask("get", "v1", "pods/a/proxy/"), "CVE-2020-8562"),
    _refused(
        "service-proxy",
        "Reach addresses by the API server.",
        ask("connect", "v1", "services/a/proxy/"),
        "CVE-2020-8562",
    ),
)
_RUNS = (
    _refused("pod-bound", "Bind a pod to a node, past the scheduler.", ask("create", "v1", "pods/a/binding", body={})),
    _refused("binding-made", "Bind a pod to a node, past the scheduler.", ask("create", "v1", "bindings", body={})),
    _refused("pod-status", "Tell controllers what is not so.", patch("v1", "pods/a/status", add("/status/phase", "x"))),
    _refused("pod-resized", "Grow a pod that was admitted.", patch("v1", "pods/a/resize", add("/spec", {}))),
    _refused(
        "ephemeral-container",
        "Add a container that no rule on pods has seen.",
        patch("v1", "pods/a/ephemeralcontainers", add("/spec/ephemeralContainers", [])),
        "CVE-2023-2727",
        "CVE-2023-2728",
    ),
    _refused("daemons", "Run on every node.", ask("create", "apps/v1", "daemonsets", body={})),
    _refused("replicasets", "Make pods by a kind without a count.", ask("create", "apps/v1", "replicasets", body={})),
    _refused("controllers", "Make pods by an old kind.", ask("create", "v1", "replicationcontrollers", body={})),
    _refused("templates", "Store objects in a kind without a count.", ask("create", "v1", "podtemplates", body={})),
    _refused("revisions", "Store objects.", ask("create", "apps/v1", "controllerrevisions", body={})),
    _refused("device-claim", "Take devices.", ask("create", "resource.k8s.io/v1", "resourceclaims", body={})),
    _refused(
        "device-claims",
        "Take devices with every pod.",
        ask("create", "resource.k8s.io/v1", "resourceclaimtemplates", body={}),
    ),
    _refused("events", "Fill etcd with events.", ask("create", "v1", "events", body={})),
    _refused(
        "events-by-the-newer-kind", "Fill etcd with events.", ask("create", "events.k8s.io/v1", "events", body={})
    ),
    _refused("locks", "Fill etcd with locks.", ask("create", "coordination.k8s.io/v1", "leases", body={})),
    _refused(
        "disruption-budget",
        "Get in the way of draining nodes.",
        ask("create", "policy/v1", "poddisruptionbudgets", body={}),
    ),
)

ATTACKS: tuple[Attack, ...] = (*_NAMESPACE, *_NODE, *_GUARDS, *_IDENTITY, *_DOORS, *_RUNS)
