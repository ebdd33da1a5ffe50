"""Dialling every cell of a truth table for real."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from tests.flows.contract import Leases, Packet, may_pass
from tests.flows.engine import Cell, Table
from tests.nodes.packets.ends import End

AT_ONCE = 4
PATIENCE_SECONDS = 1
MORE_PATIENCE_SECONDS = 4


def dialled(ends: Sequence[End], leases: Leases) -> Table:
    """Every packet that is answered somewhere, from everybody who can send it, and whether it may pass.

    What a node sends to its own pods, as to probe them, is no policy's to hold up; so it is left out.
    """

    def counts(source: End, destination: End) -> bool:
        if source.send is None or source.place == destination.place:
            return False
        if source.peer.address.version != destination.peer.address.version:
            return False
        if destination.virtual and not (source.peer.namespace or source.node):
            return False
        is_pod, to_pod = bool(source.peer.namespace), bool(destination.peer.namespace)
        return is_pod or (to_pod and source.node != destination.node)

    cells = [
        Cell(number, other, packet)
        for (number, source), (other, destination) in product(enumerate(ends), repeat=2)
        if counts(source, destination)
        for packet in destination.packets
    ]
    peers = [end.peer for end in ends]
    expected = [may_pass(peers[each.source], peers[each.destination], each.packet, leases) for each in cells]
    return Table(peers, cells, expected)


async def passing(ends: Sequence[End], judged: Table) -> set[Cell]:
    """The cells whose packet was answered; what may pass and did not is tried a second time, with more patience."""
    found = await _try(ends, judged.cells, PATIENCE_SECONDS)
    again = [
        cell for cell, expected in zip(judged.cells, judged.expected, strict=True) if expected and cell not in found
    ]
    return found | await _try(ends, again, MORE_PATIENCE_SECONDS)


async def _try(ends: Sequence[End], cells: Sequence[Cell], seconds: int) -> set[Cell]:
    by_source: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_source[ends[cell.source].place].append(cell)
    limit = asyncio.Semaphore(AT_ONCE)

    async def dial(mine: list[Cell]) -> Iterator[Cell]:
        send = ends[mine[0].source].send
        assert send is not None
        flows = "".join(f"{flow(ends[each.source], ends[each.destination], each.packet)}\n" for each in mine)
        async with limit:
            words = (await asyncio.to_thread(send, f"dial-all {seconds}", flows)).split()
        return (cell for cell, word in zip(mine, words, strict=True) if word == "open")

    answers = await asyncio.gather(*(dial(mine) for mine in by_source.values()))
    return {cell for answer in answers for cell in answer}


def flow(source: End, destination: End, packet: Packet) -> str:
    """A flow, as the tenant program reads it."""
    return f"{target(destination, packet)} {source.peer.address}"


def target(destination: End, packet: Packet) -> str:
    """A flow from wherever it is dialled."""
    address = destination.peer.address
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"{packet.protocol.lower()} {host}:{packet.port}"
