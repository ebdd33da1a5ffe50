"""Probing: an object is shown to the API server by a dry run, and the answer is held against what it must be."""

import asyncio
import re
from typing import Any

from sublet.cluster.client import Client
from sublet.desired import naming
from sublet.errors import ForbiddenError, GuardError, InvalidError
from sublet.guards.attacks.answer import ADMITTED, stopped_by
from sublet.plan.probes import POD
from sublet.plan.steps import Probe

Raw = dict[str, Any]

_GENERATED = re.compile(rf"\b({POD})-[a-z0-9]+")

_TRIES = 20
_PAUSE_SECONDS = 0.05


async def ask(client: Client, probe: Probe) -> None:
    """Ask, and return if the answer is the right one.

    Raises:
        GuardError: It is not; the message says what was asked and what came of it.
    """
    for _ in range(_TRIES):
        answer, guard = await _show(client, probe)
        if guard != "rbac":
            break
        # The binding that lets the probe ask was written a moment ago; the authorizer learns of it by a watch.
        await asyncio.sleep(_PAUSE_SECONDS)
    # A tenant may have used up its quota, which is asked last of all: every guard has let the object pass.
    expected = {probe.refused_by} if probe.refused_by else {ADMITTED, "quota"}
    if guard not in expected:
        raise GuardError(f"probe failed: {probe.what}; the answer was: {answer}")


async def _show(client: Client, probe: Probe) -> tuple[str, str]:
    """The answer in words, and the guard that gave it."""
    try:
        admitted = await client.would_create(probe.manifest, naming.PROBE_USER)
    except (ForbiddenError, InvalidError) as error:
        # A name that differs each time would be news each time.
        return _GENERATED.sub(r"\1", error.message), stopped_by(error.message, error.reason)
    if probe.pinned_to and not _is_pinned(admitted, probe.pinned_to):
        return "admitted, but not pinned to the lease's nodes", "nothing"
    return ADMITTED, ADMITTED


def _is_pinned(pod: Raw, lease: str) -> bool:
    spec = pod["spec"]
    tolerated = any(
        toleration.get("key") == naming.LEASE and toleration.get("value") == lease
        for toleration in spec.get("tolerations") or ()
    )
    selected = (spec.get("nodeSelector") or {}).get(naming.LEASE) == lease
    return selected and tolerated and "activeDeadlineSeconds" in spec
