"""Access: never outside of the lease's time, never before all its nodes are claimed, and on time."""

from datetime import datetime

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.bench import Book, World

TOLERANCE = 15.0
"""Seconds of the machine by which a start or an end may be late. The API server stamps whole seconds, so its guards
believe that a lease has begun up to one second late; the rest is for work on a machine that much else shares."""

_UNHEARD = 1.0
"""Seconds of the machine within which the news of a replaced node may not have reached who lets the tenant in."""


class Access:
    """Judges RoleBindings."""

    def __init__(self) -> None:
        self._shut: dict[str, datetime] = {}
        self._reserved: set[str] = set()
        self._due: dict[str, datetime] = {}
        self._renewed: dict[str, datetime] = {}
        self._wanted_back: dict[str, datetime] = {}

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        if event.kind == "GPULease" and isinstance(event.fact, facts.Lease):
            self._lease(event, world.lease(event.name), event.fact)
        elif event.kind == "RoleBinding" and event.name.endswith("/sublet-tenant"):
            known = world.bindings.get(event.name)
            if isinstance(event.fact, facts.Child) and known is None:
                self._granted(event.at, world.leases.get(event.fact.uid), world, book)
            elif event.fact is None and known is not None:
                self._taken(event.at, world.leases[known.uid], book)

    def _lease(self, event: Event, before: facts.Lease | None, after: facts.Lease) -> None:
        """Since when a tenant is to be out, or in again, by somebody's wish; and since when the lease could begin."""
        out = after.deleting or after.spec.get("release", False) or after.spec.get("suspend", False)
        if out:
            self._shut.setdefault(after.uid, event.at)
        elif self._shut.pop(after.uid, None) is not None:
            self._wanted_back[after.uid] = event.at
        if before is not None and before.nodes != after.nodes:
            self._renewed[after.uid] = event.at
        if after.starts_at is not None and (before is None or before.starts_at is None):
            self._due[after.uid] = max(after.starts_at, event.at)
            if event.at < after.starts_at:
                self._reserved.add(after.uid)

    def _granted(self, at: datetime, lease: facts.Lease | None, world: World, book: Book) -> None:
        rule = "access is of a lease that runs"
        runs = lease is not None and lease.starts_at is not None and lease.ended_at is None
        book.check(rule, at, holds=runs, otherwise=f"access for {lease.name if lease else 'nobody'}")
        if lease is None or lease.starts_at is None:
            return
        words = f"{lease.name} starts at {lease.starts_at}"
        book.check("no access before the start", at, holds=at >= lease.starts_at, otherwise=words)
        if lease.active_at is not None:
            return
        without = {*lease.nodes} - world.claims[lease.uid]
        if without and at - self._renewed.get(lease.uid, lease.starts_at) <= book.real(_UNHEARD):
            book.excused["access: a node was replaced in that moment"] += 1
        else:
            words = f"{lease.name} has no claim on {', '.join(sorted(without)[:5])}"
            book.check("no access before all claims", at, holds=not without, otherwise=words)
        due = self._due[lease.uid]
        if any(world.was_unsound(name, due) for name in lease.nodes) or lease.outages:
            book.excused["start: a node failed before it"] += 1
            return
        # On a compressed day the control plane may take longer to clear a namespace than a cleaning gap lasts.
        free = max(world.freed.get(name, due) for name in lease.nodes)
        if free > due:
            book.excused["start: its nodes were not free before"] += 1
        late = at - max(due, free, self._wanted_back.get(lease.uid, due))
        what = "start of a reserved lease" if lease.uid in self._reserved else "start of a lease booked for now"
        book.late[what].append(late.total_seconds())
        words = f"{lease.name} begins {late} late"
        book.check(f"{what} is on time", at, holds=late <= book.real(TOLERANCE), otherwise=words)

    def _taken(self, at: datetime, lease: facts.Lease, book: Book) -> None:
        wished, ends = self._shut.get(lease.uid), lease.ended_at or lease.ends_at or at
        over = at >= ends
        words = f"{lease.name} runs until {ends}"
        book.check("access is not taken early", at, holds=over or wished is not None, otherwise=words)
        due = min(ends, wished or ends)
        what = "end by the clock" if due == ends else "end by release, deletion or suspension"
        if wished is not None and lease.ended_at is not None:
            due, what = wished, "end by release, deletion or suspension"
        late = at - due
        book.late[what].append(max(late.total_seconds(), 0.0))
        words = f"{lease.name} was to be shut out at {due}"
        book.check(f"{what} is on time", at, holds=late <= book.real(TOLERANCE), otherwise=words)
