"""The queue of a pool: who is booked now, who waits for which hour, and who can never be served."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sublet.api.lease import EarlyEnd, EarlyEndReason, GPULease, Phase, Queue
from sublet.api.scalars import format_duration, format_timestamp
from sublet.calendar.backfill import place
from sublet.calendar.booking import Booking, Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.offers import Nearest, Offer, nearest
from sublet.calendar.rehoming import Rehoming
from sublet.desired import naming
from sublet.plan.judging import in_its_place, is_for_sale, with_nodes
from sublet.plan.observed import PoolView
from sublet.plan.supply import Supply, waits
from sublet.plan.translate import node_count, promise, request_of
from sublet.policy.times import missed_start, wanted_end

Raw = dict[str, Any]

_NOTHING_NEAR = "nothing near it is for sale either, ask for another time"


@dataclass(frozen=True)
class Turn:
    """What its turn in the queue brought a lease.

    Attributes:
        lease: Its name.
        status: The change of its status; None if nothing is new.
        waits_until: When it is to start by the clock, for a lease that stays in the queue.
        booking: What was found for it; recorded now unless the lease stays in the queue. None if nothing was.
        waits: Whether it stays in the queue.
    """

    lease: str
    status: Raw | None
    waits_until: datetime | None
    booking: Booking | None
    waits: bool


@dataclass(frozen=True)
class Turns:
    """What the turns of a queue brought.

    Attributes:
        each: In the order of the queue.
        moved: The new nodes of leases that were booked before and have not begun, by lease. They are to be recorded
            before anything that the turns brought.
        rehoming: The moves of the pass: who else could be made room for. None where nobody had a turn.
    """

    each: tuple[Turn, ...] = ()
    moved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rehoming: Rehoming | None = None


def take_turns(view: PoolView, supply: Supply, booked: Iterable[Booking], calendar: Calendar, now: datetime) -> Turns:
    """Serve the queue in its order, the oldest lease first.

    What is found is booked in `calendar`, also for those that go on waiting: whoever is asked after them may not
    delay them.

    Args:
        view: The pool.
        supply: What it has to sell.
        booked: What was booked before the pass.
        calendar: The same as a calendar, with what has been booked in the pass.
        now: The instant of the pass.
    """

    @cache
    def repaired() -> Calendar:
        """What is booked, were every node sound: one for all that find no place, since it takes long to make."""
        return supply.repaired().calendar(booked)

    queue = list(_requests(view, supply))
    placements = place((request for _, request in queue), calendar, now)
    turns: list[Turn] = []
    waiting = 0
    for (lease, request), placement in zip(queue, placements.each, strict=True):
        booking = placement.booking
        if booking is not None and placement.final:
            status = _booked(lease, booking, view, supply, now)
            turns.append(Turn(lease.metadata.name, status, None, booking, waits=False))
            continue
        start = booking.interval.start if booking is not None else None
        late = start is None or start > supply.last_start
        refusal = _refusal(lease, request, view, repaired(), supply.last_start, now) if late else None
        start = start if refusal is None else None
        waiting += refusal is None
        place_in_queue = Queue(position=waiting if refusal is None else None, earliest_start=start, refusal=refusal)
        news = None if place_in_queue == lease.status.queue else {"queue": _whole(place_in_queue)}
        turns.append(Turn(lease.metadata.name, news, start or _given_up_at(request), booking, waits=True))
    moved = {booking.lease: booking.nodes for booking in placements.moved}
    return Turns(tuple(turns), moved, placements.rehoming)


def _requests(view: PoolView, supply: Supply) -> Iterator[tuple[GPULease, Request]]:
    """What waits for capacity, the oldest first."""
    for lease in view.leases:
        nodes = node_count(lease, supply.per_node)
        if nodes is not None and waits(lease):
            yield lease, request_of(lease, view.pool, nodes)


def _booked(lease: GPULease, booking: Booking, view: PoolView, supply: Supply, now: datetime) -> Raw:
    start, end = booking.interval.start, booking.interval.end
    gpus = len(booking.nodes) * supply.per_node
    notice = view.pool.spec.schedule.reclaim_notice
    return {
        "phase": (Phase.RESERVED if start > now else Phase.PROVISIONING).value,
        "nodes": list(booking.nodes),
        "nodeCount": len(booking.nodes),
        "gpus": gpus,
        "namespaces": list(naming.namespace_names(lease.metadata.name, lease.spec.namespaces)),
        **promise(lease, view.pool, start, end, gpus),
        "queue": None,
        **({} if booking.firm else {"reclaimNotice": format_duration(notice)}),
        **({"askedStart": format_timestamp(missed)} if (missed := missed_start(lease.spec, start)) else {}),
        **_ends_early(lease, start, end, now),
    }


def _ends_early(lease: GPULease, start: datetime, end: datetime, now: datetime) -> Raw:
    """What a lease that fills a gap is told about its end."""
    asked = wanted_end(lease.spec, start)
    if end >= asked or lease.spec.duration is None:
        return {}
    early = EarlyEnd(reason=EarlyEndReason.FILLS_GAP, asked_end=asked, end=end, noticed_at=now)
    return {"earlyEnd": early.dump(), "hardStopAt": format_timestamp(end)}


def _given_up_at(request: Request) -> datetime | None:
    """When it is too late for a lease that found no room; None if it never is."""
    lasts = [request.latest_start, request.end - request.shortest if request.end is not None else None]
    return min((last + timedelta(seconds=1) for last in lasts if last is not None), default=None)


def _too_late(lease: GPULease, request: Request, now: datetime) -> str | None:
    """Why what is left of a lease whose end stays where it is is not worth booking; None if it is."""
    if request.end is None or request.end - now >= request.shortest:
        return None
    left = f"less than {format_duration(request.shortest)} is left until {format_timestamp(request.end)}"
    if lease.spec.end is not None or request.start is None:
        return f"spec.end: {left}; give a later time"
    missed = f"spec.start: {format_timestamp(request.start)} has passed, and {left}"
    return f"{missed}; give a later time, or leave it out to start as soon as possible"


def _refusal(
    lease: GPULease, request: Request, view: PoolView, calendar: Calendar, within: datetime, now: datetime
) -> str | None:
    """Why the request can never be served, with what comes nearest; None if it can be.

    Args:
        lease: The lease.
        request: What it asks for.
        view: The pool.
        calendar: What is booked, as if every node were sound: what does not fit even then never will.
        within: No later start is one.
        now: The instant of the pass. No running time stands in the answer, which would be news on every pass.
    """
    (found,) = place([request], calendar.copy(), now).each
    possible = found.booking
    if possible is not None and possible.interval.start <= within:
        return None
    if (too_late := _too_late(lease, request, now)) is not None:
        return too_late
    instead = list(_instead(lease, nearest(request, calendar, now), view, within, now))
    wish = " in one block" if request.together is not None and request.together.required else ""
    advice = f"to be had: {', or '.join(instead)}" if instead else _NOTHING_NEAR
    return f"{_field(lease)}: the pool never has {_nodes(request.nodes)}{wish} free then; {advice}"


def _instead(lease: GPULease, offers: Nearest, view: PoolView, within: datetime, now: datetime) -> Iterator[str]:
    """What comes nearest, of that what would be taken if it were asked for."""

    def is_to_be_had(offer: Offer) -> bool:
        other = in_its_place(lease, offer.nodes, offer.interval, now)
        return offer.interval.start <= within and is_for_sale(other, view, now)

    later, fewer, shorter = offers.later, offers.fewer, offers.shorter
    if later is not None and is_to_be_had(later):
        start = later.interval.start
        yield f"{_nodes(later.nodes)} {f'from {format_timestamp(start)}' if start > now else 'now'}"
    if fewer is not None and fewer.interval.start <= within and is_for_sale(with_nodes(lease, fewer.nodes), view, now):
        yield f"{_nodes(fewer.nodes)} at the time asked for"
    if shorter is not None and is_to_be_had(shorter):
        yield f"{_nodes(shorter.nodes)} until {format_timestamp(shorter.interval.end)}"


def _nodes(count: int) -> str:
    return f"{count} nodes" if count > 1 else "one node"


def _field(lease: GPULease) -> str:
    spec = lease.spec
    if spec.latest_start is not None:
        return "spec.latestStart"
    return "spec.start" if spec.start is not None else "spec.end" if spec.end is not None else "spec.duration"


def _whole(queue: Queue) -> Raw:
    return {"position": None, "earliestStart": None, "refusal": None, **queue.dump()}
