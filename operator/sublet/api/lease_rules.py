"""What must hold between the fields of a GPULease, as CEL that the API server keeps.

That an end lies ahead is not among it: CEL in a CRD has no clock. The chart's admission policy refuses a past
end.
"""

from typing import Final

from sublet.api.markers import Rule
from sublet.api.names import DNS_LABEL, LEASE_NAME_LENGTH
from sublet.api.scalars import seconds_in_cel

NAMES_TOGETHER: Final = 63 - len("lease--")
"""Longest name of a lease with a suffix: a namespace is called `lease-NAME-SUFFIX`, in 63 characters."""

SIZE: Final = (
    Rule(
        cel="has(self.nodes) || has(self.gpus)",
        message="the size is missing: set spec.nodes to a number of nodes, or spec.gpus to a number of GPUs",
        field=".nodes",
        reason="FieldValueRequired",
    ),
    Rule(
        cel="!has(self.nodes) || !has(self.gpus)",
        message="spec.nodes and spec.gpus are both set: keep one, the other follows from the pool's nodes",
        field=".gpus",
        reason="FieldValueForbidden",
    ),
)

WHICH_TIMES: Final = (
    Rule(
        cel="has(self.end) || has(self.duration)",
        message="the lease has no end: set spec.duration, for example 7d, or spec.end",
        field=".end",
        reason="FieldValueRequired",
    ),
    Rule(
        cel="!has(self.start) || !has(self.end) || !has(self.duration)",
        message="spec.start, spec.end and spec.duration are all set: keep two of them, the third follows",
        field=".duration",
        reason="FieldValueForbidden",
    ),
    Rule(
        cel="!has(self.latestStart) || has(self.start)",
        message="spec.latestStart needs spec.start: set the earliest start too, or remove spec.latestStart",
        field=".latestStart",
        reason="FieldValueForbidden",
    ),
)

ORDER_OF_TIMES: Final = (
    Rule(
        cel="!has(self.start) || !has(self.end) || self.end > self.start",
        message="spec.end is not after spec.start: choose a later end, or an earlier start",
        field=".end",
    ),
    Rule(
        cel="!has(self.latestStart) || !has(self.start) || self.latestStart >= self.start",
        message="spec.latestStart is before spec.start: choose a later one, or remove it",
        field=".latestStart",
    ),
    Rule(
        cel="!has(self.latestStart) || !has(self.end) || self.latestStart < self.end",
        message="spec.latestStart is not before spec.end: choose an earlier one, or a later spec.end",
        field=".latestStart",
    ),
    Rule(
        cel="!has(self.extendableUntil) || !has(self.end) || self.extendableUntil >= self.end",
        message="spec.extendableUntil is before spec.end: no lease can end later than it may be extended",
        field=".extendableUntil",
    ),
    Rule(
        cel=(
            "!has(self.extendableUntil) || !has(self.start) || !has(self.duration)"
            f" || int(self.extendableUntil) >= int(self.start) + {seconds_in_cel('self.duration')}"
        ),
        message="spec.extendableUntil is before spec.start plus spec.duration: choose a later one, or a shorter time",
        field=".extendableUntil",
    ),
)

NAMES: Final = (
    Rule(
        cel=f"size(self.metadata.name) <= {LEASE_NAME_LENGTH} && self.metadata.name.matches('{DNS_LABEL}')",
        message=(
            "metadata.name becomes part of the names of namespaces: "
            f"use at most {LEASE_NAME_LENGTH} lower-case letters, digits and inner hyphens"
        ),
        field=".metadata.name",
    ),
    Rule(
        cel=(
            "!has(self.spec.namespaces)"
            f" || self.spec.namespaces.all(s, size(self.metadata.name) + size(s) <= {NAMES_TOGETHER})"
        ),
        message=(
            "spec.namespaces has too long a suffix: "
            f"metadata.name and a suffix may have {NAMES_TOGETHER} characters together"
        ),
        field=".spec.namespaces",
    ),
)

# Spelled out with has(): the API server prices an optional, as in `oldSelf.?status`, as if it had no bound.
_ACCEPTED: Final = (
    "has(oldSelf.status) && has(oldSelf.status.conditions)"
    " && oldSelf.status.conditions.exists(c, c.type == 'Accepted' && c.status == 'True')"
)
_BOOKED: Final = "has(oldSelf.status) && has(oldSelf.status.startsAt)"
_NEW_LEASE: Final = "make a new lease and release this one"


def _fixed(
    field: str, *, optional: bool = False, instead: str = _NEW_LEASE, once: str = "accepted", when: str = _ACCEPTED
) -> Rule:
    """Keep one field of the spec, of an optional one also its absence, from some moment on."""
    new, old = f"self.spec.{field}", f"oldSelf.spec.{field}"
    same = f"(has({new}) ? has({old}) && {new} == {old} : !has({old}))" if optional else f"{new} == {old}"
    return Rule(
        cel=f"{same} || !({when})",
        message=f"spec.{field} cannot change once the lease is {once}: {instead}",
        field=f".spec.{field}",
        reason="FieldValueForbidden",
    )


ONCE_ACCEPTED: Final = (
    _fixed("pool"),
    _fixed("tenant.name"),
    _fixed("nodes", optional=True),
    _fixed("gpus", optional=True),
    _fixed("start", optional=True),
    _fixed("term"),
    _fixed("extendableUntil", optional=True, instead="it is the hard stop of the pods that already run"),
    _fixed("namespaces", optional=True),
    _fixed("placement", optional=True),
    _fixed("network", optional=True),
)

ONCE_BOOKED: Final = (
    _fixed(
        "latestStart",
        optional=True,
        instead="its start is settled by status.startsAt",
        once="booked",
        when=_BOOKED,
    ),
    # The API server notes when a field is written, but not when one is removed.
    Rule(
        cel=f"has(self.spec.end) || !has(oldSelf.spec.end) || !({_BOOKED})",
        message="spec.end cannot be removed once the lease is booked: write the end that you want",
        field=".spec.end",
        reason="FieldValueForbidden",
    ),
)
