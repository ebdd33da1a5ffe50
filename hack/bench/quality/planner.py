"""The planner itself, served a stream."""

from hack.bench.quality.moments import Sold, instant, moments, quarter
from hack.bench.quality.stream import GAP, UNIT, Ask
from sublet.calendar.backfill import place
from sublet.calendar.booking import Node, Request
from sublet.calendar.calendar import Calendar


def by_planner(asks: list[Ask], nodes: int) -> Sold:
    """The library, called whenever somebody arrives or nodes become clean."""
    calendar = Calendar([Node(f"n{number:02}") for number in range(nodes)], GAP * UNIT)
    for now, waiting in moments(asks, lambda: [b.interval.end for b in calendar.bookings]):
        requests = [
            Request(
                str(number),
                ask.nodes,
                instant(ask.first),
                ask.length * UNIT,
                None,
                shortest=ask.shortest * UNIT,
                latest_start=instant(ask.latest),
                firm=ask.shortest == ask.length,
            )
            for number, ask in waiting.items()
        ]
        for placement in place(requests, calendar, instant(now)).each:
            if placement.final:
                del waiting[int(placement.lease)]
            elif placement.booking is not None:
                calendar.end(placement.lease, placement.booking.interval.start)
    return [(quarter(b.interval.start), quarter(b.interval.end), len(b.nodes)) for b in calendar.bookings]
