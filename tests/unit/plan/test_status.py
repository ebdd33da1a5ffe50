"""The status: phase and sentence, what happened when, and when there is something new to write."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sublet.api.lease import GPULease, GPULeaseStatus
from sublet.api.reasons import Reason
from sublet.calendar.lifecycle import Stage
from sublet.plan.conditions import Situation
from sublet.plan.status import end_of, gpu_seconds, is_news, report
from sublet.policy.chain import Verdict
from tests.builders import NOON, a_lease, at, booked, queued, some_nodes, written

LEASE = booked(a_lease())
GAP = timedelta(minutes=15)
WORKING: dict[str, Any] = {"claimed": some_nodes(2, LEASE), "guarded": True, "admitted": True, "cleaning_gap": GAP}


def reported(lease: GPULease, stage: Stage, now: datetime = NOON, **facts: object) -> dict[str, Any]:
    """The status that a pass writes."""
    return report(Situation(lease, stage, **(WORKING | facts)), now)


def after(lease: GPULease, status: dict[str, Any]) -> GPULease:
    """The lease once a status was written and read back."""
    raw = {key: value for key, value in (lease.status.dump() | status).items() if value is not None}
    return lease.model_copy(update={"status": GPULeaseStatus.model_validate(raw)})


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_its_phase(stage: Stage) -> None:
    """People see the stage by its own name, and the status can be read back."""
    status = reported(LEASE, stage, at(1))
    assert status["phase"] == stage.value
    assert after(LEASE, status).status.phase == stage.value


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("lease", [LEASE, a_lease(generation=3)], ids=["booked", "new"])
def test_a_pass_that_finds_the_same_writes_nothing(stage: Stage, lease: GPULease) -> None:
    """Read back and reported again a minute later, the status holds no news, though GPU-seconds ran on.

    An end that came moves the planned times, which the conditions tell one pass later; then that rests too.
    """
    first = reported(lease, stage, at(1))
    assert is_news(lease, first)
    known = after(lease, first)
    if stage in {Stage.RELEASING, Stage.SANITIZING, Stage.ENDED}:
        known = after(known, reported(known, stage, at(1)))
    assert not is_news(known, reported(known, stage, at(1, 1)))


@pytest.mark.parametrize("stage", [Stage.ACTIVE, Stage.SUSPENDED, Stage.DRAINING, Stage.RECLAIMING])
def test_when_everything_was_in_place_is_noted_once(stage: Stage) -> None:
    """Also for a tenant who is suspended from the start, and so has no access; before that nothing is noted."""
    known = after(LEASE, reported(LEASE, stage, at(1)))
    assert reported(known, stage, at(2))["readyAt"] == "2026-12-01T13:00:00Z"
    assert reported(LEASE, stage, at(1), admitted=False)["readyAt"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("phase", "Active"), ("message", "other"), ("activeAt", "2026-12-01T12:00:00Z"), ("observedGeneration", 9)],
)
def test_every_other_change_is_news(field: str, value: object) -> None:
    """Phase, sentence, times, generation: each by itself is worth a write; GPU-seconds are not."""
    first = reported(LEASE, Stage.PROVISIONING)
    known = after(LEASE, first)
    assert is_news(known, first | {field: value})
    assert not is_news(known, first | {"gpuSeconds": 999_999})


@pytest.mark.parametrize(
    ("stage", "lease", "facts", "message"),
    [
        (Stage.QUEUED, queued(a_lease()), {}, "waiting to be planned"),
        (Stage.RESERVED, booked(a_lease(), start=at(5)), {}, "starts at 2026-12-01T17:00:00Z"),
        (Stage.PROVISIONING, LEASE, {"guarded": False, "waiting": "a namespace"}, "a namespace"),
        (Stage.ACTIVE, LEASE, {}, ""),
        (Stage.DRAINING, LEASE, {}, "the end is near: no new pods start, running ones may finish"),
        (Stage.RELEASING, LEASE, {"waiting": "namespaces"}, "namespaces"),
        (Stage.RELEASING, LEASE, {}, "nodes are being given back"),
        (Stage.ENDED, LEASE, {}, ""),
        (Stage.REFUSED, a_lease(), {"verdict": Verdict(Reason.INVALID_SPEC, "spec.end: no")}, "spec.end: no"),
    ],
)
def test_one_sentence_says_what_is_going_on(stage: Stage, lease: GPULease, facts: dict[str, Any], message: str) -> None:
    """The sentence is that of the condition that matters in the stage."""
    assert reported(lease, stage, **facts)["message"] == message


@pytest.mark.parametrize(
    ("hour", "message"),
    [(0, ""), (6.99, ""), (7, "ends within 1h"), (7.8, "ends within 1h"), (7.9, "ends within 10m")],
)
def test_the_tightest_notice_that_has_begun_is_told(hour: float, message: str) -> None:
    """With notices of an hour and of ten minutes, a lease until 20:00 tells of its end from 19:00 on."""
    notices = (timedelta(hours=1), timedelta(minutes=10))
    assert reported(LEASE, Stage.ACTIVE, at(hour), notices=notices)["message"] == message


def test_the_first_moment_of_access_is_kept() -> None:
    """A lease that is provisioned anew was active before, and says since when."""
    first = reported(LEASE, Stage.ACTIVE, at(0.1))
    assert first["activeAt"] == "2026-12-01T12:06:00Z"
    again = reported(after(LEASE, first), Stage.ACTIVE, at(2))
    assert again["activeAt"] == "2026-12-01T12:06:00Z"
    assert reported(LEASE, Stage.PROVISIONING)["activeAt"] is None


@pytest.mark.parametrize("stage", [Stage.RELEASING, Stage.ENDED])
@pytest.mark.parametrize(("now", "ended"), [(3, "15:00"), (8, "20:00"), (30, "20:00")])
def test_a_lease_never_ends_later_than_its_contract(stage: Stage, now: float, ended: str) -> None:
    """Given back early, it ended then; found late by an operator that was down, it ended when it should have."""
    status = reported(LEASE, stage, at(now))
    assert status["endedAt"] == f"2026-12-01T{ended}:00Z"
    assert status["gpuSeconds"] == 16 * (int(ended[:2]) - 12) * 3600


def test_an_early_end_moves_what_follows_from_it() -> None:
    """Released at 15:00, the lease shows that end, and the nodes clean a quarter of an hour later."""
    status = reported(LEASE, Stage.RELEASING, at(3))
    assert (status["endsAt"], status["reusableAt"]) == ("2026-12-01T15:00:00Z", "2026-12-01T15:15:00Z")


def test_the_end_is_written_once() -> None:
    """However long give-back takes, the end stays the one that was seen first."""
    first = after(LEASE, reported(LEASE, Stage.RELEASING, at(3)))
    later = reported(first, Stage.ENDED, at(5))
    assert (later["endedAt"], later["releasedAt"]) == ("2026-12-01T15:00:00Z", "2026-12-01T17:00:00Z")
    assert later["endsAt"] == "2026-12-01T15:00:00Z"
    assert reported(after(first, later), Stage.ENDED, at(9))["releasedAt"] == "2026-12-01T17:00:00Z"


def test_a_running_lease_keeps_the_planners_times() -> None:
    """Before its end, a lease's own pass leaves its end to the planner, which may move it meanwhile."""
    for stage in (Stage.RESERVED, Stage.ACTIVE, Stage.DRAINING):
        assert not {"endsAt", "reusableAt", "startsAt", "drainAt"} & set(reported(LEASE, stage, at(1)))


def test_a_lease_that_was_never_booked_has_no_end() -> None:
    """Deleted from the queue, it is over without having ended."""
    status = reported(queued(a_lease(deleted=NOON)), Stage.ENDED)
    assert (status["endedAt"], status["gpuSeconds"]) == (None, None)
    assert status["releasedAt"] == "2026-12-01T12:00:00Z"


@pytest.mark.parametrize(
    ("until", "seconds"), [(at(-1), None), (NOON, 0), (at(0, 0, 1), 16), (at(8), 460_800), (at(0, 0, 1.9), 16)]
)
def test_gpu_seconds_count_reserved_time(until: datetime, seconds: int | None) -> None:
    """Sixteen GPUs make sixteen GPU-seconds in each whole second since the start, busy or not."""
    assert gpu_seconds(LEASE, until) == seconds


def test_a_lease_without_a_booking_counts_nothing() -> None:
    """What was never promised is not metered."""
    assert gpu_seconds(a_lease(), at(5)) is None


def test_a_lease_that_is_taken_back_says_until_when() -> None:
    """The deadline is the end, which does not run."""
    early = {"reason": "Reclaimed", "asked_end": at(20), "end": at(8), "noticed_at": at(4)}
    taken = booked(a_lease(term="Interruptible"), early_end=early)
    said = "the owner takes the nodes back at 2026-12-01T20:00:00Z; save your work"
    for hour in (4, 7):
        assert reported(taken, Stage.RECLAIMING, at(hour))["message"] == said


@pytest.mark.parametrize(
    ("release", "asked", "now", "ended"),
    [(True, 2, 3, 2), (True, -1, 3, 0), (True, 9, 10, 8), (False, 2, 3, 3)],
    ids=["written an hour ago", "written before the start", "written after the end", "written, but no release"],
)
def test_a_release_counts_from_when_it_was_written(asked: float, now: float, ended: float, *, release: bool) -> None:
    """Never before the start nor after the contract's end."""
    lease = written(booked(a_lease(release=release)), at(asked))
    assert end_of(lease, at(now)) == at(ended)
