"""A pool that asks for what is not enforced sells nothing."""

from typing import Any

import pytest

from sublet.policy.pools import judge
from sublet.policy.storage import ClassSeen
from tests.builders import a_pool

GOOD = {name: ClassSeen("Delete", "csi.example.com") for name in ("nvme", "shared")}
POD = {"containers": [{"name": "main", "image": "registry.example/cleaner:1"}]}
STEP = {"name": "wipe", "timeout": "10m", "template": {"spec": {"template": {"spec": POD}}}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"owner_floor": {"nodes": 2}},
        {"owner_floor": {"windows": [{"start": "0 8 * * MON-FRI", "duration": "10h", "nodes": 2}]}},
        {"topology": ["topology.kubernetes.io/zone"]},
        {"isolation": {"pod_security": {"level": "restricted"}, "dns": {"namespace": "dns"}}},
        {"isolation": {"registries": ["registry.example/acme"], "runtime_classes": ["gvisor"]}},
        {"isolation": {"priority_classes": ["batch"], "probe": "Required"}},
        {"isolation": {"egress": ["0.0.0.0/0"], "cluster_cidrs": ["10.0.0.0/8"]}},
        {"isolation": {"storage_classes": ["nvme", "shared"]}},
        {"pricing": {"currency": "EUR", "firm": "2.50"}},
        {"pricing": {"currency": "VND", "firm": "999999.999999999", "interruptible": "0"}},
        {"terms": {"min_duration": "4h", "max_duration": "4h", "longest_total": "4h"}},
        {"terms": {"lead_time": "56d"}},
        {"terms": {"max_duration": "30m1s", "min_duration": "1m"}},
        {"terms": {"longest_total": "1h", "min_duration": "1h"}, "schedule": {"drain_before": "59m59s"}},
        {"sanitize": {"mode": "External"}},
        {"sanitize": {"mode": "Steps", "steps": [STEP]}},
    ],
)
def test_what_is_enforced_is_accepted(spec: dict[str, Any]) -> None:
    """Nobody objects to a pool whose every field is honoured."""
    assert judge(a_pool(**spec), GOOD) is None


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"isolation": {"device_classes": ["gpu.nvidia.com"]}}, "spec.isolation.deviceClasses"),
        ({"isolation": {"min_toolkit_version": "1.17.8"}}, "spec.isolation.minToolkitVersion"),
    ],
)
def test_what_is_not_enforced_is_refused(spec: dict[str, Any], field: str) -> None:
    """An owner who sets a field relies on it, so it is refused by name rather than passed over."""
    objection = judge(a_pool(**spec), GOOD)
    assert objection is not None
    assert objection.reason == "NotOffered"
    assert objection.message == f"{field}: not enforced by this version of Sublet; remove the field to sell without it"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"terms": {"min_duration": "4h1s", "max_duration": "4h"}},
            "spec.terms.minDuration is 4h1s, longer than spec.terms.maxDuration, which is 4h",
        ),
        (
            {"terms": {"min_duration": "1d1s", "longest_total": "24h"}},
            "spec.terms.minDuration is 1d1s, longer than spec.terms.longestTotal, which is 1d",
        ),
        (
            {"terms": {"lead_time": "57d"}},
            "spec.terms.leadTime is 57d, longer than spec.terms.horizon, which is 56d",
        ),
        (
            {"terms": {"min_duration": "1m", "max_duration": "30m"}},
            "spec.schedule.drainBefore is 30m, not shorter than spec.terms.maxDuration, which is 30m",
        ),
        (
            {"terms": {"longest_total": "1h"}, "schedule": {"drain_before": "1h"}},
            "spec.schedule.drainBefore is 1h, not shorter than spec.terms.longestTotal, which is 1h",
        ),
    ],
)
def test_terms_that_no_lease_can_keep_are_refused(spec: dict[str, Any], message: str) -> None:
    """The API server takes none; those that were stored before sell nothing, and say what contradicts what."""
    objection = judge(a_pool(**spec), GOOD)
    assert objection is not None
    assert objection.reason.value == "InvalidSpec"
    assert objection.message == f"{message}: lower the one or raise the other"


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        (
            {"firm": "1000000"},
            "spec.pricing.firm: 1000000 for one GPU and hour is more than the ledger holds; write less than 1000000",
        ),
        (
            {"firm": "2.50", "interruptible": "999999999999999"},
            (
                "spec.pricing.interruptible: 999999999999999 for one GPU and hour is more than the ledger holds; "
                "write less than 1000000"
            ),
        ),
    ],
)
def test_a_price_that_the_ledger_cannot_hold_is_refused(prices: dict[str, str], message: str) -> None:
    """The API server takes none; one that was stored before sells nothing."""
    objection = judge(a_pool(pricing={"currency": "EUR", **prices}), GOOD)
    assert objection is not None
    assert (objection.reason.value, objection.message) == ("InvalidSpec", message)


def test_every_field_that_limits_tenants_is_either_refused_or_known_to_be_enforced() -> None:
    """A field that is added to the isolation must be enforced, or refused here, before it can be set in silence."""
    enforced = {
        *("podSecurity", "dns", "clusterCIDRs", "egress", "registries"),
        *("runtimeClasses", "priorityClasses", "storageClasses", "probe"),
    }
    refused = {"deviceClasses", "minToolkitVersion"}
    fields = {field.alias for field in type(a_pool().spec.isolation).model_fields.values()}
    assert fields == enforced | refused
