"""Orders of batch schedulers, first come first served, EASY and conservative backfill; and strict order, exactly."""

from dataclasses import replace

from hack.bench.quality.moments import Sold, instant, moments
from hack.bench.quality.stream import GAP, Ask


def by_count(asks: list[Ask], nodes: int, backfill: str) -> Sold:
    """First come first served, EASY or conservative backfill, of whole lengths; fixed starts are reserved on arrival.

    They count nodes only, as if leases could be moved until they begin: a little more than such schedulers can do.
    """
    sold: Sold = []
    for now, waiting in moments(asks, lambda: [instant(end) for _, end, _ in sold]):
        reserved: Sold = []
        blocked = False
        for number, ask in [*waiting.items()]:
            at_once = max(ask.first, now)
            if ask.first > ask.arrival:
                # A fixed start: reserved or turned away at once.
                del waiting[number]
                if fits(sold + reserved, ask, at_once, nodes):
                    sold.append((at_once, at_once + ask.length, ask.nodes))
            elif blocked and backfill == "none":
                continue
            elif fits(sold + reserved, ask, now, nodes):
                sold.append((now, now + ask.length, ask.nodes))
                del waiting[number]
            elif backfill == "conservative" or not blocked:
                blocked = True
                openings = sorted({e + GAP for _, e, _ in sold + reserved if now < e + GAP <= ask.latest})
                start = next((at for at in openings if fits(sold + reserved, ask, at, nodes)), None)
                if start is not None and backfill != "none":
                    reserved.append((start, start + ask.length, ask.nodes))
    return sold


def in_order(asks: list[Ask], nodes: int) -> Sold:
    """Strict order, kept exactly, under the planner's rules: what is sold by whoever delays nobody for one behind.

    In their order all get the earliest start at which enough nodes are free by count; those that may be shortened
    begin at once, as long as they can. That counts suffice is exact, since intervals that never cover more than so many
    points can be laid on so many nodes (interval graphs are perfect) as long as those that have not begun can be moved.
    """
    sold: Sold = []
    for now, waiting in moments(asks, lambda: [instant(end) for _, end, _ in sold]):
        for number, ask in [*waiting.items()]:
            first = max(ask.first, now)
            openings = sorted({first} | {e + GAP for _, e, _ in sold if first < e + GAP <= ask.latest})
            start = next((at for at in openings if fits(sold, ask, at, nodes)), None)
            length = ask.length
            if first == now != start:
                shorter = (part for part in range(ask.length - 1, ask.shortest - 1, -1))
                part = next((p for p in shorter if fits(sold, replace(ask, length=p), now, nodes)), None)
                start, length = (start, length) if part is None else (now, part)
            if start is not None:
                sold.append((start, start + length, ask.nodes))
            if start is not None or ask.first > ask.arrival:
                del waiting[number]
    return sold


def fits(sold: Sold, ask: Ask, start: int, nodes: int) -> bool:
    """Whether so many nodes are free by count, gaps included; who would need which node is not asked."""
    end = start + ask.length + GAP
    inside = [(s, e + GAP, n) for s, e, n in sold if s < end and e + GAP > start]
    points = [start, *(s for s, _, _ in inside if s > start)]
    return all(sum(n for s, e, n in inside if s <= point < e) + ask.nodes <= nodes for point in points)
