"""Claims on nodes: one lease at a time, booked, within its time, and not before the last one's cleaning is over."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.access import TOLERANCE
from hack.day.judges.bench import Book, World

_LINGERS = 10.0
"""Seconds of the machine for which a node that was replaced may keep its claim."""


class Claims:
    """Judges nodes, and what leases say of them."""

    def __init__(self, gap: timedelta) -> None:
        """For a pool with that cleaning gap."""
        self._gap = gap
        self._booked: defaultdict[str, dict[str, datetime]] = defaultdict(dict)

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        if event.kind == "Node":
            node = event.fact if isinstance(event.fact, facts.Node) else None
            self._node(event, world.nodes.get(event.name), node, world, book)
        elif event.kind == "GPULease":
            self._lease(event, world, book)

    def _node(
        self, event: Event, before: facts.Node | None, after: facts.Node | None, world: World, book: Book
    ) -> None:
        name, at = event.name, event.at
        if after is None:
            return
        whole = after.lease == after.taint and (after.lease is None) == (after.uid is None)
        words = f"{name} carries {after.lease}, {after.uid}, {after.taint}"
        book.check("a claim is whole: label, UID and taint", at, holds=whole, otherwise=words)
        held = before.uid if before is not None else None
        if held is not None and after.uid is None:
            self._given_back(name, at, world.leases[held], world, book)
        if after.uid is None or after.uid == held:
            self._belongs(name, at, after.uid, world.leases.get(after.uid or held or ""), world, book)
            return
        book.check("a node has one lease", at, holds=held is None, otherwise=f"{name} went from one lease to another")
        lease = world.leases.get(after.uid)
        rule = "a claim is of a lease that runs and has booked the node"
        runs = lease is not None and lease.ended_at is None and name in lease.nodes
        book.check(rule, at, holds=runs, otherwise=f"{name} claimed for {after.lease}")
        if lease is not None and lease.starts_at is not None:
            words = f"{name} claimed for {lease.name} before {lease.starts_at}"
            book.check("no claim before the start", at, holds=at >= lease.starts_at, otherwise=words)
        free_from = before.reusable_at if before is not None else None
        clean = free_from is None or at >= free_from
        words = f"{name} claimed for {after.lease} before {free_from}"
        book.check("no claim before the cleaning is over", at, holds=clean, otherwise=words)

    def _given_back(self, name: str, at: datetime, lease: facts.Lease, world: World, book: Book) -> None:
        """How soon a node follows the last namespace of its lease, which the control plane clears."""
        if lease.ended_at is None or name not in lease.nodes:
            return  # it was replaced
        since = max(world.emptied.get(lease.uid, lease.ended_at), lease.ended_at)
        if world.was_unsound(name, since):
            book.excused["node given back: it failed before"] += 1
            return
        late = at - since
        book.late["node given back once its lease is gone"].append(late.total_seconds())
        words = f"{name} of {lease.name} {late} after its namespaces"
        rule = "a node is given back when its lease is gone"
        book.check(rule, at, holds=late <= book.real(TOLERANCE), otherwise=words)

    def _belongs(
        self, name: str, at: datetime, uid: str | None, lease: facts.Lease | None, world: World, book: Book
    ) -> None:
        """A claim stands in its lease's status for as long as the lease runs."""
        stray = uid is not None and lease is not None and lease.ended_at is None and name not in lease.nodes
        book.lasting(
            "what carries a claim is booked by that lease",
            name,
            at,
            book.real(_LINGERS),
            holds=not stray or world.lease(lease.name if lease else "") is None,
            otherwise=f"{name} carries the claim of {lease.name if lease else uid}",
        )

    def _lease(self, event: Event, world: World, book: Book) -> None:
        before = world.lease(event.name)
        after = event.fact if isinstance(event.fact, facts.Lease) else None
        over = after is None or (after.released_at is not None and (before is None or before.released_at is None))
        if over and before is not None:
            left = [
                *world.claims[before.uid],
                *(name for name, child in _children(world) if child.uid == before.uid),
            ]
            words = f"{before.name} is over and left {', '.join(left[:5])}"
            book.check("nothing is left when a lease says it is over", event.at, holds=not left, otherwise=words)
        if after is None:
            for name in before.nodes if before is not None else ():
                self._booked[name].pop(before.uid if before else "", None)
            return
        changed = {*after.nodes} ^ {*(before.nodes if before is not None else ())}
        if after.ended_at is not None and before is not None and before.ended_at is None:
            changed |= world.claims[after.uid]  # from now on they are to be given back, all of them in their time
        for name in changed:
            node = world.nodes.get(name)
            if node is not None and node.uid == after.uid:
                self._belongs(name, event.at, node.uid, after, world, book)
        self._bookings(event.at, before, after, world, book)

    def _bookings(self, at: datetime, before: facts.Lease | None, after: facts.Lease, world: World, book: Book) -> None:
        """No two leases have booked a node for overlapping times, cleaning included."""
        known = before.nodes if before is not None else ()
        for name in {*known} - {*after.nodes} if after.holds else known:
            self._booked[name].pop(after.uid, None)
        if not after.holds or after.starts_at is None or after.ends_at is None:
            return
        if before is not None and before.nodes == after.nodes and before.ends_at == after.ends_at:
            return
        for name in after.nodes:
            begins = self._booked[name].setdefault(after.uid, max(after.starts_at, at) if known else after.starts_at)
            for uid, theirs in self._booked[name].items():
                if uid == after.uid:
                    continue
                other = world.leases[uid]
                ours = (begins, after.ended_at or after.ends_at)
                meets = _overlap(ours, (theirs, other.ended_at or other.ends_at or theirs), self._gap)
                words = f"{name} is booked by {after.name} {ours[0]} to {ours[1]} and {other.name}"
                book.check("no node is booked twice", at, holds=not meets, otherwise=words)


def _children(world: World) -> Iterator[tuple[str, facts.Child]]:
    yield from world.bindings.items()
    yield from world.namespaces.items()


def _overlap(one: tuple[datetime, datetime], two: tuple[datetime, datetime], gap: timedelta) -> bool:
    if one[0] >= one[1] or two[0] >= two[1]:
        return False
    return one[0] < two[1] + gap and two[0] < one[1] + gap
