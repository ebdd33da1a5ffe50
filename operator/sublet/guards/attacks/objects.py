"""Attacks by Services, Secrets and autoscalers, and with them those by volume claims and on lease facts."""

from typing import Any

from sublet.guards.attacks import claims, facts
from sublet.guards.attacks.attack import Attack, Manifest
from sublet.guards.attacks.requests import InScene, create

_MITM = ("CVE-2020-8554",)
_ENDPOINTS = ("CVE-2021-25740",)


def _service(annotations: Manifest | None = None, **spec: Any) -> InScene:  # noqa: ANN401 - a field of any kind
    """A Service with a port and a selector; a field given as None is left out."""
    whole = {"ports": [{"port": 443}], "selector": {"app": "attack"}, **spec}
    kept = {key: value for key, value in whole.items() if value is not None}
    return create("v1", "services", "Service", metadata={"annotations": annotations or {}}, spec=kept)


def _secret(kind: str, name: str = "attack", **annotations: str) -> InScene:
    return create("v1", "secrets", "Secret", metadata={"name": name, "annotations": annotations}, type=kind)


def _autoscaler(version: str, annotations: Manifest | None = None, **spec: Any) -> InScene:  # noqa: ANN401
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return create(
        f"autoscaling/{version}",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        metadata={"annotations": annotations or {}},
        spec={"maxReplicas": 9, "scaleTargetRef": target, **spec},
    )


_SERVICES = (
    Attack(
        "service-node-port",
        "Open a port on every node, past the owner's firewall.",
        "service-type",
        _service(type="NodePort"),
        ("MTB-PL1-BC-HI-1-NodePort",),
    ),
    Attack(
        "service-load-balancer",
        "Have the owner's cloud build a way in, at the owner's cost.",
        "service-type",
        _service(type="LoadBalancer"),
    ),
    Attack(
        "service-external-name",
        "Give a name in the cluster to a service of the owner.",
        "service-type",
        _service(type="ExternalName", externalName="kubernetes.default.svc", selector=None),
    ),
    Attack(
        "service-external-ip",
        "Take the whole cluster's traffic to an address outside.",
        "service-external-ips",
        _service(externalIPs=["203.0.113.7"]),
        _MITM,
    ),
    Attack(
        "service-external-dns-ip",
        "Answer the cluster's questions to a public resolver.",
        "service-external-ips",
        _service(externalIPs=["1.1.1.1"], ports=[{"port": 53, "protocol": "UDP"}]),
        _MITM,
    ),
    Attack(
        "service-headless-external-ip",
        "Take traffic to an address by a Service that looks harmless.",
        "service-external-ips",
        _service(externalIPs=["203.0.113.7"], clusterIP="None"),
        _MITM,
    ),
    Attack(
        "service-without-selector",
        "Make a Service whose addresses are written by hand.",
        "service-selector",
        _service(selector=None),
        _ENDPOINTS,
    ),
    Attack(
        "service-with-empty-selector",
        "Make a Service whose addresses are written by hand, with a selector that is there and says nothing.",
        "service-selector",
        _service(selector={}),
        _ENDPOINTS,
    ),
    Attack(
        "service-load-balancer-address",
        "Keep a wish for an address of the owner's load balancer until something grants it.",
        "service-load-balancer",
        _service(loadBalancerIP="203.0.113.7"),
        _MITM,
    ),
    Attack(
        "service-public-name",
        "Have a DNS controller publish one of the owner's names with the tenant's addresses.",
        "foreign-annotations",
        _service({"external-dns.alpha.kubernetes.io/hostname": "login.owner.example"}, clusterIP="None"),
    ),
    Attack(
        "service-in-a-private-network",
        "Have an operator of the cluster expose the Service in the owner's private network.",
        "foreign-annotations",
        _service({"tailscale.com/expose": "true"}),
    ),
    Attack(
        "service-in-other-clusters",
        "Mix the tenant's pods into a Service of the owner's other clusters.",
        "foreign-annotations",
        _service({"service.cilium.io/global": "true"}),
    ),
)
_SECRETS = (
    Attack(
        "token-secret",
        "Get a token of the namespace's ServiceAccount that never ends.",
        "secret-type",
        _secret("kubernetes.io/service-account-token", **{"kubernetes.io/service-account.name": "default"}),
    ),
    Attack(
        "bootstrap-token",
        "Make a token by which a machine joins the cluster as a node.",
        "secret-type",
        _secret("bootstrap.kubernetes.io/token", "bootstrap-token-abcdef"),
    ),
    Attack(
        "secret-copied-from-elsewhere",
        "Have a controller copy a Secret of the owner into the lease.",
        "foreign-annotations",
        _secret("Opaque", **{"replicator.v1.mittwald.de/replicate-from": "kube-system/cloud-credentials"}),
    ),
    Attack(
        "configmap-copied-everywhere",
        "Have a controller write a ConfigMap into every namespace.",
        "foreign-annotations",
        create(
            "v1",
            "configmaps",
            "ConfigMap",
            metadata={"annotations": {"reflector.v1.k8s.emberstack.com/reflection-auto-enabled": "true"}},
        ),
    ),
)
_EXTERNAL = {
    "type": "External",
    "external": {"metric": {"name": "billing_total"}, "target": {"type": "Value", "value": "1"}},
}
_OF_AN_OBJECT = {
    "type": "Object",
    "object": {
        "metric": {"name": "requests"},
        "describedObject": {"kind": "Namespace", "name": "kube-system"},
        "target": {"type": "Value", "value": "1"},
    },
}
_AUTOSCALERS = (
    Attack(
        "autoscaler-of-any-kind",
        "Have the autoscaler scale a kind that the tenant has no right to.",
        "autoscaler-target",
        _autoscaler(
            "v2", scaleTargetRef={"apiVersion": "cluster.x-k8s.io/v1", "kind": "MachineDeployment", "name": "a"}
        ),
    ),
    Attack(
        "autoscaler-without-group",
        "Have the autoscaler look for a target in a group of its own choice.",
        "autoscaler-target",
        _autoscaler("v1", scaleTargetRef={"kind": "ReplicationController", "name": "a"}),
    ),
    Attack(
        "autoscaler-external-metric",
        "Read a metric of the owner by watching how the workload is scaled.",
        "autoscaler-metrics",
        _autoscaler("v2", metrics=[_EXTERNAL]),
    ),
    Attack(
        "autoscaler-metric-of-an-object",
        "Read a metric of somebody else's object.",
        "autoscaler-metrics",
        _autoscaler("v2", metrics=[_OF_AN_OBJECT]),
    ),
    Attack(
        "autoscaler-metric-in-an-annotation",
        "Smuggle an external metric past rules on the newer version, in an annotation of the older one.",
        "autoscaler-metrics",
        _autoscaler(
            "v1",
            {
                "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"External","external":'
                '{"metricName":"billing_total","targetValue":"1"}}]'
            },
        ),
    ),
)

ATTACKS: tuple[Attack, ...] = (*_SERVICES, *_SECRETS, *_AUTOSCALERS, *claims.ATTACKS, *facts.ATTACKS)
