"""What the calendar deals in: nodes, requests and bookings."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sublet.calendar.interval import Interval


@dataclass(frozen=True)
class Node:
    """A whole node of the pool.

    Attributes:
        name: Its name.
        blocks: The topology blocks it lies in, widest first (zone, block, rack); "" where it lies in none. A block
            is told from others by its path, so two zones may both have a rack "r1".
        sound: Whether it may be booked anew; one that is not keeps the bookings that it has.
    """

    name: str
    blocks: tuple[str, ...] = ()
    sound: bool = True


@dataclass(frozen=True)
class Together:
    """The wish that all nodes of a lease lie in one block.

    Attributes:
        level: Which blocks: an index into `Node.blocks`, 0 for the widest.
        required: Whether the lease waits for such a block. If not, the wish never delays it.
    """

    level: int
    required: bool


@dataclass(frozen=True)
class Request:
    """What one lease asks for.

    Attributes:
        lease: Whose request it is.
        nodes: How many whole nodes, at least 1.
        start: No earlier start; None for as soon as possible. Without `latest_start` it is met on the second or
            not at all, unless it has passed: one that was missed is caught up.
        duration: The length wanted; None where `end` alone bounds it.
        end: The latest end; None where `duration` alone bounds it. One of the two is given.
        shortest: No shorter booking is worth having. With a `duration`, an interruptible lease that cannot begin
            at once in full length may be booked for less, down to this; 0 for the full length or nothing.
        latest_start: No later start; None for any.
        firm: Whether the booking is a promise that the owner cannot take back.
        together: How the nodes are to lie to one another.
    """

    lease: str
    nodes: int
    start: datetime | None
    duration: timedelta | None
    end: datetime | None
    shortest: timedelta = timedelta()
    latest_start: datetime | None = None
    firm: bool = True
    together: Together | None = None


@dataclass(frozen=True)
class Booking:
    """Some nodes for one lease for one interval.

    Attributes:
        lease: Whose they are; "" for time in which nodes are kept free for nobody.
        nodes: Their names.
        interval: From when to when, without the cleaning that follows.
        firm: Whether it is a promise; one that is not may be cut by `reclaim`.
        movable: Whether it may be given other nodes until it begins, because any will do for it.
    """

    lease: str
    nodes: tuple[str, ...]
    interval: Interval
    firm: bool = True
    movable: bool = False
