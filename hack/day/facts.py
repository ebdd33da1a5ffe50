"""What the judges need to know of an object, read from its raw form as the API server tells of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sublet.desired import naming

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        lease: The lease whose claim it carries, by name.
        uid: The same by UID.
        taint: The lease that its taint names.
        reusable_at: Until when it is kept free.
        sound: Whether it is ready, and not quarantined.
    """

    lease: str | None
    uid: str | None
    taint: str | None
    reusable_at: datetime | None
    sound: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """Time without a node."""

    node: str
    gpus: int
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease: what is asked, and what became of it. Words as in its specification and status."""

    name: str
    uid: str
    created: str
    generation: int
    observed: int
    spec: Raw
    deleting: bool
    phase: str
    message: str
    nodes: tuple[str, ...]
    gpus: int
    starts_at: datetime | None
    ends_at: datetime | None
    active_at: datetime | None
    ready_at: datetime | None
    ended_at: datetime | None
    released_at: datetime | None
    eta: datetime | None
    early: Raw | None
    notice: str | None
    outages: tuple[Outage, ...]

    @property
    def firm(self) -> bool:
        """Whether the owner cannot take it back."""
        return bool(self.spec.get("term", "Firm") == "Firm")

    @property
    def holds(self) -> bool:
        """Whether it holds nodes in the calendar."""
        return self.starts_at is not None and self.released_at is None


@dataclass(frozen=True, slots=True)
class Child:
    """An object of a lease: a namespace, or a RoleBinding that lets the tenant in."""

    lease: str
    uid: str


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool: its generation, what its owner keeps, and from when it says that something is missing."""

    generation: int
    floor: Raw
    short_from: datetime | str | None


def node(raw: Raw) -> Node:
    """A node's facts."""
    metadata = raw["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    taints = {taint["key"]: taint.get("value") for taint in raw["spec"].get("taints") or ()}
    conditions = {c["type"]: c["status"] for c in raw["status"].get("conditions") or ()}
    return Node(
        lease=labels.get(naming.LEASE),
        uid=annotations.get(naming.LEASE_UID),
        taint=taints.get(naming.LEASE),
        reusable_at=_instant(annotations.get(naming.REUSABLE_AT)),
        sound=conditions.get("Ready") == "True" and naming.QUARANTINED not in taints,
    )


def lease(raw: Raw) -> Lease:
    """A lease's facts."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    moments = ("startsAt", "endsAt", "activeAt", "readyAt", "endedAt", "releasedAt")
    times = {key: _instant(status.get(key)) for key in moments}
    outages = (
        Outage(o["node"], o["gpus"], datetime.fromisoformat(o["start"]), _instant(o.get("end")))
        for o in status.get("outages") or ()
    )
    return Lease(
        name=metadata["name"],
        uid=metadata["uid"],
        created=metadata["creationTimestamp"],
        generation=metadata["generation"],
        observed=status.get("observedGeneration") or 0,
        spec=raw["spec"],
        deleting="deletionTimestamp" in metadata,
        phase=status.get("phase") or "",
        message=status.get("message") or "",
        nodes=tuple(status.get("nodes") or ()),
        gpus=status.get("gpus") or 0,
        starts_at=times["startsAt"],
        ends_at=times["endsAt"],
        active_at=times["activeAt"],
        ready_at=times["readyAt"],
        ended_at=times["endedAt"],
        released_at=times["releasedAt"],
        eta=_instant((status.get("queue") or {}).get("earliestStart")),
        early=status.get("earlyEnd"),
        notice=status.get("reclaimNotice"),
        outages=tuple(outages),
    )


def child(raw: Raw) -> Child:
    """The facts of an object of a lease."""
    labels = raw["metadata"]["labels"]
    return Child(labels[naming.LEASE], labels[naming.LEASE_UID])


def pool(raw: Raw) -> Pool:
    """A pool's facts."""
    conditions = {c["type"]: c for c in (raw.get("status") or {}).get("conditions") or ()}
    kept = conditions.get("FloorKept")
    short: datetime | str | None = None
    if kept is not None and kept["status"] == "False":
        words = kept["message"].split(" from ", 1)[1].split()
        short = "now" if words[0] == "now" else datetime.fromisoformat(words[0])
    return Pool(raw["metadata"]["generation"], raw["spec"].get("ownerFloor") or {}, short)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
