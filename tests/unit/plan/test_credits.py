"""Credits: exact, for what was not given, and no second twice."""

from datetime import datetime, timedelta
from typing import Any

from sublet.api.lease import GPULease
from sublet.api.record import LeaseRecord, Row
from sublet.plan.credits import credits_of
from sublet.plan.observed import NodeSeen
from sublet.plan.record import record_of
from tests.builders import a_lease, a_node, at, booked

PRICE = {"currency": "EUR", "gpu_hours": "128", "amount": "320.00", "price_per_gpu_hour": "2.50"}


def lease(**status: Any) -> GPULease:  # noqa: ANN401 - a field of any kind
    """A lease of two nodes with eight GPUs each, from noon to 20:00."""
    known: dict[str, Any] = {"quote": PRICE, "ready_at": at()}
    return booked(a_lease(term="Interruptible"), **(known | status))


def reclaimed(given: timedelta, promised: str = "4h") -> dict[str, Any]:
    """The status of a lease that is taken back at 20:00 with so much notice."""
    early = {"reason": "Reclaimed", "asked_end": at(20), "end": at(8), "noticed_at": at(8) - given}
    return {"early_end": early, "reclaim_notice": promised}


def outage(start: float, end: float | None, node: str = "gpu-1") -> dict[str, Any]:
    """An outage of one node, in hours from noon."""
    return {
        "node": node,
        "gpus": 8,
        "reason": "NotReady",
        "start": at(start),
        "end": None if end is None else at(end),
    }


def credited(lease: GPULease, ended: datetime, *nodes: NodeSeen) -> list[Row]:
    """The credits of a lease, with its nodes as they are when it is recorded."""
    return list(credits_of(lease, ended, {node.name: node for node in nodes}))


def seconds(rows: list[Row]) -> list[int]:
    """The GPU-seconds of rows."""
    return [row.gpu_seconds for row in rows]


def test_an_outage_is_credited_as_it_was_priced() -> None:
    """Eight GPUs for an hour."""
    (row,) = credited(lease(outages=[outage(1, 2)]), at(8))
    assert (row.kind.value, row.nodes, row.gpus, row.gpu_seconds) == ("Credit", 1, 8, -8 * 3600)
    assert (str(row.amount), row.reason) == ("-20.00", "the node gpu-1 was not to be had")


def test_an_outage_that_lasts_is_credited_up_to_the_end() -> None:
    """And one that began at the end is none."""
    assert seconds(credited(lease(outages=[outage(7, None), outage(8, None)]), at(8))) == [-8 * 3600]


def test_notice_as_promised_is_no_credit() -> None:
    """Neither is more."""
    assert not credited(lease(**reclaimed(timedelta(hours=4))), at(8))
    assert not credited(lease(**reclaimed(timedelta(hours=5))), at(8))


def test_what_is_missing_of_the_notice_is_credited_before_the_end() -> None:
    """One hour of four was given: the last three hours of all nodes are given back."""
    (row,) = credited(lease(**reclaimed(timedelta(hours=1))), at(8))
    assert (row.start, row.end, row.gpu_seconds) == (at(5), at(8), -16 * 3 * 3600)
    assert row.reason == "reclaimed with 1h of the promised 4h of notice"


def test_who_leaves_before_the_reclaimed_end_had_the_notice_all_the_same() -> None:
    """Giving a lease back an hour after the notice earns no credit."""
    assert not credited(lease(**reclaimed(timedelta(hours=4))), at(5))


def test_no_second_is_given_back_twice() -> None:
    """The outage counts up to where the missing notice begins; no credit reaches before the start."""
    both = lease(outages=[outage(4, 7)], **reclaimed(timedelta(hours=1)))
    assert seconds(credited(both, at(8))) == [-8 * 3600, -16 * 3 * 3600]
    (all_of_it,) = credited(lease(**reclaimed(timedelta(hours=1), "20h")), at(8))
    assert all_of_it.start == at(0)


def test_a_credit_is_written_into_the_record_and_without_prices_has_no_amount() -> None:
    """The API admits it, also where it rounds to nothing."""
    cheap = PRICE | {"price_per_gpu_hour": "0.01"}
    entry = record_of(lease(quote=cheap, outages=[outage(1, 1 + 1 / 3600)]), {}, at(8))
    assert entry is not None
    rows = entry["spec"]["rows"]
    assert [(row["kind"], row["amount"]) for row in rows] == [("Usage", "1.28"), ("Credit", "0.00")]
    LeaseRecord.model_validate(entry)
    (row,) = credited(lease(quote=None, outages=[outage(1, 2)]), at(8))
    assert (row.amount, row.currency) == (None, None)


def test_a_late_start_is_credited_from_the_start_until_everything_was_in_place() -> None:
    """With all nodes. What fails before that is no second credit, what fails after it is."""
    (row,) = credited(lease(ready_at=at(1), outages=[outage(0, 1)]), at(8))
    assert (row.start, row.end, row.nodes, row.gpu_seconds) == (at(), at(1), 2, -16 * 3600)
    assert row.reason == "not everything was in place"
    assert seconds(credited(lease(ready_at=at(1), outages=[outage(0, 3)]), at(8))) == [-16 * 3600, -8 * 2 * 3600]


def test_a_start_within_a_minute_is_prompt() -> None:
    """To claim nodes and to put up guards takes seconds."""
    assert not credited(lease(ready_at=at(0, minutes=1)), at(8))
    assert seconds(credited(lease(ready_at=at(0, 1, 1)), at(8))) == [-16 * 61]


def test_a_lease_that_never_was_in_place_costs_nothing() -> None:
    """The credit is the whole of it."""
    entry = record_of(lease(ready_at=None), {}, at(8))
    assert entry is not None
    assert [row["amount"] for row in entry["spec"]["rows"]] == ["320.00", "-320.00"]
    assert seconds(credited(lease(ready_at=None), at(0, 0, 50))) == [-16 * 50]
    assert not credited(lease(ready_at=None, active_at=at(0, 0, 5)), at(8))


def test_an_outage_that_nobody_saw_is_known_by_the_node() -> None:
    """It is not ready since before the end; one that failed later is nobody's loss."""
    down = a_node("gpu-1", ready=False, changed_at=at(6))
    assert seconds(credited(lease(), at(8), down, a_node("gpu-2"))) == [-8 * 2 * 3600]
    assert not credited(lease(), at(6), down)


def test_an_outage_whose_end_nobody_saw_ended_when_the_node_was_ready_again() -> None:
    """If that was the reason for it."""
    back = a_node("gpu-1", changed_at=at(3))
    assert seconds(credited(lease(outages=[outage(1, None)]), at(8), back)) == [-8 * 2 * 3600]
    lame = outage(1, None) | {"reason": "GPUsMissing"}
    assert seconds(credited(lease(outages=[lame]), at(8), back)) == [-8 * 7 * 3600]


def test_cents_add_up_to_those_of_all_credits_together() -> None:
    """Three times a third of a cent is a cent, and not three times nothing."""
    thirds = [outage(hour, hour + 1 / 3600) for hour in (1, 2, 3)]
    rows = credited(lease(quote=PRICE | {"price_per_gpu_hour": "1.50"}, outages=thirds), at(8))
    assert [str(row.amount) for row in rows] == ["0.00", "-0.01", "0.00"]


def test_no_more_is_given_back_than_was_used() -> None:
    """Also where outages are known twice."""
    twice = [outage(0, 8, node) for node in ("gpu-1", "gpu-2", "gpu-3")]
    assert seconds(credited(lease(outages=twice), at(8))) == [-8 * 8 * 3600, -8 * 8 * 3600]


def test_more_outages_than_rows_are_credited_in_one() -> None:
    """A record takes 256 rows; nothing is lost of what is no longer listed."""
    many = [outage(n / 60, (n + 0.5) / 60) for n in range(300)]
    held = lease(outages=many, unlisted_outage_gpu_seconds=1_000)
    rows = credited(held, at(8))
    assert seconds(rows) == [-8 * 30] * 200 + [-8 * 30 * 100 - 1_000]
    assert rows[-1].reason == "nodes were not to be had at times"
    entry = record_of(held, {}, at(8))
    assert entry is not None
    LeaseRecord.model_validate(entry)
