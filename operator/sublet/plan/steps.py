"""Steps: what a pass may do to the cluster, as data."""

from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]


@dataclass(frozen=True)
class Create:
    """Create an object that must not exist yet: a name that somebody else holds is never taken over."""

    manifest: Raw


@dataclass(frozen=True)
class Apply:
    """Make an object be as the manifest says."""

    manifest: Raw


@dataclass(frozen=True)
class Delete:
    """Delete an object, if it is still the one with that UID."""

    kind: str
    name: str
    namespace: str
    uid: str


@dataclass(frozen=True)
class StopPods:
    """Stop every pod in a namespace, with a bounded time to leave."""

    namespace: str
    grace_seconds: int


@dataclass(frozen=True)
class ChangeNode:
    """Claim or return a node; refused by the API server if the node changed since it was seen."""

    name: str
    change: Raw


Step = Create | Apply | Delete | StopPods | ChangeNode

Wave = tuple[Step, ...]


@dataclass(frozen=True)
class Plan:
    """Waves of steps: those of one wave at once, the next wave only after the whole one before succeeded.

    Attributes:
        waves: The steps in order.
        waiting: What has to happen in the cluster before more can be done; empty if nothing.
    """

    waves: tuple[Wave, ...]
    waiting: str = ""


NOTHING_TO_DO = Plan(())
