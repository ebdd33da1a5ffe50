"""Finding a place for one request: the earliest start, and the nodes that serve it best."""

from collections.abc import Callable
from datetime import datetime

from sublet.calendar.booking import Booking, Request
from sublet.calendar.calendar import Calendar
from sublet.calendar.interval import Interval, instant, seconds
from sublet.calendar.occupancy import Span
from sublet.calendar.search import Query, earliest_start
from sublet.calendar.topology import choose, positions


def earliest(request: Request, calendar: Calendar, now: datetime) -> Booking | None:
    """The first booking that fits, or None if none ever does.

    A fixed start that lies ahead is met on the second or not at all; one that was missed is caught up when it can be.
    An interruptible request that cannot begin at once in its full length gets the longest booking that can, if that
    is worth having: it ends in time for the next reservation, or for the owner.
    """
    starts = starts_of(request, calendar, now)
    if starts[0] > starts[1]:
        return None
    if request.duration is not None:
        span = _whole(request, int(request.duration.total_seconds()), calendar, starts)
        at_once = starts[0] == seconds(now)
        if at_once and not request.firm and request.shortest and (span is None or span[0] > starts[0]):
            span = longest_from(starts[0], request, calendar) or span
    else:
        assert request.end is not None  # noqa: S101 - one of the two is given
        span = _until(request, seconds(request.end), calendar, starts)
    if span is None:
        return None
    return booked(request, calendar, span, now)


def longest_from(start: int, request: Request, calendar: Calendar) -> Span | None:
    """The longest span from a second on for which the nodes are free; None if it is shorter than is worth having."""
    least = start + max(int(request.shortest.total_seconds()), 1) + calendar.cleaning
    # The latest end is the best here, so the sign is turned.
    ends = _best(request, calendar, start, least, lambda position: -calendar.occupancy.gap(position, start)[1])
    if ends is None:
        return None
    over = next((begins for begins, _, _ in calendar.slack.short(request.nodes, start, -ends)), -ends)
    return (start, over - calendar.cleaning) if over >= least else None


def starts_of(request: Request, calendar: Calendar, now: datetime) -> Span:
    """The first and the last second at which the request may start; the last before the first if it never may."""
    first = seconds(now)
    last = max(first, calendar.quiet_from)
    if request.start is not None and request.start > now:
        first = seconds(request.start)
        last = first if request.latest_start is None else max(first, last)
    if request.latest_start is not None:
        last = min(last, seconds(request.latest_start))
    if request.end is not None:
        least = request.shortest if request.duration is None else request.duration
        last = min(last, seconds(request.end) - max(int(least.total_seconds()), 1))
    return first, last


def _whole(request: Request, wanted: int, calendar: Calendar, starts: Span) -> Span | None:
    """The earliest span of the wanted length."""
    query = Query(request.nodes, wanted + calendar.cleaning, *starts, level_of(request))
    start = earliest_start(query, calendar.occupancy, calendar.slack)
    return None if start is None else (start, start + wanted)


def _until(request: Request, end: int, calendar: Calendar, starts: Span) -> Span | None:
    """The longest span up to a fixed end: what is free from one start on is free from any later one."""
    first, last = starts
    over = end + calendar.cleaning
    for _, ends, _ in calendar.slack.short(request.nodes, first, over):
        first = ends
    begins = _best(request, calendar, last, over, lambda position: calendar.occupancy.gap(position, last)[0])
    if begins is None or first > last:
        return None
    return max(first, begins), end


def _best(request: Request, calendar: Calendar, start: int, over: int, bound: Callable[[int], int]) -> int | None:
    """The lowest bound that enough nodes keep, of those that are free in [start, over); None if too few are."""
    layout, level = calendar.layout, level_of(request)
    free = calendar.occupancy.free(start, over)
    groups = [free] if level is None else [free & block.sound for block in layout.level(level)]
    bounds = (sorted(map(bound, positions(group))) for group in groups if group.bit_count() >= request.nodes)
    return min((ordered[request.nodes - 1] for ordered in bounds), default=None)


def booked(request: Request, calendar: Calendar, span: Span, now: datetime) -> Booking:
    """The booking for a span in which enough nodes are free.

    On nodes as the topology wants them, and among equals on those that are left idle the least.
    """
    taken = span[0], span[1] + calendar.cleaning
    free = calendar.occupancy.free(*taken)
    level = level_of(request)
    if level is not None:
        # A narrower block need not lie in one of the level that is required.
        free &= calendar.layout.inside[level]
    close, idle = request.together is not None, calendar.idle(taken, now)
    chosen = choose(calendar.layout, free, request.nodes, close=close, idle=idle)
    nodes = tuple(calendar.layout.names[position] for position in chosen)
    interval = Interval(instant(span[0]), instant(span[1]))
    return Booking(request.lease, nodes, interval, request.firm)


def level_of(request: Request) -> int | None:
    """The level at which one block must hold all nodes."""
    return request.together.level if request.together is not None and request.together.required else None
