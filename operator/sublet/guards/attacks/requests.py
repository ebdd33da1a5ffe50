"""Requests that attacks are made of, for any scene."""

from collections.abc import Callable
from typing import Any

from sublet.guards.attacks.attack import Manifest, Request, Scene, Verb

InScene = Callable[[Scene], Request]
"""A request that waits for its scene."""


def collection(group: str, plural: str, namespace: str = "") -> str:
    """The path of a collection; of the whole cluster if no namespace is given."""
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def create(group: str, plural: str, kind: str, *, metadata: Manifest | None = None, **parts: Any) -> InScene:  # noqa: ANN401
    """Create an object in the lease's namespace; `parts` are what it has beside metadata."""
    body = {"apiVersion": group, "kind": kind, "metadata": {"name": "attack", **(metadata or {})}, **parts}
    return lambda scene: Request("create", collection(group, plural, scene.namespace), body)


def patch(group: str, named: str, *operations: Manifest) -> InScene:
    """Patch `plural/name`, or one of its subresources, in the lease's namespace."""
    return lambda scene: Request("patch", collection(group, named, scene.namespace), list(operations))


def ask(verb: Verb, group: str, plural: str, *, elsewhere: bool = False, body: Any = None) -> InScene:  # noqa: ANN401
    """Any request in the lease's namespace, or in a foreign one."""

    def request(scene: Scene) -> Request:
        namespace = scene.foreign_namespace if elsewhere else scene.namespace
        return Request(verb, collection(group, plural, namespace), body)

    return request


def add(path: str, value: Any) -> Manifest:  # noqa: ANN401
    """One operation of a JSON patch."""
    return {"op": "add", "path": path, "value": value}
