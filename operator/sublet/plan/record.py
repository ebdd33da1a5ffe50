"""The ledger's entry for a lease that is over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.meta import ObjectMeta
from sublet.api.record import LeaseRecord, LeaseRecordSpec, RecordTenant, Row, RowKind
from sublet.plan.credits import credits_of
from sublet.plan.observed import NodeSeen
from sublet.plan.status import end_of, gpu_seconds
from sublet.plan.translate import amount_of


def record_of(lease: GPULease, nodes: Mapping[str, NodeSeen | None], now: datetime) -> dict[str, Any] | None:
    """The LeaseRecord of a lease that has ended; None if its booking never began.

    `nodes` are its nodes as they are seen now. The record's name is made of the lease's name and UID, so that writing
    it a second time is refused.
    """
    status, spec = lease.status, lease.spec
    start = status.starts_at
    ended = end_of(lease, now)
    if start is None or ended is None or ended <= start:
        return None
    seconds = gpu_seconds(lease, ended) or 0
    quote = status.quote
    usage = Row(
        kind=RowKind.USAGE,
        start=start,
        end=ended,
        nodes=status.node_count or 0,
        gpus=status.gpus or 0,
        gpu_seconds=seconds,
        currency=quote.currency if quote else None,
        price_per_gpu_hour=quote.price_per_gpu_hour if quote else None,
        amount=amount_of(seconds, quote.price_per_gpu_hour) if quote else None,
    )
    record = LeaseRecord(
        metadata=ObjectMeta(name=f"{lease.metadata.name}-{lease.metadata.uid[:8]}"),
        spec=LeaseRecordSpec(
            lease_name=lease.metadata.name,
            lease_uid=lease.metadata.uid,
            pool=spec.pool,
            tenant=RecordTenant(name=spec.tenant.name, billing_account=spec.tenant.billing_account),
            term=spec.term,
            rows=(usage, *credits_of(lease, ended, nodes)),
            closed_at=now,
        ),
    )
    return {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": LeaseRecord.kind,
        "metadata": {"name": record.metadata.name},
        "spec": record.spec.dump(),
    }
