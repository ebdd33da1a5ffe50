"""Whether a lease's nodes are known to keep it apart, and what the lease says while they are not."""

from dataclasses import replace
from datetime import datetime

import pytest

from sublet.api.lease import GPULease
from sublet.api.reasons import Reason
from sublet.calendar.lifecycle import Stage
from sublet.doctor.judge import Verdict
from sublet.doctor.policies import digest
from sublet.doctor.standing import Measured
from sublet.plan.conditions import Situation, conditions
from sublet.plan.observed import LeaseView
from sublet.plan.proof import Unproven, unproven
from tests.builders import NOON, a_lease, a_lease_view, a_node, a_pool, at, booked, with_status

IMAGE = "registry.example/sublet:1"
STRICT = a_pool(isolation={"probe": "Required"})
RESTS_ON = digest(STRICT, IMAGE)
LEASE = booked(a_lease())
OPEN = "the way from one lease to another is open; install one that does"


def measured(verdict: Verdict, when: datetime = NOON, rests_on: str = RESTS_ON) -> Measured:
    """An answer."""
    return Measured(verdict, when, rests_on, "" if verdict is Verdict.PASSED else OPEN)


def view(first: Measured | None, second: Measured | None, lease: GPULease = LEASE) -> LeaseView:
    """A lease of two nodes with their answers."""
    nodes = {
        name: replace(a_node(name, lease), measured=answer) for name, answer in (("gpu-1", first), ("gpu-2", second))
    }
    return replace(a_lease_view(lease), pool=STRICT, nodes=nodes)


PASSED = measured(Verdict.PASSED)


def test_nothing_is_asked_where_the_pool_requires_nothing() -> None:
    """Nor of a lease whose pool is gone."""
    assert unproven(replace(view(None, None), pool=a_pool()), IMAGE, NOON) is None
    assert unproven(replace(view(None, None), pool=None), IMAGE, NOON) is None


def test_every_node_has_to_pass() -> None:
    """And has passed lately, under these policies, since it last came back."""
    assert unproven(view(PASSED, PASSED), IMAGE, at(1)) is None
    for bad in (None, measured(Verdict.PASSED, at(-24)), measured(Verdict.PASSED, rests_on="other")):
        found = unproven(view(PASSED, bad), IMAGE, NOON)
        assert found is not None
        assert (found.reason, found.message) == (
            "NotMeasured",
            "gpu-2: isolation is being measured; a node takes about 15 seconds",
        )
    assert unproven(view(PASSED, PASSED), "another:image", NOON) is not None


def test_an_open_way_is_told_first() -> None:
    """Whichever node it is of."""
    found = unproven(view(None, measured(Verdict.FAILED)), IMAGE, NOON)
    assert found == Unproven(Reason.NOT_ENFORCED, f"gpu-2: {OPEN}")
    unknown = unproven(view(measured(Verdict.UNKNOWN), measured(Verdict.UNKNOWN)), IMAGE, NOON)
    assert unknown == Unproven(Reason.NOT_MEASURED, f"gpu-1 (and 1 more nodes): {OPEN}")


def test_of_a_tenant_that_is_in_the_last_answer_counts() -> None:
    """Also while it grows old, or is about what was: until there is a new one."""
    lease = with_status(LEASE, active_at=NOON)
    old = measured(Verdict.PASSED, at(-48), rests_on="other")
    assert unproven(view(old, PASSED, lease), IMAGE, NOON) is None
    assert unproven(view(measured(Verdict.FAILED), PASSED, lease), IMAGE, NOON) is not None


@pytest.mark.parametrize("admitted", [False, True])
def test_the_lease_says_that_it_is_not_isolated(*, admitted: bool) -> None:
    """Its guards may be in place; Ready says the same, and whether the tenant is in is told as it is."""
    doubt = unproven(view(None, measured(Verdict.FAILED)), IMAGE, NOON)
    situation = Situation(
        LEASE,
        Stage.ACTIVE if admitted else Stage.PROVISIONING,
        claimed=[a_node("gpu-1", LEASE), a_node("gpu-2", LEASE)],
        guarded=True,
        admitted=admitted,
        unproven=doubt,
    )
    found = {each["type"]: each for each in conditions(situation, NOON)}
    assert (found["Isolated"]["status"], found["Isolated"]["reason"]) == ("False", "NotEnforced")
    assert found["Isolated"]["message"] == f"gpu-2: {OPEN}"
    assert (found["Ready"]["status"], found["Ready"]["message"]) == ("False", f"gpu-2: {OPEN}")
    assert found["AccessGranted"]["status"] == str(admitted)
