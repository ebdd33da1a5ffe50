"""What those may do who speak to the API server for real nodes."""

from collections.abc import Sequence
from typing import Any

from hack.cluster.api import Api

GROUP = "rbac.authorization.k8s.io"
READ = ("list", "watch")


def reads(group: str, *resources: str) -> dict[str, Any]:
    """A rule: list and watch."""
    return {"apiGroups": [group], "resources": resources, "verbs": READ}


def user(name: str) -> dict[str, Any]:
    """A subject that is known by its token."""
    return {"apiGroup": GROUP, "kind": "User", "name": name}


def account(namespace: str, name: str) -> dict[str, Any]:
    """A subject that is a pod's ServiceAccount."""
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def grant(api: Api, role: str, subject: dict[str, Any], rules: Sequence[dict[str, Any]] = ()) -> None:
    """Bind a ClusterRole to a subject; given `rules`, make the role too."""
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    objects: dict[str, dict[str, Any]] = {
        "clusterrolebindings": {"kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]}
    }
    if rules:
        objects["clusterroles"] = {"kind": "ClusterRole", "rules": rules}
    with api.connect() as connection:
        for resource, content in objects.items():
            manifest = {"apiVersion": f"{GROUP}/v1", "metadata": {"name": role}, **content}
            connection.call("POST", f"/apis/{GROUP}/v1/{resource}", manifest).accept(409)
