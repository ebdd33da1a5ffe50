"""The oracle: what the calendar has to answer, found by trying every second on every node.

It shares no code with the library beyond the values that go in and out, and it is meant to be read as the definition
of what is right. Times are whole seconds counted from noon.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

EDGE = 300
"""No booking and no window of the examples reaches this second."""

Window = tuple[int, int, int]
"""From, to, and how many nodes the owner keeps then."""


@dataclass(frozen=True)
class Ask:
    """A request: `start`, `latest`, `duration`, `end` and `shortest` mean what they mean in `Request`."""

    nodes: int
    start: int | None = None
    latest: int | None = None
    duration: int | None = None
    end: int | None = None
    shortest: int = 0
    firm: bool = True
    level: int | None = None


@dataclass(frozen=True)
class Held:
    """A booking."""

    lease: str
    nodes: tuple[str, ...]
    start: int
    end: int
    firm: bool
    movable: bool = False


@dataclass
class Oracle:
    """A pool: nodes with their blocks, those that are sound, what the owner keeps, and who holds what."""

    blocks: dict[str, tuple[str, ...]]
    gap: int
    sound: set[str]
    usually_kept: int = 0
    windows: list[Window] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def kept(self, moment: int) -> int:
        """How many nodes the owner keeps at a moment."""
        return max([self.usually_kept, *(n for start, end, n in self.windows if start <= moment < end)])

    def busy(self) -> dict[str, set[int]]:
        """The seconds in which each node is booked or cleaned."""
        busy: dict[str, set[int]] = {node: set() for node in self.blocks}
        for held in self.held:
            for node in held.nodes:
                busy[node] |= set(range(held.start, held.end + self.gap))
        return busy

    def slack(self) -> list[int]:
        """For each second from 0: how many sound nodes are neither booked nor kept."""
        busy = self.busy()
        return [sum(moment not in busy[node] for node in self.sound) - self.kept(moment) for moment in range(2 * EDGE)]

    def answer(self, ask: Ask, now: int) -> tuple[int, int] | None:
        """The earliest start, with the end; the longest that can begin at once where the whole cannot."""
        busy, slack = self.busy(), self.slack()
        whole = next((span for span in self._spans(ask, now) if self.fits(ask, *span, busy, slack)), None)
        may_be_less = not ask.firm and ask.duration is not None and ask.shortest > 0
        if may_be_less and (whole is None or whole[0] > now) and any(s == now for s, _ in self._spans(ask, now)):
            assert ask.duration is not None
            for length in range(ask.duration - 1, ask.shortest - 1, -1):
                if self.fits(ask, now, now + length, busy, slack):
                    return now, now + length
        return whole

    def fits(self, ask: Ask, start: int, end: int, busy: dict[str, set[int]], slack: list[int]) -> bool:
        """Whether enough nodes are free for a span and the cleaning after it, and the owner's floor is kept."""
        span = range(start, end + self.gap)
        if any(slack[moment] < ask.nodes for moment in span):
            return False
        free = [node for node in self.blocks if node in self.sound and busy[node].isdisjoint(span)]
        if ask.level is None:
            return len(free) >= ask.nodes
        return any(len([n for n in free if n in block]) >= ask.nodes for block in self.in_blocks(ask.level))

    def in_blocks(self, level: int) -> list[set[str]]:
        """The blocks of a level, each as the nodes in it; a block is told by its path."""
        found: dict[tuple[str, ...], set[str]] = {}
        for node, path in self.blocks.items():
            if path[level]:
                found.setdefault(path[: level + 1], set()).add(node)
        return [*found.values()]

    def _spans(self, ask: Ask, now: int) -> Iterator[tuple[int, int]]:
        """Every start that the request allows, in order, with the end it would have."""
        if ask.start is None or ask.start <= now:
            starts: Iterable[int] = range(now, EDGE)
        else:
            starts = range(ask.start, EDGE) if ask.latest is not None else (ask.start,)
        for start in starts:
            if ask.latest is not None and start > ask.latest:
                return
            end = ask.end if ask.duration is None else start + ask.duration
            assert end is not None
            least = max(ask.shortest, 1) if ask.duration is None else ask.duration
            if end - start >= least and (ask.end is None or end <= ask.end):
                yield start, end

    def longest_extension(self, held: Held, until: int) -> int:
        """The end moved second by second for as long as nobody else, and not the owner, is in the way."""
        others = Oracle(self.blocks, self.gap, self.sound, held=[h for h in self.held if h is not held]).busy()
        slack, sound = self.slack(), len(self.sound & set(held.nodes))
        end = held.end
        while end < until:
            moment = end + self.gap
            if any(moment in others[node] for node in held.nodes) or slack[moment] < sound:
                break
            end += 1
        return end

    def may_replace(self, node: str, start: int, end: int) -> bool:
        """Whether a node can take over for another one, from one second to another."""
        span = range(start, end + self.gap)
        return node in self.sound and self.busy()[node].isdisjoint(span) and all(self.slack()[m] >= 1 for m in span)

    def shortest_supply(self, now: int) -> list[int]:
        """How many nodes the owner lacks in each second from now on."""
        return [max(-slack, 0) for slack in self.slack()[now:]]

    def broken(self) -> list[str]:
        """What must never be: a node in two bookings, or in one and the cleaning after another."""
        seen: dict[tuple[str, int], str] = {}
        wrong = []
        for held in self.held:
            for node in held.nodes:
                for moment in range(held.start, held.end + self.gap):
                    if (node, moment) in seen:
                        wrong.append(f"{node} at {moment}: {seen[node, moment]} and {held.lease}")
                    seen[node, moment] = held.lease
        return wrong
