"""The terms: firm leases lose no time and no nodes, interruptible ones get their notice."""

from datetime import datetime

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.bench import Book, World
from sublet.api.lease import GPULeaseSpec
from sublet.api.scalars import parse_duration
from sublet.calendar.rehoming import SETTLED
from sublet.plan.supply import PATIENCE
from sublet.policy.times import wanted_end

_LATE_NEWS = 15.0
"""Seconds of the machine between a decision and the news of it."""


def _may_make_room(lease: facts.Lease, decided: datetime) -> bool:
    """Whether a lease may be given other nodes for no reason of its own: before it begins, if it asked for no block."""
    assert lease.starts_at is not None  # noqa: S101 - it is booked
    return decided <= lease.starts_at - SETTLED and "placement" not in lease.spec


class Terms:
    """Judges how the bookings of leases change."""

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        if event.kind != "GPULease" or not isinstance(event.fact, facts.Lease):
            return
        before, after = world.lease(event.name), event.fact
        if before is None or before.starts_at is None or before.ends_at is None or after.ends_at is None:
            return
        words = f"{after.name} was to start at {before.starts_at}, now at {after.starts_at}"
        book.check("a booked start stays", event.at, holds=after.starts_at == before.starts_at, otherwise=words)
        self._nodes(event.at, before, after, world, book)
        if after.ends_at < before.ends_at:
            self._earlier(event.at, before, after, book)

    def _nodes(self, at: datetime, before: facts.Lease, after: facts.Lease, world: World, book: Book) -> None:
        if before.nodes == after.nodes:
            return
        words = f"{after.name} had {len(before.nodes)} nodes and has {len(after.nodes)}"
        book.check(
            "a lease keeps its number of nodes", at, holds=len(after.nodes) == len(before.nodes), otherwise=words
        )
        if _may_make_room(after, at - book.real(_LATE_NEWS)):
            return
        for name in {*before.nodes} - {*after.nodes}:
            failed = world.was_unsound(name, at - PATIENCE - book.real(_LATE_NEWS))
            words = f"{after.name} lost {name}, which is sound"
            book.check("a lease loses a node by failure alone", at, holds=failed, otherwise=words)

    def _earlier(self, at: datetime, before: facts.Lease, after: facts.Lease, book: Book) -> None:
        assert after.starts_at is not None  # noqa: S101 - it is booked
        assert after.ends_at is not None  # noqa: S101 - it is booked
        own = after.deleting or after.spec.get("release", False)
        if not own:
            own = wanted_end(GPULeaseSpec.model_validate(after.spec), after.starts_at) <= after.ends_at
        if own:
            book.excused["end earlier: by the tenant's own edit"] += 1
        elif after.firm:
            words = f"{after.name} was to end at {before.ends_at}, now at {after.ends_at}"
            book.check("a firm lease loses no time", at, holds=False, otherwise=words)
        else:
            self._notice(at, after, after.ends_at, book)
        book.checked["a firm lease loses no time"] += after.firm

    def _notice(self, at: datetime, lease: facts.Lease, ends_at: datetime, book: Book) -> None:
        early = lease.early or {}
        rule = "an interruptible lease that is taken back gets its notice"
        if early.get("reason") != "Reclaimed":
            book.check(rule, at, holds=False, otherwise=f"{lease.name} ends at {ends_at} without a word")
            return
        noticed = datetime.fromisoformat(early["noticedAt"])
        given, promised = ends_at - noticed, parse_duration(lease.notice or "0s")
        if ends_at == lease.starts_at:
            book.excused["notice: taken back before it began"] += 1
            return
        words = f"{lease.name} got {given} of {promised}"
        book.check(rule, at, holds=given >= promised, otherwise=words)
        told = at - noticed
        book.late["news of a reclaim"].append(told.total_seconds())
        words = f"{lease.name} was told {told} after the decision"
        book.check("a notice is told when it begins", at, holds=told <= book.real(_LATE_NEWS), otherwise=words)
