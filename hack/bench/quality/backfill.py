"""The orders of batch schedulers: first come first served, EASY and conservative backfill."""

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


def fits(sold: Sold, ask: Ask, start: int, nodes: int) -> bool:
    """Whether so many nodes are free by count, gaps included; who would need which node is not asked."""
    end = start + ask.length + GAP
    inside = [(s, e + GAP, n) for s, e, n in sold if s < end and e + GAP > start]
    points = [start, *(s for s, _, _ in inside if s > start)]
    return all(sum(n for s, e, n in inside if s <= point < e) + ask.nodes <= nodes for point in points)
