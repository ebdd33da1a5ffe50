"""LeaseRecord: the ledger's entry for a lease."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sublet.api.lease import Term
from sublet.api.markers import Rule, rules
from sublet.api.meta import Model, Resource, Timestamp
from sublet.api.names import Currency, DnsLabel, LeaseName
from sublet.api.scalars import Amount, Price

_MOST_SECONDS = 2**53 - 1
"""Largest integer that every reader of JSON keeps exact."""


class RowKind(StrEnum):
    """What a row of the ledger says."""

    USAGE = "Usage"
    """Capacity that the contract held for the tenant."""
    CORRECTION = "Correction"
    """A difference to an earlier row, of either sign."""
    CREDIT = "Credit"
    """Time given back, for example for a failed node; its amount is negative."""


class RecordTenant(Model):
    """Who rented, as it was when the record was written."""

    name: LeaseName
    """Name of the tenant."""
    billing_account: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Account to charge."""


class Row(Model):
    """One interval of the contract, or a change to one."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                cel="self.end >= self.start",
                message="end is before start: give the interval from its beginning to its end",
                field=".end",
            ),
            Rule(
                cel="!has(self.amount) && !has(self.pricePerGPUHour) || has(self.currency)",
                message="an amount or a price needs a currency",
                field=".currency",
                reason="FieldValueRequired",
            ),
        )
    )

    kind: RowKind
    """`Usage`, `Correction` or `Credit`."""
    start: Timestamp
    """Beginning of the interval, part of it."""
    end: Timestamp
    """End of the interval, no longer part of it."""
    nodes: Annotated[int, Field(ge=0, le=10_000)]
    """Nodes held in the interval."""
    gpus: Annotated[int, Field(ge=0, le=80_000)]
    """GPUs of these nodes."""
    gpu_seconds: Annotated[int, Field(ge=-_MOST_SECONDS, le=_MOST_SECONDS)]
    """GPU-seconds that the row adds; negative where it takes away."""
    currency: Currency | None = None
    """ISO 4217 code, for example `EUR`. Left out: the pool had no prices."""
    price_per_gpu_hour: Price | None = None
    """Price of one GPU for one hour, for example `"2.50"`."""
    amount: Amount | None = None
    """What the row adds to the bill, for example `"3360.00"`; negative where it takes away."""
    reason: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """Why there is a correction or a credit, in a sentence."""


class LeaseRecordSpec(Model):
    """What is on the books."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                cel="self == oldSelf",
                message="a record is never edited: write a new one with a row of kind Correction or Credit",
                reason="FieldValueForbidden",
            )
        )
    )

    lease_name: LeaseName
    """Name of the lease."""
    lease_uid: Annotated[str, Field(min_length=1, max_length=64)]
    """UID of the lease: its name may be used again, its UID never is."""
    pool: DnsLabel
    """Name of the GPUPool that was rented from."""
    tenant: RecordTenant
    """Who rented."""
    term: Term
    """`Firm` or `Interruptible`."""
    rows: Annotated[tuple[Row, ...], Field(max_length=256)]
    """Intervals of the contract with corrections and credits, in the order in which they were booked."""
    closed_at: Timestamp
    """When the record was written."""


class LeaseRecord(Resource):
    """An entry of the ledger: what one lease held and what it costs.

    Written once when a lease has ended, kept after the lease is gone, and never edited.
    """

    kind: ClassVar[str] = "LeaseRecord"
    plural: ClassVar[str] = "leaserecords"

    spec: LeaseRecordSpec
    """What is on the books."""
