"""An attack: one request of a tenant that must be refused, and by what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Manifest = dict[str, Any]
Verb = Literal["get", "list", "create", "update", "patch", "delete", "deletecollection", "connect"]


METHODS: Final[Mapping[Verb, str]] = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
    "connect": "POST",
}
"""The HTTP method of each verb."""


@dataclass(frozen=True)
class Scene:
    """Where an attack plays: one live lease.

    Attributes:
        lease: The lease's name.
        namespace: Its namespace.
        node: One of its nodes.
        foreign_node: A node that is not its own.
        foreign_namespace: A namespace that is not its own.
        gpu_resource: The extended resource that counts GPUs.
    """

    lease: str
    namespace: str
    node: str
    foreign_node: str
    foreign_namespace: str
    gpu_resource: str


@dataclass(frozen=True)
class Request:
    """One request to the API server.

    Attributes:
        verb: What is asked for.
        path: The path, without query.
        body: The object, or the JSON patch for `patch`; None if the verb has none.
    """

    verb: Verb
    path: str
    body: Any = None


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: In kebab case, unique.
        what: What the attacker is after, in one sentence.
        stopped_by: The name of the rule in `guards` that must refuse it, or `rbac`, `quota`, `pod-security`,
            `schema`. An attack that the wrong guard stops is a failure too: the right one may be broken.
        request: The request, for a scene.
        ids: Ids of published benchmarks or advisories that this attack is a case of.
    """

    name: str
    what: str
    stopped_by: str
    request: Callable[[Scene], Request]
    ids: tuple[str, ...] = ()
