"""Guards of what is no pod: Services, Secrets, autoscalers, volume claims, lease facts, and annotations."""

from typing import Final

from sublet.guards.claims import CLAIMS
from sublet.guards.facts import FACTS
from sublet.guards.rule import Match, Policy, Rule

_SERVICES: Final = (
    Rule(
        "service-type",
        "object.?spec.?type.orValue('ClusterIP') == 'ClusterIP'",
        "spec.type must be ClusterIP, with an address or headless; other types open a door from outside or "
        "point to names that are not yours",
    ),
    # Any address: traffic of the whole cluster to it would go to the tenant's pods.
    Rule(
        "service-external-ips",
        "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
        "spec.externalIPs would take traffic that is meant for others; leave it out",
    ),
    # Without a selector the addresses behind a Service are written by hand.
    Rule(
        "service-selector",
        "has(object.spec.selector) && object.spec.selector.size() > 0",
        "spec.selector must name pods; a Service without one can point to any address",
    ),
    Rule(
        "service-load-balancer",
        "!has(object.spec.loadBalancerIP) && !has(object.spec.loadBalancerClass)"
        " && !has(object.spec.loadBalancerSourceRanges) && !has(object.spec.externalName)",
        "spec.loadBalancerIP, loadBalancerClass, loadBalancerSourceRanges and externalName have no meaning here; "
        "leave them out",
    ),
)

# Controllers that watch the whole cluster act on annotations with rights of their own: they publish DNS names, expose
# Services, copy Secrets between namespaces. A prefix without a dot, as in checksum/config, is nobody's domain.
_ANNOTATIONS: Final = Rule(
    "foreign-annotations",
    """\
variables.annotations.all(k, !k.contains('/') || !k.split('/')[0].contains('.')
  || k.split('/')[0] in ['kubectl.kubernetes.io', 'meta.helm.sh', 'helm.sh', 'app.kubernetes.io', 'sublet.dev']
  || k in ['kubernetes.io/description', 'kubernetes.io/service-account.name']
  || variables.annotations[k] == variables.before[?k].orValue(''))""",
    "annotations of Services, ConfigMaps and Secrets may have no prefix, one without a dot, or one of kubectl, Helm "
    "and app.kubernetes.io; controllers of the cluster act on others",
)

_SECRETS: Final = Rule(
    "secret-type",
    """\
!object.?type.orValue('Opaque').contains('kubernetes.io/')
|| object.type in ['kubernetes.io/basic-auth', 'kubernetes.io/dockercfg', 'kubernetes.io/dockerconfigjson',
                   'kubernetes.io/ssh-auth', 'kubernetes.io/tls']""",
    "the cluster itself makes something of Secrets of this type, such as tokens; use Opaque, or the types for "
    "registries, TLS, SSH and basic authentication",
)

# An autoscaler works with the rights of its controller, which scales any kind and reads any metric.
_AUTOSCALERS: Final = (
    Rule(
        "autoscaler-target",
        "object.spec.scaleTargetRef.?apiVersion.orValue('') == 'apps/v1'"
        " && object.spec.scaleTargetRef.kind in ['Deployment', 'StatefulSet']",
        "spec.scaleTargetRef must name a Deployment or StatefulSet of apps/v1",
    ),
    # A request in the older version carries the metrics of the newer one in an annotation.
    Rule(
        "autoscaler-metrics",
        """\
object.spec.?metrics.orValue([]).all(m, m.type in ['Resource', 'ContainerResource', 'Pods'])
&& object.metadata.?annotations.orValue({}).all(k, !k.startsWith('autoscaling.alpha.kubernetes.io/'))""",
        "metrics of type Object and External, and annotations of autoscaling.alpha.kubernetes.io, may speak of others; "
        "use Resource, ContainerResource or Pods",
    ),
)

POLICIES: tuple[Policy, ...] = (
    Policy(name="services", matches=(Match(("",), ("services",)),), rules=_SERVICES),
    Policy(
        name="annotations",
        matches=(Match(("",), ("services", "configmaps", "secrets")),),
        variables=(
            ("annotations", "object.metadata.?annotations.orValue({})"),
            ("before", "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"),
        ),
        rules=(_ANNOTATIONS,),
    ),
    Policy(name="secrets", matches=(Match(("",), ("secrets",)),), rules=(_SECRETS,)),
    Policy(name="autoscalers", matches=(Match(("autoscaling",), ("horizontalpodautoscalers",)),), rules=_AUTOSCALERS),
    CLAIMS,
    FACTS,
)
