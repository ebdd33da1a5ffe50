"""Mirrors: stores that follow the API server by list and watch."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind
from sublet.cluster.store import Store
from sublet.errors import ConflictError, NotFoundError, SubletError, UnavailableError

Raw = dict[str, Any]

_LOG = logging.getLogger(__name__)
_GONE = 410
_LONGEST_PAUSE = 30.0


class Mirror:
    """Keeps a store current for as long as `follow` runs, through every outage.

    When the watch's place in history is lost (410 Gone), the list is taken anew and what vanished meanwhile
    is reported as deleted. An optional kind that is not served is no failure: its store stays empty, and it is
    asked for again with every `look_again`.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        store: Store,
        selectors: Mapping[str, str],
        namespace: str | None = None,
        *,
        on_served: Callable[[], None],
    ) -> None:
        self._client = client
        self._kind = kind
        self._store = store
        self._selectors = selectors
        self._namespace = namespace
        self._on_served = on_served
        self._again = asyncio.Event()
        self.synced = asyncio.Event()
        self.is_served = False

    def look_again(self) -> None:
        """See whether the kind is served by now, if it was not."""
        self._again.set()

    async def follow(self) -> None:
        """List, then watch; again for ever. Failures are waited out with a growing, jittered pause."""
        pause = 0.5
        since = ""
        while True:
            try:
                since = since or await self._list()
                pause = 0.5
                since = await self._watch(since)
            except ConflictError:
                since = ""
            except SubletError as error:
                if self._kind.optional and isinstance(error, NotFoundError):
                    since = ""
                    await self._until_asked_again()
                    continue
                _LOG.warning("watching %s: %s; trying again", self._kind.plural, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _list(self) -> str:
        answer = await self._client.list(self._kind, self._namespace, **self._selectors)
        version = str(answer["metadata"]["resourceVersion"])
        self._store.replace(answer["items"], version)
        self.synced.set()
        if not self.is_served:
            self.is_served = True
            self._on_served()
        return version

    async def _until_asked_again(self) -> None:
        self.is_served = False
        self._store.clear()
        self.synced.set()
        self._again.clear()
        await self._again.wait()

    async def _watch(self, since: str) -> str:
        async for event in self._client.watch(self._kind, since, self._namespace, **self._selectors):
            obj = event["object"]
            match event["type"]:
                case "ADDED" | "MODIFIED":
                    self._store.put(obj)
                case "DELETED":
                    self._store.drop(obj)
                case "ERROR" if obj.get("code") == _GONE:
                    raise ConflictError("the watch's place in history is gone")
                case "ERROR":
                    raise UnavailableError(str(obj.get("message")))
                case _:  # a bookmark: only its resource version counts
                    pass
            since = obj["metadata"]["resourceVersion"]
        return since
