"""The chain: one input, rules in order, the first objection counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sublet.api.lease import GPULease
from sublet.api.pool import GPUPool
from sublet.api.reasons import Reason
from sublet.policy.storage import Classes


@dataclass(frozen=True)
class Input:
    """Everything the rules look at.

    Attributes:
        lease: The lease to judge.
        pool: The pool it names; None if there is no such pool.
        gpus_per_node: GPUs of one node of the pool; 0 if no node of it has any.
        nodes_for_sale: Nodes of the pool that the owner does not keep, healthy or not.
        namespaces: The namespaces the lease would have, each with whoever holds that name already: a lease's
            name, "" for somebody who is no lease, None if it is free.
        now: The instant of the judgement.
        classes: Of the StorageClasses that the pool offers, those that exist.
        volumes: (name, namespace) of each volume that is there for a claim in one of these namespaces.
    """

    lease: GPULease
    pool: GPUPool | None
    gpus_per_node: int
    nodes_for_sale: int
    namespaces: Mapping[str, str | None]
    now: datetime
    classes: Classes = field(default_factory=dict)
    volumes: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Verdict:
    """An objection: why the lease cannot be had as it is written.

    Attributes:
        reason: One word for programs.
        message: One sentence that names the field, what is wrong and what to do.
    """

    reason: Reason
    message: str


Rule = Callable[[Input], Verdict | None]


def evaluate(rules: Sequence[Rule], given: Input) -> Verdict | None:
    """The first objection in the order of the rules; None if there is none."""
    return next((verdict for rule in rules if (verdict := rule(given)) is not None), None)
