"""Who may speak to a cluster: the administrator, the components, and two people of two tenants.

On the embedded cluster each has a random token (`--token-auth-file`). On kind, or on a cluster of your own,
the two people are impersonated with the administrator's credentials. Either way the API server sees the user
and group that an OIDC provider would give.
"""

import base64
import copy
import csv
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cluster.errors import ClusterError
from hack.cluster.pki import private


@dataclass(frozen=True)
class Identity:
    """A context in a kubeconfig, and the user and groups that stand behind it."""

    context: str
    user: str
    groups: tuple[str, ...] = ()


ADMIN = Identity("admin", "admin", ("system:masters",))
PEOPLE = (
    Identity("alice", "alice@acme.example", ("acme",)),
    Identity("bob", "bob@globex.example", ("globex",)),
)
COMPONENTS = (
    Identity("kube-controller-manager", "system:kube-controller-manager"),
    Identity("kube-scheduler", "system:kube-scheduler"),
    # It plays every kubelet at once: named as one, with the rights to be all of them.
    Identity("kwok", "system:node:kwok", ("system:masters",)),
)


def issue(token_file: Path, of_nodes: Sequence[Identity] = ()) -> dict[str, str]:
    """Make a token for each identity, write the API server's token file; return context to token."""
    identities = (ADMIN, *PEOPLE, *COMPONENTS, *of_nodes)
    tokens = {who.context: secrets.token_urlsafe(32) for who in identities}
    rows = (f'{tokens[who.context]},{who.user},{who.context},"{",".join(who.groups)}"\n' for who in identities)
    private(token_file, "".join(rows).encode())
    return tokens


def write_kubeconfig(path: Path, *, cluster: str, server: str, ca: Path, tokens: Mapping[str, str]) -> None:
    """Write a kubeconfig (JSON is YAML) with one context per token, the first of them current."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": who, "user": {"token": token}} for who, token in tokens.items()],
        "contexts": [{"name": who, "context": {"cluster": cluster, "user": who}} for who in tokens],
        "current-context": next(iter(tokens)),
    }
    private(path, json.dumps(config, indent=2).encode())


def with_people(config: Mapping[str, Any]) -> dict[str, Any]:
    """A kubeconfig of one context, with that context named `admin` and the people impersonated through it."""
    cluster, admin = config["clusters"][0]["name"], config["users"][0]["user"]
    result = copy.deepcopy(dict(config))
    result["users"] = [{"name": ADMIN.context, "user": admin}] + [
        {"name": who.context, "user": {**admin, "as": who.user, "as-groups": list(who.groups)}} for who in PEOPLE
    ]
    result["contexts"] = [
        {"name": who.context, "context": {"cluster": cluster, "user": who.context}} for who in (ADMIN, *PEOPLE)
    ]
    result["current-context"] = ADMIN.context
    return result


def read(token_file: Path, user: str) -> str:
    """The token of a context or user name."""
    with token_file.open() as file:
        for token, name, context, _ in csv.reader(file):
            if user in (name, context):
                return token
    raise ClusterError(f"Nobody here is called {user!r}.")
