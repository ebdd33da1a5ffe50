"""The stages of a lease: which one holds when, and which moves there are."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.api.lease import Phase
from sublet.calendar.lifecycle import MOVES, Facts, Stage, next_boundary, stage
from tests.builders import at

BOOKED = Facts(starts_at=at(1), drain_at=at(4), ends_at=at(5))


def test_every_stage_has_its_row_of_moves() -> None:
    """The table of moves says of each stage where it may lead."""
    assert set(MOVES) == set(Stage)
    assert all(target in set(Stage) for targets in MOVES.values() for target in targets)


def test_nothing_leads_from_give_back_to_running() -> None:
    """What has begun to be given back never runs again; what turns up after the end is given back once more."""
    over = {Stage.RELEASING, Stage.SANITIZING, Stage.ENDED}
    assert [MOVES[stage] for stage in over] == [over] * 3


def test_a_lease_of_which_nodes_alone_are_left_is_sanitizing() -> None:
    """Where its pool has them cleaned; with everything given back it has ended, and before that it is releasing."""
    over: dict[str, Any] = {"starts_at": at(1), "ends_at": at(2)}
    assert stage(Facts(**over), at(2)) == "Releasing"
    assert stage(Facts(**over, cleaning=True), at(2)) == "Sanitizing"
    assert stage(Facts(**over, cleaning=True, cleared=True), at(2)) == "Ended"
    assert stage(Facts(**over, cleaning=True), at(1.5)) == "Provisioning"


def test_the_words_are_those_of_the_api() -> None:
    """A stage is shown as the phase of the same value, and there is no other phase."""
    assert {stage.value for stage in Stage} == {phase.value for phase in Phase}


@pytest.mark.parametrize(
    ("facts", "hour", "expected"),
    [
        ({}, 0, "Queued"),
        ({"refused": True}, 0, "Refused"),
        ({"withdrawn": True, "cleared": True}, 0, "Ended"),
        ({"withdrawn": True, "refused": True, "cleared": True}, 0, "Ended"),
        ({"suspended": True}, 0, "Queued"),
    ],
)
def test_a_lease_without_a_booking(facts: dict[str, Any], hour: float, expected: str) -> None:
    """It waits, is refused, or is over."""
    assert stage(Facts(**facts), at(hour)) == expected


@pytest.mark.parametrize(
    ("changes", "hour", "expected"),
    [
        ({}, 0.99, "Reserved"),
        ({"suspended": True}, 0.99, "Reserved"),
        ({}, 1, "Provisioning"),
        ({"in_place": True}, 1, "Active"),
        ({"in_place": True, "suspended": True}, 2, "Suspended"),
        ({"suspended": True}, 2, "Suspended"),
        ({"in_place": True}, 3.99, "Active"),
        ({"in_place": True}, 4, "Draining"),
        ({"suspended": True}, 4, "Draining"),
        ({}, 4, "Draining"),
        ({"in_place": True}, 5, "Releasing"),
        ({}, 400, "Releasing"),
        ({"cleared": True}, 5, "Ended"),
        ({"withdrawn": True, "in_place": True}, 2, "Releasing"),
        ({"withdrawn": True, "cleared": True}, 0, "Ended"),
        ({"ended": True, "in_place": True}, 2, "Releasing"),
        ({"ended": True, "cleared": True}, 2, "Ended"),
        ({"refused": True, "in_place": True}, 2, "Active"),
        ({"drain_at": None, "in_place": True}, 4.5, "Active"),
    ],
)
def test_a_lease_with_a_booking(changes: dict[str, Any], hour: float, expected: str) -> None:
    """Booked from 1 to 5 with draining from 4: the end goes before draining, draining before a suspension."""
    assert stage(replace(BOOKED, **changes), at(hour)) == expected


@pytest.mark.parametrize(("hour", "boundary"), [(0, 1), (1, 4), (3, 4), (4, 5), (5, None), (9, None)])
def test_the_next_boundary_is_the_nearest_moment_ahead(hour: float, boundary: float | None) -> None:
    """Start, drain and end are each looked forward to once, and not again when they have come."""
    assert next_boundary(BOOKED, at(hour)) == (None if boundary is None else at(boundary))


def test_a_lease_without_a_booking_has_no_boundary() -> None:
    """The clock alone moves nothing before something is promised."""
    assert next_boundary(Facts(refused=True), at(0)) is None


def test_a_lease_that_is_given_back_before_anything_was_built_may_end_at_once() -> None:
    """Booked and released within a second, it goes from Provisioning to Ended: there is nothing to take away."""
    released = replace(BOOKED, withdrawn=True, cleared=True)
    assert stage(BOOKED, at(1)) is Stage.PROVISIONING
    assert stage(released, at(1)) is Stage.ENDED
    assert Stage.ENDED in MOVES[Stage.PROVISIONING]


HOURS = st.integers(0, 20)
FLAGS = st.booleans()


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Facts of any lease: a booking, if there is one, has its moments in order."""
    starts, drains, ends = sorted(draw(st.tuples(HOURS, HOURS, HOURS)))
    moments = {"starts_at": at(starts), "drain_at": at(drains), "ends_at": at(ends)}
    booking: dict[str, Any] = moments if draw(FLAGS) else {}
    names = ("refused", "withdrawn", "ended", "suspended", "in_place", "cleared")
    flags: dict[str, Any] = {name: draw(FLAGS) for name in names}
    return Facts(**booking, **flags)


@settings(max_examples=200)
@given(any_facts(), HOURS)
def test_the_stage_stays_the_same_up_to_the_next_boundary(facts: Facts, hour: int) -> None:
    """Who wakes up only at boundaries misses no change, and no boundary lies behind him."""
    now = at(hour)
    boundary = next_boundary(facts, now)
    assert boundary is None or boundary > now
    moments = [at(hour, minutes) for minutes in range(0, 60 * 25, 20)]
    until = [moment for moment in moments if boundary is None or moment < boundary]
    assert {stage(facts, moment) for moment in until} == {stage(facts, now)}


HAS_OBJECTS = {Stage.PROVISIONING, Stage.ACTIVE, Stage.SUSPENDED, Stage.DRAINING}


@dataclass(frozen=True)
class Glance:
    """What one pass finds, beside the clock and what earlier passes found."""

    hours_since: int
    books: bool
    extends: bool
    withdraws: bool
    refused: bool
    suspended: bool
    in_place: bool
    cleared: bool


glances = st.lists(st.builds(Glance, st.integers(0, 4), *[FLAGS] * 7), min_size=2, max_size=12)


@settings(max_examples=300)
@given(st.integers(0, 5), st.integers(0, 6), glances)
def test_every_move_stands_in_the_table(wait: int, length: int, looks: list[Glance]) -> None:
    """Whatever a lease meets, in whatever rhythm it is looked at, it moves only where the table lets it.

    Bookings, withdrawals, a begun give-back and a finished one are never taken back; an end moves only ahead of time;
    and what runs has objects, so that it is not cleared in the very pass in which its end is found.
    """
    hour, facts, before = 0, Facts(), Stage.QUEUED
    for look in looks:
        hour += look.hours_since
        now = at(hour)
        if facts.starts_at is None and look.books and not look.refused and not facts.withdrawn:
            start = hour + wait
            end = start + length
            facts = replace(facts, starts_at=at(start), drain_at=at(max(start, end - 1)), ends_at=at(end))
        elif facts.ends_at is not None and facts.drain_at is not None and look.extends and now < facts.ends_at:
            by = at(1) - at(0)
            facts = replace(facts, drain_at=facts.drain_at + by, ends_at=facts.ends_at + by)
        facts = replace(
            facts,
            refused=look.refused and facts.starts_at is None,
            withdrawn=facts.withdrawn or look.withdraws,
            suspended=look.suspended,
            in_place=look.in_place,
            cleared=before is Stage.ENDED or (look.cleared and before not in HAS_OBJECTS),
        )
        after = stage(facts, now)
        assert after is before or after in MOVES[before], f"{before} to {after}"
        facts = replace(facts, ended=after in {Stage.RELEASING, Stage.ENDED} or facts.ended)
        before = after


def test_a_lease_whose_later_end_is_not_answered_yet_is_not_over() -> None:
    """It drains, and ends with the answer; what was given back ends all the same."""
    late = Facts(starts_at=at(0), drain_at=at(7), ends_at=at(8), in_place=True, unanswered=True)
    assert stage(late, at(9)) is Stage.DRAINING
    assert stage(replace(late, unanswered=False), at(9)) is Stage.RELEASING
    assert stage(replace(late, withdrawn=True), at(9)) is Stage.RELEASING


def test_a_reservation_taken_back_before_it_began_is_over() -> None:
    """A booking of no length ends before its start."""
    taken = Facts(starts_at=at(4), drain_at=at(4), ends_at=at(4))
    assert stage(taken, at(0)) is Stage.RELEASING
    assert stage(replace(taken, cleared=True), at(0)) is Stage.ENDED


def test_a_lease_that_is_taken_back_works_on_until_it_drains() -> None:
    """Reclaiming is Active with an earlier end; the tenant's trouble goes before it."""
    taken = Facts(starts_at=at(0), drain_at=at(7), ends_at=at(8), in_place=True, reclaimed=True)
    assert stage(taken, at(1)) is Stage.RECLAIMING
    assert stage(taken, at(7)) is Stage.DRAINING
    assert stage(replace(taken, suspended=True), at(1)) is Stage.SUSPENDED
    assert stage(replace(taken, in_place=False), at(1)) is Stage.PROVISIONING
