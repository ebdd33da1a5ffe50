"""Pods in the wrong place: other nodes, other schedulers, other ranks."""

from typing import Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Manifest, Scene
from sublet.guards.attacks.pods_shapes import Bad, container

_ELSEWHERE: Final = "somebody-elses-lease"


def _node_affinity(key: str, operator: str, *values: str) -> Manifest:
    terms = [{"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}]
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    }


def _preferred(scene: Scene) -> Manifest:
    wish = {"matchExpressions": [{"key": naming.LEASE, "operator": "NotIn", "values": [scene.lease]}]}
    weighed = [{"weight": 100, "preference": wish}]
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighed}}}


def _anti_affinity(**where: object) -> Manifest:
    term = {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {}, **where}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def _drawn_to(namespace: str) -> Manifest:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, "namespaces": [namespace]}
    weighed = [{"weight": 100, "podAffinityTerm": term}]
    return {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighed}}}


def _tolerates(**toleration: object) -> Manifest:
    return {"tolerations": [toleration]}


_STOPPING: Final = {"exec": {"command": ["false"]}, "terminationGracePeriodSeconds": 3600}
_NODES: Final = "Run on a node of another tenant or of the owner."
_STAY: Final = "Stay on a node whatever happens to it."

PLACE: Final = (
    Bad("node-name", _NODES, "no-node-name", lambda s: {"nodeName": s.foreign_node}),
    Bad("node-name-own", "Go around the scheduler on the own node.", "no-node-name", lambda s: {"nodeName": s.node}),
    Bad("select-another-lease", _NODES, "own-nodes-only", lambda _: {"nodeSelector": {naming.LEASE: _ELSEWHERE}}),
    Bad("select-no-lease", _NODES, "own-nodes-only", lambda _: {"nodeSelector": {naming.LEASE: ""}}),
    Bad(
        "affinity-another-lease", _NODES, "own-lease-affinity", lambda _: _node_affinity(naming.LEASE, "In", _ELSEWHERE)
    ),
    Bad("affinity-no-lease", _NODES, "own-lease-affinity", lambda _: _node_affinity(naming.LEASE, "DoesNotExist")),
    Bad("affinity-pool", _NODES, "own-lease-affinity", lambda _: _node_affinity(naming.POOL, "Exists")),
    Bad("affinity-prefers-others", _NODES, "own-lease-affinity", _preferred),
    Bad(
        "anti-affinity-everywhere",
        "Keep everybody else's pods out of a zone.",
        "own-namespace-affinity",
        lambda _: _anti_affinity(namespaceSelector={}),
    ),
    Bad(
        "anti-affinity-another-namespace",
        "Keep a neighbour's pods out of a zone.",
        "own-namespace-affinity",
        lambda s: _anti_affinity(namespaces=[s.namespace, s.foreign_namespace]),
    ),
    Bad(
        "affinity-to-system-pods",
        "Learn where the cluster's own pods run.",
        "own-namespace-affinity",
        lambda _: _drawn_to("kube-system"),
    ),
    Bad("tolerate-everything", _NODES, "own-tolerations-only", lambda _: _tolerates(operator="Exists")),
    Bad(
        "tolerate-every-lease",
        _NODES,
        "own-tolerations-only",
        lambda _: _tolerates(key=naming.LEASE, operator="Exists"),
    ),
    Bad(
        "tolerate-another-lease",
        _NODES,
        "own-tolerations-only",
        lambda _: _tolerates(key=naming.LEASE, operator="Equal", value=_ELSEWHERE, effect="NoExecute"),
    ),
    Bad(
        "tolerate-own-lease-in-every-effect",
        _STAY,
        "own-tolerations-only",
        lambda s: _tolerates(key=naming.LEASE, operator="Equal", value=s.lease),
    ),
    Bad(
        "tolerate-cleaning",
        "Run on a node while it is cleaned.",
        "own-tolerations-only",
        lambda _: _tolerates(key=f"{naming.PREFIX}/sanitizing", operator="Exists"),
    ),
    Bad(
        "tolerate-control-plane",
        "Run beside the control plane.",
        "own-tolerations-only",
        lambda _: _tolerates(key="node-role.kubernetes.io/control-plane", operator="Exists", effect="NoSchedule"),
    ),
    Bad(
        "tolerate-unreachable-for-ever",
        _STAY,
        "own-tolerations-only",
        lambda _: _tolerates(key="node.kubernetes.io/unreachable", operator="Exists", effect="NoExecute"),
    ),
    Bad(
        "tolerate-not-ready-for-a-day",
        _STAY,
        "own-tolerations-only",
        lambda _: _tolerates(
            key="node.kubernetes.io/not-ready", operator="Exists", effect="NoExecute", tolerationSeconds=86400
        ),
    ),
    Bad(
        "foreign-scheduler",
        "Be placed by rules of one's own.",
        "default-scheduler-only",
        lambda _: {"schedulerName": "mine"},
    ),
    Bad(
        "priority-node-critical",
        "Push other pods off their nodes.",
        "allowed-priority-class",
        lambda _: {"priorityClassName": "system-node-critical"},
    ),
    Bad(
        "priority-cluster-critical",
        "Push other pods off, though the owner listed the class by mistake.",
        "allowed-priority-class",
        lambda _: {"priorityClassName": "system-cluster-critical"},
    ),
    Bad(
        "priority-of-the-owner",
        "Have the rank of the owner's pods.",
        "allowed-priority-class",
        lambda _: {"priorityClassName": "owner"},
    ),
    Bad(
        "runtime-of-the-owner",
        "Run outside of the sandbox that the pool demands.",
        "allowed-runtime-class",
        lambda _: {"runtimeClassName": "owner"},
    ),
    Bad(
        "endless-grace",
        "Hold up the end of the lease.",
        "short-grace",
        lambda _: {"terminationGracePeriodSeconds": 3600},
    ),
    Bad(
        "no-grace",
        "Be deleted by force, and compute on while nobody knows.",
        "some-grace",
        lambda _: {"terminationGracePeriodSeconds": 0},
    ),
    Bad(
        "endless-grace-of-a-liveness-probe",
        "Hold up the end of the lease, by a container that its probe stops.",
        "short-probe-grace",
        lambda _: {"containers": [container(livenessProbe=_STOPPING)]},
    ),
    Bad(
        "endless-grace-of-a-startup-probe",
        "Hold up the end of the lease, by a container that never starts.",
        "short-probe-grace",
        lambda _: {"containers": [container(startupProbe=_STOPPING)]},
    ),
    Bad(
        "endless-grace-of-a-sidecar",
        "Hold up the end of the lease, by a sidecar that its probe stops.",
        "short-probe-grace",
        lambda _: {
            "initContainers": [container(name="side", restartPolicy="Always", livenessProbe=_STOPPING)],
        },
    ),
)
