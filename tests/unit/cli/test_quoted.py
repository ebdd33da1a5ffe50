"""What a person reads of a quote: one sentence, a table of at most 80 columns, and what the first offer consists of."""

from typing import Any

import pytest

from sublet.cli.output import as_ical
from sublet.cli.quoted import as_events, as_json, as_table, sentence
from sublet.plan.observed import PoolView
from sublet.plan.quoting import Quotation, quote, unwritten
from tests.builders import NOON, a_lease, a_node, a_pool, a_pool_view, at, booked, queued, some_nodes

PRICES = {"currency": "EUR", "firm": "123456.50", "interruptible": "1"}


def quoted(view: PoolView, **spec: Any) -> Quotation:  # noqa: ANN401 - a field of any kind
    """A quotation at noon."""
    return quote(unwritten("new", a_lease("new", **spec).spec, NOON), view, {}, NOON)


def busy(nodes: int = 4) -> PoolView:
    """Two nodes leased for eight hours, and somebody who waits for all."""
    running, waits = booked(a_lease("running")), queued(a_lease("waits", nodes=nodes))
    return a_pool_view(running, waits, nodes=some_nodes(nodes), pool=a_pool(pricing=PRICES))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"duration": "1h"}, "h100: it would start at once."),
        ({"start": at(30)}, "h100: it would be reserved, to start at 2026-12-02T18:00:00Z."),
        (
            {"duration": "9h"},
            "h100: it would wait as number 2 in the queue, to start at 2026-12-02T04:30:00Z as planned now.",
        ),
        (
            {"duration": "9h", "term": "Interruptible"},
            "h100: it would start at once, and end early, because the nodes are booked after it.",
        ),
    ],
)
def test_one_sentence_says_what_would_become_of_it(spec: dict[str, Any], expected: str) -> None:
    """At once, reserved, in the queue, or for a while."""
    assert sentence("h100", quoted(busy(), **spec)) == expected


def test_nobody_is_promised_a_node_that_failed() -> None:
    """Without enough healthy nodes no start is known, and it is said why."""
    view = a_pool_view(nodes=[a_node("gpu-1"), a_node("gpu-2", ready=False)])
    assert sentence("h100", quoted(view)) == (
        "h100: it would wait as number 1 in the queue, and nobody knows for how long: "
        "too few of the pool's nodes are healthy."
    )


def test_a_table_fits_a_terminal() -> None:
    """Prices up to many millions keep it within 80 columns; the columns stand under one another."""
    text = as_table("h100", quoted(busy(), duration="9h"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    header = next(line for line in lines if line.startswith("OFFER"))
    assert header.split() == ["OFFER", "START", "END", "NODES", "GPUS", "TOTAL", "EUR"]
    row = next(line for line in lines if line.startswith("as asked"))
    assert row.index("2026-12-02T04:30:00Z") == header.index("START")
    assert row.split()[-3:] == ["2", "16", "17777736.00"]
    assert "Price: 17777736.00 EUR without tax, at 123456.50 per GPU-hour" in lines


def test_without_prices_there_is_no_column_for_them() -> None:
    """A pool that meters without amounts shows none."""
    text = as_table("h100", quoted(a_pool_view(nodes=some_nodes(2))))
    assert "TOTAL" not in text
    assert "Price" not in text


def test_a_long_list_of_nodes_is_cut_and_says_so() -> None:
    """Twelve names, and where the others are."""
    text = as_table("h100", quoted(a_pool_view(nodes=some_nodes(40)), nodes=40))
    assert "and 28 more, which -o json names" in " ".join(text.split())
    found = quoted(a_pool_view(nodes=some_nodes(40)), nodes=40)
    assert len(as_json("h100", found, NOON)["offers"][0]["nodes"]) == 40


def test_every_field_is_there_also_when_nothing_is() -> None:
    """A program need not ask whether a field exists."""
    found = as_json("h100", quoted(a_pool_view(nodes=some_nodes(2)), nodes=9), NOON)
    assert found == {
        "pool": "h100",
        "askedAt": "2026-12-01T12:00:00Z",
        "standing": "Refused",
        "refusal": {
            "reason": "TooFewNodes",
            "message": "spec.nodes: 9 asked for, but the pool h100 has 2 nodes for sale; ask for at most 2",
        },
        "queuePosition": None,
        "endsEarly": False,
        "offers": [],
    }


def test_a_calendar_has_an_event_for_each_offer() -> None:
    """Times in UTC, text escaped, and the same UIDs whenever the same is found."""
    found = quoted(a_pool_view(nodes=some_nodes(2), pool=a_pool(pricing=PRICES)))
    text = as_ical(as_events("h100", found), NOON)
    assert text.count("BEGIN:VEVENT") == len(found.offers) > 1
    assert "DTSTART:20261201T120000Z\r\nDTEND:20261201T200000Z\r\n" in text
    assert "SUMMARY:2 nodes (16 GPUs) of h100 to be had as asked" in text
    assert "Nodes: gpu-1\\, gpu-2\\n" in text
    assert text.endswith("END:VCALENDAR\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert as_ical(as_events("h100", found), NOON) == text
