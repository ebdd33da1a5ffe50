"""The owner's floor: so many sound nodes without a claim, at every moment."""

from datetime import datetime, timedelta

from hack.day import facts
from hack.day.history import Event
from hack.day.judges.bench import Book, World
from sublet.api.pool import OwnerFloor
from sublet.calendar.floor import Floor
from sublet.plan.supply import PATIENCE
from sublet.policy.windows import floor_of

_NEWS = 10.0
"""Seconds of the machine that pass until the pool says what is so."""


class OwnersFloor:
    """Judges every event, since each may be the first after a window opened."""

    def __init__(self, base: datetime, length: timedelta) -> None:
        """For a day that begins at `base`."""
        self._day = (base - timedelta(days=1), base + 2 * length)
        self._known: tuple[int, Floor] = (-1, Floor())
        self._free = 0

    def judge(self, event: Event, world: World, book: Book) -> None:
        """Judge one event."""
        pool = world.pool
        if event.kind == "Node":
            self._free += _is_free(event.fact) - _is_free(world.nodes.get(event.name))
        if event.kind == "GPUPool" and isinstance(event.fact, facts.Pool):
            pool = event.fact
        if pool is None:
            return
        kept, short = self._kept(pool, event.at), pool.short_from
        announced = isinstance(short, str) or (isinstance(short, datetime) and short <= event.at)
        if self._free < kept and announced:
            book.excused["floor: the pool says FloorKept=False"] += 1
        book.lasting(
            "the owner has the nodes that are kept",
            "",
            event.at,
            PATIENCE + book.real(_NEWS),
            holds=self._free >= kept or announced,
            otherwise=f"{self._free} sound nodes without a claim, {kept} are to be kept",
        )

    def _kept(self, pool: facts.Pool, at: datetime) -> int:
        if self._known[0] != pool.generation:
            owner = OwnerFloor.model_validate(pool.floor)
            self._known = pool.generation, floor_of(owner, *self._day)
        floor = self._known[1]
        return max([floor.nodes, *(w.nodes for w in floor.windows if w.interval.start <= at < w.interval.end)])


def _is_free(fact: object) -> bool:
    return isinstance(fact, facts.Node) and fact.sound and fact.uid is None
