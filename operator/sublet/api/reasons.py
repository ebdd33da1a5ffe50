"""The vocabulary of conditions: every type and every reason, declared once."""

from enum import StrEnum


class ConditionType(StrEnum):
    """What is observed of a lease, and `Accepted` of a pool."""

    ACCEPTED = "Accepted"
    """The object is valid and will be acted on."""
    SCHEDULED = "Scheduled"
    """Nodes are booked for a start and an end."""
    NODES_READY = "NodesReady"
    """All booked nodes are claimed and healthy."""
    ISOLATED = "Isolated"
    """Every guard is in place."""
    ACCESS_GRANTED = "AccessGranted"
    """The tenant's subjects can use the namespaces."""
    READY = "Ready"
    """The tenant can work: the sum of the conditions above."""
    DRAINING = "Draining"
    """No new pods are let in, because the end is near. Its normal state is False."""
    STALLED = "Stalled"
    """Nothing will change until someone changes the object. Its normal state is False."""
    RELEASED = "Released"
    """Access, namespaces and claims are gone."""
    SANITIZED = "Sanitized"
    """The nodes are clean and back in the pool."""


class Reason(StrEnum):
    """Why a condition has its status."""

    # Not looked at, or not yet due
    PENDING = "Pending"
    """Not looked at yet."""
    NOT_YET = "NotYet"
    """Its time has not come."""
    # Accepted, Stalled
    ACCEPTED = "Accepted"
    """The object is valid."""
    INVALID_SPEC = "InvalidSpec"
    """The specification contradicts itself or cannot be read."""
    POOL_NOT_FOUND = "PoolNotFound"
    """There is no pool of that name."""
    POOL_NOT_ACCEPTED = "PoolNotAccepted"
    """The pool exists, but cannot be sold from."""
    TOO_FEW_NODES = "TooFewNodes"
    """The pool never has that many nodes for sale."""
    NODES_NOT_WHOLE = "NodesNotWhole"
    """The GPUs asked for do not fill whole nodes."""
    OUTSIDE_TERMS = "OutsideTerms"
    """Length, lead time or horizon are outside of the pool's terms."""
    NOT_OFFERED = "NotOffered"
    """The pool does not offer what was asked: a term, a topology level or a network."""
    NAMESPACE_CONFLICT = "NamespaceConflict"
    """A namespace of that name exists and belongs to something else."""
    NOT_STALLED = "NotStalled"
    """The operator goes on by itself."""

    # Scheduled
    BOOKED = "Booked"
    """Nodes are booked."""
    WAITING_FOR_NODES = "WaitingForNodes"
    """In the queue: not enough nodes are free."""
    # NodesReady
    WAITING_FOR_START = "WaitingForStart"
    """Booked; the start lies ahead."""
    CLAIMING = "Claiming"
    """Nodes are being claimed."""
    NODES_CLAIMED = "NodesClaimed"
    """All nodes are claimed and healthy."""
    NODE_UNHEALTHY = "NodeUnhealthy"
    """A node of the lease is not healthy and is being replaced."""
    # Isolated
    GUARDS_IN_PLACE = "GuardsInPlace"
    """Every guard is in place."""
    GUARDS_MISSING = "GuardsMissing"
    """A guard is missing; access is not granted."""
    APPLY_FAILED = "ApplyFailed"
    """An object of the lease could not be written."""

    # AccessGranted
    GRANTED = "Granted"
    """The tenant's subjects have access."""
    REVOKED = "Revoked"
    """Access was taken away."""
    SUSPENDED = "Suspended"
    """Access and new pods are stopped, because `suspend` is set."""

    # Ready, Draining
    LEASE_ACTIVE = "LeaseActive"
    """The tenant can work."""
    END_NEAR = "EndNear"
    """The time before the end in which no new pods are let in."""
    ENDED = "Ended"
    """The end has come."""
    DELETED = "Deleted"
    """The object is being deleted."""

    # Released, Sanitized
    REMOVING = "Removing"
    """What belongs to the lease is being removed."""
    REMOVED = "Removed"
    """Nothing of the lease is left."""
    NOT_CONFIGURED = "NotConfigured"
    """The pool names no sanitizing steps."""
