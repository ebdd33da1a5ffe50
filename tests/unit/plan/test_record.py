"""The ledger's entry: exact to the second and to the cent, and none where nothing was held."""

from datetime import datetime
from typing import Any

import pytest

from sublet.api.lease import GPULease
from sublet.api.record import LeaseRecord
from sublet.plan.record import record_of
from tests.builders import a_lease, at, booked, written

PRICE = {"currency": "EUR", "gpu_hours": "128", "amount": "320.00", "price_per_gpu_hour": "2.50"}
TENANT = {
    "name": "acme",
    "billing_account": "4711",
    "subjects": [{"kind": "User", "name": "oidc:anna@acme.example"}],
}


def recorded(lease: GPULease, now: datetime) -> dict[str, Any]:
    """The entry's specification, with its only row in it."""
    entry = record_of(lease, {}, now)
    assert entry is not None
    spec: dict[str, Any] = entry["spec"]
    return spec


def test_an_entry_says_who_held_what_and_for_how_much() -> None:
    """Everything that a bill is made of stands in the entry, and the API admits it."""
    lease = booked(a_lease(tenant=TENANT, term="Interruptible"), quote=PRICE, ready_at=at(), ended_at=at(8))
    entry = record_of(lease, {}, at(8, 1))
    assert entry == {
        "apiVersion": "sublet.dev/v1alpha1",
        "kind": "LeaseRecord",
        "metadata": {"name": "acme-train-uid-acme"},
        "spec": {
            "leaseName": "acme-train",
            "leaseUID": "uid-acme-train",
            "pool": "h100",
            "tenant": {"name": "acme", "billingAccount": "4711"},
            "term": "Interruptible",
            "closedAt": "2026-12-01T20:01:00Z",
            "rows": [
                {
                    "kind": "Usage",
                    "start": "2026-12-01T12:00:00Z",
                    "end": "2026-12-01T20:00:00Z",
                    "nodes": 2,
                    "gpus": 16,
                    "gpuSeconds": 460_800,
                    "currency": "EUR",
                    "pricePerGPUHour": "2.50",
                    "amount": "320.00",
                }
            ],
        },
    }
    LeaseRecord.model_validate(entry)


@pytest.mark.parametrize(
    ("ended", "gpus", "price", "amount"),
    [
        (at(8), 16, "2.50", "320.00"),
        (at(0, 0, 1), 1, "3600", "1.00"),
        (at(0, 0, 1), 1, "18", "0.01"),
        (at(0, 0, 1), 1, "17.99", "0.00"),
        (at(0, 20), 1, "1", "0.33"),
        (at(0, 40), 1, "1", "0.67"),
        (at(8), 80_000, "0.000000001", "0.00"),
        (at(8), 16, "0.1", "12.80"),
    ],
)
def test_the_amount_is_exact_and_rounded_once(ended: datetime, gpus: int, price: str, amount: str) -> None:
    """Seconds times price, in decimals, with half a cent rounded up at the very end."""
    lease = booked(a_lease(), gpus=gpus, ready_at=at(), ended_at=ended, quote=PRICE | {"price_per_gpu_hour": price})
    assert recorded(lease, at(9))["rows"][0]["amount"] == amount


@pytest.mark.parametrize(
    ("status", "now", "ended"),
    [
        ({"ended_at": at(3)}, at(3, 1), "2026-12-01T15:00:00Z"),
        ({"ended_at": None}, at(3), "2026-12-01T15:00:00Z"),
        ({"ended_at": None}, at(300), "2026-12-01T20:00:00Z"),
        ({"ended_at": at(8)}, at(300), "2026-12-01T20:00:00Z"),
    ],
    ids=["given back", "given back in this pass", "found late", "given back late"],
)
def test_time_is_counted_to_the_end_and_never_beyond_the_contract(
    status: dict[str, Any], now: datetime, ended: str
) -> None:
    """Late passes cost the tenant nothing."""
    assert recorded(booked(a_lease(), **status), now)["rows"][0]["end"] == ended


def test_a_lease_that_was_shortened_while_nobody_looked_is_billed_as_if_somebody_had() -> None:
    """To the end that was written, or to the moment of writing where that is later; a later end changes nothing."""
    shorter, longer = booked(a_lease(duration="4h"), end=at(8)), booked(a_lease(duration="12h"), end=at(8))
    assert recorded(written(shorter, at(2)), at(9))["rows"][0]["end"] == "2026-12-01T16:00:00Z"
    assert recorded(written(shorter, at(6)), at(9))["rows"][0]["end"] == "2026-12-01T18:00:00Z"
    assert recorded(written(shorter, at(8.5)), at(9))["rows"][0]["end"] == "2026-12-01T20:00:00Z"
    assert recorded(written(longer, at(2)), at(9))["rows"][0]["end"] == "2026-12-01T20:00:00Z"


@pytest.mark.parametrize(
    ("lease", "now"),
    [
        (a_lease(), at(9)),
        (booked(a_lease(), start=at(5)), at(4)),
        (booked(a_lease(), start=at(5), ended_at=at(5)), at(5)),
        (booked(a_lease(), end=at(0)), at(9)),
    ],
    ids=["never booked", "given back before its start", "ended at its start", "shortened to nothing"],
)
def test_a_booking_that_never_began_leaves_no_entry(lease: GPULease, now: datetime) -> None:
    """Nothing was held, so there is nothing to pay for."""
    assert record_of(lease, {}, now) is None


def test_a_pool_without_prices_meters_all_the_same() -> None:
    """GPU-seconds are recorded; amount, price and currency are left out."""
    (row,) = recorded(booked(a_lease(), ready_at=at(), ended_at=at(8)), at(9))["rows"]
    assert row["gpuSeconds"] == 460_800
    assert not {"amount", "currency", "pricePerGPUHour"} & set(row)


def test_the_name_is_of_one_lease_for_ever() -> None:
    """The UID is in the name: a second write is refused by the server, and a later lease of the name has its own."""
    one, two = booked(a_lease(), ended_at=at(8)), booked(a_lease(), ended_at=at(8))
    other = one.model_copy(update={"metadata": one.metadata.model_copy(update={"uid": "9c0ffee0-1111"})})
    entries = [record_of(lease, {}, at(9)) for lease in (one, two, other)]
    names = [entry["metadata"]["name"] for entry in entries if entry]
    assert names == ["acme-train-uid-acme", "acme-train-uid-acme", "acme-train-9c0ffee0"]
