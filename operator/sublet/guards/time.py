"""Guards of time: nothing begins outside of its lease, whether the operator is alive or not.

CEL has no clock of its own, so a rule reads what the API server stamps, and a client cannot forge either stamp:
on CREATE the creation time, which is wiped from whatever is sent; on UPDATE the time that the server itself writes
into `managedFields` for every change that sets a field.
"""

from typing import Final

from sublet.desired import naming
from sublet.guards.rule import Match, Policy, Rule

_RECORDS: Final = (
    *("events", "endpoints", "endpointslices", "leases", "serviceaccounts", "localsubjectaccessreviews"),
    *("resourcequotas", "limitranges", "networkpolicies", "rolebindings"),
)
"""What the cluster and the operator write down for themselves. It runs nothing and exposes nothing, a tenant may
create none of it, and it must go on while a lease is prepared or taken down."""

_NO_RECORD: Final = f"""\
!(request.resource.resource in {list(_RECORDS)})
&& !(request.resource.resource == 'configmaps' && request.name in ['kube-root-ca.crt', '{naming.FACTS}'])"""
"""CEL: the request is about anything else. Everything, rather than the kinds of today's tenant role: so an owner who
grants tenants a further kind has not opened a way around the end."""


def _annotation(key: str) -> str:
    """CEL: an annotation of the namespace, empty if it is missing."""
    return f"namespaceObject.metadata.?annotations[?'{key}'].orValue('')"


_TIMES: Final = (("starts", _annotation(naming.STARTS_AT)), ("ends", _annotation(naming.ENDS_AT)))
_CLOCK: Final = "' (it is ' + string(variables.now) + ')'"


def _unknown(key: str) -> str:
    return f"'the namespace has no annotation {key}, so nothing may begin in it; the operator writes it'"


_BEGUN: Final = Rule(
    "lease-begun",
    "variables.starts != '' && variables.now >= timestamp(variables.starts)",
    f"(variables.starts == '' ? {_unknown(naming.STARTS_AT)} : "
    f"'the lease starts at ' + variables.starts + {_CLOCK} + '; come back then')",
    is_cel=True,
)
_NOT_OVER: Final = Rule(
    "lease-not-over",
    "variables.ends != '' && variables.now < timestamp(variables.ends)",
    f"(variables.ends == '' ? {_unknown(naming.ENDS_AT)} : "
    f"'the lease ended at ' + variables.ends + {_CLOCK} + '; a longer one is agreed with the owner')",
    is_cel=True,
)
_NO_GATES: Final = Rule(
    "no-gates",
    "request.resource.resource != 'pods' || object.spec.?schedulingGates.orValue([]).size() == 0",
    "a pod that waits behind schedulingGates could start after the end of the lease, for taking a gate away leaves "
    "no time behind that a rule could read; create the pod when it may start",
)
_CHANGE_NOT_LATE: Final = Rule(
    "change-not-late",
    "variables.ends != '' && variables.times.size() > 0 && variables.now < timestamp(variables.ends)",
    f"(variables.ends == '' ? {_unknown(naming.ENDS_AT)} : variables.times.size() == 0 "
    "? 'metadata.managedFields is empty, which hides when the change is made; leave it out of what you send' "
    f": 'the lease ended at ' + variables.ends + {_CLOCK} + '; what is there can be deleted, and not changed')",
    is_cel=True,
)

POLICIES: tuple[Policy, ...] = (
    Policy(
        name="creation-in-time",
        matches=(Match(("*",), ("*",), ("CREATE",)),),
        conditions=(("runs-or-exposes", _NO_RECORD),),
        variables=(*_TIMES, ("now", "timestamp(object.metadata.creationTimestamp)")),
        rules=(_BEGUN, _NOT_OVER, _NO_GATES),
    ),
    # Metadata and status stay free: controllers take finalizers off and kubelets report while a lease is taken down.
    Policy(
        name="change-in-time",
        matches=(Match(("*",), ("*",), ("UPDATE",)),),
        conditions=(
            ("runs-or-exposes", _NO_RECORD),
            ("spec-changes", "has(object.spec) && (!has(oldObject.spec) || object.spec != oldObject.spec)"),
        ),
        variables=(
            *_TIMES,
            (
                "times",
                "object.metadata.?managedFields.orValue([]).filter(f, has(f.time)).map(f, timestamp(string(f.time)))",
            ),
            # The server's own entry is the latest, unless a client forged a later one and so harmed itself.
            ("now", "variables.times.max()"),
        ),
        rules=(_CHANGE_NOT_LATE,),
    ),
)
