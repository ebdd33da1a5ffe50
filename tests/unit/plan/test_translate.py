"""The bridge: the API's words in the calendar's, and a booked lease as a tenancy."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sublet.api.lease import GPULease, Quote
from sublet.api.network import EgressRule
from sublet.calendar.booking import Booking, Request
from sublet.calendar.interval import Interval
from sublet.calendar.lifecycle import Stage
from sublet.desired.tenancy import Capacity, Egress
from sublet.plan.translate import (
    amount_of,
    booking_of,
    gpus_per_node,
    node_count,
    promise,
    quote_of,
    request_of,
    tenancy_of,
)
from sublet.policy.storage import ClassSeen
from sublet.policy.times import FURTHEST_STOP
from tests.builders import NOON, a_lease, a_node, a_pool, at, booked, some_nodes

HOUR = timedelta(hours=1)
MINUTES_59 = timedelta(minutes=59)
HOURS_8 = timedelta(hours=8)


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        (a_lease(), Request("acme-train", 2, None, HOURS_8, None)),
        (a_lease(gpus=16), Request("acme-train", 2, None, HOURS_8, None)),
        (a_lease(end=at(6)), Request("acme-train", 2, None, None, at(6), HOUR)),
        (a_lease(start=at(1), duration="8h"), Request("acme-train", 2, at(1), None, at(9), HOUR)),
        (a_lease(start=at(1), end=at(6)), Request("acme-train", 2, at(1), None, at(6), HOUR)),
        (a_lease(end=at(6), duration="2h"), Request("acme-train", 2, at(4), None, at(6), HOUR)),
        (a_lease(end=at(1)), Request("acme-train", 2, None, None, at(1), MINUTES_59)),
    ],
)
def test_a_lease_becomes_a_request(lease: GPULease, expected: Request) -> None:
    """Two of start, end and duration give the third; a fixed start keeps its end, also if it is met late.

    A lease whose end stays where it is shrinks while it waits, so it has a shortest length worth booking.
    """
    assert request_of(lease, a_pool(terms={"min_duration": "1h"}), 2) == expected


@pytest.mark.parametrize(
    ("lease", "per_node", "expected"),
    [
        (a_lease(nodes=3), 8, 3),
        (a_lease(nodes=3), 0, 3),
        (a_lease(gpus=24), 8, 3),
        (a_lease(gpus=24), 16, None),
        (a_lease(gpus=8), 16, None),
        (a_lease(gpus=8), 0, None),
    ],
)
def test_gpus_are_whole_nodes_or_none(lease: GPULease, per_node: int, expected: int | None) -> None:
    """GPUs that do not fill whole nodes are no number of nodes, and above all not a smaller one."""
    assert node_count(lease, per_node) == expected


def test_the_largest_node_says_how_many_gpus_a_node_has() -> None:
    """A node that lost a GPU does not make the others look too large."""
    assert gpus_per_node([a_node(gpus=7), a_node(gpus=8)], "nvidia.com/gpu") == 8
    assert gpus_per_node([a_node(gpus=8)], "amd.com/gpu") == 0
    assert gpus_per_node([], "nvidia.com/gpu") == 0


@pytest.mark.parametrize(
    ("lease", "now", "expected"),
    [
        (a_lease(), at(0), None),
        (booked(a_lease()), at(1), (0, 8)),
        (booked(a_lease(), start=at(3)), at(1), (3, 11)),
        (booked(a_lease()), at(9), (0, 9)),
        (booked(a_lease(), ended_at=at(2)), at(1.9), (0, 2 + 10 / 3600)),
        (booked(a_lease(), ended_at=at(2)), at(2, seconds=79), (0, 2 + 80 / 3600)),
        (booked(a_lease(), ended_at=at(2)), at(2, seconds=80), (0, 2 + 160 / 3600)),
        (booked(a_lease(), ended_at=at(2), released_at=at(3)), at(4), None),
    ],
    ids=["unbooked", "running", "ahead", "overdue", "given back", "longer", "and longer", "gone"],
)
def test_a_booking_lasts_until_its_nodes_are_given_back(
    lease: GPULease, now: datetime, expected: tuple[float, float] | None
) -> None:
    """A lease holds its nodes from its start to its end, and if it is not gone by then for as long again as it took."""
    nodes = ("gpu-1", "gpu-2")
    times = Interval(at(expected[0]), at(expected[1])) if expected else None
    assert booking_of(lease, now) == (Booking("acme-train", nodes, times, movable=True) if times else None)


def test_a_booking_that_asked_for_a_block_keeps_its_nodes() -> None:
    """They were chosen for where they lie."""
    booking = booking_of(booked(a_lease(placement={"level": "rack", "mode": "Preferred"})), at(0))
    assert booking is not None
    assert not booking.movable


@pytest.mark.parametrize(
    ("term", "prices", "gpus", "length", "expected"),
    [
        ("Firm", {"firm": "2.50"}, 16, HOURS_8, ("128.000000", "320.00", "2.50")),
        ("Firm", {"firm": "2.50", "interruptible": "1"}, 16, HOURS_8, ("128.000000", "320.00", "2.50")),
        ("Interruptible", {"firm": "2.50", "interruptible": "1"}, 16, HOURS_8, ("128.000000", "128.00", "1")),
        ("Interruptible", {"firm": "2.50", "interruptible": "0"}, 16, HOURS_8, ("128.000000", "0.00", "0")),
        ("Firm", {"firm": "1"}, 1, timedelta(minutes=20), ("0.333333", "0.33", "1")),
        ("Firm", {"firm": "1"}, 1, timedelta(minutes=40), ("0.666667", "0.67", "1")),
        ("Firm", {"firm": "0.01"}, 1, timedelta(minutes=30), ("0.500000", "0.01", "0.01")),
        ("Firm", {"firm": "900000"}, 1, timedelta(minutes=20), ("0.333333", "300000.00", "900000")),
        ("Firm", {"firm": "2.50"}, 16, timedelta(), ("0.000000", "0.00", "2.50")),
    ],
)
def test_a_quote_is_exact_until_it_is_rounded(
    term: str, prices: dict[str, str], gpus: int, length: timedelta, expected: tuple[str, str, str]
) -> None:
    """GPU-hours to six digits and the amount to the cent, halves up; the amount is not made of rounded hours."""
    quote = quote_of(a_lease(term=term), a_pool(pricing={"currency": "EUR", **prices}), gpus, length)
    assert quote is not None
    assert quote.currency == "EUR"
    assert (quote.gpu_hours, quote.amount, quote.price_per_gpu_hour) == tuple(Decimal(text) for text in expected)


def test_the_price_is_the_one_at_booking() -> None:
    """What the pool changes later is for later leases, also where it had no price, and whatever moves the lease."""
    dearer = a_pool(pricing={"currency": "USD", "firm": "9.00"})
    agreed = {"currency": "EUR", "gpu_hours": "128", "amount": "320.00", "price_per_gpu_hour": "2.50"}
    quote = quote_of(booked(a_lease(), quote=agreed), dearer, 16, HOURS_8)
    assert quote is not None
    assert (quote.currency, str(quote.amount), str(quote.price_per_gpu_hour)) == ("EUR", "320.00", "2.50")
    assert quote_of(booked(a_lease()), dearer, 16, HOURS_8) is None


def test_an_amount_is_rounded_but_once() -> None:
    """Seven seconds are a part of an hour that has no end in decimals; their price is half a cent, and rounded up."""
    assert str(amount_of(7, Decimal(18))) == "0.04"


def test_the_dearest_lease_that_there_can_be_has_a_quote() -> None:
    """The largest pool of nodes with sixteen GPUs, for as long as a lease can last, at the highest price."""
    pool = a_pool(pricing={"currency": "VND", "firm": "999999.999999999"})
    quote = quote_of(a_lease(), pool, 160_000, FURTHEST_STOP)
    assert quote is not None
    assert quote.amount == Decimal("95374079999999904.63")
    assert Quote.model_validate(quote.dump()) == quote


def test_a_pool_without_prices_quotes_nothing() -> None:
    """A lease of such a pool is metered and carries no amount."""
    assert quote_of(a_lease(), a_pool(), 16, HOURS_8) is None
    assert promise(a_lease(), a_pool(), at(0), at(8), 16)["quote"] is None


def test_draining_never_begins_before_the_lease() -> None:
    """A lease that is cut shorter than the draining drains from its first second."""
    assert promise(a_lease(), a_pool(), at(0), at(0, 10), 16)["drainAt"] == "2026-12-01T12:00:00Z"


@pytest.mark.parametrize(("until", "stop"), [(None, "20:00"), (at(10), "22:00"), (at(6), "20:00")])
def test_the_hard_stop_is_the_furthest_end(until: datetime | None, stop: str) -> None:
    """Pods may run to where extensions can reach at most, and never less than to the end."""
    lease = a_lease(extendable_until=until)
    assert promise(lease, a_pool(), at(0), at(8), 16)["hardStopAt"] == f"2026-12-01T{stop}:00Z"


def test_a_tenancy_takes_what_it_needs_from_lease_pool_and_nodes() -> None:
    """Names, subjects, sizes, isolation and times, each from where it is decided."""
    people = [{"kind": "User", "name": "oidc:anna"}, {"kind": "Group", "name": "oidc:ml"}]
    wanted = {"egress": [{"cidr": "203.0.113.7/32"}]}
    lease = a_lease(
        tenant={"name": "acme", "subjects": people, "contact": "ops@acme.example"},
        namespaces=["b"],
        network=wanted,
        extendable_until=at(24),
    )
    strict = {"pod_security": {"level": "restricted", "version": "v1.36"}, "dns": {"namespace": "dns"}}
    reach = {"egress": ["203.0.113.0/24"], "cluster_cidrs": ["10.0.0.0/8"]}
    pool = a_pool(isolation={**strict, **reach})
    tenancy = tenancy_of(
        booked(lease), pool, some_nodes(2), Stage.ACTIVE, "tenants", has_cluster_policies=True, classes={}
    )
    assert (tenancy.lease, tenancy.uid, tenancy.pool) == ("acme-train", "uid-acme-train", "h100")
    assert (tenancy.tenant, tenancy.contact, tenancy.tenant_role) == ("acme", "ops@acme.example", "tenants")
    assert tenancy.subjects == (("User", "oidc:anna"), ("Group", "oidc:ml"))
    assert tenancy.namespaces == ("lease-acme-train", "lease-acme-train-b")
    assert tenancy.capacity == Capacity(16, 128_000, 1024 * 2**30, 2 * 2**40, 220)
    assert tenancy.pod_security == ("restricted", "v1.36")
    assert (tenancy.dns_namespace, dict(tenancy.dns_labels)) == ("dns", {"k8s-app": "kube-dns"})
    assert tenancy.egress == Egress((EgressRule(cidr="203.0.113.7/32"),), ("203.0.113.0/24",), ("10.0.0.0/8",))
    assert (tenancy.starts_at, tenancy.drain_at) == (at(0), at(7.5))
    assert tenancy.has_cluster_policies
    assert (tenancy.ends_at, tenancy.hard_stop_at) == (at(8), at(24))


def test_a_class_that_is_not_safe_is_not_given() -> None:
    """Whatever became of it since the lease was sold, new claims name only what the pool could be accepted with."""
    pool = a_pool(isolation={"storage_classes": ["fast", "kept", "gone"]})
    classes = {"fast": ClassSeen("Delete", "csi.example.com"), "kept": ClassSeen("Retain", "csi.example.com")}
    tenancy = tenancy_of(
        booked(a_lease()), pool, (), Stage.ACTIVE, "tenants", has_cluster_policies=False, classes=classes
    )
    assert tenancy.allowed.storage_classes == ("fast",)


def test_what_was_promised_does_not_shrink_with_what_is_there() -> None:
    """A node that is gone is still the tenant's by name and number; the quota follows the nodes that there are."""
    tenancy = tenancy_of(
        booked(a_lease()), a_pool(), some_nodes(1), Stage.ACTIVE, "tenants", has_cluster_policies=False, classes={}
    )
    assert (tenancy.nodes, tenancy.gpus, tenancy.capacity.gpus) == (("gpu-1", "gpu-2"), 16, 8)


@pytest.mark.parametrize(
    ("spec", "stage", "admits_pods", "grants_access"),
    [
        ({}, Stage.PROVISIONING, True, True),
        ({}, Stage.ACTIVE, True, True),
        ({}, Stage.DRAINING, False, True),
        ({"suspend": True}, Stage.SUSPENDED, False, False),
        ({"suspend": True}, Stage.DRAINING, False, False),
    ],
)
def test_who_is_suspended_stays_outside_and_who_drains_starts_nothing_new(
    spec: dict[str, Any], stage: Stage, *, admits_pods: bool, grants_access: bool
) -> None:
    """Draining stops new pods and leaves access; a suspension stops both, also while the lease drains."""
    tenancy = tenancy_of(
        booked(a_lease(**spec)), a_pool(), some_nodes(2), stage, "tenants", has_cluster_policies=False, classes={}
    )
    assert (tenancy.admits_pods, tenancy.grants_access) == (admits_pods, grants_access)


def test_without_a_hard_stop_the_end_is_one() -> None:
    """A booking that was recorded without a hard stop stops its pods at its end."""
    lease = booked(a_lease(), hard_stop_at=None)
    assert tenancy_of(
        lease, a_pool(), (), Stage.ACTIVE, "tenants", has_cluster_policies=True, classes={}
    ).hard_stop_at == at(8)
    assert at(8) > NOON
