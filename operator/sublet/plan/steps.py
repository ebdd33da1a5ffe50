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


@dataclass(frozen=True)
class RunJob:
    """Create a Job that is named by what it is for: if there is one of that name, it is the same Job."""

    manifest: Raw


@dataclass(frozen=True)
class Probe:
    """Ask the API server by a dry run, with a tenant's rights, what it thinks of an object.

    Attributes:
        what: What the answer must be, as a sentence.
        manifest: The object.
        refused_by: The rule that must refuse it; empty if it must be admitted.
        pinned_to: The lease to whose nodes an admitted pod must be pinned.
    """

    what: str
    manifest: Raw
    refused_by: str = ""
    pinned_to: str = ""


Step = Create | Apply | Delete | StopPods | ChangeNode | RunJob | Probe

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
