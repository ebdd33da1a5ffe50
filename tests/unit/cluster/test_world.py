"""What is kept of objects as they are read."""

from typing import Any

from sublet.cluster.world import lease_in_short

Raw = dict[str, Any]


def entry(time: str | None, *fields: str) -> Raw:
    """What the API server notes of a client that owns some fields of a specification."""
    owned: Raw = {"fieldsV1": {"f:spec": {f"f:{field}": {} for field in fields}}}
    return {"manager": "somebody", **owned, **({"time": time} if time else {})}


def short(*entries: Raw) -> Raw:
    """The metadata that is kept of a lease with these notes."""
    metadata: Raw = lease_in_short({"metadata": {"name": "a", "managedFields": list(entries)}, "spec": {}})["metadata"]
    return metadata


def test_of_managed_fields_only_the_moments_of_times_and_of_release_are_kept() -> None:
    """The latest of each: giving a lease back moves no request for another end, nor does suspending it."""
    made = entry("2026-12-01T12:00:00Z", "start", "duration", "release", "suspend")
    assert short(made, entry("2026-12-01T14:00:00Z", "release"), entry("2026-12-01T13:00:00Z", "duration")) == {
        "name": "a",
        "timesWrittenAt": "2026-12-01T13:00:00Z",
        "releaseWrittenAt": "2026-12-01T14:00:00Z",
    }
    assert short(entry("2026-12-01T15:00:00Z", "suspend"), entry(None, "end")) == {"name": "a"}


def test_a_lease_without_notes_is_kept_all_the_same() -> None:
    """A status has an owner too, and it is none of the specification."""
    written = {"time": "2026-12-01T12:00:00Z", "fieldsV1": {"f:status": {"f:phase": {}}}}
    assert short(written) == short() == {"name": "a"}
