"""GPUPool: capacity for sale and the terms it is sold on."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sublet.api.markers import Rule, keyed_by, rules
from sublet.api.meta import Condition, Duration, Model, PositiveDuration, Resource, Timestamp
from sublet.api.names import POOL_NAME, Currency, LabelKey, ResourceName
from sublet.api.pool_isolation import Dns, Isolation, PodSecurity, PodSecurityLevel
from sublet.api.pool_rules import BOUNDS
from sublet.api.pool_sanitize import Sanitize, SanitizeMode, SanitizeStep
from sublet.api.scalars import AskedPrice, parse_duration
from sublet.api.selector import LabelSelector, SelectorOperator, SelectorRequirement

__all__ = [
    "Dns",
    "GPUPool",
    "GPUPoolSpec",
    "GPUPoolStatus",
    "Isolation",
    "LabelSelector",
    "NodeCounts",
    "OwnerFloor",
    "OwnerWindow",
    "PodSecurity",
    "PodSecurityLevel",
    "Pricing",
    "Sanitize",
    "SanitizeMode",
    "SanitizeStep",
    "Schedule",
    "SelectorOperator",
    "SelectorRequirement",
    "Terms",
]

NodeCount = Annotated[int, Field(ge=0, le=10_000)]
"""A number of nodes."""


class OwnerWindow(Model):
    """A recurring time in which the owner keeps more nodes."""

    start: Annotated[
        str, Field(min_length=9, max_length=128, pattern="^[0-9*,/-]+( [0-9*,/-]+){2}( [0-9A-Za-z*,/-]+){2}$")
    ]
    """When it begins, as a cron schedule in UTC: minute, hour, day of month, month, day of week. For example `0 8 * *
    MON-FRI`.
    """
    duration: PositiveDuration
    """How long it lasts, for example `10h`."""
    nodes: NodeCount
    """Nodes that the owner keeps meanwhile, if that is more than `ownerFloor.nodes`."""


class OwnerFloor(Model):
    """What the owner keeps for himself."""

    nodes: NodeCount = 0
    """Nodes of the pool that are never for sale."""
    windows: Annotated[tuple[OwnerWindow, ...], Field(max_length=16)] = ()
    """Recurring times in which the owner keeps more; of overlapping ones the highest number counts."""


class Terms(Model):
    """What may be booked."""

    min_duration: PositiveDuration = parse_duration("1h")
    """Shortest lease."""
    max_duration: PositiveDuration = parse_duration("182d")
    """Longest lease, without extensions."""
    lead_time: Duration = parse_duration("0s")
    """Least time from booking to start."""
    horizon: PositiveDuration = parse_duration("56d")
    """How far ahead a lease may start."""
    extend_latest: Duration = parse_duration("1h")
    """Latest moment to ask for an extension, as time before the end."""
    longest_total: PositiveDuration | None = None
    """Longest lease with all its extensions. Left out: no limit but the lease's own `extendableUntil`."""


class Schedule(Model):
    """What happens around the end of a lease, and when."""

    notices: Annotated[tuple[PositiveDuration, ...], Field(max_length=16)] = tuple(
        parse_duration(text) for text in ("7d", "24h", "1h", "10m")
    )
    """Times before the end at which the tenant is told of it. An empty list: never."""
    drain_before: Duration = parse_duration("30m")
    """Time before the end from which no new pods are let in."""
    cleaning_gap: Duration = parse_duration("15m")
    """Time kept free after a lease for removing and cleaning, before the next may start on the same nodes."""
    reclaim_notice: Duration = parse_duration("24h")
    """Notice that an interruptible lease gets before the owner takes its nodes back."""


class Pricing(Model):
    """Prices of the pool, without tax."""

    currency: Currency
    """ISO 4217 code, for example `EUR`."""
    firm: AskedPrice
    """Price of one GPU for one hour on a firm term, for example `"2.50"`."""
    interruptible: AskedPrice | None = None
    """Price of one GPU for one hour on an interruptible term. Left out: interruptible leases are not offered."""


class GPUPoolSpec(Model):
    """Which nodes are for sale, and on which terms."""

    model_config = ConfigDict(json_schema_extra=rules(*(bound.rule for bound in BOUNDS)))

    node_selector: LabelSelector
    """Nodes in the pool, by their labels. It must name something: an empty selector would sell every node."""
    resource_name: ResourceName = "nvidia.com/gpu"
    """Extended resource that counts the GPUs of a node."""
    owner_floor: OwnerFloor = OwnerFloor()
    """Nodes that the owner keeps."""
    terms: Terms = Terms()
    """What may be booked: shortest and longest lease, how far ahead, until when it can be extended."""
    schedule: Schedule = Schedule()
    """What happens around the end of a lease: notices, draining, cleaning."""
    pricing: Pricing | None = None
    """Prices. Left out: leases are metered and carry no amounts."""
    topology: Annotated[
        tuple[LabelKey, ...],
        Field(
            max_length=8,
            json_schema_extra=rules(
                Rule(
                    cel="self.all(key, self.exists_one(other, other == key))",
                    message="names a label twice: name each level once, the widest first",
                )
            ),
        ),
    ] = ()
    """Labels of the nodes that tell how close they are, the widest level first, for example
    `topology.kubernetes.io/zone`, then `nvidia.com/gpu.clique`. Leases are kept inside one value where that is
    possible.
    """
    isolation: Isolation = Isolation()
    """What tenants may use, and what keeps them apart."""
    sanitize: Sanitize | None = None
    """How a node is cleaned between two tenants. Left out: it is emptied and the cleaning gap is kept; nothing runs on
    it.
    """


class NodeCounts(Model):
    """The nodes of the pool, counted."""

    total: NodeCount = 0
    """Nodes that the selector matches."""
    healthy: NodeCount = 0
    """Of these, ready and with all their GPUs."""
    for_sale: NodeCount = 0
    """Of the healthy ones, not kept by the owner now."""
    leased: NodeCount = 0
    """Held by a lease."""
    reserved: NodeCount = 0
    """Booked for a lease that starts later."""
    sanitizing: NodeCount = 0
    """Being cleaned after a lease."""
    quarantined: NodeCount = 0
    """Kept from use, because they could not be cleaned or failed under a lease."""


class Planner(Model):
    """The operator that books nodes of a pool."""

    holder: Annotated[str, Field(min_length=1, max_length=253)]
    """The name of the operator's process."""
    renewals: Annotated[int, Field(ge=0)]
    """Counts up for as long as the operator is at work. Another one takes over when it stood still for 3 seconds."""


class GPUPoolStatus(Model):
    """What the operator sees of the pool. Only the operator writes it."""

    nodes: NodeCounts | None = None
    """The nodes of the pool, counted."""
    next_free: Timestamp | None = None
    """When a node is next free to rent. Left out: one is free now, or no end is known."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=keyed_by("type"))] = ()
    """Observations, each True, False or Unknown. `Accepted` tells whether the pool can be sold from."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """The `metadata.generation` that this status speaks of; a lower one means that a change is not seen yet."""
    planner: Planner | None = None
    """Which operator books nodes now. With several operators, one at a time does."""


class GPUPool(Resource):
    """Capacity for sale: which GPU nodes of the cluster tenants may rent, and on which terms."""

    model_config = ConfigDict(json_schema_extra=rules(POOL_NAME))

    kind: ClassVar[str] = "GPUPool"
    plural: ClassVar[str] = "gpupools"

    spec: GPUPoolSpec
    """Which nodes are for sale, and on which terms."""
    status: GPUPoolStatus = GPUPoolStatus()
    """What the operator sees of the pool."""
