"""The guards of time on a compressed day: as the chart ships them, but for the reading of the clock."""

from datetime import datetime
from typing import Any

from sublet.clock import CompressedClock
from sublet.cluster.client import Client
from sublet.cluster.kinds import Kind
from sublet.desired import naming

Raw = dict[str, Any]

POLICY = Kind(
    "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False
)
_GUARDS = ("sublet-creation-in-time", "sublet-change-in-time")


async def judge_in_time_of(clock: CompressedClock, admin: Client) -> None:
    """Let the guards of time judge by `clock`.

    The API server's stamps are cut to whole seconds, so the guards are behind it by up to `clock.factor` seconds.
    """
    for name in _GUARDS:
        policy = await admin.get(POLICY, name)
        variables = policy["spec"]["variables"]
        changed = [_by_clock(each, clock) if each["name"] == "now" else each for each in variables]
        await admin.patch(POLICY, name, {"spec": {"variables": changed}})


def _by_clock(variable: Raw, clock: CompressedClock) -> Raw:
    base = _timestamp(clock.base)
    passed = f"({variable['expression']} - {base}).getSeconds()"
    return {**variable, "expression": f"{base} + duration(string({passed} * {clock.factor}) + 's')"}


def _timestamp(instant: datetime) -> str:
    return f"timestamp('{naming.instant(instant)}')"
