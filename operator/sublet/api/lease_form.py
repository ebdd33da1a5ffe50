"""The form of a lease, judged without an API server: its CEL rules once more, as Python.

Each condition stands in the order of its rule, whose message it gives. Of the rules about one field alone only
the one on networks is here; the others are left to the API server.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_network

from sublet.api.lease import GPULeaseSpec
from sublet.api.lease_rules import NAMES, NAMES_TOGETHER, ORDER_OF_TIMES, SIZE, WHICH_TIMES
from sublet.api.markers import Rule
from sublet.api.names import DNS_LABEL, LEASE_NAME_LENGTH


def objection_to_names(name: str, spec: GPULeaseSpec) -> str | None:
    """Why the API server would not take a lease of that name, in the words of its rule; None if it would."""
    return _first_broken(
        NAMES,
        len(name) <= LEASE_NAME_LENGTH and re.fullmatch(DNS_LABEL, name) is not None,
        all(len(name) + len(suffix) <= NAMES_TOGETHER for suffix in spec.namespaces),
    )


def objection_to(spec: GPULeaseSpec) -> str | None:
    """Why the API server would not take the specification, in the words of its rule; None if it would."""
    start, end, latest, until = spec.start, spec.end, spec.latest_start, spec.extendable_until
    return _first_broken(
        (*SIZE, *WHICH_TIMES, *ORDER_OF_TIMES),
        spec.nodes is not None or spec.gpus is not None,
        spec.nodes is None or spec.gpus is None,
        end is not None or spec.duration is not None,
        start is None or end is None or spec.duration is None,
        latest is None or start is not None,
        start is None or end is None or end > start,
        latest is None or start is None or latest >= start,
        latest is None or end is None or latest < end,
        until is None or end is None or until >= end,
        until is None or start is None or spec.duration is None or until >= start + spec.duration,
    ) or _unreadable_network(spec)


def _first_broken(rules: Sequence[Rule], *holds: bool) -> str | None:
    return next((rule.message for rule, kept in zip(rules, holds, strict=True) if not kept), None)


def _unreadable_network(spec: GPULeaseSpec) -> str | None:
    for index, rule in enumerate(spec.network.egress if spec.network else ()):
        try:
            ip_network(rule.cidr)
        except ValueError:
            return f"spec.network.egress[{index}].cidr: {rule.cidr} is no network: write it as 203.0.113.0/24"
    return None
