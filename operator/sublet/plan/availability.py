"""What of a pool is free for sale, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sublet.calendar.availability import Free, free_nodes, free_spans
from sublet.calendar.interval import Interval
from sublet.calendar.rehoming import Rehoming
from sublet.plan.booking import serve
from sublet.plan.observed import PoolView

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Availability:
    """The free capacity of a pool.

    Attributes:
        per_node: GPUs of one node.
        free: Nodes that a lease could have, in order of time.
    """

    per_node: int
    free: tuple[Free, ...]


def availability(view: PoolView, within: Interval, now: datetime, nodes: int | None = None) -> Availability:
    """The nodes that a new lease could have, beside all that is booked or waits.

    Args:
        view: The pool; one that is accepted.
        within: The time asked about, not before `now` and not beyond the pool's horizon: so far the owner's windows
            are known.
        now: The instant of asking.
        nodes: Only times for which one lease could have that many nodes throughout, as it would be quoted, and that
            the pool's terms do not make too short or too soon; None for the number at each moment.
    """
    served = serve(view, now)
    if nodes is None:
        return Availability(served.supply.per_node, free_nodes(served.calendar, within))
    terms = view.pool.spec.terms
    rehoming = served.turns.rehoming or Rehoming(served.calendar, now)
    begins = max(within.start, now + terms.lead_time)
    shortest = max(terms.min_duration, view.pool.spec.schedule.drain_before + _SECOND)
    for_sale = Interval(begins, max(begins, within.end))
    return Availability(served.supply.per_node, free_spans(rehoming, for_sale, nodes, shortest))
