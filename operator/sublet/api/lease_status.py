"""The status of a GPULease: what was promised, what happened and why."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sublet.api.markers import keyed_by
from sublet.api.meta import Condition, Duration, Model, Timestamp
from sublet.api.names import Currency, DnsLabel, Message, ObjectName
from sublet.api.scalars import Price

Count = Annotated[int, Field(ge=0)]
"""How many of something."""


class Phase(StrEnum):
    """Where a lease stands, in one word for people. Programs read the conditions."""

    QUEUED = "Queued"
    """Accepted and waiting for capacity; nothing is promised yet."""
    RESERVED = "Reserved"
    """Nodes are booked for a start that lies ahead."""
    PROVISIONING = "Provisioning"
    """Nodes are being claimed and guards put up; the tenant has no access yet."""
    ACTIVE = "Active"
    """The tenant can work."""
    SUSPENDED = "Suspended"
    """Access and new pods are stopped, the nodes are kept."""
    DRAINING = "Draining"
    """The end is near: no new pods, running ones may finish."""
    RECLAIMING = "Reclaiming"
    """The owner takes an interruptible lease back and the notice runs."""
    RELEASING = "Releasing"
    """The lease has ended; access, namespaces and claims are being removed."""
    SANITIZING = "Sanitizing"
    """Everything is removed and the nodes are being cleaned for the next tenant."""
    ENDED = "Ended"
    """Nothing of the lease is left; the nodes are back in the pool."""
    REFUSED = "Refused"
    """The lease cannot be had as asked; `message` says why."""


class Answer(StrEnum):
    """What became of a request."""

    GRANTED = "Granted"
    REFUSED = "Refused"


class Queue(Model):
    """Place in the queue of the pool."""

    position: Annotated[int, Field(ge=1)] | None = None
    """Place in the queue; 1 is next. Left out: the lease can never start, see `refusal`."""
    earliest_start: Timestamp | None = None
    """When the lease can start at the earliest, as planned now. Left out: there is no such moment as the pool is."""
    refusal: Message | None = None
    """Why the lease can never start as it is written, and what could be had instead."""


class Extension(Model):
    """Answer to the latest request for a later end."""

    requested_end: Timestamp
    """The end that was asked for."""
    answer: Answer
    """`Granted`: the lease now ends then. `Refused`: it ends as before."""
    feasible_end: Timestamp | None = None
    """Latest end that could have been granted. Left out: none later than the present one."""
    message: Message = ""
    """Why, and what to ask for instead."""


class Quote(Model):
    """What the lease costs from its planned start to its planned end, without credits."""

    currency: Currency
    """ISO 4217 code, for example `EUR`."""
    gpu_hours: Price
    """GPU-hours of the whole lease, for example `"1344"`."""
    amount: Price
    """Price of the whole lease, for example `"3360.00"`."""
    price_per_gpu_hour: Price
    """Price of one GPU for one hour under the lease's term, for example `"2.50"`."""


class EarlyEndReason(StrEnum):
    """Why a lease ends before it was to end."""

    RECLAIMED = "Reclaimed"
    """The owner takes an interruptible lease back."""
    FILLS_GAP = "FillsGap"
    """An interruptible lease began at once, and ends in time for whoever had booked the nodes before."""


class EarlyEnd(Model):
    """An end before the one that was asked for."""

    reason: EarlyEndReason
    """`Reclaimed`: the owner takes the nodes back. `FillsGap`: the lease uses the time before another booking."""
    asked_end: Timestamp
    """End that the lease would have had. No extension reaches beyond `end`."""
    end: Timestamp
    """End that was set in its place. The lease may have been given back before."""
    noticed_at: Timestamp
    """When this status first told of it: the beginning of the notice."""


class OutageReason(StrEnum):
    """Why a booked node was not to be had."""

    GONE = "Gone"
    """The node was deleted, or is no longer one of the pool's."""
    QUARANTINED = "Quarantined"
    """The node is kept from use until a person looked at it."""
    NOT_READY = "NotReady"
    """Kubernetes did not see the node as ready."""
    GPUS_MISSING = "GPUsMissing"
    """The node had fewer GPUs than were promised."""


class Outage(Model):
    """Time in which a booked node was not to be had. It is credited."""

    node: ObjectName
    """Name of the node."""
    gpus: Annotated[int, Field(ge=0)]
    """GPUs that were missing with it."""
    reason: OutageReason | None = None
    """Why it is not to be had, or was not at last. Left out: not known."""
    start: Timestamp
    """Since when."""
    end: Timestamp | None = None
    """Until when: the node came back, or another one took its place. Left out: it lasts."""


class GPULeaseStatus(Model):
    """What the operator promised, did and saw. Only the operator writes it."""

    phase: Phase | None = None
    """Where the lease stands, in one word for people; programs read `conditions`."""
    message: Message | None = None
    """One sentence for people: what is going on, why, and what to do about it."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=keyed_by("type"))] = ()
    """Observations, each True, False or Unknown. `Ready` sums them up and `Stalled` means that nothing will change by
    itself: `kubectl wait --for=condition=Ready gpulease/NAME`.
    """
    observed_generation: Count | None = None
    """The `metadata.generation` that this status speaks of; a lower one means that a change is not seen yet."""
    # Atomic: as a set, every name would be kept a second time as a managed field, and 10,000 names come near
    # the 1.5 MiB that etcd takes.
    nodes: Annotated[tuple[ObjectName, ...], Field(max_length=10_000)] = ()
    """Names of the nodes booked for the lease; with `phase: Active`, the nodes that the tenant has."""
    node_count: Count | None = None
    """Number of nodes booked."""
    gpus: Count | None = None
    """Number of GPUs of these nodes."""
    namespaces: Annotated[tuple[DnsLabel, ...], Field(max_length=9)] = ()
    """The tenant's namespaces, the main one first."""
    starts_at: Timestamp | None = None
    """Planned: when the tenant gets access."""
    asked_start: Timestamp | None = None
    """Start that was asked for, where it had passed before nodes were booked: `duration` counts from it. Left out: it
    counts from `startsAt`.
    """
    drain_at: Timestamp | None = None
    """Planned: from when no new pods are let in, so that running ones can finish."""
    ends_at: Timestamp | None = None
    """Planned: when access ends and what still runs is stopped. Renting is counted to here."""
    hard_stop_at: Timestamp | None = None
    """Planned: when the nodes stop every pod even without the operator; the end, or `extendableUntil` if later."""
    reusable_at: Timestamp | None = None
    """Planned: when the nodes are clean and free for the next lease."""
    active_at: Timestamp | None = None
    """Happened: when the tenant first got access."""
    ended_at: Timestamp | None = None
    """Happened: when the tenant's access ended."""
    released_at: Timestamp | None = None
    """Happened: when nothing of the lease was left on the cluster."""
    ready_at: Timestamp | None = None
    """Happened: when every node was claimed and every guard was in place. What is missing from `startsAt` to here is
    credited.
    """
    queue: Queue | None = None
    """Place in the queue, while the lease waits for capacity."""
    extension: Extension | None = None
    """Answer to the latest request for a later end."""
    early_end: EarlyEnd | None = None
    """Why and since when the lease is known to end before the end that was asked for; only interruptible ones can."""
    reclaim_notice: Duration | None = None
    """Notice that the pool promised when an interruptible lease was booked; what is missing of it is credited."""
    outages: Annotated[tuple[Outage, ...], Field(max_length=4_000)] = ()
    """Times in which booked nodes were not to be had: those that last, and the latest 200 that are over. Each is
    credited when the lease ends.
    """
    unlisted_outage_gpu_seconds: Annotated[int, Field(ge=0)] = 0
    """GPU-seconds of outages that are over and no longer listed. They are credited like the others."""
    quote: Quote | None = None
    """Price of the whole lease, if the pool has prices."""
    gpu_seconds: Annotated[int, Field(ge=0)] | None = None
    """GPU-seconds rented so far: GPUs times seconds, whether they were busy or not."""
