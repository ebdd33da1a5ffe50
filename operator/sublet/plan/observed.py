"""What a pass saw of the world, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.desired import naming
from sublet.doctor.standing import Measured
from sublet.policy.storage import Classes

Raw = dict[str, Any]


@dataclass(frozen=True)
class NodeSeen:
    """A node.

    Attributes:
        name: Its name.
        version: Its resource version, the precondition of every claim.
        labels: Its labels.
        taints: Its taints as the API server has them.
        lease: The lease that claims it; None if it is free.
        lease_uid: That lease's UID.
        reusable_at: When it may be booked again after the lease before; None if at once.
        ready: Whether it is Ready.
        quarantined: Whether it is kept from use.
        changed_at: When it last became Ready or ceased to be.
        measured: What came of the last measurement of its isolation; None if there was none.
        allocatable: Its allocatable resources: counts and bytes as they are, CPU in thousandths of a core.
        sanitizing_after: The UID of the lease after which it is being cleaned, with label and taint; None if it is not.
        sanitized_after: The UID of the lease after which it was last said to be clean.
        quarantined_after: The UID of the lease under or after which it was last quarantined.
        quarantine_reason: Why, as a sentence.
    """

    name: str
    version: str
    labels: Mapping[str, str]
    taints: tuple[Raw, ...]
    lease: str | None
    lease_uid: str | None
    reusable_at: datetime | None
    ready: bool
    allocatable: Mapping[str, int]
    quarantined: bool = False
    changed_at: datetime | None = None
    measured: Measured | None = None
    sanitizing_after: str | None = None
    sanitized_after: str | None = None
    quarantined_after: str | None = None
    quarantine_reason: str = ""


class JobState(StrEnum):
    """How a Job stands, by its conditions."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class JobSeen:
    """A Job that runs, or ran, a step of a cleaning.

    Attributes:
        name: Its name.
        uid: Its UID.
        lease: The lease after which is cleaned.
        lease_uid: That lease's UID.
        node: The node.
        state: How it stands.
        why: Why it failed, in one word of Kubernetes.
        leaving: Whether the API server is deleting it.
    """

    name: str
    uid: str
    lease: str
    lease_uid: str
    node: str
    state: JobState
    why: str = ""
    leaving: bool = False


@dataclass(frozen=True)
class VolumeSeen:
    """A PersistentVolume that was made for a claim in a namespace of a lease, whether these are still there or not.

    Attributes:
        name: Its name.
        namespace: The namespace of the claim.
        reclaim_policy: What becomes of it without the claim: `Delete`, `Retain` or `Recycle`.
        phase: Its phase: `Released` without a claim, and `Failed` if it could not be deleted.
        leaving: Whether the API server is deleting it.
    """

    name: str
    namespace: str
    reclaim_policy: str
    phase: str
    leaving: bool = False


@dataclass(frozen=True)
class LeaseView:
    """Everything one pass over a lease looks at.

    Attributes:
        lease: The lease.
        pool: Its pool; None if there is no such pool.
        pool_nodes: The nodes of the pool, as long as the lease is not booked; after that nobody asks for them.
        nodes: The nodes that are booked for the lease or carry its claim, by name; None where a booked one
            does not exist (any more).
        children: The live objects that carry the lease's label.
        namespaces: As long as the lease is not booked, the namespaces it would have, each with who holds that name
            already: a lease's name, "" for somebody who is no lease, None if it is free or this lease's own.
        classes: Of the StorageClasses that the pool offers, those that exist.
        volumes: The volumes that were made for claims in these namespaces, by name.
        jobs: The Jobs that clean after this lease or one of its name.
    """

    lease: GPULease
    pool: GPUPool | None
    pool_nodes: tuple[NodeSeen, ...]
    nodes: Mapping[str, NodeSeen | None]
    children: tuple[Raw, ...]
    namespaces: Mapping[str, str | None]
    classes: Classes
    volumes: tuple[VolumeSeen, ...]
    jobs: tuple[JobSeen, ...] = ()

    @property
    def own_children(self) -> tuple[Raw, ...]:
        """The children of this very lease, not of an earlier one of the same name."""
        return tuple(c for c in self.children if belongs_to(c, self.lease.metadata.uid))

    @property
    def claimed(self) -> tuple[NodeSeen, ...]:
        """The nodes that carry this lease's claim."""
        uid = self.lease.metadata.uid
        return tuple(node for node in self.nodes.values() if node is not None and node.lease_uid == uid)


@dataclass(frozen=True)
class PoolView:
    """Everything one planning pass over a pool looks at.

    Attributes:
        pool: The pool.
        nodes: Its nodes, by name. A node that several pools select counts for the oldest of them.
        leases: Its leases, the oldest first.
        classes: Of the StorageClasses that it offers, those that exist.
    """

    pool: GPUPool
    nodes: tuple[NodeSeen, ...]
    leases: tuple[GPULease, ...]
    classes: Classes


def belongs_to(child: Raw, uid: str) -> bool:
    """Whether a live object is a child of the lease with that UID."""
    return owner_of(child) == uid


def owner_of(child: Raw) -> str | None:
    """The UID of the lease that a live object belongs to.

    A namespace has it as an annotation too: one whose labels were taken away is still known for ours.
    """
    metadata = child["metadata"]
    uid: str | None = (metadata.get("labels") or {}).get(naming.LEASE_UID)
    return uid or (metadata.get("annotations") or {}).get(naming.LEASE_UID)
