"""Guards of pods: where they run, with what, from where and how long; and of whatever makes pods."""

from typing import Final

from sublet.desired import naming
from sublet.guards import pods_complete, pods_contents, pods_deletion, pods_metadata, pods_place, pods_security
from sublet.guards.rule import Match, Mutation, Policy, Rule

_NODE_NAME: Final = "a pod that names its node goes around the scheduler: remove spec.nodeName"

_ALWAYS_PULL: Final = Rule(
    "always-pull",
    "variables.containers.all(c, c.?imagePullPolicy.orValue('') == 'Always')",
    "what lies in a node's image cache may be somebody else's: set imagePullPolicy to Always on every container",
)

# On UPDATE there is no clock, and the deadline can only be lowered. The seconds are for the way from the policy that
# writes the deadline to the one that reads it.
_DEADLINE: Final = Rule(
    "ends-by-hard-stop",
    f"""\
request.operation != 'CREATE' || has(variables.spec.activeDeadlineSeconds)
&& timestamp(object.metadata.creationTimestamp) + duration(string(variables.spec.activeDeadlineSeconds) + 's')
  <= timestamp(variables.notes[?'{naming.HARD_STOP_AT}'].orValue('1970-01-01T00:00:00Z')) + duration('10s')""",
    f"'a pod is over by ' + variables.notes[?'{naming.HARD_STOP_AT}'].orValue('the hard stop of its lease') + "
    "': lower spec.activeDeadlineSeconds'",
    is_cel=True,
)

_PODS: Final = Policy(
    name="pods",
    matches=(Match(("",), ("pods",)), Match(("",), ("pods/ephemeralcontainers",))),
    # What was admitted once and did not change is not judged again: else a rule that became stricter would keep
    # controllers from taking their finalizers off, and with them the namespace from going.
    conditions=(("spec-is-new", "request.operation == 'CREATE' || object.spec != oldObject.spec"),),
    variables=(
        ("spec", "object.spec"),
        *pods_place.VARIABLES,
        (
            "claims",
            "variables.spec.?volumes.orValue([]).filter(v, has(v.ephemeral)).map(v, v.ephemeral.volumeClaimTemplate)",
        ),
        *pods_contents.VARIABLES,
        *pods_security.VARIABLES,
    ),
    rules=(
        # Of a pod that runs the scheduler has written it, and nobody can change it.
        Rule("no-node-name", "request.operation != 'CREATE' || !has(variables.spec.nodeName)", _NODE_NAME),
        pods_place.NODE_SELECTOR,
        *pods_place.RULES,
        *pods_contents.RULES,
        pods_contents.empty_dirs(sized=True),
        pods_security.NO_UNMASKED_PROC,
        _ALWAYS_PULL,
        _DEADLINE,
    ),
)

_POD_METADATA: Final = Policy(
    name="pod-metadata",
    matches=(Match(("",), ("pods", "pods/*")),),
    variables=(
        ("meta", "object.metadata"),
        ("knownNotes", "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"),
    ),
    rules=(pods_metadata.NO_RUNTIME_ANNOTATIONS,),
)


def _template(of: str) -> str:
    """CEL for the pod template in an object of any of these kinds."""
    return f"""\
(has({of}.template) ? {of}.template
  : {of}.spec.?jobTemplate.?spec.?template.orValue({of}.spec.?template.orValue({{}})))"""


_TEMPLATES: Final = Policy(
    name="pod-templates",
    matches=(
        Match(("",), ("podtemplates", "replicationcontrollers")),
        Match(("apps",), ("daemonsets", "deployments", "replicasets", "statefulsets")),
        Match(("batch",), ("cronjobs", "jobs")),
    ),
    # So that a lease whose rules became stricter can still be scaled down and cleared away.
    conditions=(
        (
            "template-is-new",
            f"request.operation == 'CREATE' || {_template('object')} != {_template('oldObject')}",
        ),
    ),
    variables=(
        ("template", _template("object")),
        ("spec", "variables.template.spec"),
        ("meta", "variables.template.?metadata.orValue({})"),
        ("knownNotes", "{}"),
        *pods_place.VARIABLES,
        (
            "claims",
            """\
variables.spec.?volumes.orValue([]).filter(v, has(v.ephemeral)).map(v, v.ephemeral.volumeClaimTemplate)
+ object.?spec.?volumeClaimTemplates.orValue([])""",
        ),
        *pods_contents.VARIABLES,
        *pods_security.VARIABLES,
    ),
    rules=(
        Rule("no-node-name", "!has(variables.spec.nodeName)", _NODE_NAME),
        pods_place.TEMPLATE_NODE_SELECTOR,
        *pods_place.RULES,
        *pods_contents.RULES,
        pods_contents.empty_dirs(sized=False),
        *pods_metadata.TEMPLATE_RULES,
        pods_security.NO_UNMASKED_PROC,
        *pods_security.BASELINE,
        *pods_security.RESTRICTED,
    ),
)

_KEYS: Final = Policy(
    name="device-keys",
    matches=(Match(("",), ("configmaps", "secrets")),),
    variables=(("before", "request.operation == 'CREATE' ? {} : oldObject.?data.orValue({})"),),
    rules=(
        # With envFrom every key becomes a variable, and the policy on pods cannot look into a ConfigMap.
        Rule(
            "no-device-keys",
            f"""\
object.?data.orValue({{}}).all(k, k in variables.before
  || !k.startsWith('NVIDIA_') && !(k in {pods_contents.DEVICE_NAMES}))""",
            "a key could become a variable that chooses GPUs: name it otherwise",
        ),
    ),
)

POLICIES: Final[tuple[Policy, ...]] = (_PODS, _POD_METADATA, _TEMPLATES, _KEYS, pods_deletion.DELETION)
MUTATIONS: Final[tuple[Mutation, ...]] = (pods_complete.PODS, pods_complete.DEBUG_CONTAINERS)
