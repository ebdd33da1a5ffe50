"""What happens on a day: the vocabulary in which a scenario is written."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

Raw = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """Somebody writes a lease."""

    manifest: Raw


@dataclass(frozen=True)
class Edit:
    """Somebody changes the specification of a lease."""

    lease: str
    spec: Raw


@dataclass(frozen=True)
class Delete:
    """Somebody deletes a lease."""

    lease: str


class Fate(StrEnum):
    """What becomes of a node."""

    FAILS = "fails"
    QUARANTINED = "is quarantined by its owner"
    REPAIRED = "is repaired, and let back by its owner"
    LEAVES = "is deleted"
    JOINS = "joins"


@dataclass(frozen=True)
class Node:
    """Something becomes of a node, by its number."""

    number: int
    fate: Fate


@dataclass(frozen=True)
class RaiseFloor:
    """The owner keeps more nodes from now on."""

    nodes: int


class Turn(StrEnum):
    """What becomes of an operator."""

    KILLED = "killed"
    STARTED = "started"


@dataclass(frozen=True)
class Operator:
    """Something becomes of an operator, by its name."""

    name: str
    turn: Turn


Action = Write | Edit | Delete | Node | RaiseFloor | Operator


@dataclass(frozen=True)
class Planned:
    """An action at its time after the beginning of the day."""

    after: timedelta
    action: Action
