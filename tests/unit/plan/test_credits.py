"""Credits: exact, for what was not given, and no second twice."""

from datetime import timedelta
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.record import LeaseRecord, Row
from sublet.plan.credits import credits_of
from sublet.plan.record import record_of
from tests.builders import a_lease, at, booked

PRICE = {"currency": "EUR", "gpu_hours": "128", "amount": "320.00", "price_per_gpu_hour": "2.50"}


def lease(**status: Any) -> GPULease:  # noqa: ANN401 - a field of any kind
    """A lease of two nodes with eight GPUs each, from noon to 20:00."""
    return booked(a_lease(term="Interruptible"), **({"quote": PRICE} | status))


def reclaimed(given: timedelta, promised: str = "4h") -> dict[str, Any]:
    """The status of a lease that is taken back at 20:00 with so much notice."""
    early = {"reason": "Reclaimed", "asked_end": at(20), "end": at(8), "noticed_at": at(8) - given}
    return {"early_end": early, "reclaim_notice": promised}


def outage(start: float, end: float | None) -> dict[str, Any]:
    """An outage of one node, in hours from noon."""
    return {"node": "gpu-1", "gpus": 8, "start": at(start), "end": None if end is None else at(end)}


def seconds(rows: list[Row]) -> list[int]:
    """The GPU-seconds of rows."""
    return [row.gpu_seconds for row in rows]


def test_an_outage_is_credited_as_it_was_priced() -> None:
    """Eight GPUs for an hour."""
    (row,) = credits_of(lease(outages=[outage(1, 2)]), at(8))
    assert (row.kind.value, row.nodes, row.gpus, row.gpu_seconds) == ("Credit", 1, 8, -8 * 3600)
    assert (str(row.amount), row.reason) == ("-20.00", "the node gpu-1 was not to be had")


def test_an_outage_that_lasts_is_credited_up_to_the_end() -> None:
    """And one that began at the end is none."""
    assert seconds(list(credits_of(lease(outages=[outage(7, None), outage(8, None)]), at(8)))) == [-8 * 3600]


def test_notice_as_promised_is_no_credit() -> None:
    """Neither is more."""
    assert not list(credits_of(lease(**reclaimed(timedelta(hours=4))), at(8)))
    assert not list(credits_of(lease(**reclaimed(timedelta(hours=5))), at(8)))


def test_what_is_missing_of_the_notice_is_credited_before_the_end() -> None:
    """One hour of four was given: the last three hours of all nodes are given back."""
    (row,) = credits_of(lease(**reclaimed(timedelta(hours=1))), at(8))
    assert (row.start, row.end, row.gpu_seconds) == (at(5), at(8), -16 * 3 * 3600)
    assert row.reason == "reclaimed with 1h of the promised 4h of notice"


def test_who_leaves_before_the_reclaimed_end_had_the_notice_all_the_same() -> None:
    """Giving a lease back an hour after the notice earns no credit."""
    assert not list(credits_of(lease(**reclaimed(timedelta(hours=4))), at(5)))


def test_no_second_is_given_back_twice() -> None:
    """The outage counts up to where the missing notice begins; no credit reaches before the start."""
    both = lease(outages=[outage(4, 7)], **reclaimed(timedelta(hours=1)))
    assert seconds(list(credits_of(both, at(8)))) == [-8 * 3600, -16 * 3 * 3600]
    (all_of_it,) = credits_of(lease(**reclaimed(timedelta(hours=1), "20h")), at(8))
    assert all_of_it.start == at(0)


def test_a_credit_is_written_into_the_record_and_without_prices_has_no_amount() -> None:
    """The API admits it, also where it rounds to nothing."""
    cheap = PRICE | {"price_per_gpu_hour": "0.01"}
    entry = record_of(lease(quote=cheap, outages=[outage(1, 1 + 1 / 3600)]), at(8))
    assert entry is not None
    rows = entry["spec"]["rows"]
    assert [(row["kind"], row["amount"]) for row in rows] == [("Usage", "1.28"), ("Credit", "0.00")]
    LeaseRecord.model_validate(entry)
    (row,) = credits_of(lease(quote=None, outages=[outage(1, 2)]), at(8))
    assert (row.amount, row.currency) == (None, None)
