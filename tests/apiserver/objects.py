"""Valid raw objects, and ways to change them."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from subprocess import CompletedProcess
from typing import Any

Kubectl = Callable[..., "CompletedProcess[str]"]
Raw = dict[str, Any]
Changes = Mapping[str, object]
"""New values by path, as `spec.tenant.name`; None removes the field."""

LEASE: Raw = {
    "apiVersion": "sublet.dev/v1alpha1",
    "kind": "GPULease",
    "metadata": {"name": "admission"},
    "spec": {
        "pool": "h100",
        "tenant": {"name": "acme", "subjects": [{"kind": "User", "name": "oidc:anna@acme.example"}]},
        "nodes": 4,
        "start": "2126-12-01T08:00:00Z",
        "end": "2126-12-08T08:00:00Z",
        "extendableUntil": "2126-12-31T08:00:00Z",
        "placement": {"level": "topology.kubernetes.io/zone"},
        "network": {"egress": [{"cidr": "203.0.113.0/24"}]},
        "namespaces": ["staging"],
    },
}
POOL: Raw = {
    "apiVersion": "sublet.dev/v1alpha1",
    "kind": "GPUPool",
    "metadata": {"name": "admission"},
    "spec": {"nodeSelector": {"matchLabels": {"example.com/for-sale": "true"}}},
}
ROW: Raw = {
    "kind": "Usage",
    "start": "2026-12-01T08:00:00Z",
    "end": "2026-12-08T08:00:00Z",
    "nodes": 4,
    "gpus": 32,
    "gpuSeconds": 19_353_600,
}
RECORD: Raw = {
    "apiVersion": "sublet.dev/v1alpha1",
    "kind": "LeaseRecord",
    "metadata": {"name": "admission"},
    "spec": {
        "leaseName": "admission",
        "leaseUID": "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        "pool": "h100",
        "tenant": {"name": "acme"},
        "term": "Firm",
        "rows": [ROW],
        "closedAt": "2026-12-08T08:00:05Z",
    },
}
STEP: Raw = {"name": "wipe", "timeout": "10m", "template": {"spec": {"any": ["thing", 1]}}}


def egress(cidr: str, *ports: Raw) -> Changes:
    """Ask for one network."""
    return {"spec.network": {"egress": [{"cidr": cidr, "ports": list(ports)}]}}


def subject(name: str) -> Changes:
    """Give access to one user."""
    return {"spec.tenant.subjects": [{"kind": "User", "name": name}]}


def nothing(*fields: str) -> Changes:
    """Leave out fields of the specification."""
    return dict.fromkeys((f"spec.{field}" for field in fields), None)


def changed(raw: Raw, changes: Changes) -> Raw:
    """A copy with the changes made to it."""
    copy = deepcopy(raw)
    for path, value in changes.items():
        *parents, field = path.split(".")
        part = copy
        for parent in parents:
            part = part.setdefault(parent, {})
        part[field] = value
        if value is None:
            del part[field]
    return copy


def merge_patch(changes: Changes) -> str:
    """The changes as a JSON merge patch, in which null removes."""
    patch: Raw = {}
    for path, value in changes.items():
        *parents, field = path.split(".")
        part = patch
        for parent in parents:
            part = part.setdefault(parent, {})
        part[field] = value
    return json.dumps(patch)


def condition(type_: str, status: str) -> Raw:
    """A condition, as the operator writes it."""
    return {
        "type": type_,
        "status": status,
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": "2026-11-24T12:00:00Z",
    }


def create(kubectl: Kubectl, raw: Raw) -> "CompletedProcess[str]":
    """Try to create an object without storing it."""
    return kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", input=json.dumps(raw), check=False)


def table(rows: Sequence[tuple[Any, ...]]) -> Any:  # noqa: ANN401 - keyword arguments of parametrize
    """Rows as test parameters, the first column as the name of the case."""
    return {"argvalues": [row[1:] for row in rows], "ids": [row[0] for row in rows]}
