"""Orphans: objects and claims of leases that no longer exist. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sublet.desired import naming
from sublet.plan.observed import JobSeen, JobState, NodeSeen, VolumeSeen, owner_of

Raw = dict[str, Any]


@dataclass
class Orphan:
    """What one lease left behind.

    Attributes:
        lease: The name it had.
        children: Its objects.
        claimed: The nodes that carry its claim.
        uid: The UID it had.
        jobs: The Jobs that clean after it, also those that failed.
    """

    lease: str
    children: list[Raw] = field(default_factory=list)
    claimed: list[NodeSeen] = field(default_factory=list)
    uid: str = ""
    jobs: list[JobSeen] = field(default_factory=list)

    @property
    def pool(self) -> str | None:
        """The pool whose nodes it had, as far as a claim tells."""
        return next((node.labels[naming.POOL] for node in self.claimed if naming.POOL in node.labels), None)


def volumes_of(orphan: Orphan, volumes: Iterable[VolumeSeen], namespaces: Collection[str]) -> list[VolumeSeen]:
    """The volumes that the orphan may have left: which extra namespaces it had, nobody knows any more.

    Args:
        orphan: What is left of the lease.
        volumes: All volumes that were made for claims in leases.
        namespaces: Those of all booked leases that there are; whose volumes these are is known.
    """
    return [v for v in volumes if v.namespace not in namespaces and naming.may_be_of(v.namespace, orphan.lease)]


def orphans(
    children: Iterable[Raw], nodes: Iterable[NodeSeen], jobs: Collection[JobSeen], known: Collection[str]
) -> list[Orphan]:
    """What belongs to leases whose UID is not among the known ones, by the lease it belonged to.

    What carries no UID was not made by the operator and is left alone, except a claim on a node: a half-made one
    would keep the node out of every pool.
    """
    found: dict[str, Orphan] = defaultdict(lambda: Orphan(""))
    for child in children:
        uid = owner_of(child)
        if uid is not None and uid not in known:
            found[uid].lease = (child["metadata"].get("labels") or {}).get(naming.LEASE, "")
            found[uid].children.append(child)
    for node in nodes:
        uid = node.lease_uid or ""
        if uid not in known:
            found[uid].lease = found[uid].lease or node.lease or ""
            found[uid].claimed.append(node)
    for job in jobs:
        # One that failed is evidence, which Kubernetes deletes in time.
        if job.lease_uid not in known and job.state is not JobState.FAILED:
            found[job.lease_uid].lease = found[job.lease_uid].lease or job.lease
    for uid, orphan in found.items():
        orphan.uid = uid
        orphan.jobs = [job for job in jobs if job.lease_uid == uid]
    return [found[uid] for uid in sorted(found)]
