"""The chain: rules in order, and the first objection counts."""

from sublet.api.reasons import Reason
from sublet.policy.chain import Input, Rule, Verdict, evaluate
from sublet.policy.rules import RULES
from tests.builders import NOON, a_lease, a_pool

GIVEN = Input(a_lease(), a_pool(), 8, 4, {}, NOON)


def objects(message: str) -> Rule:
    """A rule that objects to everything."""
    return lambda _: Verdict(Reason.INVALID_SPEC, message)


def passes(_: Input) -> None:
    """A rule that objects to nothing."""


def test_the_first_objection_counts() -> None:
    """Rules behind the one that objects are not heard."""
    assert evaluate([passes, objects("first"), objects("second")], GIVEN) == Verdict(Reason.INVALID_SPEC, "first")


def test_no_objection_is_none() -> None:
    """A chain in which nobody objects, or that has no rules, lets the lease pass."""
    assert evaluate([passes, passes], GIVEN) is None
    assert evaluate([], GIVEN) is None


def test_rules_behind_an_objection_are_not_run() -> None:
    """A rule may rely on those before it: the rules that read the pool are not reached without one."""

    def reads_the_pool(given: Input) -> None:
        assert given.pool is not None

    without = Input(a_lease(), None, 8, 4, {}, NOON)
    assert evaluate([objects("no pool"), reads_the_pool], without) == Verdict(Reason.INVALID_SPEC, "no pool")


def test_the_chain_stands_in_the_order_in_which_a_person_wants_to_hear() -> None:
    """The pool first, then what is asked for, then the times, and names last."""
    assert [rule.__name__ for rule in RULES] == [
        "pool_exists",
        "pool_is_accepted",
        "placement_is_known",
        "term_has_a_price",
        "egress_is_allowed",
        "whole_nodes",
        "enough_nodes",
        "end_is_ahead",
        "start_is_ahead",
        "within_duration",
        "longer_than_draining",
        "within_lead_time",
        "within_horizon",
        "within_total",
        "extensions_begin_at_the_end",
        "hard_stop_fits_pods",
        "namespaces_are_free",
        "no_volume_is_left",
        "there_is_room",
    ]
