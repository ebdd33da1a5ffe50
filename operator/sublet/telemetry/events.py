"""Events: what `kubectl describe` tells of an object's history, one function for each."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sublet.api.lease import GPULease
from sublet.api.meta import GROUP, VERSION, Resource
from sublet.api.reasons import ConditionType, Reason

COMPONENT = "sublet"


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        type: `Normal`, or `Warning` if somebody should look.
        reason: One word for programs.
        message: A sentence for people.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def phase_reached(phase: str, message: str) -> Event:
    """The lease came to a new phase; the reason is the phase's own name."""
    return Event("Warning" if phase == "Refused" else "Normal", phase, message or f"the lease is {phase}")


def trouble(reason: str, message: str) -> Event:
    """Something the lease should have could not be had."""
    return Event("Warning", reason, message)


def extension(answer: str, message: str) -> Event:
    """A change of the end was answered."""
    return Event("Normal" if answer == "Granted" else "Warning", f"Extension{answer}", message)


def of_lease(lease: GPULease, status: dict[str, Any]) -> list[Event]:
    """What there is to tell about a lease whose status becomes `status`: a new phase, or a new sentence in it."""
    known = lease.status
    dirt = _dirt(lease, status)
    if known.phase is None or known.phase.value != status["phase"]:
        return [*dirt, phase_reached(status["phase"], status["message"])]
    if dirt:
        return dirt
    if known.message == status["message"] or not status["message"]:
        return []
    match status["phase"]:
        case "Active":
            return [Event("Normal", "EndsSoon", status["message"])]
        case "Queued":
            return []  # places in the queue move all the time; the status tells them
        case "Refused" | "Provisioning":
            ready = next(c for c in status["conditions"] if c["type"] == "Ready")
            return [trouble(ready["reason"], status["message"])]
        case "Releasing":
            released = next(c for c in status["conditions"] if c["type"] == "Released")
            is_stuck = released["reason"] == Reason.VOLUMES_LEFT
            return [trouble(released["reason"], status["message"])] if is_stuck else []
        case _:
            return []


def _dirt(lease: GPULease, status: dict[str, Any]) -> list[Event]:
    """What could not be cleaned, once for each node that joins them."""
    found = next(c for c in status["conditions"] if c["type"] == ConditionType.SANITIZED)
    known = next((c.message for c in lease.status.conditions if c.type == ConditionType.SANITIZED.value), "")
    is_news = found["reason"] == Reason.SANITIZING_FAILED and found["message"] != known
    return [trouble(found["reason"], found["message"])] if is_news else []


def manifest(event: Event, about: Resource, now: datetime) -> dict[str, Any]:
    """The API object for an event about a cluster-scoped object.

    Events of such objects live in the namespace `default`, where kubectl looks for them.
    """
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = about.metadata
    mark = hashlib.sha256(f"{metadata.uid}{event}{now.isoformat()}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name}.{mark}", "namespace": "default"},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": about.kind,
            "name": metadata.name,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
