"""What the measured answers mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sublet.doctor.checks import Check, Pod

Raw = dict[str, Any]

_REACHED: Final = {"connected", "stranger"}
"""Outcomes that show an open way: whoever answered."""


class Verdict(StrEnum):
    """What became of a check, and of all of them."""

    PASSED = "Passed"
    """Measured, and as it must be."""
    FAILED = "Failed"
    """Measured, and not as it must be."""
    UNKNOWN = "Unknown"
    """Not measured: that nothing came through shows nothing, as long as it is not shown what would have."""


@dataclass(frozen=True)
class Answer:
    """What a dialling pod found.

    Attributes:
        early: The outcome of each dial in the pod's first seconds, by its name.
        late: The same once the pod had settled.
        devices: The devices it saw that not every container has; None if it did not look.
        resolved: `resolved`, or why the name of the API server's Service was not found.
    """

    early: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    devices: Sequence[str] | None = None
    resolved: str = ""

    @classmethod
    def read(cls, document: Raw) -> "Answer":
        """The answer in a pod's JSON document; what is not as expected is as good as not said."""
        early, late, devices = (document.get(key) for key in ("early", "late", "devices"))
        return cls(
            early if isinstance(early, dict) else {},
            late if isinstance(late, dict) else {},
            tuple(map(str, devices)) if isinstance(devices, list) else None,
            str(document.get("resolved") or ""),
        )


@dataclass(frozen=True)
class Finding:
    """What became of one check.

    Attributes:
        check: Its name.
        verdict: What became of it.
        message: What was seen, as a sentence.
        remedy: What to do; empty where there is nothing to do.
    """

    check: str
    verdict: Verdict
    message: str
    remedy: str = ""


Answers = Mapping[Pod, Answer]


def judge(checks: Sequence[Check], answers: Answers) -> tuple[Finding, ...]:
    """A finding for each check, and for what is not a way from here to there."""
    return (
        *(_way(check, answers) for check in checks),
        _first_seconds(checks, answers),
        _dns(answers),
        _devices(answers),
    )


def whole(findings: Sequence[Finding]) -> Verdict:
    """The verdict on all: one that failed fails all, and what was not measured is no pass."""
    found = {finding.verdict for finding in findings}
    return next((verdict for verdict in (Verdict.FAILED, Verdict.UNKNOWN) if verdict in found), Verdict.PASSED)


def sentence(findings: Sequence[Finding]) -> str:
    """Why not everything passed, in one sentence: the first that failed, or was not measured, and how many more."""
    worst = whole(findings)
    if worst is Verdict.PASSED:
        return "every way that must be closed was measured to be closed"
    found = [finding for finding in findings if finding.verdict is worst]
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{first.message}{more}; {first.remedy}" if first.remedy else f"{first.message}{more}"


def _way(check: Check, answers: Answers) -> Finding:
    by, control = answers.get(check.by), answers.get(check.control)
    tried = [by.late.get(dial) if by else None for dial in check.dials]
    reached = [name for name, outcome in zip(check.dials, tried, strict=True) if outcome in _REACHED]
    if not check.closed and tried and None not in tried:
        is_open = all(outcome == "connected" for outcome in tried)
        state = "open, as it must be" if is_open else "closed, and must be open"
        return _found(check, Verdict.PASSED if is_open else Verdict.FAILED, f"the way {check.way} is {state}")
    if check.closed and reached:
        return _found(check, Verdict.FAILED, f"the way {check.way} is open")
    if not check.closed or None in tried or not tried:
        return _found(check, Verdict.UNKNOWN, f"nothing was heard of the way {check.way}")
    may = [control.late.get(dial) if control else None for dial in check.dials]
    # Where something listens for certain, each address must have been measured; else those that anybody reaches.
    if (all if check.listens else any)(outcome == "connected" for outcome in may):
        return _found(check, Verdict.PASSED, f"the way {check.way} is closed")
    if check.listens or None in may or "stranger" in may:
        return Finding(
            check.name,
            Verdict.UNKNOWN,
            f"the way {check.way} was not measured: a pod that may go it did not get through either",
            "see that no policy of yours is about the namespaces sublet-doctor-*, and that the node's network works",
        )
    return _found(check, Verdict.PASSED, f"no pod gets through on the way {check.way}")


def _found(check: Check, verdict: Verdict, message: str) -> Finding:
    return Finding(check.name, verdict, message, "" if verdict is Verdict.PASSED else check.remedy)


def _first_seconds(checks: Sequence[Check], answers: Answers) -> Finding:
    """Whether anything was reached while the pod was new that is closed once it has settled."""
    name, tenant, control = "first-seconds", answers.get(Pod.TENANT), answers.get(Pod.OPEN_CONTROL)
    ways = [check for check in checks if check.closed and check.by is Pod.TENANT]
    if tenant is None or any(dial not in tenant.early for check in ways for dial in check.dials):
        return Finding(name, Verdict.UNKNOWN, "nothing was heard of the first seconds of a pod's life")
    reached = [check for check in ways if any(tenant.early[dial] in _REACHED for dial in check.dials)]
    if reached:
        return Finding(
            name,
            Verdict.FAILED,
            f"in the first seconds of a pod's life the way {reached[0].way} is open",
            "have the network plugin set up policies before a pod starts (Calico: policy_setup_timeout_seconds)",
        )
    if control is None or not any(
        control.late.get(dial) == "connected"
        for check in ways
        if check.control is Pod.OPEN_CONTROL
        for dial in check.dials
    ):
        return Finding(name, Verdict.UNKNOWN, "the first seconds of a pod's life were not measured: nothing was there")
    return Finding(name, Verdict.PASSED, "every way is closed from a pod's first instant on")


def _dns(answers: Answers) -> Finding:
    name, tenant, control = "dns", answers.get(Pod.TENANT), answers.get(Pod.OPEN_CONTROL)
    if tenant is not None and tenant.resolved == "resolved":
        return Finding(name, Verdict.PASSED, "a lease's pods get answers from the cluster's DNS")
    if tenant is not None and tenant.resolved and control is not None and control.resolved == "resolved":
        return Finding(
            name,
            Verdict.FAILED,
            "a lease's pods get no answer from the cluster's DNS, and others do",
            "name the namespace and the labels of the DNS pods in spec.isolation.dns of the pool",
        )
    return Finding(
        name, Verdict.UNKNOWN, "the cluster's DNS was not measured: no pod gets an answer", "see that the DNS pods run"
    )


def _devices(answers: Answers) -> Finding:
    name, tenant = "devices", answers.get(Pod.TENANT)
    if tenant is None or tenant.devices is None:
        return Finding(name, Verdict.UNKNOWN, "nothing was heard of the devices of a container that asked for none")
    if tenant.devices:
        return Finding(
            name,
            Verdict.FAILED,
            f"a container that asks for no GPU and sets NVIDIA_VISIBLE_DEVICES sees {', '.join(tenant.devices[:3])}",
            "have the container toolkit ignore the variable: accept-nvidia-visible-devices-envvar-when-unprivileged = "
            "false, with the device plugin's deviceListStrategy cdi-annotations or volume-mounts",
        )
    return Finding(name, Verdict.PASSED, "a container that asked for no GPU sees no device, whatever variables it sets")
