"""The judges of a compressed day: each rule that is broken is seen, and what is as it must be is let pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hack.day.facts import Child, Lease, Node, Outage, Pool
from hack.day.history import Event, Fact
from hack.day.judges.bench import Book, World
from hack.day.judges.court import judge
from hack.day.judges.ledger import judge_ledger
from hack.day.size import Size, small

BASE = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIZE: Size = replace(small(), factor=1, gap=HOUR)

FREE = Node(lease=None, uid=None, taint=None, reusable_at=None, sound=True)
CLAIMED = Node(lease="a", uid="ua", taint="a", reusable_at=None, sound=True)
WAITING = Lease(
    name="a",
    uid="ua",
    created="2026-01-01T00:00:00Z",
    generation=1,
    observed=1,
    spec={"pool": "day", "tenant": {"name": "t", "subjects": [{"kind": "User", "name": "u"}]}, "duration": "4h"},
    deleting=False,
    phase="Queued",
    message="",
    nodes=(),
    gpus=0,
    starts_at=None,
    ends_at=None,
    active_at=None,
    ready_at=BASE + HOUR,
    ended_at=None,
    released_at=None,
    eta=None,
    early=None,
    notice=None,
    outages=(),
)
BOOKED = replace(WAITING, phase="Reserved", nodes=("n1",), gpus=8, starts_at=BASE + HOUR, ends_at=BASE + 5 * HOUR)
ENDED = replace(BOOKED, phase="Releasing", ended_at=BOOKED.ends_at)
OVER = replace(ENDED, phase="Ended", released_at=BASE + 5 * HOUR)
ACCESS = Child("a", "ua")
NAME = "lease-a/sublet-tenant"


def told(*happened: tuple[float, str, str, Fact | None]) -> tuple[World, Book]:
    """What the judges make of events: hours after the base, kind, name and fact."""
    events = [
        Event(revision, BASE + hours * HOUR, kind, name, fact)
        for revision, (hours, kind, name, fact) in enumerate(happened)
    ]
    return judge(events, SIZE, BASE)


def rules(book: Book) -> set[str]:
    """The rules that were broken."""
    return {words.split(" ", 2)[2].partition(":")[0] for words in book.violations}


def begins(*, claim: float = 1, access: float = 1.001) -> list[tuple[float, str, str, Fact | None]]:
    """A lease of one node that is booked, claimed and entered."""
    return [
        (0, "Node", "n1", FREE),
        (0, "GPULease", "a", WAITING),
        (0.1, "GPULease", "a", BOOKED),
        (claim, "Node", "n1", CLAIMED),
        (access, "RoleBinding", NAME, ACCESS),
    ]


RETURNED = replace(FREE, reusable_at=BASE + 6 * HOUR)


def test_a_lease_as_it_should_be_breaks_no_rule() -> None:
    _, book = told(
        *begins(),
        (5, "GPULease", "a", ENDED),
        (5.001, "RoleBinding", NAME, None),
        (5.002, "Node", "n1", RETURNED),
        (5.003, "GPULease", "a", OVER),
        (5.004, "GPULease", "a", None),
    )
    assert book.violations == []
    assert book.checked["no access before all claims"] == 1


OTHER = replace(BOOKED, name="b", uid="ub")
THEIRS = Node(lease="b", uid="ub", taint="b", reusable_at=None, sound=True)
CASES: dict[str, list[tuple[float, str, str, Fact | None]]] = {
    "no claim before the start": begins(claim=0.9),
    "no access before the start": begins(claim=0.8, access=0.9),
    "no access before all claims": [*begins()[:3], (1.001, "RoleBinding", NAME, ACCESS)],
    "start of a reserved lease is on time": begins(access=1.1),
    "a claim is whole": [*begins(), (2, "Node", "n1", replace(CLAIMED, taint=None))],
    "a claim is of a lease that runs and has booked the node": [
        *begins(),
        (2, "Node", "n2", FREE),
        (2, "Node", "n2", CLAIMED),
    ],
    "a node has one lease": [*begins(), (2, "GPULease", "b", OTHER), (2, "Node", "n1", THEIRS)],
    "no node is booked twice": [
        *begins(),
        (2, "GPULease", "b", replace(OTHER, starts_at=BASE + 5.5 * HOUR, ends_at=BASE + 8 * HOUR)),
    ],
    "a node is given back when its lease is gone": [
        *begins(),
        (2, "Namespace", "lease-a", ACCESS),
        (5, "GPULease", "a", ENDED),
        (5.1, "Namespace", "lease-a", None),
        (5.2, "Node", "n1", RETURNED),
    ],
    "no claim before the cleaning is over": [(0, "Node", "n1", RETURNED), *begins()[1:]],
    "nothing is left when a lease says it is over": [*begins(), (5, "GPULease", "a", OVER)],
    "end by the clock is on time": [*begins(), (5, "GPULease", "a", ENDED), (5.1, "RoleBinding", NAME, None)],
    "access is not taken early": [*begins(), (4, "RoleBinding", NAME, None)],
    "a booked start stays": [*begins(), (2, "GPULease", "a", replace(BOOKED, starts_at=BASE))],
    "a firm lease loses no time": [*begins(), (2, "GPULease", "a", replace(BOOKED, ends_at=BASE + 4 * HOUR))],
    "a lease keeps its number of nodes": [*begins(), (2, "GPULease", "a", replace(BOOKED, nodes=()))],
    "a lease loses a node by failure alone": [*begins(), (2, "GPULease", "a", replace(BOOKED, nodes=("n2",)))],
    "the owner has the nodes that are kept": [
        (0, "GPUPool", "day", Pool(1, {"nodes": 1}, None)),
        *begins(),
        (2, "GPULease", "a", BOOKED),
    ],
    "a lost node is written down as an outage": [
        *begins(),
        (2, "Node", "n1", replace(CLAIMED, sound=False)),
        (3, "Node", "n1", CLAIMED),
    ],
    "nobody in the queue is delayed by who came later": [
        (0, "GPULease", "a", replace(WAITING, eta=BASE + HOUR)),
        (0.1, "GPULease", "b", replace(WAITING, name="b", uid="ub")),
        (0.2, "GPULease", "a", replace(WAITING, eta=BASE + 2 * HOUR)),
    ],
    "an interruptible lease that is taken back gets its notice": [
        (0, "GPULease", "a", replace(BOOKED, spec={**BOOKED.spec, "term": "Interruptible"}, notice="1h")),
        (
            2,
            "GPULease",
            "a",
            replace(
                BOOKED,
                spec={**BOOKED.spec, "term": "Interruptible"},
                notice="1h",
                ends_at=BASE + 2.5 * HOUR,
                early={"reason": "Reclaimed", "noticedAt": "2026-01-01T02:00:00Z"},
            ),
        ),
    ],
}


@pytest.mark.parametrize("rule", CASES)
def test_a_broken_rule_is_seen(rule: str) -> None:
    """Each case breaks that rule; that others fall with it is no harm."""
    _, book = told(*CASES[rule])
    assert rule in rules(book)


def test_a_delay_with_a_cause_is_excused_and_counted() -> None:
    """A node failed between the two forecasts."""
    _, book = told(
        (0, "Node", "n1", FREE),
        (0, "GPULease", "a", replace(WAITING, eta=BASE + HOUR)),
        (0.1, "Node", "n1", replace(FREE, sound=False)),
        (0.2, "GPULease", "a", replace(WAITING, eta=BASE + 2 * HOUR)),
    )
    assert book.violations == []
    assert book.excused["queue: a node failed"] == 1


@pytest.mark.parametrize(("access", "is_late"), [(3.001, False), (3.1, True)])
def test_a_start_is_measured_from_when_the_tenant_wanted_in(access: float, *, is_late: bool) -> None:
    """It was suspended over its start, by the tenant's own wish."""
    suspended = replace(BOOKED, spec={**BOOKED.spec, "suspend": True})
    _, book = told(
        *begins()[:2],
        (0.1, "GPULease", "a", suspended),
        begins()[3],
        (3, "GPULease", "a", BOOKED),
        (access, "RoleBinding", NAME, ACCESS),
    )
    assert ("start of a reserved lease is on time" in rules(book)) is is_late


@pytest.mark.parametrize(("access", "is_late"), [(2.001, False), (2.1, True)])
def test_a_start_is_measured_from_when_its_nodes_were_free(access: float, *, is_late: bool) -> None:
    """The control plane took an hour longer than the gap to clear the namespace of the lease before."""
    _, book = told(
        (0, "GPULease", "b", replace(OTHER, starts_at=BASE - 5 * HOUR, ends_at=BASE)),
        (0, "Node", "n1", THEIRS),
        (0.1, "GPULease", "a", WAITING),
        (0.2, "GPULease", "a", BOOKED),
        (2, "Node", "n1", FREE),
        (2, "Node", "n1", CLAIMED),
        (access, "RoleBinding", NAME, ACCESS),
    )
    assert ("start of a reserved lease is on time" in rules(book)) is is_late
    assert book.excused["start: its nodes were not free before"] == 1


@pytest.mark.parametrize(("seconds", "excused"), [(0.5, True), (3, False)])
def test_access_in_the_moment_in_which_a_node_is_replaced_is_excused(seconds: float, *, excused: bool) -> None:
    """News of it cannot have come through; later, a tenant is let in onto what it was promised alone."""
    moved = replace(BOOKED, nodes=("n2",))
    entry = 1.1 + seconds / 3600
    _, book = told(*begins()[:-1], (1.1, "GPULease", "a", moved), (entry, "RoleBinding", NAME, ACCESS))
    assert ("no access before all claims" not in rules(book)) is excused


@pytest.mark.parametrize(
    ("hours", "spec", "allowed"), [(0.5, {}, True), (0.99, {}, False), (0.5, {"placement": {"level": "rack"}}, False)]
)
def test_a_reservation_may_make_room_until_minutes_before_it_begins(
    hours: float, spec: dict[str, Any], *, allowed: bool
) -> None:
    """Its nodes are a plan until then, unless it asked for a block."""
    moved = replace(BOOKED, spec={**BOOKED.spec, **spec}, nodes=("n2",))
    nodes = [(0.0, "Node", name, FREE) for name in ("n1", "n2")]
    _, book = told(
        *nodes, (0, "GPULease", "a", WAITING), (0.1, "GPULease", "a", BOOKED), (hours, "GPULease", "a", moved)
    )
    assert ("a lease loses a node by failure alone" not in rules(book)) is allowed


def replaced(*then: tuple[float, str, str, Fact | None]) -> list[tuple[float, str, str, Fact | None]]:
    """A lease whose failed node has another in its place, just before its end, and still carries the claim."""
    moved = replace(BOOKED, nodes=("n2",))
    return [*begins(), (4.998, "Node", "n1", replace(CLAIMED, sound=False)), (4.999, "GPULease", "a", moved), *then]


CARRIES = "what carries a claim is booked by that lease"


def test_a_replaced_node_that_keeps_its_claim_is_seen() -> None:
    _, book = told(*replaced((5.1, "Node", "n1", RETURNED)))
    assert CARRIES in rules(book)


def test_a_replaced_node_is_given_back_with_the_others_when_the_lease_ends_first() -> None:
    """By then its claim is the releasing lease's to take off, after the namespaces."""
    ended = replace(ENDED, nodes=("n2",))
    _, book = told(*replaced((5, "GPULease", "a", ended), (5.1, "Node", "n1", RETURNED)))
    assert CARRIES not in rules(book)
    assert book.late[f"{CARRIES}: lasted"] == [pytest.approx(3.6)]


def record(**row: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of any kind
    """The record of the lease with its usage and another row."""
    usage = {"kind": "Usage", "gpuSeconds": 8 * 4 * 3600}
    return {"spec": {"leaseUID": "ua", "rows": [usage, *([row] if row else [])]}}


def of_ledger(records: list[dict[str, Any]], *happened: tuple[float, str, str, Fact | None]) -> set[str]:
    """The rules that records break after some events."""
    world, _ = told(*happened)
    book = Book(1)
    judge_ledger(records, world, book, BASE)
    return rules(book)


CREDIT = {
    "kind": "Credit",
    "start": "2026-01-01T02:00:00Z",
    "end": "2026-01-01T03:00:00Z",
    "gpuSeconds": -8 * 3600,
    "reason": "the node n1 was not to be had",
}
LATE = {
    "kind": "Credit",
    "start": "2026-01-01T01:00:00Z",
    "end": "2026-01-01T02:00:00Z",
    "gpuSeconds": -8 * 3600,
    "reason": "not everything was in place",
}
CREDITED = "a late start and every outage are credited"
LOST = replace(OVER, outages=(Outage("n1", 8, BASE + 2 * HOUR, BASE + 3 * HOUR),))


@pytest.mark.parametrize(
    ("lease", "records", "broken"),
    [
        (OVER, [record()], set()),
        (LOST, [record(**CREDIT)], set()),
        (OVER, [], {"one record for each lease that was held"}),
        (OVER, [record(), record()], {"one record for each lease that was held"}),
        (WAITING, [record()], {"one record for each lease that was held"}),
        (replace(OVER, gpus=16), [record()], {"usage is GPUs times the time held"}),
        (LOST, [record()], {CREDITED}),
        (OVER, [record(**CREDIT)], {CREDITED}),
        (replace(OVER, ready_at=BASE + 2 * HOUR), [record(**LATE)], set()),
        (replace(OVER, ready_at=BASE + 2 * HOUR), [record()], {CREDITED}),
        (OVER, [record(**LATE)], {CREDITED}),
    ],
)
def test_the_ledger_is_held_against_the_leases(lease: Lease, records: list[dict[str, Any]], broken: set[str]) -> None:
    assert of_ledger(records, (0, "GPULease", "a", lease), (0, "Node", "n1", CLAIMED)) == broken


@pytest.mark.parametrize(
    ("node", "end", "broken"),
    [
        (replace(CLAIMED, sound=False), "2026-01-01T05:00:00Z", set()),
        (CLAIMED, "2026-01-01T05:00:00Z", {CREDITED}),
        (replace(CLAIMED, sound=False), "2026-01-01T05:00:01Z", {CREDITED}),
    ],
)
def test_a_credit_that_no_status_tells_of_must_follow_from_the_node(node: Node, end: str, broken: set[str]) -> None:
    row = CREDIT | {"start": "2026-01-01T04:00:00Z", "end": end}
    assert of_ledger([record(**row)], (0, "GPULease", "a", OVER), (4, "Node", "n1", node)) == broken


@pytest.mark.parametrize(
    ("end", "broken"),
    [("2026-01-01T05:00:00Z", set()), ("2026-01-01T03:00:00Z", set()), ("2026-01-01T06:00:00Z", {CREDITED})],
)
def test_an_outage_that_lasted_is_credited_up_to_the_end_at_most(end: str, broken: set[str]) -> None:
    lasting = replace(OVER, outages=(Outage("n1", 8, BASE + 2 * HOUR, None),))
    row = CREDIT | {"end": end}
    assert of_ledger([record(**row)], (0, "GPULease", "a", lasting), (0, "Node", "n1", CLAIMED)) == broken
    assert of_ledger([record()], (0, "GPULease", "a", lasting), (0, "Node", "n1", CLAIMED)) == {CREDITED}
