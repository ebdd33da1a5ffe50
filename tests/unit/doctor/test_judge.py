"""What measured answers mean: an open way fails, a closed one counts only beside one that shows it could be gone."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from sublet.doctor.checks import Check, Facts, Pod, checks, dials_of
from sublet.doctor.judge import Answer, Finding, Verdict, judge, sentence, whole

FACTS = Facts(
    addresses={Pod.OPEN_TARGET: ("10.0.1.2", "fd00::2"), Pod.LEASE_TARGET: ("10.0.1.3", "fd00::3")},
    node=("192.0.2.1",),
    other_nodes=("192.0.2.2", "192.0.2.3"),
    word="secret",
)
EVERY = checks(FACTS)
BY_NAME = {check.name: check for check in EVERY}
ABSENT = {"metadata-v6", "metadata-alibaba", "node-ssh", "far-ssh"}
"""Where nothing listens on the imagined cluster."""

Answers = dict[Pod, Answer]


def answers() -> Answers:
    """A node on which everything is as it must be."""

    def of(pod: Pod, reaches: Callable[[Check], bool]) -> Answer:
        late = {
            dial: "connected" if reaches(check) and check.name not in ABSENT else "timeout"
            for check in EVERY
            for dial in check.dials
            if dial in dials_of(pod, EVERY)
        }
        return Answer(early=late, late=late, devices=(), resolved="resolved")

    return {
        Pod.TENANT: of(Pod.TENANT, lambda _: False),
        Pod.OPEN_CONTROL: of(
            Pod.OPEN_CONTROL, lambda check: check.name not in {"other-tenant", "ingress", "own-lease"}
        ),
        Pod.LEASE_PEER: of(Pod.LEASE_PEER, lambda _: True),
    }


def but(found: Answers, pod: Pod, check: str, outcome: str, *, early: bool = False) -> Answers:
    """The same answers, with another outcome of every dial of a check by a pod."""
    other: Mapping[str, str] = dict.fromkeys(BY_NAME[check].dials, outcome)
    answer = found[pod]
    changed = (
        replace(answer, early={**answer.early, **other}) if early else replace(answer, late={**answer.late, **other})
    )
    return {**found, pod: changed}


def finding(name: str, found: Answers) -> Finding:
    """What became of one check."""
    (one,) = [each for each in judge(EVERY, found) if each.check == name]
    return one


CLOSED = [check for check in EVERY if check.closed]


def test_a_node_that_keeps_everything_closed_passes() -> None:
    """Every check is there once and passes; the sentence says what was shown."""
    findings = judge(EVERY, answers())
    assert [each.check for each in findings if each.verdict is not Verdict.PASSED] == []
    assert len({each.check for each in findings}) == len(findings)
    assert whole(findings) is Verdict.PASSED
    assert sentence(findings) == "every way that must be closed was measured to be closed"


@pytest.mark.parametrize("outcome", ["connected", "stranger"])
@pytest.mark.parametrize("check", CLOSED, ids=lambda check: check.name)
def test_a_way_that_is_open_fails(check: Check, outcome: str) -> None:
    """Also if somebody else answers there: the way was gone. It is named, and so is what to do."""
    found = but(answers(), check.by, check.name, outcome)
    one = finding(check.name, found)
    assert (one.verdict, one.message) == (Verdict.FAILED, f"the way {check.way} is open")
    assert one.remedy
    assert whole(judge(EVERY, found)) is Verdict.FAILED


@pytest.mark.parametrize("check", CLOSED, ids=lambda check: check.name)
def test_one_open_address_is_enough(check: Check) -> None:
    """Of two protocols and two families, and of several nodes, each must be closed."""
    last = list(check.dials)[-1]
    found = answers()
    answer = found[check.by]
    found[check.by] = replace(answer, late={**answer.late, last: "connected"})
    assert finding(check.name, found).verdict is Verdict.FAILED


@pytest.mark.parametrize("check", [check for check in CLOSED if check.listens], ids=lambda check: check.name)
@pytest.mark.parametrize("outcome", ["timeout", "refused", "stranger", "unreachable"])
def test_closed_for_everybody_is_not_shown_to_be_closed(check: Check, outcome: str) -> None:
    """Where something listens for certain, a control that does not get through shows that nothing was measured."""
    one = finding(check.name, but(answers(), check.control, check.name, outcome))
    assert one.verdict is Verdict.UNKNOWN
    assert "was not measured" in one.message


@pytest.mark.parametrize("check", [check for check in CLOSED if not check.listens], ids=lambda check: check.name)
def test_where_nobody_gets_through_nobody_is_harmed(check: Check) -> None:
    """A port that need not be served, or a cloud that is not there."""
    one = finding(check.name, but(answers(), check.control, check.name, "timeout"))
    assert (one.verdict, one.message) == (Verdict.PASSED, f"no pod gets through on the way {check.way}")


@pytest.mark.parametrize("pod", [Pod.TENANT, Pod.OPEN_CONTROL, Pod.LEASE_PEER])
def test_a_pod_that_says_nothing_is_no_pass(pod: Pod) -> None:
    """Whichever of the three it is."""
    found = answers()
    del found[pod]
    assert whole(judge(EVERY, found)) is Verdict.UNKNOWN


@pytest.mark.parametrize("document", [{}, {"late": [], "early": None}, {"late": {}, "devices": "none"}])
def test_an_answer_that_makes_no_sense_is_no_pass(document: dict[str, object]) -> None:
    """Fields of the wrong kind are as good as missing."""
    found = {**answers(), Pod.TENANT: Answer.read(document)}
    assert whole(judge(EVERY, found)) is Verdict.UNKNOWN
    assert finding("devices", found).verdict is Verdict.UNKNOWN


def test_the_first_seconds_are_judged_by_themselves() -> None:
    """A way that is closed once a pod has settled, and open before, fails."""
    found = but(answers(), Pod.TENANT, "egress", "connected", early=True)
    assert finding("egress", found).verdict is Verdict.PASSED
    one = finding("first-seconds", found)
    assert one.verdict is Verdict.FAILED
    assert one.message == "in the first seconds of a pod's life the way from a lease to a pod of nobody's is open"


def test_the_first_seconds_need_something_to_reach() -> None:
    """If no control gets through anywhere, nothing is shown of them."""
    found = answers()
    control = found[Pod.OPEN_CONTROL]
    found[Pod.OPEN_CONTROL] = replace(control, late=dict.fromkeys(control.late, "timeout"))
    assert finding("first-seconds", found).verdict is Verdict.UNKNOWN


def test_pods_of_one_lease_reach_each_other() -> None:
    """That is sold; and without it nobody knows whether the target listens."""
    found = but(answers(), Pod.LEASE_PEER, "own-lease", "timeout")
    assert finding("own-lease", found).verdict is Verdict.FAILED
    assert finding("ingress", found).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("tenant", "control", "verdict"),
    [
        ("resolved", "failed: x", Verdict.PASSED),
        ("failed: x", "resolved", Verdict.FAILED),
        ("failed: x", "failed: x", Verdict.UNKNOWN),
    ],
)
def test_names_are_answered(tenant: str, control: str, verdict: Verdict) -> None:
    """A lease's pods get names if others do."""
    found = answers()
    found[Pod.TENANT] = replace(found[Pod.TENANT], resolved=tenant)
    found[Pod.OPEN_CONTROL] = replace(found[Pod.OPEN_CONTROL], resolved=control)
    assert finding("dns", found).verdict is verdict


def test_a_device_that_nobody_asked_for_fails() -> None:
    """By any name."""
    found = answers()
    found[Pod.TENANT] = replace(found[Pod.TENANT], devices=("/dev/nvidia0", "/dev/nvidiactl"))
    one = finding("devices", found)
    assert one.verdict is Verdict.FAILED
    assert "/dev/nvidia0, /dev/nvidiactl" in one.message


def test_a_failure_is_told_before_what_is_not_known() -> None:
    """The sentence names the first, says how many more, and what to do; it is the same whenever it is made."""
    found = but(answers(), Pod.TENANT, "metadata", "connected")
    found = but(found, Pod.OPEN_CONTROL, "egress", "timeout")
    findings = judge(EVERY, found)
    assert whole(findings) is Verdict.FAILED
    assert sentence(findings).startswith("the way from a lease to the metadata service at 169.254.169.254 is open; ")
    found = but(found, Pod.TENANT, "node-kubelet", "connected")
    assert "is open (and 1 more); " in sentence(judge(EVERY, found))


def test_the_answers_fit_into_a_termination_message() -> None:
    """Kubernetes cuts it at 4096 bytes, and half a document is none; with two families and four nodes."""
    many = replace(FACTS, node=("192.0.2.1", "2001:db8::1"), other_nodes=tuple(f"192.0.2.{i}" for i in range(2, 8)))
    dials = dials_of(Pod.TENANT, checks(many))
    assert 2 * sum(len(f'"{name}":"unreachable",') for name in dials) < 3500


def test_who_dials_the_same_finds_it_by_the_same_name() -> None:
    """Else a control would be no control."""
    for check in EVERY:
        assert check.dials.items() <= dials_of(check.by, EVERY).items()
        assert check.dials.items() <= dials_of(check.control, EVERY).items()
