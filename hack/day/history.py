"""The history of a day: every change that the API server tells of, to be put in the order of its revisions.

All kinds live in one etcd, whose revisions number the changes of all of them. So the watches, each in an order of its
own, are merged into the one order in which things happened.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hack.day import facts
from sublet.clock import CompressedClock
from sublet.cluster import kinds
from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind
from sublet.desired import naming
from sublet.errors import SubletError, UnavailableError

Raw = dict[str, Any]
Fact = facts.Node | facts.Lease | facts.Child | facts.Pool


@dataclass(frozen=True, slots=True)
class Event:
    """A change.

    Attributes:
        revision: Of etcd.
        at: When the news of it came, by the day's clock: a moment after it happened.
        kind: Of what.
        name: Of what, with its namespace.
        fact: The object after it; None if it was deleted.
    """

    revision: int
    at: datetime
    kind: str
    name: str
    fact: Fact | None


_READ: Mapping[Kind, Callable[[Raw], Fact]] = {
    kinds.NODE: facts.node,
    kinds.GPU_LEASE: facts.lease,
    kinds.ROLE_BINDING: facts.child,
    kinds.NAMESPACE: facts.child,
    kinds.GPU_POOL: facts.pool,
}
_OF_LEASES = {"labelSelector": f"{naming.LEASE},{naming.LEASE_UID}"}  # the proving grounds have one of the two
_ONLY: Mapping[Kind, Mapping[str, str]] = dict.fromkeys((kinds.ROLE_BINDING, kinds.NAMESPACE), _OF_LEASES)


class History:
    """Everything that happened, as far as it was heard of."""

    def __init__(self, client: Client, clock: CompressedClock) -> None:
        self._client = client
        self._clock = clock
        self._events: list[Event] = []
        self._known: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._since: dict[Kind, str] = {}

    async def begin(self) -> None:
        """Write down what is there."""
        self._since = {kind: await self._list(kind) for kind in _READ}

    async def follow(self) -> None:
        """Write down what happens from then on, until cancelled.

        Raises:
            SubletError: A watch lost its place in history: what happened is no longer known whole.
        """
        async with asyncio.TaskGroup() as tasks:
            for kind, revision in self._since.items():
                tasks.create_task(self._watch(kind, revision))

    async def catch_up(self) -> None:
        """Return once everything that is so now has been heard of."""
        for kind in _READ:
            answer = await self._client.list(kind, **_ONLY.get(kind, {}))
            now = {_name(item): int(item["metadata"]["resourceVersion"]) for item in answer["items"]}
            while not self._knows(kind, now):  # noqa: ASYNC110 - the watches wake nobody
                await asyncio.sleep(0.1)

    def _knows(self, kind: Kind, now: Mapping[str, int]) -> bool:
        known = self._known[kind.kind]
        return known.keys() <= now.keys() and all(known.get(name, 0) >= revision for name, revision in now.items())

    def in_order(self) -> list[Event]:
        """All events so far, as they happened."""
        return sorted(self._events, key=lambda event: event.revision)

    async def _list(self, kind: Kind) -> str:
        while True:
            with contextlib.suppress(UnavailableError):  # kinds that were installed a moment ago
                answer = await self._client.list(kind, **_ONLY.get(kind, {}))
                break
            await asyncio.sleep(0.1)
        for item in answer["items"]:
            self._take(kind, item, gone=False)
        return str(answer["metadata"]["resourceVersion"])

    async def _watch(self, kind: Kind, since: str) -> None:
        while True:
            async for event in self._client.watch(kind, since, **_ONLY.get(kind, {})):
                if event["type"] == "ERROR":
                    raise SubletError(f"watching {kind.plural}: {event['object']}")
                since = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(kind, event["object"], gone=event["type"] == "DELETED")

    def _take(self, kind: Kind, obj: Raw, *, gone: bool) -> None:
        name, revision = _name(obj), int(obj["metadata"]["resourceVersion"])
        fact = None if gone else _READ[kind](obj)
        self._known[kind.kind][name] = revision
        if gone:
            del self._known[kind.kind][name]
        self._events.append(Event(revision, self._clock.now(), kind.kind, name, fact))


def _name(obj: Raw) -> str:
    metadata = obj["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
