"""Sanitizing: what is next for a node whose lease is gone from it, until it is clean and free, or quarantined.

    marked (label, taint; the claim stays) -> step after step as a Job, or the word of another system -> free
                                                    |
                                                    +-> a step failed: quarantined

Decided for each node by itself, from what it carries and from the Jobs that there are, and from nothing else. So a
pass after a crash goes on where the cluster stands. Jobs go after the node is out of the lease's hands: before that, a
Job that is missing is a step that was not taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sublet.api.pool import GPUPool
from sublet.api.pool_sanitize import Sanitize, SanitizeMode
from sublet.desired import naming
from sublet.desired import nodes as node_claims
from sublet.desired.sanitizing import job, job_name
from sublet.plan.diff import change_node
from sublet.plan.observed import JobSeen, JobState, LeaseView, NodeSeen
from sublet.plan.steps import ChangeNode, Delete, RunJob, Step


@dataclass(frozen=True)
class Cleaning:
    """How the nodes of one lease are cleaned, and what was done of it.

    Attributes:
        lease: The lease.
        uid: Its UID.
        how: What its pool says; None if nothing is to be run.
        jobs: The Jobs that were made for it.
        is_known: Whether there is a pool that could say.
    """

    lease: str = ""
    uid: str = ""
    how: Sanitize | None = None
    jobs: tuple[JobSeen, ...] = ()
    is_known: bool = True


NOTHING_TO_RUN = Cleaning()


class Turn(NamedTuple):
    """What is next for one node.

    Attributes:
        step: The step; None if something is waited for.
        waiting: What; empty if the node is out of the lease's hands with this step.
    """

    step: Step | None
    waiting: str = ""


def cleaning_of(lease: str, uid: str, pool: GPUPool | None, jobs: Iterable[JobSeen]) -> Cleaning:
    """The cleaning after a lease, by its pool as it is now."""
    how = pool.spec.sanitize if pool is not None else None
    return Cleaning(lease, uid, how, tuple(each for each in jobs if each.lease_uid == uid), pool is not None)


def take_turn(node: NodeSeen, cleaning: Cleaning, reusable_at: datetime) -> Turn:
    """What is next for a node that answers, and on which nothing of its lease is left that the API server knows."""
    begun = node.sanitizing_after == cleaning.uid
    if begun and not cleaning.is_known:
        return Turn(quarantine(node, cleaning, "its pool, which says how it is cleaned, is gone"))
    if cleaning.how is None or node.quarantined:
        # What its owner keeps from use is not made ready for it: the taint stays, and with it the node.
        return Turn(_give_back(node, reusable_at))
    if not begun:
        return Turn(change_node(node, node_claims.sanitizing(cleaning.uid, node.taints)), "the mark")
    if cleaning.how.mode is SanitizeMode.EXTERNAL:
        if node.sanitized_after == cleaning.uid:
            return Turn(_give_back(node, reusable_at, cleaning.uid))
        return Turn(None, f"annotation {naming.SANITIZED}={cleaning.uid}")
    return _next_step(node, cleaning, cleaning.how, reusable_at)


def _next_step(node: NodeSeen, cleaning: Cleaning, how: Sanitize, reusable_at: datetime) -> Turn:
    jobs = {each.name: each for each in cleaning.jobs}
    for step in how.steps:
        name = job_name(cleaning.uid, node.name, step.name)
        seen = jobs.get(name)
        if seen is None:
            return Turn(RunJob(job(node.lease or cleaning.lease, cleaning.uid, node.name, step)), f"step {step.name}")
        if seen.leaving or seen.state is JobState.RUNNING:
            return Turn(None, f"step {step.name}")
        if seen.state is JobState.FAILED:
            why = f"the step {step.name} failed ({seen.why}): see the log of the Job {naming.CLEANERS}/{name}"
            return Turn(quarantine(node, cleaning, why))
    return Turn(_give_back(node, reusable_at, cleaning.uid))


def _give_back(node: NodeSeen, reusable_at: datetime, clean_after: str | None = None) -> ChangeNode:
    return change_node(node, node_claims.returned(node.taints, reusable_at, clean_after))


def quarantine(node: NodeSeen, cleaning: Cleaning, why: str) -> ChangeNode:
    """The step that takes a node out of a lease's hands and keeps it from use."""
    return change_node(node, node_claims.quarantined(node.taints, cleaning.uid, f"after {cleaning.lease}: {why}"))


def finished(cleaning: Cleaning, claimed: Iterable[NodeSeen]) -> tuple[Delete, ...]:
    """The Jobs of nodes that the lease no longer holds, to be deleted."""
    return tuple(
        Delete("Job", each.name, naming.CLEANERS, each.uid)
        for each in left_over(cleaning.jobs, claimed)
        if not each.leaving
    )


def left_over(jobs: Iterable[JobSeen], claimed: Iterable[NodeSeen]) -> list[JobSeen]:
    """Jobs of nodes that the lease no longer holds. One that failed is evidence, and Kubernetes' to delete later."""
    held = {node.name for node in claimed}
    return [each for each in jobs if each.node not in held and each.state is not JobState.FAILED]


def came_back_anew(view: LeaseView, cleaning: Cleaning) -> list[NodeSeen]:
    """Nodes that were deleted under the lease or its cleaning, and registered again without a mark of either.

    What the lease left may still be on them. One that was given back, or quarantined and then released by hand, has an
    annotation that tells of it.
    """
    if cleaning.how is None or view.lease.status.active_at is None:
        return []
    booked = (view.nodes.get(name) for name in view.lease.status.nodes)
    return [
        node
        for node in booked
        if node is not None
        and (node.lease, node.lease_uid, node.reusable_at) == (None, None, None)
        and (node.sanitized_after, node.quarantined_after) == (None, None)
        and not node.quarantined
    ]


def dirty(nodes: Sequence[NodeSeen], uid: str) -> list[NodeSeen]:
    """The nodes that were quarantined after the lease with that UID."""
    return [node for node in nodes if node.quarantined_after == uid]


def awaited(turns: Iterable[tuple[str, str]]) -> str:
    """A sentence about the nodes that are being cleaned, each with what it waits for; empty if there are none."""
    by_wait: dict[str, list[str]] = {}
    for node, waiting in turns:
        by_wait.setdefault(waiting, []).append(node)
    parts = [f"{what} on {_some(names)}" for what, names in by_wait.items()]
    return f"nodes are being cleaned, waiting for {', '.join(parts)}" if parts else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown  # noqa: PLR2004 - as many as are named
