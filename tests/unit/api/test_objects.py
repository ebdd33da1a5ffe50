"""Raw objects become models, with the defaults of the API, and back."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sublet.api.lease import GPULease, Phase, PlacementMode, SubjectKind, Term
from sublet.api.meta import Condition, camel_case
from sublet.api.pool import GPUPool, PodSecurityLevel
from sublet.api.record import LeaseRecord

RAW: dict[str, Any] = {
    "apiVersion": "sublet.dev/v1alpha1",
    "kind": "GPULease",
    "metadata": {
        "name": "acme-train",
        "uid": "1b4e28ba",
        "generation": 2,
        "resourceVersion": "77",
        "creationTimestamp": "2026-11-24T12:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
    },
    "spec": {
        "pool": "h100",
        "tenant": {"name": "acme", "subjects": [{"kind": "User", "name": "oidc:anna"}]},
        "nodes": 4,
        "start": "2026-12-01T09:00:00+01:00",
        "duration": "7d",
        "placement": {"level": "topology.kubernetes.io/zone"},
    },
    "status": {
        "phase": "Reserved",
        "conditions": [
            {
                "type": "Accepted",
                "status": "True",
                "reason": "Accepted",
                "message": "",
                "lastTransitionTime": "2026-11-24T12:00:01Z",
                "observedGeneration": 2,
            }
        ],
        "quote": {"currency": "EUR", "gpuHours": "5376", "amount": "13440.00", "pricePerGPUHour": "2.50"},
        "gpuSeconds": 0,
    },
}


def test_a_raw_lease_becomes_a_model() -> None:
    lease = GPULease.model_validate(RAW)
    assert lease.metadata.resource_version == "77"
    assert lease.spec.tenant.subjects[0].kind is SubjectKind.USER
    assert lease.spec.start == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert lease.spec.duration == timedelta(days=7)
    assert lease.status.phase is Phase.RESERVED
    assert lease.status.quote is not None
    assert lease.status.quote.price_per_gpu_hour == Decimal("2.50")


def test_a_lease_has_defaults_for_what_was_not_said() -> None:
    spec = GPULease.model_validate(RAW).spec
    assert spec.term is Term.FIRM
    assert spec.placement is not None
    assert spec.placement.mode is PlacementMode.PREFERRED
    assert (spec.suspend, spec.release, spec.namespaces, spec.network, spec.end) == (False, False, (), None, None)


def test_a_lease_without_status_has_an_empty_one() -> None:
    status = GPULease.model_validate({key: RAW[key] for key in ("metadata", "spec")}).status
    assert status.phase is None
    assert status.conditions == ()


def test_a_pool_needs_no_more_than_a_selector() -> None:
    spec = GPUPool.model_validate(
        {"metadata": {"name": "h100"}, "spec": {"nodeSelector": {"matchLabels": {"a": "b"}}}}
    ).spec
    assert spec.resource_name == "nvidia.com/gpu"
    assert spec.owner_floor.nodes == 0
    assert spec.terms.max_duration == timedelta(days=182)
    assert spec.terms.lead_time == timedelta(0)
    assert spec.schedule.notices == tuple(
        timedelta(**units) for units in ({"days": 7}, {"days": 1}, {"hours": 1}, {"minutes": 10})
    )
    assert spec.schedule.drain_before == timedelta(minutes=30)
    assert spec.isolation.pod_security.level is PodSecurityLevel.BASELINE
    assert spec.isolation.dns.pod_labels == {"k8s-app": "kube-dns"}
    assert (spec.pricing, spec.sanitize) == (None, None)


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    raw = deepcopy(RAW)
    raw["spec"]["colour"] = "blue"
    assert GPULease.model_validate(raw) == GPULease.model_validate(RAW)


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        GPULease.model_validate(RAW).spec.pool = "other"  # type: ignore[misc]


def test_a_status_survives_being_written_and_read() -> None:
    status = GPULease.model_validate(RAW).status
    assert type(status).model_validate(status.dump()) == status
    assert status.dump()["quote"] == RAW["status"]["quote"]
    assert "queue" not in status.dump()


def test_a_message_that_is_too_long_is_cut_rather_than_refused() -> None:
    condition = Condition(
        type="Ready",
        status="False",
        reason="ApplyFailed",
        message="x" * 5000,
        last_transition_time=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )
    assert len(condition.message) == 1024
    assert condition.message.endswith("x…")


def test_a_record_is_written_as_a_whole_object() -> None:
    row = {"kind": "Usage", "start": "2026-12-01T08:00:00Z", "end": "2026-12-01T09:00:00Z", "nodes": 1, "gpus": 8}
    record = LeaseRecord.model_validate(
        {
            "metadata": {"name": "acme-train-1b4e28ba", "labels": {"sublet.dev/lease": "acme-train"}},
            "spec": {
                "leaseName": "acme-train",
                "leaseUID": "1b4e28ba",
                "pool": "h100",
                "tenant": {"name": "acme"},
                "term": "Firm",
                "rows": [row | {"gpuSeconds": 28_800, "currency": "EUR", "amount": "-20.00"}],
                "closedAt": "2026-12-01T09:00:05Z",
            },
        }
    )
    manifest = record.manifest()
    assert manifest["apiVersion"] == "sublet.dev/v1alpha1"
    assert manifest["kind"] == "LeaseRecord"
    assert manifest["metadata"] == {
        "name": "acme-train-1b4e28ba",
        "labels": {"sublet.dev/lease": "acme-train"},
    }
    assert manifest["spec"]["rows"] == [row | {"gpuSeconds": 28_800, "currency": "EUR", "amount": "-20.00"}]
    assert LeaseRecord.model_validate(manifest) == record


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("gpus", "gpus"),
        ("gpu_seconds", "gpuSeconds"),
        ("price_per_gpu_hour", "pricePerGPUHour"),
        ("lease_uid", "leaseUID"),
        ("cluster_cidrs", "clusterCIDRs"),
        ("uid", "uid"),
        ("extendable_until", "extendableUntil"),
    ],
)
def test_fields_are_named_as_kubernetes_names_them(field: str, name: str) -> None:
    assert camel_case(field) == name
