"""A quotation in words: for people, for programs and for calendars."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sublet.api.scalars import format_decimal, format_timestamp
from sublet.cli.output import Event, table, wrapped
from sublet.plan.quoting import Offer, Quotation, Standing

Raw = dict[str, Any]

_NAMED_AT_MOST = 12


def as_json(pool: str, quotation: Quotation, now: datetime) -> Raw:
    """All that was found. Every field is always there; what there is not is null."""
    refusal = quotation.refusal
    return {
        "pool": pool,
        "askedAt": format_timestamp(now),
        "standing": quotation.standing.value,
        "refusal": {"reason": refusal.reason.value, "message": refusal.message} if refusal else None,
        "queuePosition": quotation.position,
        "endsEarly": quotation.ends_early,
        "offers": [_offer(offer, as_asked=offer is quotation.asked) for offer in quotation.offers],
    }


def as_events(pool: str, quotation: Quotation) -> list[Event]:
    """The offers."""
    return [
        Event(
            offer.interval,
            f"{_size(offer)} of {pool} to be had{' as asked' if offer is quotation.asked else ''}",
            "\n".join(_details(offer)),
        )
        for offer in quotation.offers
    ]


def as_table(pool: str, quotation: Quotation) -> str:
    """What a person wants to know: what would become of it, the offers, and what the one as asked consists of."""
    parts = [wrapped(sentence(pool, quotation))]
    if quotation.offers:
        parts.append(_table(quotation))
    if quotation.asked is not None:
        parts.append("\n".join(wrapped(detail) for detail in _details(quotation.asked)))
    return "\n\n".join(parts)


def sentence(pool: str, quotation: Quotation) -> str:
    """What would become of the lease. Of one that cannot be had, the very words that its status would have."""
    if quotation.refusal is not None:
        return quotation.refusal.message
    in_queue = f"it would wait as number {quotation.position} in the queue"
    if quotation.asked is None:
        return f"{pool}: {in_queue}, and nobody knows for how long: too few of the pool's nodes are healthy."
    start = format_timestamp(quotation.asked.interval.start)
    early = ", and end early, because the nodes are booked after it" if quotation.ends_early else ""
    match quotation.standing:
        case Standing.AT_ONCE:
            return f"{pool}: it would start at once{early}."
        case Standing.RESERVED:
            return f"{pool}: it would be reserved, to start at {start}."
        case _:
            return f"{pool}: {in_queue}, to start at {start} as planned now{early}."


def _table(quotation: Quotation) -> str:
    price = quotation.offers[0].price
    header = ("OFFER", "START", "END", "NODES", "GPUS", *((f"TOTAL {price.currency}",) if price else ()))
    rows = [
        (
            _kind(offer, quotation),
            format_timestamp(offer.interval.start),
            format_timestamp(offer.interval.end),
            str(len(offer.nodes)),
            str(offer.gpus),
            *((format_decimal(offer.price.amount),) if offer.price else ()),
        )
        for offer in quotation.offers
    ]
    return table(header, rows, numbers=(3, 4, 5))


def _kind(offer: Offer, quotation: Quotation) -> str:
    """In what an offer differs most from what was asked for, or from the first one if that cannot be had."""
    if offer is quotation.asked:
        return "as asked"
    ours, asked = offer, quotation.asked
    if asked is None:
        return "instead"
    if len(ours.nodes) != len(asked.nodes):
        return "fewer" if len(ours.nodes) < len(asked.nodes) else "more"
    if ours.interval.length != asked.interval.length:
        return "shorter" if ours.interval.length < asked.interval.length else "longer"
    return "sooner" if ours.interval.start < asked.interval.start else "later"


def _details(offer: Offer) -> Iterator[str]:
    yield f"Nodes: {_listed(offer.nodes)}"
    if offer.blocks:
        yield f"Blocks: {_listed(offer.blocks)}"
    if offer.price is not None:
        price = offer.price
        yield (
            f"Price: {format_decimal(price.amount)} {price.currency} without tax, "
            f"at {format_decimal(price.price_per_gpu_hour)} per GPU-hour"
        )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more, which -o json names" if more > 0 else "")


def _size(offer: Offer) -> str:
    return f"{len(offer.nodes)} node{'s' if len(offer.nodes) > 1 else ''} ({offer.gpus} GPUs)"


def _offer(offer: Offer, *, as_asked: bool) -> Raw:
    return {
        "asAsked": as_asked,
        "start": format_timestamp(offer.interval.start),
        "end": format_timestamp(offer.interval.end),
        "nodeCount": len(offer.nodes),
        "nodes": list(offer.nodes),
        "blocks": list(offer.blocks),
        "gpus": offer.gpus,
        "quote": offer.price.dump() if offer.price else None,
    }
