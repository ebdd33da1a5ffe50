"""The store: never older than what it knows, found by lease, and every change told once."""

from typing import Any

import pytest

from sublet.cluster.store import Raw, Store

Told = list[tuple[str | None, str | None]]


def an_object(name: str, version: int, *, lease: str | None = None, uid: str = "", namespace: str = "") -> Raw:
    """An object as the API server sends it."""
    metadata: Raw = {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    if namespace:
        metadata["namespace"] = namespace
    if lease is not None:
        metadata["labels"] = {"sublet.dev/lease": lease}
    return {"kind": "Thing", "metadata": metadata}


def version(obj: Raw | None) -> str | None:
    """Name and version of a state, in one word."""
    return f"{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}" if obj else None


def a_store(*objects: Raw) -> tuple[Store, Told]:
    """A store that holds some objects, and what it tells of from now on."""
    told: Told = []
    store = Store(lambda old, new: told.append((version(old), version(new))))
    for obj in objects:
        store.put(obj)
    told.clear()
    return store, told


def of_lease(store: Store, lease: str) -> list[str]:
    """The names of what belongs to a lease."""
    return [obj["metadata"]["name"] for obj in store.of_lease(lease)]


def test_every_change_is_told_with_before_and_after() -> None:
    """An object comes, changes and goes; each is told once."""
    store, told = a_store()
    store.put(an_object("a", 1))
    store.put(an_object("a", 2))
    store.drop(an_object("a", 3))
    assert told == [(None, "a@1"), ("a@1", "a@2"), ("a@2", None)]
    assert len(store) == 0


@pytest.mark.parametrize("late", [5, 4, 3])
def test_an_older_state_never_undoes_a_newer_one(late: int) -> None:
    """The watch's echo of an earlier state, or of the same one, changes nothing and is not told."""
    store, told = a_store(an_object("a", 5, lease="x"))
    store.put(an_object("a", late))
    assert version(store.get("a")) == "a@5"
    assert of_lease(store, "x") == ["a"]
    assert told == []


def test_versions_are_numbers_and_not_texts() -> None:
    """Version 10 is newer than version 9."""
    store, _ = a_store(an_object("a", 9))
    store.put(an_object("a", 10))
    assert version(store.get("a")) == "a@10"


def test_namespaces_keep_names_apart() -> None:
    """Two objects of one name in two namespaces are two objects; one without a namespace is a third."""
    store, _ = a_store(an_object("a", 1, namespace="x"), an_object("a", 2, namespace="y"), an_object("a", 3))
    assert [version(store.get("a", namespace)) for namespace in ("x", "y", "", "z")] == ["a@1", "a@2", "a@3", None]


def test_a_whole_list_tells_what_vanished() -> None:
    """What a new list lacks is gone, though no deletion was ever seen; what it has anew is there."""
    store, told = a_store(an_object("a", 1, lease="x"), an_object("b", 2, lease="x"))
    store.replace([an_object("b", 2, lease="x"), an_object("c", 7)], "9")
    assert told == [("a@1", None), (None, "c@7")]
    assert of_lease(store, "x") == ["b"]


def test_a_whole_list_does_not_undo_what_is_newer_than_it() -> None:
    """An object that was written after the list was taken is not in it, and stays."""
    store, told = a_store(an_object("new", 11), an_object("old", 10))
    store.replace([], "10")
    assert version(store.get("new")) == "new@11"
    assert told == [("old@10", None)]


def test_a_whole_list_can_be_read_only_once() -> None:
    """The list may come as a generator, as it does from the mirror."""
    store, _ = a_store(an_object("a", 1))
    store.replace((obj for obj in [an_object("a", 1), an_object("b", 2)]), "3")
    assert sorted(obj["metadata"]["name"] for obj in store) == ["a", "b"]


def test_the_index_follows_the_label() -> None:
    """A label that is set, changed or taken off moves the object at once."""
    store, _ = a_store(an_object("a", 1))
    assert of_lease(store, "x") == []
    store.put(an_object("a", 2, lease="x"))
    assert (of_lease(store, "x"), of_lease(store, "y")) == (["a"], [])
    store.put(an_object("a", 3, lease="y"))
    assert (of_lease(store, "x"), of_lease(store, "y")) == ([], ["a"])
    store.put(an_object("a", 4))
    assert of_lease(store, "y") == []


def test_an_object_that_goes_leaves_the_index() -> None:
    """The lease's other objects stay, in the order of their names."""
    store, _ = a_store(an_object("c", 1, lease="x"), an_object("b", 2, lease="x"), an_object("a", 3, lease="x"))
    store.drop(an_object("b", 4))
    assert of_lease(store, "x") == ["a", "c"]


def test_the_deletion_of_an_earlier_object_of_the_name_is_passed_over() -> None:
    """A name that was used again is another object: the news of the first one's end does not hit it."""
    store, told = a_store(an_object("a", 9, uid="second", lease="x"))
    store.drop(an_object("a", 8, uid="first"))
    store.drop(an_object("b", 8))
    assert version(store.get("a")) == "a@9"
    assert told == []


def test_the_answer_to_a_write_does_not_bring_back_what_was_deleted_since() -> None:
    """We wrote version 6; before its answer is taken in, the watch tells of the deletion at version 7."""
    store, _ = a_store(an_object("a", 5))
    store.drop(an_object("a", 7))
    store.put(an_object("a", 6))
    assert store.get("a") is None


def test_only_what_matters_is_kept() -> None:
    """Objects are trimmed as they come; listeners and readers see the short form."""
    seen: list[Any] = []
    store = Store(lambda _, new: seen.append(new), lambda obj: {"metadata": obj["metadata"]})
    store.put(an_object("a", 1))
    assert store.get("a") == seen[0] == {"metadata": an_object("a", 1)["metadata"]}


def test_what_is_cleared_is_told_and_may_come_back() -> None:
    """A kind that was not served for a moment brings the same objects back, in the very same state."""
    store, told = a_store(an_object("a", 5, lease="x"), an_object("b", 6))
    store.clear()
    assert (len(store), of_lease(store, "x")) == (0, [])
    assert sorted(told) == [("a@5", None), ("b@6", None)]
    store.put(an_object("a", 5, lease="x"))
    assert of_lease(store, "x") == ["a"]
