"""Failures: a node that is lost under a lease is written down as an outage, so that it is credited."""

from datetime import datetime

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.bench import Book, World

_BLINK = 5.0
"""Seconds of the machine that a failure may last without being noticed."""


class Failures:
    """Judges nodes that fail under a lease."""

    def __init__(self) -> None:
        self._lost: dict[str, tuple[str, datetime]] = {}

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        if event.kind == "Node":
            before = world.nodes.get(event.name)
            after = event.fact if isinstance(event.fact, facts.Node) else None
            if before is not None and before.sound and before.uid and not (after is not None and after.sound):
                self._lost[event.name] = before.uid, event.at
            elif event.name in self._lost and (after is None or after.sound or after.uid is None):
                self._over(event.name, event.at, world, book)
        elif isinstance(event.fact, facts.Lease) and event.fact.ended_at is not None:
            for name in [name for name, (uid, _) in self._lost.items() if uid == event.fact.uid]:
                self._over(name, event.fact.ended_at, world, book)

    def _over(self, name: str, until: datetime, world: World, book: Book) -> None:
        uid, since = self._lost.pop(name)
        lease = world.leases[uid]
        ends = min(until, lease.ended_at or lease.ends_at or until)
        if lease.starts_at is None or ends - max(since, lease.starts_at) < book.real(_BLINK):
            return
        written = any(outage.node == name for outage in lease.outages)
        words = f"{lease.name} lost {name} from {since} to {ends}"
        book.check("a lost node is written down as an outage", until, holds=written, otherwise=words)
