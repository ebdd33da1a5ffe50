"""Topology: where nodes lie to one another, as contiguous positions, so that a set of nodes is one integer.

Nodes are bits. Those of a block stand side by side, and each of the narrowest blocks begins at a whole byte, so that
all blocks of a level are counted by a few operations on the whole set.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_

from sublet.calendar.booking import Node

_ONES = bytes(value.bit_count() for value in range(256))
_WIDTHS = (1, 2, 4, 8, 16)
_BITS = tuple(tuple(bit for bit in range(8) if value >> bit & 1) for value in range(256))


@dataclass(frozen=True, eq=False)
class Block:
    """A block and what it is made of.

    Attributes:
        first: Its first byte in a set of nodes.
        last: The byte behind its last one.
        sound: Its nodes that may be booked, as a set.
        size: How many they are.
        parts: The blocks of the next level; nodes that lie in none there are a part as well. Empty at the last level.
    """

    first: int
    last: int
    sound: int
    size: int
    parts: tuple["Block", ...]


class Layout:
    """The positions of all nodes.

    Attributes:
        names: The node at each position; "" where padding stands.
        position: The position of each node.
        root: The whole pool as a block.
        sound: The nodes that may be booked, as a set.
        inside: For each level the sound nodes that lie in a block of it.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Lay out the nodes; among those of one block their order is kept."""
        ordered = sorted(nodes, key=lambda node: node.blocks)
        self.names: list[str] = []
        self.position: dict[str, int] = {}
        self._levels: list[list[Block]] = [[] for _ in (ordered[0].blocks if ordered else ())]
        self.root = self._lay(ordered, 0)
        self.sound = self.root.sound
        self.inside = [reduce(or_, (block.sound for block in blocks), 0) for blocks in self._levels]
        self._widths = [_width(blocks) for blocks in self._levels]

    @property
    def depth(self) -> int:
        """How many levels there are."""
        return len(self._levels)

    def members(self, nodes: Iterable[str]) -> int:
        """The set of the named nodes."""
        return members(map(self.position.__getitem__, nodes), self.root.last)

    def level(self, level: int) -> list[Block]:
        """All blocks of a level; none if the pool has no such level."""
        return self._levels[level] if level < len(self._levels) else []

    def tally(self, chosen: int) -> list[int]:
        """How many nodes of a set lie before each byte; the difference at a block's bounds is how many lie in it."""
        return [0, *accumulate(chosen.to_bytes(self.root.last, "little").translate(_ONES))]

    def around(self, position: int) -> Iterator[tuple[int, Block]]:
        """The blocks in which a position lies with their levels, the narrowest first, and the pool as -1 at last."""
        byte = position // 8
        for level in reversed(range(self.depth)):
            yield from ((level, block) for block in self._levels[level] if block.first <= byte < block.last)
        yield -1, self.root

    def fits(self, chosen: int, nodes: int, level: int | None) -> bool:
        """Whether a set holds that many nodes, and for a level: whether it does in one of its blocks."""
        if chosen.bit_count() < nodes:
            return False
        if level is None:
            return True
        return bool(self.level(level)) and self._largest(chosen, level) >= nodes

    def _largest(self, chosen: int, level: int) -> int:
        """How many nodes of a set lie in that block of a level which holds the most."""
        width = self._widths[level]
        if width is None:
            tally = self.tally(chosen)
            return max(tally[block.last] - tally[block.first] for block in self._levels[level])
        # Bytes that stand as far apart as blocks do are added up for all blocks at once.
        within = chosen & self.inside[level]
        ones = int.from_bytes(within.to_bytes(self.root.last, "little").translate(_ONES), "little")
        sums, step = ones, 1
        while step < width:
            sums += sums >> 8 * step
            step *= 2
        return max(sums.to_bytes(self.root.last, "little")[::width])

    def _lay(self, nodes: Sequence[Node], level: int) -> Block:
        first = len(self.names) // 8
        if level == len(self._levels):
            sound = 0
            for node in nodes:
                self.position[node.name] = len(self.names)
                sound |= node.sound << len(self.names)
                self.names.append(node.name)
            self.names += [""] * (-len(self.names) % 8)
            return Block(first, len(self.names) // 8, sound, sound.bit_count(), ())
        parts = []
        for name, members in _by_block(nodes, level):
            part = self._lay(members, level + 1)
            parts.append(part)
            if name:
                self._levels[level].append(part)
        sound = 0
        for part in parts:
            sound |= part.sound
        return Block(first, len(self.names) // 8, sound, sound.bit_count(), tuple(parts))


def members(chosen: Iterable[int], width: int) -> int:
    """The set of the nodes at some positions, which lie within `width` bytes."""
    found = bytearray(width)
    for position in chosen:
        found[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(found, "little")


def positions(chosen: int, first: int = 0) -> Iterator[int]:
    """The positions of a set's nodes, ascending; for a set that was moved down by `first` bytes where they were."""
    # A set is often one block's: what lies before it is not gone through.
    skipped = max((chosen & -chosen).bit_length() - 1, 0) // 8
    chosen >>= 8 * skipped
    for index, value in enumerate(chosen.to_bytes((chosen.bit_length() + 7) // 8, "little"), first + skipped):
        if value:
            for bit in _BITS[value]:
                yield 8 * index + bit


def _width(blocks: Sequence[Block]) -> int | None:
    """How many bytes apart the blocks begin, if that is a power of two and no sum of theirs overflows a byte."""
    width = blocks[1].first if len(blocks) > 1 else 0
    regular = all(b.first == n * width and b.last <= (n + 1) * width for n, b in enumerate(blocks))
    return width if width in _WIDTHS and regular else None


def choose(layout: Layout, free: int, nodes: int, *, close: bool, idle: Callable[[int], int]) -> list[int]:
    """Which nodes to take of those that are free, so that what stays free serves the next best.

    Args:
        layout: Where they lie.
        free: The nodes that are free, as a set of at least `nodes`.
        nodes: How many to take.
        close: Whether they are to lie as close together as can be: in the narrowest block that holds them, and where
            several do in the one with the fewest free. If not, blocks that are used in part come first, so that
            whole ones stay whole.
        idle: For how long a node would be left idle around the booking; nodes with less are taken first.

    Returns:
        Their positions, ascending.
    """
    tally = layout.tally(free)
    block = _narrowest(layout, tally, nodes) if close else layout.root
    return sorted(_take(block, free, tally, nodes, close=close, idle=idle))


def _take(
    block: Block, free: int, tally: Sequence[int], nodes: int, *, close: bool, idle: Callable[[int], int]
) -> Iterator[int]:
    """From one block, out of as few of its parts as can be; the part that is left over fits best."""
    if not block.parts:
        local = free >> 8 * block.first & (1 << 8 * (block.last - block.first)) - 1
        yield from sorted(positions(local, block.first), key=idle)[:nodes]
        return
    counted = [(tally[part.last] - tally[part.first], part) for part in block.parts]
    used = [(count, part) for count, part in counted if count > 0 and (close or count < part.size)]
    whole = [(count, part) for count, part in counted if count > 0 and not close and count == part.size]
    for parts in (used, whole):
        while nodes and parts:
            enough = [counted for counted in parts if counted[0] >= nodes]
            count, part = min(enough, key=_count) if enough else max(parts, key=_count)
            parts.remove((count, part))
            taken = min(count, nodes)
            yield from _take(part, free, tally, taken, close=close, idle=idle)
            nodes -= taken


def _narrowest(layout: Layout, tally: Sequence[int], nodes: int) -> Block:
    """The narrowest block that holds so many nodes, among its equals the one with the fewest; else the pool."""
    for level in reversed(range(layout.depth)):
        counted = [(tally[block.last] - tally[block.first], block) for block in layout.level(level)]
        enough = [(count, block) for count, block in counted if count >= nodes]
        if enough:
            return min(enough, key=_count)[1]
    return layout.root


def _count(counted: tuple[int, Block]) -> int:
    return counted[0]


def _by_block(nodes: Sequence[Node], level: int) -> Iterator[tuple[str, list[Node]]]:
    """Neighbours of the same block."""
    group: list[Node] = []
    for node in nodes:
        if group and group[-1].blocks[level] != node.blocks[level]:
            yield group[-1].blocks[level], group
            group = []
        group.append(node)
    if group:
        yield group[-1].blocks[level], group
