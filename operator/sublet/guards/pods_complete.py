"""Completing pods: whoever writes a pod need know nothing of leases."""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import Match, Mutation

_SELECTOR: Final = f"""\
'{naming.LEASE}' in object.spec.?nodeSelector.orValue({{}}) ? [] : has(object.spec.nodeSelector)
? [JSONPatch{{op: 'add', path: '/spec/nodeSelector/' + jsonpatch.escapeKey('{naming.LEASE}'), value: variables.lease}}]
: [JSONPatch{{op: 'add', path: '/spec/nodeSelector', value: {{'{naming.LEASE}': variables.lease}}}}]"""

_TOLERATION: Final = f"""\
(has(object.spec.tolerations) ? [] : [JSONPatch{{op: 'add', path: '/spec/tolerations', value: []}}])
+ (object.spec.?tolerations.orValue([]).exists(t, t.?key.orValue('') == '{naming.LEASE}') ? [] : [JSONPatch{{
  op: 'add', path: '/spec/tolerations/-',
  value: {{'key': '{naming.LEASE}', 'operator': 'Equal', 'value': variables.lease, 'effect': 'NoExecute'}}}}])"""

# The deadline can only be lowered later, so it is the hard stop and not the end, which an extension may move.
_DEADLINE: Final = """\
variables.left < 1 || object.spec.?activeDeadlineSeconds.orValue(variables.left + 1) <= variables.left
? [] : [JSONPatch{op: 'add', path: '/spec/activeDeadlineSeconds', value: variables.left}]"""

_SIZES: Final = """\
lists.range(size(variables.volumes))
.filter(i, has(variables.volumes[i].emptyDir) && !has(variables.volumes[i].emptyDir.sizeLimit))
.map(i, JSONPatch{op: 'add', path: '/spec/volumes/' + string(i) + '/emptyDir/sizeLimit', value: '64Gi'})"""


def _pull(field: str) -> str:
    """Images are pulled anew, with the pod's own credentials: what is in the node's cache may be somebody else's."""
    return f"""\
lists.range(size(object.spec.?{field}.orValue([])))
.filter(i, object.spec.{field}[i].?imagePullPolicy.orValue('') != 'Always')
.map(i, JSONPatch{{op: 'add', path: '/spec/{field}/' + string(i) + '/imagePullPolicy', value: 'Always'}})"""


# There is no clock in CEL. The server writes its own into managedFields before it asks; of several entries the latest
# is taken, for the client may have sent some. One from the future shortens the client's own pod.
_NOW: Final = """\
object.metadata.?managedFields.orValue([]).filter(m, has(m.time)).map(m, timestamp(string(m.time)))"""

_LEFT: Final = f"""\
'{naming.HARD_STOP_AT}' in variables.notes && size(variables.times) > 0
? int((timestamp(variables.notes['{naming.HARD_STOP_AT}']) - variables.times.max()).getSeconds()) : 0"""

PODS: Final = Mutation(
    name="complete-pods",
    matches=(Match(("",), ("pods",), ("CREATE",)),),
    variables=(
        ("notes", "namespaceObject.metadata.?annotations.orValue({})"),
        ("lease", f"namespaceObject.metadata.labels['{naming.LEASE}']"),
        ("volumes", "object.spec.?volumes.orValue([])"),
        ("times", _NOW),
        ("left", _LEFT),
    ),
    patches=(_SELECTOR, _TOLERATION, _DEADLINE, _SIZES, _pull("containers"), _pull("initContainers")),
)
"""Pins a pod to the lease's nodes, lets it tolerate their taint, and bounds its time, its disk and its images."""

DEBUG_CONTAINERS: Final = Mutation(
    name="complete-debug-containers",
    matches=(Match(("",), ("pods/ephemeralcontainers",), ("UPDATE",)),),
    patches=(_pull("ephemeralContainers"),),
)
"""The same for the containers that `kubectl debug` adds to a running pod."""
