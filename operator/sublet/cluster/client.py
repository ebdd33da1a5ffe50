"""A thin client over raw objects: get, list, watch, apply, patch, create, delete.

The official client brings the configuration, the credentials and the connections. Its typed models are left
out: they cost ten times the time and three times the memory of the dictionaries that a pass needs.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client as aio
from kubernetes.aio import config as aio_config

from sublet.cluster.faults import fault
from sublet.cluster.kinds import Kind, kind_of
from sublet.errors import NotFoundError, UnavailableError

Raw = dict[str, Any]

_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
FIELD_MANAGER = "sublet"
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
_WATCH_SECONDS = 290
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=_WATCH_SECONDS + 20)


@dataclass(frozen=True)
class Endpoint:
    """Where the API server is, how to know it and who we are to it, for whoever opens connections of its own.

    Attributes:
        server: Base address.
        ca: Path or text of the certificate to verify it with, if it is not a public one.
        authorization: Scheme and token; None where a certificate identifies us.
        certificate: Paths of our certificate and its key, if we have one.
        insecure: Whether the server's certificate is not verified.
    """

    server: str
    ca: str | None
    authorization: tuple[str, str] | None
    certificate: tuple[str, str] | None
    insecure: bool


class Observer(Protocol):
    """Whoever counts requests."""

    def __call__(self, *, is_write: bool) -> None:
        """Take note of one request."""


class Client:
    """Requests to one API server. Every answer that is not a success raises an error of `sublet.errors`."""

    def __init__(self, configuration: aio.Configuration) -> None:
        configuration.connection_pool_maxsize = 64
        self._configuration = configuration
        self._rest = aio.ApiClient(configuration).rest_client
        self.writes = 0
        self.on_request: Observer | None = None

    @classmethod
    async def connect(cls, kubeconfig: str | None = None) -> Self:
        """A client with the credentials of a kubeconfig, or else of the pod, or else of `KUBECONFIG`.

        Raises:
            UnavailableError: There are none.
        """
        configuration = aio.Configuration()
        try:
            if kubeconfig is None and _SERVICE_ACCOUNT_TOKEN.exists():  # noqa: ASYNC240 - once, before anything runs
                aio_config.load_incluster_config(configuration)
            else:
                await aio_config.load_kube_config(kubeconfig, client_configuration=configuration, persist_config=False)
        except (aio_config.ConfigException, OSError) as error:
            raise UnavailableError(f"no cluster to work on: {error}; run in a pod or set KUBECONFIG") from error
        return cls(configuration)

    async def endpoint(self) -> Endpoint:
        """The API server that this client talks to, with the token as it is now."""
        config = self._configuration
        scheme, _, token = (await self._authorization()).get("Authorization", "").partition(" ")
        certificate = (config.cert_file, config.key_file) if config.cert_file and config.key_file else None
        authorization = (scheme.capitalize(), token) if token else None
        return Endpoint(config.host, config.ssl_ca_cert, authorization, certificate, not config.verify_ssl)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Raw:
        """One object."""
        return await self.request("GET", kind.path(namespace, name))

    async def list(self, kind: Kind, namespace: str | None = None, **query: str) -> Raw:
        """A whole collection, as the API server's list object. Query words as in its API: `labelSelector`."""
        answer = await self.request("GET", kind.path(namespace), query=query)
        # The API server leaves out what every item would repeat.
        whole = {"apiVersion": kind.api_version, "kind": kind.kind}
        return {**answer, "items": [{**whole, **item} for item in answer["items"]]}

    async def serves(self, kind: Kind) -> bool:
        """Whether the API server serves a kind in that version."""
        try:
            found = await self.request("GET", f"/apis/{kind.api_version}")
        except NotFoundError:
            return False
        return any(resource["name"] == kind.plural for resource in found["resources"])

    async def watch(self, kind: Kind, since: str, namespace: str | None = None, **query: str) -> AsyncIterator[Raw]:
        """The changes of a collection after the resource version `since`, until the server ends the stream."""
        query = {**query, "watch": "true", "resourceVersion": since, "allowWatchBookmarks": "true"}
        query["timeoutSeconds"] = str(_WATCH_SECONDS)
        response = await self._send("GET", kind.path(namespace), query, None, {}, _WATCH_TIMEOUT)
        try:
            async for line in response.content:
                yield json.loads(line)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(f"the watch on {kind.plural} broke off") from error
        finally:
            response.close()

    async def apply(self, manifest: Raw) -> Raw:
        """Make the object be as the manifest says (server-side apply, by force: the fields in it are ours)."""
        metadata = manifest["metadata"]
        path = kind_of(manifest).path(metadata.get("namespace"), metadata["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self.request("PATCH", path, query=query, body=manifest, content="application/apply-patch+yaml")

    async def patch(self, kind: Kind, name: str, change: Raw, *, subresource: str = "") -> Raw:
        """Merge a change into a cluster-scoped object.

        A `metadata.resourceVersion` in the change makes it a compare-and-set: a ConflictError says that
        somebody wrote since.
        """
        path = kind.path(None, name, subresource)
        query = {"fieldManager": FIELD_MANAGER}
        return await self.request("PATCH", path, query=query, body=change, content="application/merge-patch+json")

    async def create(self, manifest: Raw) -> Raw:
        """Create an object."""
        path = kind_of(manifest).path(manifest["metadata"].get("namespace"))
        return await self.request("POST", path, query={"fieldManager": FIELD_MANAGER}, body=manifest)

    async def would_create(self, manifest: Raw, user: str) -> Raw:
        """What would become of an object if `user` created it: a dry run, through every guard, that keeps nothing."""
        path = kind_of(manifest).path(manifest["metadata"].get("namespace"))
        headers = {"Impersonate-User": user}
        return await self.request("POST", path, query={"dryRun": "All"}, body=manifest, headers=headers)

    async def delete(
        self, kind: Kind, name: str, namespace: str | None = None, *, uid: str = "", grace_seconds: int | None = None
    ) -> None:
        """Delete an object if it is there, and only if it is still the one with that UID."""
        options: Raw = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self.request("DELETE", kind.path(namespace, name), body=options)
        except NotFoundError:
            return

    async def delete_all(self, kind: Kind, namespace: str, *, grace_seconds: int) -> None:
        """Delete every object of a kind in a namespace, with that much time for each to stop."""
        options = {"gracePeriodSeconds": grace_seconds, "propagationPolicy": "Background"}
        await self.request("DELETE", kind.path(namespace), body=options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Raw | None = None,
        content: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Raw:
        """Send any request and read the answer as JSON."""
        response = await self._send(
            method, path, query or {}, body, {"Content-Type": content, **(headers or {})}, _TIMEOUT
        )
        try:
            answer: Raw = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError("the API server broke off its answer") from error
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Raw | None,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - handed on to the HTTP client, which enforces it
    ) -> aiohttp.ClientResponse:
        is_write = method != "GET"
        self.writes += is_write
        if self.on_request is not None:
            self.on_request(is_write=is_write)
        url = f"{self._configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            headers = {"Accept": "application/json", **headers, **await self._authorization()}
            answer = await self._rest.request(method, url, headers=headers, body=body, _request_timeout=timeout)
            response: aiohttp.ClientResponse = answer.response
            if response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                raise fault(response.status, await response.read(), response.headers.get("Retry-After"))
        except (TimeoutError, aiohttp.ClientError) as error:
            raise UnavailableError("the API server cannot be reached") from error
        return response

    async def _authorization(self) -> dict[str, str]:
        bearer = (await self._configuration.auth_settings()).get("BearerToken")
        return {"Authorization": bearer["value"] or ""} if bearer else {}
