"""A real API server keeps what was agreed: an accepted lease, a release and a record of the ledger."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.apiserver.objects import (
    LEASE,
    RECORD,
    Changes,
    Kubectl,
    Raw,
    changed,
    condition,
    merge_patch,
    subject,
    table,
)

NEW_LEASE = "make a new lease and release this one"

FIXED: list[tuple[str, Changes, str, str]] = [
    ("pool", {"spec.pool": "b200"}, "spec.pool", NEW_LEASE),
    ("tenant", {"spec.tenant.name": "evil"}, "spec.tenant.name", NEW_LEASE),
    ("nodes", {"spec.nodes": 5}, "spec.nodes", NEW_LEASE),
    ("gpus for nodes", {"spec.nodes": None, "spec.gpus": 32}, "spec.gpus", NEW_LEASE),
    ("no nodes", {"spec.nodes": None, "spec.gpus": 32}, "spec.nodes", NEW_LEASE),
    ("start", {"spec.start": "2126-12-01T08:00:01Z"}, "spec.start", NEW_LEASE),
    ("no start", {"spec.start": None}, "spec.start", NEW_LEASE),
    ("term", {"spec.term": "Interruptible"}, "spec.term", NEW_LEASE),
    (
        "extendableUntil",
        {"spec.extendableUntil": "2127-01-01T00:00:00Z"},
        "spec.extendableUntil",
        "it is the hard stop of the pods that already run",
    ),
    ("namespaces", {"spec.namespaces": ["staging", "more"]}, "spec.namespaces", NEW_LEASE),
    ("no namespaces", {"spec.namespaces": None}, "spec.namespaces", NEW_LEASE),
    ("placement", {"spec.placement.mode": "Required"}, "spec.placement", NEW_LEASE),
    ("network", {"spec.network": {"egress": [{"cidr": "0.0.0.0/0"}]}}, "spec.network", NEW_LEASE),
    ("no network", {"spec.network": None}, "spec.network", NEW_LEASE),
    ("no placement", {"spec.placement": None}, "spec.placement", NEW_LEASE),
]

FREE: list[tuple[str, Changes]] = [
    ("end", {"spec.end": "2126-12-09T08:00:00Z"}),
    ("duration", {"spec.end": None, "spec.duration": "8d"}),
    ("subjects", subject("oidc:bert@acme.example")),
    ("contact", {"spec.tenant.contact": "ops@acme.example"}),
    ("suspend", {"spec.suspend": True}),
    ("release", {"spec.release": True}),
]


Store = Callable[[Raw, Raw], None]


@pytest.fixture(scope="module")
def store(kubectl: Kubectl) -> Iterator[Store]:
    """Create an object with a status, and remove it in the end."""
    stored: list[tuple[str, str]] = []

    def create(raw: Raw, status: Raw) -> None:
        kubectl("create", "-f", "-", input=json.dumps(raw))
        target = (raw["kind"], raw["metadata"]["name"])
        stored.append(target)
        if status:
            kubectl("patch", *target, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))

    yield create
    for target in stored:
        kubectl("delete", *target, "--wait=false")


@pytest.fixture(scope="module")
def accepted(store: Store) -> str:
    """Name of a stored lease that is accepted."""
    conditions = [condition("Ready", "False"), condition("Accepted", "True")]
    store(changed(LEASE, {"metadata.name": "admission-accepted"}), {"conditions": conditions})
    return "admission-accepted"


@pytest.fixture(scope="module")
def booked(store: Store) -> str:
    """Name of a stored lease with a flexible start that is booked."""
    flexible = changed(LEASE, {"metadata.name": "admission-booked", "spec.latestStart": "2126-12-03T08:00:00Z"})
    store(flexible, {"conditions": [condition("Accepted", "True")], "startsAt": "2126-12-02T08:00:00Z"})
    return "admission-booked"


@pytest.fixture(scope="module")
def waiting(store: Store) -> str:
    """Name of a stored lease that was looked at, but is not accepted."""
    conditions = [condition("Ready", "True"), condition("Accepted", "Unknown")]
    store(changed(LEASE, {"metadata.name": "admission-waiting"}), {"conditions": conditions})
    return "admission-waiting"


@pytest.fixture(scope="module")
def released(store: Store) -> str:
    """Name of a stored lease that is suspended and given back."""
    store(changed(LEASE, {"metadata.name": "admission-released", "spec.release": True, "spec.suspend": True}), {})
    return "admission-released"


@pytest.fixture(scope="module")
def record(store: Store) -> str:
    """Name of a stored record."""
    store(changed(RECORD, {"metadata.name": "admission-record"}), {})
    return "admission-record"


def refusal(kubectl: Kubectl, kind: str, name: str, changes: Changes) -> str:
    """Why a stored object cannot be changed; nothing if it can. The change is not stored."""
    patch = ("patch", kind, name, "--type=merge", "--dry-run=server", "-p", merge_patch(changes))
    answer = kubectl(*patch, check=False)
    assert bool(answer.returncode) == bool(answer.stderr)
    return answer.stderr


@pytest.mark.parametrize(("changes", "field", "instead"), **table(FIXED))
def test_what_was_agreed_cannot_change(
    kubectl: Kubectl, accepted: str, changes: Changes, field: str, instead: str
) -> None:
    message = f"{field}: Forbidden: {field} cannot change once the lease is accepted: {instead}"
    assert message in refusal(kubectl, "gpulease", accepted, changes)


@pytest.mark.parametrize(("changes", "field", "instead"), **table(FIXED))
def test_before_a_lease_is_accepted_everything_can_change(
    kubectl: Kubectl, waiting: str, changes: Changes, field: str, instead: str
) -> None:
    del field, instead
    assert refusal(kubectl, "gpulease", waiting, changes) == ""


@pytest.mark.parametrize(("changes",), **table(FREE))
def test_what_may_move_during_a_lease_stays_free(kubectl: Kubectl, accepted: str, changes: Changes) -> None:
    assert refusal(kubectl, "gpulease", accepted, changes) == ""


@pytest.mark.parametrize("latest", ["2126-12-02T08:00:00Z", "2126-12-04T08:00:00Z", None])
def test_the_latest_start_cannot_change_once_a_lease_is_booked(kubectl: Kubectl, booked: str, latest: object) -> None:
    answer = refusal(kubectl, "gpulease", booked, {"spec.latestStart": latest})
    message = "spec.latestStart cannot change once the lease is booked: its start is settled by status.startsAt"
    assert f"spec.latestStart: Forbidden: {message}" in answer


def test_no_latest_start_can_be_added_to_a_lease_that_is_booked(kubectl: Kubectl, store: Store) -> None:
    name = "admission-booked-fixed"
    store(changed(LEASE, {"metadata.name": name}), {"startsAt": "2126-12-01T08:00:00Z"})
    answer = refusal(kubectl, "gpulease", name, {"spec.latestStart": "2126-12-02T08:00:00Z"})
    assert "spec.latestStart cannot change once the lease is booked" in answer


@pytest.mark.parametrize("latest", ["2126-12-02T08:00:00Z", None])
def test_until_a_lease_is_booked_its_latest_start_stays_free(
    kubectl: Kubectl, store: Store, accepted: str, latest: object
) -> None:
    name = f"admission-flexible-{'removed' if latest is None else 'earlier'}"
    flexible = changed(LEASE, {"metadata.name": name, "spec.latestStart": "2126-12-03T08:00:00Z"})
    store(flexible, {"conditions": [condition("Accepted", "True")]})
    assert refusal(kubectl, "gpulease", name, {"spec.latestStart": latest}) == ""
    assert refusal(kubectl, "gpulease", accepted, {"spec.latestStart": "2126-12-03T08:00:00Z"}) == ""


def test_an_end_cannot_be_removed_once_a_lease_is_booked(kubectl: Kubectl, store: Store) -> None:
    """When that was done nobody could tell, though it moves the end. Written anew it can be."""
    both = {"spec.start": None, "spec.end": "2126-12-02T08:00:00Z", "spec.duration": "8h"}
    for name, status in (("admission-end-waits", {}), ("admission-end-booked", {"startsAt": "2126-12-02T00:00:00Z"})):
        store(changed(LEASE, {"metadata.name": name, **both}), status)
    assert refusal(kubectl, "gpulease", "admission-end-waits", {"spec.end": None}) == ""
    assert refusal(kubectl, "gpulease", "admission-end-booked", {"spec.end": "2126-12-02T07:00:00Z"}) == ""
    answer = refusal(kubectl, "gpulease", "admission-end-booked", {"spec.end": None})
    assert "spec.end cannot be removed once the lease is booked: write the end that you want" in answer


def test_an_end_cannot_move_beyond_the_hard_stop(kubectl: Kubectl, accepted: str) -> None:
    answer = refusal(kubectl, "gpulease", accepted, {"spec.end": "2127-01-01T00:00:00Z"})
    assert "spec.extendableUntil: Invalid value: spec.extendableUntil is before spec.end" in answer


@pytest.mark.parametrize("value", [False, None])
def test_a_release_cannot_be_taken_back(kubectl: Kubectl, released: str, value: object) -> None:
    answer = refusal(kubectl, "gpulease", released, {"spec.release": value})
    assert "spec.release: Forbidden: release cannot be taken back: the nodes go to the pool; make a new lease" in answer


def test_a_suspension_can_be_lifted(kubectl: Kubectl, released: str) -> None:
    assert refusal(kubectl, "gpulease", released, {"spec.suspend": False}) == ""


def test_a_record_is_never_edited(kubectl: Kubectl, record: str) -> None:
    answer = refusal(kubectl, "leaserecord", record, {"spec.tenant.billingAccount": "4711"})
    message = "a record is never edited: write a new one with a row of kind Correction or Credit"
    assert f"spec: Forbidden: {message}" in answer


def test_a_record_can_be_labelled(kubectl: Kubectl, record: str) -> None:
    assert refusal(kubectl, "leaserecord", record, {"metadata.labels": {"exported": "yes"}}) == ""
