"""Quotes: what is quoted is what is booked, and nothing is offered that could not be had."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sublet.api.lease import GPULeaseSpec
from sublet.api.lease_form import objection_to
from sublet.api.pool import GPUPool
from sublet.api.reasons import Reason
from sublet.api.scalars import parse_timestamp
from sublet.plan.booking import plan_pool
from sublet.plan.observed import PoolView
from sublet.plan.quoting import MOST_OFFERS, Offer, Quotation, Standing, quote, unwritten
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked, queued, some_nodes

Raw = dict[str, Any]

PRICES = {"currency": "EUR", "firm": "2.50", "interruptible": "1"}


def quoted(view: PoolView, name: str = "new", **spec: Any) -> Quotation:  # noqa: ANN401 - a field of any kind
    """The quotation for a lease, asked for at noon."""
    return quote(unwritten(name, a_lease(name, **spec).spec, NOON), view, {}, NOON)


def written(view: PoolView, name: str = "new", **spec: Any) -> Raw:  # noqa: ANN401 - a field of any kind
    """What the operator records of the same lease, once it was written and its own pass found nothing against it."""
    lease = queued(a_lease(name, **spec))
    plan = plan_pool(PoolView(view.pool, view.nodes, (*view.leases, lease), {}), NOON)
    (found,) = (change.status for change in plan.changes if change.lease is lease)
    return found


def span(offer: Offer | None) -> tuple[datetime, datetime]:
    """Start and end."""
    assert offer is not None
    return offer.interval.start, offer.interval.end


def promised(status: Raw) -> tuple[datetime, datetime]:
    """Start and end in a status."""
    return parse_timestamp(status["startsAt"]), parse_timestamp(status["endsAt"])


ASKS = st.fixed_dictionaries(
    {
        "nodes": st.integers(1, 4),
        "duration": st.sampled_from(["1h", "3h", "8h", "2d"]),
        "term": st.sampled_from(["Firm", "Interruptible"]),
    },
    optional={
        "start": st.integers(0, 30).map(at),
        "extendable_until": st.integers(31, 60).map(at),
        "placement": st.sampled_from([{"level": "rack", "mode": mode} for mode in ("Required", "Preferred")]),
    },
)
FLOORS = st.sampled_from(
    [{"nodes": 0}, {"nodes": 1}, {"nodes": 1, "windows": [{"start": "0 18 * * *", "duration": "3h", "nodes": 3}]}]
)


@st.composite
def views(draw: st.DrawFn) -> PoolView:
    """Pools with leases that run, are reserved and wait, with floors and windows, racks, and a node that failed."""
    pool: GPUPool = a_pool(topology=["rack"], ownerFloor=draw(FLOORS), pricing=PRICES)
    healthy = draw(st.lists(st.booleans(), min_size=2, max_size=6))
    nodes = tuple(a_node(f"gpu-{n}", ready=ready, labels={"rack": f"r{n % 2}"}) for n, ready in enumerate(healthy))
    view = PoolView(pool, nodes, (), {})
    asks: list[Raw] = draw(st.lists(ASKS, max_size=4))
    for number, ask in enumerate(asks):
        name = f"lease-{number}"
        lease, status = queued(a_lease(name, **ask)), written(view, name, **ask)
        if "startsAt" in status and draw(st.booleans()):
            start, end = promised(status)
            lease = booked(lease, status["nodes"], start, end)
        view = PoolView(pool, nodes, (*view.leases, lease), {})
    return view


@settings(max_examples=150, deadline=None)
@given(views(), ASKS)
def test_what_is_quoted_is_what_is_booked(view: PoolView, ask: Raw) -> None:
    """The operator, asked for the same lease at the same time, books, queues or refuses it as it was quoted."""
    found = quoted(view, **ask)
    if found.refusal is not None and found.refusal.reason is not Reason.NO_ROOM:
        return
    status = written(view, **ask)
    if found.standing in {Standing.AT_ONCE, Standing.RESERVED}:
        assert found.asked is not None
        assert found.asked.price is not None
        assert list(found.asked.nodes) == status["nodes"]
        assert span(found.asked) == promised(status)
        assert found.asked.gpus == status["gpus"]
        assert found.asked.price.dump() == status["quote"]
        assert found.ends_early == ("earlyEnd" in status)
        return
    queue = status["queue"]
    assert queue["position"] == found.position
    assert queue["refusal"] == (found.refusal.message if found.refusal else None)
    start = parse_timestamp(queue["earliestStart"]) if queue["earliestStart"] else None
    assert start == (found.asked.interval.start if found.asked else None)


@settings(max_examples=100, deadline=None)
@given(views(), ASKS)
def test_every_offer_can_be_had(view: PoolView, ask: Raw) -> None:
    """Whoever writes a lease for the nodes, start and end of another offer gets exactly that, within the terms."""
    found = quoted(view, **ask)
    assert len(found.offers) <= MOST_OFFERS
    assert len({(o.interval, len(o.nodes)) for o in found.offers}) == len(found.offers)
    kept = {name: ask[name] for name in ("term", "placement", "extendable_until") if name in ask}
    for offer in found.others:
        assert offer.interval.length >= view.pool.spec.terms.min_duration
        start, end = span(offer)
        assert objection_to(a_lease(nodes=len(offer.nodes), start=start, end=end, **kept).spec) is None
        status = written(view, nodes=len(offer.nodes), start=start, end=end, **kept)
        assert promised(status) == (start, end)
        assert sorted(status["nodes"]) == sorted(offer.nodes)


def test_whoever_waits_comes_first() -> None:
    """A lease that would fit now is told to wait where somebody before it waits for all nodes."""
    running = booked(a_lease("running"))
    waits = queued(a_lease("waits", nodes=3))
    found = quoted(a_pool_view(running, waits, nodes=some_nodes(3)), nodes=1, duration="10h")
    assert (found.standing, found.position) == (Standing.QUEUED, 2)
    assert span(found.asked) == (at(16.5), at(26.5))


def test_a_lease_that_fits_before_those_who_wait_starts_at_once() -> None:
    """Backfill is quoted as it would be booked."""
    running = booked(a_lease("running"))
    waits = queued(a_lease("waits", nodes=3))
    found = quoted(a_pool_view(running, waits, nodes=some_nodes(3)), nodes=1, duration="8h")
    assert (found.standing, found.asked and found.asked.nodes) == (Standing.AT_ONCE, ("gpu-3",))


def test_an_offer_names_nodes_blocks_and_price() -> None:
    """Nodes by name, their blocks by path, GPUs, and the price that the ledger would say."""
    pool = a_pool(topology=["zone", "rack"], pricing=PRICES)
    nodes = [a_node(f"gpu-{n}", labels={"zone": "a", "rack": f"r{n // 2}"}) for n in range(4)]
    found = quoted(a_pool_view(nodes=nodes, pool=pool), nodes=2, duration="2h", term="Interruptible")
    asked = found.asked
    assert asked is not None
    assert asked.price is not None
    assert (asked.nodes, asked.blocks, asked.gpus) == (("gpu-0", "gpu-1"), ("a/r0",), 16)
    assert (str(asked.price.amount), str(asked.price.price_per_gpu_hour)) == ("32.00", "1")


def test_a_node_without_blocks_has_none_to_show() -> None:
    """A pool may name levels that a node has no label for."""
    found = quoted(a_pool_view(nodes=some_nodes(2), pool=a_pool(topology=["zone", "rack"])))
    assert found.asked is not None
    assert found.asked.blocks == ()


def test_policy_speaks_with_its_own_words() -> None:
    """What the policy refuses is refused in the sentence that the status would have, and nothing is offered."""
    found = quoted(a_pool_view(nodes=some_nodes(4)), nodes=9)
    assert found.standing is Standing.REFUSED
    assert found.refusal is not None
    assert found.refusal.message == (
        "spec.nodes: 9 asked for, but the pool h100 has 4 nodes for sale; ask for at most 4"
    )
    assert found.offers == ()


def test_there_is_nothing_to_plan_without_a_pool() -> None:
    """A pool that does not exist is the policy's to speak of."""
    found = quote(unwritten("new", a_lease().spec, NOON), None, {}, NOON)
    assert found.refusal is not None
    assert found.refusal.reason is Reason.POOL_NOT_FOUND


def test_a_namespace_that_another_lease_has_is_refused() -> None:
    """Names are judged as they would be."""
    lease = unwritten("new", a_lease("new").spec, NOON)
    found = quote(lease, a_pool_view(nodes=some_nodes(4)), {"lease-new": "other"}, NOON)
    assert found.refusal is not None
    assert found.refusal.reason is Reason.NAMESPACE_CONFLICT


def test_what_can_never_be_had_comes_with_what_is_nearest() -> None:
    """A start at which a node is booked is refused, and the same lease is offered later and with fewer nodes."""
    running = booked(a_lease("running", nodes=1), ["gpu-1"])
    found = quoted(a_pool_view(running, nodes=some_nodes(2)), nodes=2, start=at(1), duration="2h")
    assert found.standing is Standing.REFUSED
    assert found.refusal is not None
    assert found.refusal.message.startswith("spec.start: the pool never has 2 nodes free then; to be had: ")
    assert (at(8.25), 2) in {(offer.interval.start, len(offer.nodes)) for offer in found.others}
    assert (at(1), 1) in {(offer.interval.start, len(offer.nodes)) for offer in found.others}


def test_nobody_knows_when_a_node_comes_back() -> None:
    """With too few sound nodes the lease would wait, and no start is quoted."""
    nodes = [a_node("gpu-1"), a_node("gpu-2", ready=False)]
    found = quoted(a_pool_view(nodes=nodes), nodes=2)
    assert (found.standing, found.position, found.asked) == (Standing.QUEUED, 1, None)
    assert [len(offer.nodes) for offer in found.others] == [1]


def test_a_lease_that_fills_a_gap_says_that_it_ends_early() -> None:
    """An interruptible lease is quoted for the time before the next booking, as it would be booked."""
    later = booked(a_lease("later", start=at(6)), start=at(6))
    found = quoted(a_pool_view(later, nodes=some_nodes(2)), duration="8h", term="Interruptible")
    assert found.ends_early
    assert span(found.asked) == (NOON, at(5.75))


def test_a_quoted_lease_is_as_new() -> None:
    """It is created now, and its first pass is taken for done."""
    lease = unwritten("new", GPULeaseSpec.model_validate(a_lease().spec), NOON)
    assert lease.metadata.creation_timestamp == NOON
    assert [(c.type, c.status) for c in lease.status.conditions] == [("Accepted", "True")]


def lengths(found: Quotation) -> set[tuple[int, float]]:
    """Nodes and hours of all offers that begin at once."""
    at_once = (offer for offer in found.offers if offer.interval.start == NOON)
    return {(len(offer.nodes), offer.interval.length.total_seconds() / 3600) for offer in at_once}


def test_offers_stand_in_the_place_of_what_was_asked_for() -> None:
    """Half of the nodes are offered at once, and all of them for twice the time, though the lease itself takes all."""
    found = quoted(a_pool_view(nodes=some_nodes(2)), nodes=2, duration="8h")
    assert lengths(found) == {(2, 8), (1, 8), (2, 16)}


def test_nothing_is_offered_outside_of_the_pools_terms() -> None:
    """Twice the time is no offer where leases may not be as long, nor is what is left if that is too short."""
    pool = a_pool(terms={"minDuration": "2h", "maxDuration": "10h"})
    later = booked(a_lease("later", start=at(1.5)), start=at(1.5))
    assert lengths(quoted(a_pool_view(nodes=some_nodes(2), pool=pool), nodes=2, duration="8h")) == {(2, 8), (1, 8)}
    assert lengths(quoted(a_pool_view(later, nodes=some_nodes(2), pool=pool), nodes=2, duration="8h")) == set()


def test_nothing_is_offered_that_the_api_server_would_not_take() -> None:
    """Neither twice the time nor a day later: the lease could not end later than it may be extended."""
    found = quoted(a_pool_view(nodes=some_nodes(2)), nodes=2, duration="8h", extendable_until=at(10))
    assert {(offer.interval.start, len(offer.nodes), offer.interval.length) for offer in found.offers} == {
        (NOON, 2, timedelta(hours=8)),
        (NOON, 1, timedelta(hours=8)),
    }


def test_nothing_is_offered_for_an_hour_that_the_owner_will_want() -> None:
    """A window beyond what matters to the lease itself still matters to one of twice its length."""
    floor = {"windows": [{"start": "5 14 * * *", "duration": "1h", "nodes": 1}]}
    pool = a_pool(ownerFloor=floor, terms={"horizon": "1h", "minDuration": "1h"})
    found = quoted(a_pool_view(nodes=some_nodes(1), pool=pool), nodes=1, duration="1h")
    assert span(found.asked) == (NOON, at(1))
    assert found.others == ()
