"""Where pods run: on the nodes of their own lease, put there by the cluster's own scheduler."""

from typing import Final

from sublet.desired import naming
from sublet.guards.pods_deletion import LONGEST_GRACE_SECONDS
from sublet.guards.rule import Rule

VARIABLES: Final = (
    ("notes", "namespaceObject.metadata.?annotations.orValue({})"),
    ("lease", f"namespaceObject.metadata.labels['{naming.LEASE}']"),
    ("gpu", f"variables.notes[?'{naming.GPU_RESOURCE}'].orValue('')"),
    ("runtimes", f"variables.notes[?'{naming.ALLOWED_RUNTIME_CLASSES}'].orValue('').split(',')"),
    ("priorities", f"variables.notes[?'{naming.ALLOWED_PRIORITY_CLASSES}'].orValue('').split(',')"),
    ("runtime", "variables.spec.?runtimeClassName.orValue('')"),
    ("priority", "variables.spec.?priorityClassName.orValue('')"),
    (
        "nodeTerms",
        """\
variables.spec.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution
  .?nodeSelectorTerms.orValue([])
+ variables.spec.?affinity.?nodeAffinity.?preferredDuringSchedulingIgnoredDuringExecution.orValue([])
  .map(p, p.preference)""",
    ),
    (
        "podTerms",
        """\
variables.spec.?affinity.?podAffinity.?requiredDuringSchedulingIgnoredDuringExecution.orValue([])
+ variables.spec.?affinity.?podAntiAffinity.?requiredDuringSchedulingIgnoredDuringExecution.orValue([])
+ variables.spec.?affinity.?podAffinity.?preferredDuringSchedulingIgnoredDuringExecution.orValue([])
  .map(p, p.podAffinityTerm)
+ variables.spec.?affinity.?podAntiAffinity.?preferredDuringSchedulingIgnoredDuringExecution.orValue([])
  .map(p, p.podAffinityTerm)""",
    ),
)
"""What these rules need, beside the variable `spec`: the specification of the pod."""

_PINNED: Final = f"leave spec.nodeSelector['{naming.LEASE}'] out, or write the name of your own lease there"


def _not_offered(kind: str, name: str, field: str, allowed: str) -> str:
    """CEL of the message about a class that a pod may not name."""
    return f"""\
'the {kind} ' + {name} + ' is not offered: remove {field}, or name one of ['
+ variables.notes[?'{allowed}'].orValue('') + ']'"""


def _selector(otherwise: str) -> Rule:
    return Rule(
        "own-nodes-only",
        f"variables.spec.?nodeSelector[?'{naming.LEASE}'].orValue({otherwise}) == variables.lease",
        f"a pod runs on the nodes of its own lease: {_PINNED}",
    )


NODE_SELECTOR: Final = _selector("''")
"""A pod names its lease; the mutating policy writes it for whoever left it out."""

TEMPLATE_NODE_SELECTOR: Final = _selector("variables.lease")
"""A template may leave its lease out, since the pods that are made of it are completed."""

RULES: Final = (
    Rule(
        "own-lease-affinity",
        f"""\
variables.nodeTerms.all(t, t.?matchExpressions.orValue([]).all(e,
  !e.key.startsWith('{naming.PREFIX}/')
  || e.key == '{naming.LEASE}' && e.operator == 'In' && e.?values.orValue([]) == [variables.lease]))""",
        f"node affinity on {naming.PREFIX}/ may name your own lease alone: remove it, pods are pinned anyhow",
    ),
    # A required anti-affinity binds the scheduler for pods of other namespaces too: with it a tenant could keep the
    # owner's pods out of a whole zone, and learn what runs there.
    Rule(
        "own-namespace-affinity",
        """\
variables.podTerms.all(t,
  !has(t.namespaceSelector) && t.?namespaces.orValue([]).all(n, n == request.namespace))""",
        "pod affinity looks at pods of its own namespace alone: remove namespaces and namespaceSelector",
    ),
    Rule(
        "own-tolerations-only",
        f"""\
variables.spec.?tolerations.orValue([]).all(t, t.?key.orValue('') != '' && (
  t.key == '{naming.LEASE}' && t.?operator.orValue('Equal') == 'Equal'
    && t.?value.orValue('') == variables.lease && t.?effect.orValue('') == 'NoExecute'
  || t.key in ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    && t.?effect.orValue('') == 'NoExecute' && t.?tolerationSeconds.orValue(86400) <= 600
  || t.key == variables.gpu))""",
        "the taint of your own lease is tolerated unasked; beside it only node.kubernetes.io/not-ready and unreachable "
        "for at most 600 seconds, and a taint with the key of the GPU resource: remove the other tolerations",
    ),
    Rule(
        "default-scheduler-only",
        "variables.spec.?schedulerName.orValue('default-scheduler') == 'default-scheduler'",
        "pods are placed by the cluster's own scheduler: remove spec.schedulerName",
    ),
    Rule(
        "allowed-priority-class",
        """\
variables.priority == ''
|| !variables.priority.startsWith('system-') && variables.priority in variables.priorities""",
        _not_offered("PriorityClass", "variables.priority", "spec.priorityClassName", naming.ALLOWED_PRIORITY_CLASSES),
        is_cel=True,
    ),
    Rule(
        "allowed-runtime-class",
        "variables.runtime == '' || variables.runtime in variables.runtimes",
        _not_offered("RuntimeClass", "variables.runtime", "spec.runtimeClassName", naming.ALLOWED_RUNTIME_CLASSES),
        is_cel=True,
    ),
    Rule(
        "short-grace",
        f"variables.spec.?terminationGracePeriodSeconds.orValue(30) <= {LONGEST_GRACE_SECONDS}",
        "at the end of a lease nobody waits longer than a minute: set terminationGracePeriodSeconds to at most "
        f"{LONGEST_GRACE_SECONDS}",
    ),
    # With none, whoever deletes the pod deletes it by force, the cluster's own controllers too.
    Rule(
        "some-grace",
        "variables.spec.?terminationGracePeriodSeconds.orValue(30) != 0",
        "a pod is gone when its node has stopped it: set terminationGracePeriodSeconds to 1 at least",
    ),
    # What a probe says counts for a container that the probe has stopped, whatever the pod says.
    Rule(
        "short-probe-grace",
        f"""\
variables.containers.all(c,
  c.?livenessProbe.?terminationGracePeriodSeconds.orValue(30) <= {LONGEST_GRACE_SECONDS}
  && c.?startupProbe.?terminationGracePeriodSeconds.orValue(30) <= {LONGEST_GRACE_SECONDS})""",
        "at the end of a lease nobody waits longer than a minute: set terminationGracePeriodSeconds of livenessProbe "
        f"and startupProbe to at most {LONGEST_GRACE_SECONDS}",
    ),
)
"""Rules of pods and of templates alike; they need `containers` of the rules about contents as well."""
