"""Leased namespaces and nodes made by hand, as a member of the break-glass group may: without operator or clock."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sublet.guards.rule import Policy, Rule
from tests.apiserver.objects import Kubectl

Raw = dict[str, Any]

BREAK_GLASS: Final = ("--as", "admin", "--as-group", "sublet:break-glass", "--as-group", "system:masters")
"""Flags of kubectl by which an administrator breaks the glass."""

LONG_AGO: Final = "2020-01-01T00:00:00Z"
FAR_AHEAD: Final = "2060-01-01T00:00:00Z"

_SHOWS: Final = 10.0
"""Seconds within which a changed policy has to show."""


def instant(seconds: float) -> str:
    """The instant that lies so many seconds ahead, to the second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(kubectl: Kubectl, raw: Raw, *flags: str) -> None:
    """Create an object."""
    kubectl("create", "-f", "-", *flags, input=json.dumps(raw))


@contextlib.contextmanager
def leased_namespace(kubectl: Kubectl, name: str, annotations: Mapping[str, str]) -> Iterator[str]:
    """A namespace of the lease of the same name, with Alice in it, and nothing that is not said in `annotations`."""
    metadata = {
        "name": name,
        "labels": {
            "sublet.dev/lease": name,
            "sublet.dev/lease-uid": f"uid-{name}",
            "pod-security.kubernetes.io/enforce": "baseline",
        },
        "annotations": {f"sublet.dev/{key}": value for key, value in annotations.items()},
    }
    create(kubectl, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, *BREAK_GLASS)
    try:
        alice = ("--clusterrole", "sublet-tenant", "--user", "alice@acme.example")
        kubectl("create", "rolebinding", "alice", "--namespace", name, *alice)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def times(starts: str, ends: str, hard_stop: str = FAR_AHEAD) -> dict[str, str]:
    """The annotations of a lease that allows whatever the attacks on time name."""
    return {
        "starts-at": starts,
        "ends-at": ends,
        "hard-stop-at": hard_stop,
        "gpu-resource": "nvidia.com/gpu",
        "allowed-registries": "registry.example",
        "allowed-storage-classes": "any",
    }


@contextlib.contextmanager
def without(kubectl: Kubectl, policy: Policy, rule: Rule) -> Iterator[None]:
    """The API server without one rule of a policy."""
    name = f"validatingadmissionpolicy/sublet-{policy.name}"
    place = f"/spec/validations/{policy.rules.index(rule)}"
    whole = json.loads(kubectl("get", name, "-o", "json").stdout)["spec"]["validations"]
    # A policy has to have a rule.
    harmless = {"op": "replace", "path": place, "value": {"expression": "true"}}
    kubectl("patch", name, "--type=json", "-p", json.dumps([harmless]))
    try:
        yield
    finally:
        kubectl("patch", name, "--type=merge", "-p", json.dumps({"spec": {"validations": whole}}))


def soon(look: Callable[[], bool], what: str) -> None:
    """Wait until something shows: a policy takes up to a second to be what it was changed to."""
    deadline = time.monotonic() + _SHOWS
    while not look():
        assert time.monotonic() < deadline, f"not within {_SHOWS} s: {what}"
        time.sleep(0.05)
