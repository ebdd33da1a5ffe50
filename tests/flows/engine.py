"""Every cell of a truth table, as Cyclonus decides it, beside what the contract says."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from tests.flows.contract import Contract, Leases, Packet, Peer
from tests.flows.sites import PACKETS

Raw = dict[str, Any]


class Verdict(NamedTuple):
    """What the engine says of a cell, and what decided at its source and at its destination."""

    allowed: bool
    egress: str
    ingress: str


class Cell(NamedTuple):
    """A packet from one peer to another; peers by their place in the list of all."""

    source: int
    destination: int
    packet: Packet


class Table(NamedTuple):
    """Cells, and for each of them whether it must be open."""

    peers: Sequence[Peer]
    cells: Sequence[Cell]
    expected: Sequence[bool]


def table(
    peers: Sequence[Peer],
    leases: Leases,
    contract: Contract,
    touching: str | None = None,
    packets: Sequence[Packet] = PACKETS,
) -> Table:
    """Every packet between every two of one family, of which one is in a lease or both are pods.

    Given the name of a pod, only what comes from it or goes to it.
    """

    def counts(source: Peer, destination: Peer) -> bool:
        if source is destination or source.address.version != destination.address.version:
            return False
        if touching:
            return touching in (source.name, destination.name)
        both_pods = bool(source.namespace and destination.namespace)
        return both_pods or source.namespace in leases or destination.namespace in leases

    pairs = [
        (number, other)
        for (number, source), (other, destination) in product(enumerate(peers), repeat=2)
        if counts(source, destination)
    ]
    cells = [Cell(source, destination, packet) for source, destination in pairs for packet in packets]
    expected = [contract(peers[each.source], peers[each.destination], each.packet, leases) for each in cells]
    return Table(peers, cells, expected)


def ask(flows: Path, policies: Sequence[Raw], judged: Table) -> list[Verdict]:
    """The engine's verdict on every cell, in order."""
    peers = [
        {
            "address": str(peer.address),
            "namespace": peer.namespace,
            "namespaceLabels": peer.namespace_labels,
            "labels": peer.labels,
        }
        for peer in judged.peers
    ]
    probes = [
        {"source": each.source, "destination": each.destination, "port": each.packet.port, "protocol": each.packet[0]}
        for each in judged.cells
    ]
    question = json.dumps({"policies": policies, "peers": peers, "probes": probes})
    done = subprocess.run([flows], input=question, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    verdicts = [Verdict(word == "allowed", egress, ingress) for word, egress, ingress in lines]
    assert len(verdicts) == len(judged.cells)
    return verdicts


def differences(flows: Path, policies: Sequence[Raw], judged: Table) -> Iterator[str]:
    """A sentence for each cell that is not as the contract says."""
    verdicts = ask(flows, policies, judged)
    for cell, verdict, expected in zip(judged.cells, verdicts, judged.expected, strict=True):
        if verdict.allowed != expected:
            why = f"out by {verdict.egress}; in by {verdict.ingress}"
            yield f"{sentence(judged, cell, expected=expected)}: {why}"


def sentence(judged: Table, cell: Cell, *, expected: bool) -> str:
    """What is wrong with a cell that is not as expected."""
    flow = f"{judged.peers[cell.source]} to {judged.peers[cell.destination]} at {cell.packet}"
    return f"{flow} {'must be allowed and is denied' if expected else 'must be denied and is allowed'}"
