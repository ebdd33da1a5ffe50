"""The court: all judges over a whole day."""

from collections.abc import Iterable
from datetime import datetime

from hack.day.history import Event
from hack.day.judges.access import Access
from hack.day.judges.bench import Book, World
from hack.day.judges.claims import Claims
from hack.day.judges.failures import Failures
from hack.day.judges.floor import OwnersFloor
from hack.day.judges.queue import Queue
from hack.day.judges.terms import Terms
from hack.day.size import Size


def judge(events: Iterable[Event], size: Size, base: datetime) -> tuple[World, Book]:
    """Hold everything that happened against every rule."""
    world, book = World(), Book(size.factor)
    judges = (Claims(size.gap), Access(), Terms(), OwnersFloor(base, size.length), Queue(size.gap), Failures())
    for event in events:
        for each in judges:
            each.judge(event, world, book)
        world.take(event)
    return world, book
