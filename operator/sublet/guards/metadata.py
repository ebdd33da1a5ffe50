"""Guards of metadata: what Sublet writes on nodes, namespaces and objects, and what holds an object back.

Every other guard reads labels and annotations under `sublet.dev/`, so whoever could write them could undo all guards.
Old and new are compared, so that everybody can change the rest of an object that carries them.
"""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import BREAK_GLASS, BY_BREAK_GLASS, BY_OPERATOR, BY_SANITIZER, Match, Policy, Rule

_OURS: Final = f"{naming.PREFIX}/"
_BY_OTHERS: Final = ("by-others", f"!({BY_OPERATOR} || {BY_BREAK_GLASS})")
PROVING_GROUND: Final = "sublet-ended"
"""The chart's own namespace, in which the operator asks whether guards bite. Helm must be able to repair it, and what
is changed in it opens nothing: no probe succeeds any more, so no tenant is let in."""

_NOT_PROVING: Final = (
    "not-the-proving-ground",
    f"!(request.resource.resource == 'namespaces' && request.name == '{PROVING_GROUND}')",
)
_MADE_UP_LEASES: Final = ", ".join(f"'{name}'" for name in naming.MADE_UP_LEASES)
# Each stands for a lease whose UID is its own name, which no lease has: with that label and no other of ours a
# namespace is let in nowhere. Helm writes it.
_NOT_MADE_UP: Final = (
    "not-a-made-up-lease",
    f"""\
!(request.resource.resource == 'namespaces' && request.name in [{_MADE_UP_LEASES}]
  && object.metadata.?labels.orValue({{}}).all(k, !k.startsWith('{_OURS}')
    || k == '{naming.LEASE_UID}' && object.metadata.labels[k] == request.name)
  && object.metadata.?annotations.orValue({{}}).all(k, !k.startsWith('{_OURS}')))""",
)
_EXCEPT: Final = f"written by Sublet alone; leave it as it is, or act as a member of the group {BREAK_GLASS}"


def _old(path: str, nothing: str) -> str:
    """CEL: a part of the object as it was, or nothing if it is new."""
    return f"request.operation == 'CREATE' ? {nothing} : oldObject.{path}.orValue({nothing})"


def _kept(what: str, unless: str = "") -> str:
    """CEL: of the map `what`, no key of ours was added, changed or removed, but one `k` of which `unless` is true."""
    new, old = f"variables.{what}", f"variables.{what}Before"
    other = f" || {unless}" if unless else ""
    return (
        f"{new}.all(k, !k.startsWith('{_OURS}') || (k in {old} && {old}[k] == {new}[k]){other})"
        f" && {old}.all(k, !k.startsWith('{_OURS}') || k in {new})"
    )


_SAYS_IT_IS_CLEAN: Final = (
    f"(k == '{naming.SANITIZED}' && {BY_SANITIZER} && request.resource.resource == 'nodes'"
    f" && variables.labels[?'{naming.SANITIZING}'].orValue('') == variables.annotations[k])"
)
"""CEL: a system of the owner's says of a node that is being cleaned, and after which lease, that it is clean."""


_MAPS: Final = tuple(
    pair
    for what in ("labels", "annotations")
    for pair in (
        (what, f"object.metadata.?{what}.orValue({{}})"),
        (f"{what}Before", _old(f"metadata.?{what}", "{}")),
    )
)
_TAINTS: Final = (
    ("taints", "object.?spec.?taints.orValue([])"),
    ("taintsBefore", _old("?spec.?taints", "[]")),
)
_OWNERS: Final = (
    ("owners", "object.metadata.?ownerReferences.orValue([])"),
    ("ownersBefore", _old("metadata.?ownerReferences", "[]")),
    ("finalizers", "object.metadata.?finalizers.orValue([])"),
    ("finalizersBefore", _old("metadata.?finalizers", "[]")),
)

_CLUSTER: Final = (
    Rule("cluster-labels", _kept("labels"), f"a label under {_OURS} on a node or namespace is {_EXCEPT}"),
    Rule(
        "cluster-annotations",
        _kept("annotations", unless=_SAYS_IT_IS_CLEAN),
        f"an annotation under {_OURS} on a node or namespace is {_EXCEPT}",
    ),
    Rule(
        "cluster-taints",
        f"variables.taints.filter(t, t.key.startsWith('{_OURS}'))"
        f" == variables.taintsBefore.filter(t, t.key.startsWith('{_OURS}'))",
        f"a taint whose key begins with {_OURS} is {_EXCEPT}",
    ),
)

_OBJECT: Final = (
    Rule("object-labels", _kept("labels"), f"a label under {_OURS} is {_EXCEPT}"),
    Rule("object-annotations", _kept("annotations"), f"an annotation under {_OURS} is {_EXCEPT}"),
)

# A finalizer is safe only on the kind whose controller takes it off again. One that nobody takes off keeps the
# namespace, and with it the nodes, for ever.
_NO_FINALIZERS: Final = Rule(
    "finalizers",
    """\
variables.finalizers.all(f, f in variables.finalizersBefore
  || (request.resource.resource == 'pods' && f == 'batch.kubernetes.io/job-tracking'
      && variables.owners.exists(o, o.apiVersion == 'batch/v1' && o.kind == 'Job' && o.?controller.orValue(false)))
  || (request.resource.resource == 'persistentvolumeclaims' && f == 'kubernetes.io/pvc-protection')
  || (request.resource.resource == 'resourceclaims' && f == 'resource.kubernetes.io/delete-protection'))""",
    "a finalizer could hold the namespace back at the end; leave metadata.finalizers out, also in templates",
)
# The garbage collector follows a reference to a kind without namespaces as well: one to a Node with
# blockOwnerDeletion gets in the way of deleting that node.
_OWNERS_INSIDE: Final = Rule(
    "owners",
    """\
variables.owners.all(o, o in variables.ownersBefore
  || o.apiVersion in ['apps/v1', 'batch/v1', 'autoscaling/v2']
  || (o.apiVersion == 'v1' && o.kind in ['Pod', 'Service', 'ConfigMap', 'Secret', 'PersistentVolumeClaim']))""",
    "metadata.ownerReferences may name workloads, Services, ConfigMaps, Secrets and claims of the namespace",
)

POLICIES: tuple[Policy, ...] = (
    # With subresources: /status and /finalize write metadata as well.
    Policy(
        name="cluster-metadata",
        matches=(Match(("",), ("nodes", "nodes/*", "namespaces", "namespaces/*")),),
        conditions=(_BY_OTHERS, _NOT_PROVING, _NOT_MADE_UP),
        variables=(*_MAPS, *_TAINTS),
        rules=_CLUSTER,
        in_leases=False,
    ),
    Policy(
        name="object-metadata",
        matches=(Match(("*",), ("*/*",)),),
        conditions=(_BY_OTHERS,),
        variables=_MAPS,
        rules=_OBJECT,
    ),
    # Also for controllers: what a template says reaches an object by their hand.
    Policy(
        name="object-lifetime",
        matches=(Match(("*",), ("*/*",)),),
        variables=_OWNERS,
        rules=(_NO_FINALIZERS, _OWNERS_INSIDE),
    ),
)
