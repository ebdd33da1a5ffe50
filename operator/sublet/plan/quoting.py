"""Quotes: what would become of a lease if it were written now, by the code that plans those that are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sublet.api.lease import GPULease, GPULeaseSpec, GPULeaseStatus, Quote
from sublet.api.meta import Condition, ObjectMeta
from sublet.api.reasons import ConditionType, Reason
from sublet.calendar.booking import Booking
from sublet.calendar.interval import Interval
from sublet.calendar.offers import offers
from sublet.plan.booking import Served, serve
from sublet.plan.judging import in_its_place, is_for_sale, lease_input
from sublet.plan.observed import LeaseView, PoolView
from sublet.plan.translate import node_count, quote_of, request_of
from sublet.policy.chain import Verdict
from sublet.policy.rules import judge

MOST_OFFERS = 6
"""As many as `calendar.offers` finds."""


class Standing(StrEnum):
    """What would become of the lease."""

    AT_ONCE = "AtOnce"
    """It would start now."""
    RESERVED = "Reserved"
    """Nodes would be booked for a start that lies ahead."""
    QUEUED = "Queued"
    """It would wait; nothing would be promised."""
    REFUSED = "Refused"
    """It could not be had as it is written."""


@dataclass(frozen=True)
class Offer:
    """A lease that could be had.

    Attributes:
        interval: From when to when.
        nodes: The names of its nodes.
        blocks: The topology blocks they lie in, each as a path, the widest level first; empty without a topology.
        gpus: How many GPUs they have.
        price: What it would cost; None in a pool without prices.
    """

    interval: Interval
    nodes: tuple[str, ...]
    blocks: tuple[str, ...]
    gpus: int
    price: Quote | None


@dataclass(frozen=True)
class Quotation:
    """The answer to one question.

    Attributes:
        standing: What would become of the lease as it was asked for.
        refusal: Why it could not be had; None if it could.
        position: Its place in the queue; None if it would not wait.
        asked: What it would get as it was asked for; None if that is refused, or if its start is not known.
        ends_early: Whether that ends earlier than asked, because the nodes are booked for others after it.
        others: What else could be had, the earliest first.
    """

    standing: Standing
    refusal: Verdict | None = None
    position: int | None = None
    asked: Offer | None = None
    ends_early: bool = False
    others: tuple[Offer, ...] = ()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All that could be had, what was asked for first."""
        return ((self.asked,) if self.asked is not None else ()) + self.others


def unwritten(name: str, spec: GPULeaseSpec, now: datetime) -> GPULease:
    """A lease as it would stand after its first pass, if it were written now and nothing were found to object to."""
    accepted = Condition(
        type=ConditionType.ACCEPTED.value,
        status="True",
        reason=Reason.ACCEPTED.value,
        last_transition_time=now,
        observed_generation=1,
    )
    metadata = ObjectMeta(name=name, generation=1, creation_timestamp=now)
    return GPULease(metadata=metadata, spec=spec, status=GPULeaseStatus(conditions=(accepted,)))


def quote(lease: GPULease, view: PoolView | None, holders: Mapping[str, str | None], now: datetime) -> Quotation:
    """What would become of a lease that nobody wrote yet.

    Args:
        lease: The lease, from `unwritten`.
        view: Its pool without it; None if there is no such pool.
        holders: Who holds the names of its namespaces, as in `LeaseView.namespaces`.
        now: The instant of asking.
    """
    objection = _judge(lease, view, holders, now)
    if objection is not None or view is None:
        return Quotation(Standing.REFUSED, refusal=objection)
    served = serve(_with(view, lease), now)
    turn, booking = served.turns.each[-1], served.turns.each[-1].booking
    if booking is not None:
        # What is offered beside it is offered in its place.
        served.calendar.end(lease.metadata.name, booking.interval.start)
    asked = _offer(lease, view, served, booking) if booking is not None else None
    others = tuple(each for each in _others(lease, view, served, now) if not _same(each, asked))
    others = others[: MOST_OFFERS - (asked is not None)]
    assert turn.status is not None  # noqa: S101 - whatever becomes of a new lease is news
    queue = turn.status["queue"]
    if queue is None:
        assert booking is not None  # noqa: S101 - who is not booked waits
        standing = Standing.RESERVED if booking.interval.start > now else Standing.AT_ONCE
        return Quotation(standing, asked=asked, ends_early="earlyEnd" in turn.status, others=others)
    if queue["refusal"] is not None:
        return Quotation(Standing.REFUSED, refusal=Verdict(Reason.NO_ROOM, queue["refusal"]), others=others)
    return Quotation(Standing.QUEUED, position=queue["position"], asked=asked, others=others)


def _judge(lease: GPULease, view: PoolView | None, holders: Mapping[str, str | None], now: datetime) -> Verdict | None:
    pool, nodes, classes = (view.pool, view.nodes, view.classes) if view else (None, (), {})
    seen = LeaseView(lease, pool, nodes, {}, (), holders, classes, ())
    return judge(lease_input(seen, now))


def _with(view: PoolView, lease: GPULease) -> PoolView:
    return replace(view, leases=(*view.leases, lease))


def _others(lease: GPULease, view: PoolView, served: Served, now: datetime) -> Iterator[Offer]:
    """What could be had beside it. Each is put to the same test as the lease: written now, it would be booked so."""
    nodes = node_count(lease, served.supply.per_node)
    assert nodes is not None  # noqa: S101 - the policy asks for whole nodes
    for found in offers(request_of(lease, view.pool, nodes), served.calendar, now):
        other = in_its_place(lease, found.nodes, found.interval, now)
        if not is_for_sale(other, view, now):
            continue
        again = serve(_with(view, other), now)
        booking = again.turns.each[-1].booking
        if booking is not None and booking.interval == found.interval:
            yield _offer(other, view, again, booking)


def _offer(lease: GPULease, view: PoolView, served: Served, booking: Booking) -> Offer:
    gpus = len(booking.nodes) * served.supply.per_node
    paths = {node.name: "/".join(node.blocks).rstrip("/") for node in served.supply.nodes}
    blocks = {path for name in booking.nodes if (path := paths[name])}
    price = quote_of(lease, view.pool, gpus, booking.interval.length)
    return Offer(booking.interval, booking.nodes, tuple(sorted(blocks)), gpus, price)


def _same(one: Offer, other: Offer | None) -> bool:
    return other is not None and (one.interval, len(one.nodes)) == (other.interval, len(other.nodes))
