"""Attacks on the operator's marks by those who may write Nodes and Namespaces.

A kubelet whose node was broken into is one, and no tenant is. The other is an honest administrator who restores a
backup, or edits by hand: the same guard keeps both from undoing a lease.
"""

from typing import Any, Final

from sublet.desired import naming
from sublet.guards.attacks.attack import Attack, Request, Scene
from sublet.guards.attacks.requests import InScene, add

_FAR: Final = "2999-01-01T00:00:00Z"


def _key(name: str) -> str:
    """The name of a label or annotation as it stands in a path of a JSON patch."""
    return name.replace("/", "~1")


def _node(*operations: dict[str, Any], of: str = "") -> InScene:
    return lambda scene: Request("patch", f"/api/v1/nodes/{scene.node}{of}", list(operations))


def _namespace(*operations: dict[str, Any], of: str = "") -> InScene:
    return lambda scene: Request("patch", f"/api/v1/namespaces/{scene.namespace}{of}", list(operations))


def _remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def _register(**metadata: Any) -> InScene:  # noqa: ANN401 - a field of any kind
    def request(scene: Scene) -> Request:
        mine = {"name": f"{scene.node}-again", **metadata}
        return Request("create", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": mine})

    return request


def _finalize(scene: Scene) -> Request:
    metadata = {"name": scene.namespace, "annotations": {naming.ENDS_AT: _FAR}, "labels": {naming.LEASE: "another"}}
    whole = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "spec": {"finalizers": ["kubernetes"]}}
    return Request("update", f"/api/v1/namespaces/{scene.namespace}/finalize", whole)


def _new_namespace(scene: Scene) -> Request:
    metadata = {"name": "lease-forged", "labels": {naming.LEASE: scene.lease}}
    return Request("create", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


_LABEL: Final = f"/metadata/labels/{_key(naming.LEASE)}"
_UID: Final = f"/metadata/annotations/{_key(naming.LEASE_UID)}"
_END: Final = f"/metadata/annotations/{_key(naming.ENDS_AT)}"
_REGISTERED: Final = ("CVE-2025-5187",)
_SUBRESOURCE: Final = ("CVE-2026-30963",)

BY_A_KUBELET: tuple[Attack, ...] = (
    Attack("node-unlabelled", "Take the node out of its lease.", "cluster-labels", _node(_remove(_LABEL))),
    Attack("node-of-another", "Draw another tenant's pods here.", "cluster-labels", _node(add(_LABEL, "another"))),
    Attack(
        "node-unlabelled-by-status",
        "Take the node out of its lease by a request that is about its health.",
        "cluster-labels",
        _node(_remove(_LABEL), of="/status"),
    ),
    Attack("node-disowned", "Have the node taken for a free one.", "cluster-annotations", _node(_remove(_UID))),
    Attack(
        "node-clean-at-once",
        "Have the node sold before it was cleaned.",
        "cluster-annotations",
        _node(add(f"/metadata/annotations/{_key(naming.REUSABLE_AT)}", "2020-01-01T00:00:00Z")),
    ),
    Attack("node-untainted", "Let everybody's pods in.", "cluster-taints", _node(add("/spec/taints", []))),
    Attack(
        "node-taint-weakened",
        "Keep pods that were bound past the scheduler.",
        "cluster-taints",
        _node(add("/spec/taints/0/effect", "PreferNoSchedule")),
    ),
    Attack(
        "node-registered-with-a-lease",
        "Join as a node of a lease.",
        "cluster-labels",
        _register(labels={naming.LEASE: "another"}),
        _REGISTERED,
    ),
    Attack(
        "node-registered-with-an-owner",
        "Join as a node that the operator takes for claimed.",
        "cluster-annotations",
        _register(annotations={naming.LEASE_UID: "1"}),
        _REGISTERED,
    ),
)
"""Run as the node itself."""

BY_AN_ADMINISTRATOR: tuple[Attack, ...] = (
    Attack("lease-taken-off", "Free a namespace of every guard.", "cluster-labels", _namespace(_remove(_LABEL))),
    Attack("end-moved", "Move the end of the lease.", "cluster-annotations", _namespace(add(_END, _FAR))),
    Attack(
        "end-moved-by-status",
        "Move the end by a request that is about the namespace's phase.",
        "cluster-annotations",
        _namespace(add(_END, _FAR), of="/status"),
        _SUBRESOURCE,
    ),
    Attack(
        "lease-moved-by-finalize",
        "Move the end, and the lease, by a request that is about the namespace's going.",
        "cluster-labels",
        _finalize,
        _SUBRESOURCE,
    ),
    Attack("namespace-forged", "Make a namespace that passes for a lease's.", "cluster-labels", _new_namespace),
)
"""Run as an administrator who is no member of the break-glass group."""
