"""The few calls this tool makes to an API server itself, over one kept-open connection.

Two thousand nodes are two thousand POSTs: kubectl takes a minute for them, a few connections take seconds.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from hack.cluster.errors import ClusterError


@dataclass(frozen=True)
class Answer:
    """Status and body of one response."""

    status: int
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the server says
        """The body, read as JSON."""
        return json.loads(self.body)

    def accept(self, *statuses: int) -> Self:
        """This answer, if its status is a success or one of `statuses`."""
        if self.status in statuses or self.status < http.client.MULTIPLE_CHOICES:
            return self
        raise ClusterError(f"The API server answered {self.status}: {self.body.decode(errors='replace')[:500]}")


class Connection:
    """One connection, for one thread."""

    def __init__(self, server: str, context: ssl.SSLContext, token: str = "", *, timeout: float = 30) -> None:
        self._http = http.client.HTTPSConnection(urlsplit(server).netloc, context=context, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request and read the whole answer."""
        headers = {**self._headers, "Content-Type": "application/json"}
        self._http.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
        response = self._http.getresponse()
        return Answer(response.status, response.read())

    def lines(self, path: str) -> Iterator[bytes]:
        """Each line of an answer, as it comes."""
        self._http.request("GET", path, headers=self._headers)
        response = self._http.getresponse()
        Answer(response.status, b"").accept()
        yield from response

    def close(self) -> None:
        """Close the socket."""
        self._http.close()


@dataclass(frozen=True)
class Api:
    """Where an API server is, how to know it, and who we are to it."""

    server: str
    ca: Path
    token: str

    @contextlib.contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of one's own."""
        connection = Connection(self.server, ssl.create_default_context(cafile=str(self.ca)), self.token)
        with contextlib.closing(connection):
            yield connection


def healthy(url: str, pki: Path) -> bool:
    """Whether a component answers 200; it is shown our certificate, for etcd serves nobody without one."""
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "server.crt", pki / "server.key")
    with contextlib.closing(Connection(url, context, timeout=3)) as connection:
        try:
            return connection.call("GET", urlsplit(url).path).status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
