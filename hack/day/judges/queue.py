"""The queue: the start that a waiting lease is told never moves back, but for a cause that is written down.

Causes: a node failed, the owner's terms changed, nodes were not given back when their cleaning was to be over, or a
lease that stands before it was written, edited or moved. A lease that stands after it is never one.
"""

from collections import deque
from datetime import datetime, timedelta

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.access import TOLERANCE
from hack.day.judges.bench import Book, World
from sublet.plan.supply import PATIENCE


class Queue:
    """Judges the forecasts of leases that wait."""

    def __init__(self, gap: timedelta) -> None:
        """For a pool with that cleaning gap."""
        self._gap = gap
        self._promised: dict[str, tuple[datetime, datetime]] = {}
        self._causes: deque[tuple[datetime, str, tuple[str, str]]] = deque()

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        self._note(event, world)
        if event.kind != "GPULease" or not isinstance(event.fact, facts.Lease):
            return
        lease = event.fact
        before = world.lease(event.name)
        told = lease.starts_at if lease.starts_at is not None else lease.eta
        if told is None or (before is not None and before.starts_at is not None):
            self._promised.pop(lease.uid, None)
            return
        if before is not None and before.generation != lease.generation:
            self._promised.pop(lease.uid, None)
        promise, since = self._promised.get(lease.uid, (told, event.at))
        rule = "nobody in the queue is delayed by who came later"
        if told <= promise + book.real(TOLERANCE):
            book.checked[rule] += 1
            if told <= promise:
                self._promised[lease.uid] = told, event.at
            return
        cause = self._cause(lease, since - PATIENCE - book.real(TOLERANCE)) or self._late(event.at, world)
        self._promised[lease.uid] = told, event.at
        if cause is not None:
            book.excused[f"queue: {cause}"] += 1
        words = f"{lease.name} was told {promise}, now {told}"
        book.check(rule, event.at, holds=cause is not None, otherwise=words)

    def _cause(self, lease: facts.Lease, since: datetime) -> str | None:
        own = (lease.created, lease.name)
        for at, what, age in reversed(self._causes):
            if at < since:
                return None
            if age < own:
                return what
        return None

    def _late(self, at: datetime, world: World) -> str | None:
        """Whether some nodes are not back although their cleaning was to be over."""
        held = (world.leases[uid] for uid in world.present.values())
        late = any(le.holds and (end := le.ended_at or le.ends_at) is not None and at > end + self._gap for le in held)
        return "nodes were given back late" if late else None

    def _note(self, event: Event, world: World) -> None:
        """Write down what may delay somebody; who stands before everybody is the owner."""
        fact = event.fact
        if event.kind == "Node":
            before = world.nodes.get(event.name)
            sound = isinstance(fact, facts.Node) and fact.sound
            if before is not None and before.sound and not sound:
                self._causes.append((event.at, "a node failed", ("", "")))
        elif isinstance(fact, facts.Pool) and world.pool is not None and world.pool.generation != fact.generation:
            self._causes.append((event.at, "the owner's terms changed", ("", "")))
        elif isinstance(fact, facts.Lease):
            older = world.lease(event.name)
            if older is None or older.generation != fact.generation:
                what = "a lease before it was written or edited"
            elif (older.eta, older.starts_at, older.ends_at, older.nodes) != (
                fact.eta,
                fact.starts_at,
                fact.ends_at,
                fact.nodes,
            ):
                what = "a lease before it was planned anew"
            else:
                return
            self._causes.append((event.at, what, (fact.created, fact.name)))
