"""The attacker: sends the requests of attacks as Alice, by dry-run, and says which guard answered."""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hack import cluster as clusters
from sublet.guards.attacks.answer import stopped_by
from sublet.guards.attacks.attack import METHODS, Request

_DRY: Final = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Answer:
    """What the API server said.

    Attributes:
        status: The HTTP status.
        body: The object, or the Status that tells why not.
    """

    status: int
    body: Any

    @property
    def message(self) -> str:
        """Why not; empty if it was admitted."""
        return "" if self.status < http.client.BAD_REQUEST else str(self.body.get("message", self.body))

    @property
    def stopped_by(self) -> str:
        """The guard that refused: a rule's name, `rbac`, `quota`, `pod-security` or `schema`; or `admitted`."""
        return stopped_by(self.message, self.body.get("reason", ""))


class Attacker:
    """One user of the cluster, or somebody whom an administrator plays, over one connection that is kept open."""

    def __init__(self, cluster: clusters.Cluster, user: str = "alice", plays: tuple[str, str] | None = None) -> None:
        context = ssl.create_default_context(cafile=str(cluster.ca))
        self._http = http.client.HTTPSConnection(urlsplit(cluster.server).netloc, context=context, timeout=30)
        self._headers = {"Authorization": f"Bearer {cluster.token(user)}", "Accept": "application/json"}
        if plays:
            self._headers |= {"Impersonate-User": plays[0], "Impersonate-Group": plays[1]}

    def try_out(self, request: Request) -> Answer:
        """Send a request; whatever it would change is only tried, by dry-run."""
        method = METHODS[request.verb]
        # A connection to a pod cannot be tried: it is refused before it is made, or it comes to nothing here.
        dry = method in _DRY and request.verb != "connect"
        return self.send(method, request.path + ("?dryRun=All" if dry else ""), request.body)

    def send(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send anything, for good."""
        patch = "json-patch+json" if isinstance(body, list) else "strategic-merge-patch+json"
        content = f"application/{patch}" if method == "PATCH" else "application/json"
        sent = None if body is None else json.dumps(body)
        self._http.request(
            method, path, body=sent, headers={**self._headers, "Content-Type": content, **(headers or {})}
        )
        response = self._http.getresponse()
        text = response.read()
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            return Answer(response.status, {"message": text.decode(errors="replace")})

    def watch(self, path: str) -> Answer:
        """Begin to watch, and leave at once."""
        self._http.request("GET", f"{path}?watch=true", headers=self._headers)
        response = self._http.getresponse()
        if response.status != http.client.OK:
            return Answer(response.status, json.loads(response.read()))
        response.close()
        self._http.close()
        return Answer(response.status, {})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@contextlib.contextmanager
def attacker(
    cluster: clusters.Cluster, user: str = "alice", plays: tuple[str, str] | None = None
) -> Iterator[Attacker]:
    """An attacker whose connection is closed in the end; `plays` is the user and group that an administrator plays."""
    with contextlib.closing(Attacker(cluster, user, plays)) as one:
        yield one
