"""GPULease: one tenant's contract for nodes of a pool."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sublet.api.lease_rules import NAMES, ONCE_ACCEPTED, ONCE_BOOKED, ORDER_OF_TIMES, SIZE, WHICH_TIMES
from sublet.api.lease_status import (
    Answer,
    EarlyEnd,
    EarlyEndReason,
    Extension,
    GPULeaseStatus,
    Outage,
    OutageReason,
    Phase,
    Queue,
    Quote,
)
from sublet.api.markers import SET, Rule, keyed_by, rules
from sublet.api.meta import Model, PositiveDuration, Resource, Timestamp
from sublet.api.names import DNS_LABEL, DnsLabel, LabelKey, LeaseName
from sublet.api.network import EgressRule, Network, Port, Protocol

__all__ = [
    "Answer",
    "EarlyEnd",
    "EarlyEndReason",
    "EgressRule",
    "Extension",
    "GPULease",
    "GPULeaseSpec",
    "GPULeaseStatus",
    "Network",
    "Outage",
    "OutageReason",
    "Phase",
    "Placement",
    "PlacementMode",
    "Port",
    "Protocol",
    "Queue",
    "Quote",
    "Subject",
    "SubjectKind",
    "Tenant",
    "Term",
]

Suffix = Annotated[str, Field(min_length=1, max_length=20, pattern=DNS_LABEL)]
"""End of the name of an extra namespace."""


class Term(StrEnum):
    """How safe the tenant is from the owner's own needs."""

    FIRM = "Firm"
    """The owner cannot take the nodes back before the end."""
    INTERRUPTIBLE = "Interruptible"
    """The owner may take the nodes back after the pool's `reclaimNotice`."""


class SubjectKind(StrEnum):
    """Kind of an RBAC subject."""

    USER = "User"
    GROUP = "Group"


class PlacementMode(StrEnum):
    """How strongly a placement is wanted."""

    REQUIRED = "Required"
    PREFERRED = "Preferred"


class Subject(Model):
    """A user or group that gets access."""

    kind: SubjectKind
    """`User` or `Group`, as the cluster's authentication names them."""
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            json_schema_extra=rules(
                Rule(
                    cel="!self.startsWith('system:')",
                    message="system: names belong to the cluster: name a user or group of the tenant",
                    reason="FieldValueForbidden",
                )
            ),
        ),
    ]
    """Name as the API server sees it, with the prefix of its OIDC settings, for example `oidc:anna@acme.example`."""


class Tenant(Model):
    """Who rents."""

    name: LeaseName
    """Name of the tenant: lower-case letters, digits and `-`, at most 40. Cannot change once the lease is accepted."""
    billing_account: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Account that the ledger charges, as your billing system calls it."""
    subjects: Annotated[
        tuple[Subject, ...], Field(min_length=1, max_length=32, json_schema_extra=keyed_by("kind", "name"))
    ]
    """Users and groups that get access to the lease's namespaces. Can be changed at any time."""
    contact: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """Where notices about the lease reach the tenant, for example `ops@acme.example`."""


class Placement(Model):
    """How close together the nodes shall be."""

    level: LabelKey
    """One of the pool's `topology` keys: all nodes shall share one value of this label, for example
    `topology.kubernetes.io/zone`.
    """
    mode: PlacementMode = PlacementMode.PREFERRED
    """`Preferred` takes scattered nodes when no block is free; `Required` waits for a block."""


class GPULeaseSpec(Model):
    """What the tenant rents, and for how long."""

    model_config = ConfigDict(json_schema_extra=rules(*SIZE, *WHICH_TIMES, *ORDER_OF_TIMES))

    pool: DnsLabel
    """Name of the GPUPool to rent from. Cannot change once the lease is accepted."""
    tenant: Tenant
    """Who rents, who pays and who gets access."""
    nodes: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Number of whole nodes. Give either `nodes` or `gpus`. Cannot change once the lease is accepted."""
    gpus: Annotated[int, Field(ge=1, le=80_000)] | None = None
    """Number of GPUs. They must fill whole nodes exactly; else the lease is refused, and its message names the two
    nearest counts. Give either `nodes` or `gpus`. Cannot change once the lease is accepted.
    """
    start: Timestamp | None = None
    """When the lease starts, for example `2026-12-01T08:00:00Z`. Left out: with `end` and `duration`, `duration` before
    the end; else as soon as nodes are free. Cannot change once the lease is accepted.
    """
    end: Timestamp | None = None
    """When the lease ends: access stops and pods that still run are stopped. A later end asks for an extension, an
    earlier one shortens the lease. Give `end`, `duration`, or one of them with `start`.
    """
    duration: PositiveDuration | None = None
    """How long the lease runs, for example `7d` or `1h30m`; a day has 24 hours. A change moves the end, unless `end` is
    given too: then `end` counts once the lease is booked.
    """
    latest_start: Timestamp | None = None
    """Makes `start` flexible: the lease may start at any moment from `start` to this one, and is refused if it cannot.
    Left out: exactly at `start`. Cannot change once the lease is booked.
    """
    term: Term = Term.FIRM
    """`Firm`, or `Interruptible`: cheaper, but the owner may take the nodes back after the pool's `reclaimNotice`.
    Cannot change once the lease is accepted.
    """
    extendable_until: Timestamp | None = None
    """How far extensions may ever reach; the nodes stop every pod then, even without the operator. Left out: the lease
    cannot be extended. Cannot change once the lease is accepted.
    """
    placement: Placement | None = None
    """How close together the nodes shall be. Left out: as the pool finds best. Cannot change once the lease is
    accepted.
    """
    network: Network | None = None
    """What the pods may reach outside of the lease. Left out: only DNS. Cannot change once the lease is accepted."""
    namespaces: Annotated[tuple[Suffix, ...], Field(max_length=8, json_schema_extra=SET)] = ()
    """Extra namespaces, each by the end of its name: lower-case letters, digits and `-`, at most 20, for example
    `staging`. All share the lease's nodes. Cannot change once the lease is accepted.
    """
    suspend: bool = False
    """Stops access and new pods, and keeps the nodes: the lease goes on costing. Back to `false` resumes it."""
    release: Annotated[
        bool,
        Field(
            json_schema_extra=rules(
                Rule(
                    cel="self || !oldSelf",
                    message="release cannot be taken back: the nodes go to the pool; make a new lease",
                    reason="FieldValueForbidden",
                )
            )
        ),
    ] = False
    """Gives the nodes back now, before the end. It cannot be taken back."""


class GPULease(Resource):
    """A lease of GPU nodes: who rents which nodes of a pool, from when to when.

    The tenant gets namespaces that behave like a small private GPU cluster until the hour the lease ends. `spec` is the
    contract, `status` what became of it; `kubectl get gl` shows both in one line.
    """

    model_config = ConfigDict(json_schema_extra=rules(*NAMES, *ONCE_ACCEPTED, *ONCE_BOOKED))

    kind: ClassVar[str] = "GPULease"
    plural: ClassVar[str] = "gpuleases"

    spec: GPULeaseSpec
    """What the tenant rents, and for how long."""
    status: GPULeaseStatus = GPULeaseStatus()
    """What the operator promised, did and saw."""
