"""The form of a lease: each rule that the API server keeps by CEL is kept here too, in the same words."""

from typing import Any

import pytest

from sublet.api.lease_form import objection_to, objection_to_names
from sublet.api.lease_rules import NAMES, ORDER_OF_TIMES, SIZE, WHICH_TIMES
from sublet.api.markers import Rule
from tests.builders import a_lease, at

Raw = dict[str, Any]

BROKEN: list[tuple[Rule, Raw]] = [
    (SIZE[0], {"nodes": None}),
    (SIZE[1], {"gpus": 8}),
    (WHICH_TIMES[0], {"duration": None, "end": None}),
    (WHICH_TIMES[1], {"start": at(1), "end": at(2), "duration": "1h"}),
    (WHICH_TIMES[2], {"latest_start": at(1)}),
    (ORDER_OF_TIMES[0], {"start": at(2), "end": at(2)}),
    (ORDER_OF_TIMES[1], {"start": at(2), "latest_start": at(1), "duration": "1h"}),
    (ORDER_OF_TIMES[2], {"start": at(1), "latest_start": at(2), "end": at(2)}),
    (ORDER_OF_TIMES[3], {"end": at(2), "extendable_until": at(1)}),
    (ORDER_OF_TIMES[4], {"start": at(2), "duration": "1h30m", "extendable_until": at(3, 29, 59)}),
]
KEPT: list[Raw] = [
    {"duration": "1h"},
    {"start": at(1), "end": at(2), "extendable_until": at(2)},
    {"start": at(1), "latest_start": at(1), "duration": "1h"},
    {"start": at(1), "latest_start": at(1.5), "end": at(2)},
    {"start": at(1), "duration": "1h", "extendable_until": at(2)},
    {"start": at(1), "duration": "1d2h3m4s", "extendable_until": at(27, 3, 4)},
    {"start": at(1), "latest_start": at(9), "duration": "90m", "extendable_until": at(2.5)},
    {"end": at(2), "duration": "1h"},
]


@pytest.mark.parametrize(("rule", "spec"), BROKEN, ids=[rule.message[:40] for rule, _ in BROKEN])
def test_a_broken_rule_is_named_in_its_own_words(rule: Rule, spec: Raw) -> None:
    """The message is that of the rule that is broken, and of no other."""
    lease = a_lease(**{"nodes": 1, **({"gpus": None} if "gpus" not in spec else {}), **spec})
    assert objection_to(lease.spec) == rule.message


@pytest.mark.parametrize("spec", KEPT)
def test_what_the_api_server_takes_is_taken(spec: Raw) -> None:
    """Times at the very edge of what is allowed."""
    assert objection_to(a_lease(**spec).spec) is None


def test_every_rule_has_a_lease_that_breaks_it() -> None:
    """A rule that is added must be added here too."""
    assert [rule for rule, _ in BROKEN] == [*SIZE, *WHICH_TIMES, *ORDER_OF_TIMES]


@pytest.mark.parametrize("name", ["a" * 41, "Upper", "with.dot", "-begins", ""])
def test_a_name_that_no_namespace_can_have_is_refused(name: str) -> None:
    """Names become parts of the names of namespaces."""
    assert objection_to_names(name, a_lease().spec) == NAMES[0].message


def test_name_and_suffix_must_fit_together() -> None:
    """40 characters and a suffix of 16 are as much as a namespace's name holds."""
    assert objection_to_names("a" * 40, a_lease(namespaces=["s" * 16]).spec) is None
    assert objection_to_names("a" * 40, a_lease(namespaces=["s" * 17]).spec) == NAMES[1].message


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "10.0.0.1/24", "example.com"])
def test_a_network_that_cannot_be_read_is_named(cidr: str) -> None:
    """The policy takes networks for readable."""
    spec = a_lease(network={"egress": [{"cidr": "10.0.0.0/8"}, {"cidr": cidr}]}).spec
    assert (objection_to(spec) or "").startswith(f"spec.network.egress[1].cidr: {cidr} is no network")
