"""What the lines of the tenant's role are for, and what would become possible if it had others."""

from collections.abc import Mapping
from typing import Final

Line = tuple[str, str]
"""A resource, with its subresource, and a verb."""

_KEPT: Final = (
    *("pods", "configmaps", "secrets", "services", "persistentvolumeclaims"),
    *("deployments", "statefulsets", "jobs", "cronjobs", "horizontalpodautoscalers"),
)
_KEEPING: Final = {
    "get": "`kubectl apply` looks at what is there",
    "list": "`kubectl get`",
    "watch": "`kubectl wait`, and Helm's `--wait`",
    "create": "`kubectl create`",
    "update": "`kubectl replace`",
    "patch": "`kubectl apply` changes what is there",
    "delete": "`kubectl delete`",
    "deletecollection": "clients that clean up by label at once, as Spark's driver does",
}
_SHOWN: Final = {
    "replicasets": "whose pods these are, and `kubectl rollout undo`",
    "controllerrevisions": "`kubectl rollout history` of a StatefulSet",
    "endpointslices": "where a Service leads, as `kubectl describe service` says",
    "events": "why a pod does not start, as `kubectl describe pod` says",
    "resourcequotas": "how much is left",
    "limitranges": "what a container gets that asks for nothing",
    "serviceaccounts": "which account a pod may name",
    "networkpolicies": "what a pod may reach",
}
_SHOWING: Final = {
    "get": "`kubectl get NAME`",
    "list": "`kubectl get`",
    "watch": "dashboards such as k9s, which show a kind only if they may watch it",
}
_SCALING: Final = {
    "get": "`kubectl scale --current-replicas` looks first",
    "update": "`kubectl scale --current-replicas`",
    "patch": "`kubectl scale`",
}
_CONNECTING: Final = {"get": "over WebSockets", "create": "over SPDY, where a proxy knows no WebSockets"}
_COMMANDS: Final = {"exec": "kubectl exec", "attach": "kubectl attach", "portforward": "kubectl port-forward"}

NEEDS: Final[Mapping[Line, str]] = {
    **{(kind, verb): how for kind in _KEPT for verb, how in _KEEPING.items()},
    **{(kind, verb): f"{what}: {how}" for kind, what in _SHOWN.items() for verb, how in _SHOWING.items()},
    **{(f"{kind}s/scale", verb): how for kind in ("deployment", "statefulset") for verb, how in _SCALING.items()},
    **{
        (f"pods/{sub}", verb): f"`{command}` {how}"
        for sub, command in _COMMANDS.items()
        for verb, how in _CONNECTING.items()
    },
    ("pods/log", "get"): "`kubectl logs`",
}
"""What somebody does by each line."""

CHANGE: Final = ("create", "update", "patch", "delete", "deletecollection")

DANGEROUS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    # What the cluster's own role `admin` has beside ours.
    ("", "pods/proxy"): ("get", "create"),
    ("", "services/proxy"): ("get", "create"),
    ("", "pods/eviction"): ("create",),
    ("", "replicationcontrollers"): CHANGE,
    ("", "serviceaccounts"): CHANGE,
    ("", "serviceaccounts/token"): ("create",),
    ("", "events"): CHANGE,
    ("events.k8s.io", "events"): CHANGE,
    ("apps", "daemonsets"): CHANGE,
    ("apps", "replicasets"): CHANGE,
    ("authorization.k8s.io", "localsubjectaccessreviews"): ("create",),
    ("coordination.k8s.io", "leases"): CHANGE,
    ("networking.k8s.io", "ingresses"): CHANGE,
    ("networking.k8s.io", "networkpolicies"): CHANGE,
    ("policy", "poddisruptionbudgets"): CHANGE,
    ("rbac.authorization.k8s.io", "rolebindings"): CHANGE,
    ("rbac.authorization.k8s.io", "roles"): CHANGE,
    ("resource.k8s.io", "resourceclaims"): CHANGE,
    ("resource.k8s.io", "resourceclaimtemplates"): CHANGE,
    # What only controllers and administrators have.
    ("", "bindings"): ("create",),
    ("", "endpoints"): CHANGE,
    ("", "limitranges"): CHANGE,
    ("", "namespaces"): CHANGE,
    ("", "namespaces/finalize"): ("update",),
    ("", "namespaces/status"): ("patch",),
    ("", "nodes"): CHANGE,
    ("", "nodes/proxy"): ("get",),
    ("", "nodes/status"): ("patch",),
    ("", "persistentvolumes"): CHANGE,
    ("", "pods/binding"): ("create",),
    ("", "pods/ephemeralcontainers"): ("patch",),
    ("", "pods/resize"): ("patch",),
    ("", "pods/status"): ("patch",),
    ("", "podtemplates"): CHANGE,
    ("", "resourcequotas"): CHANGE,
    ("", "resourcequotas/status"): ("patch",),
    ("", "services/status"): ("patch",),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): ("delete",),
    ("apps", "controllerrevisions"): CHANGE,
    ("certificates.k8s.io", "certificatesigningrequests"): ("create",),
    ("discovery.k8s.io", "endpointslices"): CHANGE,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): ("create",),
    ("sublet.dev", "gpuleases"): ("patch",),
    # What a tenant has in its own lease, given for all namespaces by mistake.
    ("", "secrets"): ("list",),
    ("", "pods"): ("create",),
}
"""Rights that a tenant must not have, in the whole cluster or in its lease."""

HARMLESS: Final[Mapping[tuple[str, str], str]] = {
    ("", "replicationcontrollers/scale"): "there are none to scale",
    ("apps", "replicasets/scale"): "the Deployment they belong to scales them back",
    ("apps", "deployments/rollback"): "no API server serves it any more",
}
"""What the cluster's own role `admin` may change, and a tenant could as well."""
