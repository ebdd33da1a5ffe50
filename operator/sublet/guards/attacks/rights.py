"""Attacks on rights: what belongs to the whole cluster, to other tenants, and to the operator."""

from typing import Final

from sublet.guards.attacks import escalation
from sublet.guards.attacks.attack import Attack, Request, Verb
from sublet.guards.attacks.requests import ask, collection

CLUSTER_SCOPED: Final = {
    "v1": ("componentstatuses", "namespaces", "nodes", "persistentvolumes"),
    "admissionregistration.k8s.io/v1": (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ),
    "apiextensions.k8s.io/v1": ("customresourcedefinitions",),
    "apiregistration.k8s.io/v1": ("apiservices",),
    "certificates.k8s.io/v1": ("certificatesigningrequests", "clustertrustbundles"),
    "flowcontrol.apiserver.k8s.io/v1": ("flowschemas", "prioritylevelconfigurations"),
    "networking.k8s.io/v1": ("ingressclasses", "ipaddresses", "servicecidrs"),
    "node.k8s.io/v1": ("runtimeclasses",),
    "policy.networking.k8s.io/v1alpha2": ("clusternetworkpolicies",),
    "rbac.authorization.k8s.io/v1": ("clusterrolebindings", "clusterroles"),
    "resource.k8s.io/v1": ("deviceclasses", "devicetaintrules", "resourceslices"),
    "scheduling.k8s.io/v1": ("priorityclasses",),
    "storage.k8s.io/v1": (
        "csidrivers",
        "csinodes",
        "storageclasses",
        "volumeattachments",
        "volumeattributesclasses",
    ),
    "storagemigration.k8s.io/v1": ("storageversionmigrations",),
    "sublet.dev/v1alpha1": ("gpuleases", "gpupools", "leaserecords"),
}
"""Every kind of object of the whole cluster, by group and version, with those that not every cluster serves."""

_BENCHMARK: Final = ("MTB-PL1-CC-CPI-1",)
_OF_ALL: Final[tuple[Verb, ...]] = ("list", "create", "deletecollection")
_OF_ONE: Final[tuple[Verb, ...]] = ("get", "update", "patch", "delete")


def _on_the_cluster(verb: Verb, group: str, plural: str) -> Attack:
    path = collection(group, plural) + ("" if verb in _OF_ALL else "/attack")
    body: object = {"update": {}, "create": {}, "patch": []}.get(verb)
    return Attack(
        f"{verb}-{plural}",
        "Read or change what belongs to the whole cluster.",
        "rbac",
        lambda _: Request(verb, path, body),
        _BENCHMARK,
    )


_NEIGHBOURS = tuple(
    Attack(
        f"neighbours-{plural}-{verb}",
        "Look into, or change, another namespace.",
        "rbac",
        ask(verb, group, plural, elsewhere=True, body={} if verb == "create" else None),
        ("MTB-PL1-CC-TI-2",),
    )
    for group, plurals in {
        "v1": ("pods", "secrets", "configmaps", "services", "persistentvolumeclaims", "events", "resourcequotas"),
        "apps/v1": ("deployments", "statefulsets"),
        "batch/v1": ("jobs", "cronjobs"),
        "autoscaling/v2": ("horizontalpodautoscalers",),
        "networking.k8s.io/v1": ("networkpolicies",),
    }.items()
    for plural in plurals
    for verb in _OF_ALL
)

ATTACKS: tuple[Attack, ...] = (
    *(
        _on_the_cluster(verb, group, plural)
        for group, plurals in CLUSTER_SCOPED.items()
        for plural in plurals
        for verb in (*_OF_ALL, *_OF_ONE)
    ),
    *_NEIGHBOURS,
    *escalation.ATTACKS,
)
