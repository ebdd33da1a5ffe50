"""A store: what we last knew of the objects of one kind, indexed by the lease they belong to."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from sublet.desired import naming

Raw = dict[str, Any]
T = TypeVar("T")
Key = tuple[str, str]
Change = Callable[[Raw | None, Raw | None], None]

_REMEMBERED = 1000
"""How many deletions are kept in mind: far more than there are writes under way."""


def key_of(obj: Raw) -> Key:
    """Namespace ("" if it has none) and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def lease_of(obj: Raw) -> str | None:
    """The lease whose label the object carries."""
    lease: str | None = (obj["metadata"].get("labels") or {}).get(naming.LEASE)
    return lease


def version_of(obj: Raw) -> int:
    """The resource version, which API servers promise to be a comparable number (KEP-5504)."""
    return int(obj["metadata"]["resourceVersion"])


class Store:
    """Objects by key, never older than anything put before; tells its listener of every change.

    Our own writes are put here with the API server's answer, so a pass that follows at once sees them; the
    watch's echo of an older state that is still under way does not undo them.

    Attributes:
        changes: How many changes it has told of.
    """

    def __init__(self, on_change: Change, trim: Callable[[Raw], Raw] = lambda obj: obj) -> None:
        self.changes = 0
        self._objects: dict[Key, Raw] = {}
        self._by_lease: dict[str, set[Key]] = {}
        self._parsed: dict[Key, Any] = {}
        self._dropped: OrderedDict[str, int] = OrderedDict()
        self._on_change = on_change
        self._trim = trim

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Raw]:
        return iter(self._objects.values())

    def get(self, name: str, namespace: str = "") -> Raw | None:
        """One object, if it is known."""
        return self._objects.get((namespace, name))

    def of_lease(self, lease: str) -> list[Raw]:
        """The objects that carry the lease's label, in the order of their keys."""
        return [self._objects[key] for key in sorted(self._by_lease.get(lease, ()))]

    def parsed(self, obj: Raw, parse: Callable[[Raw], T]) -> T:
        """An object of this store in another form, made once for each of its versions.

        Every pass over a pool looks at every node and lease, and hardly any of them changed since the last.
        """
        key = key_of(obj)
        if key not in self._parsed:
            self._parsed[key] = parse(obj)
        form: T = self._parsed[key]
        return form

    def put(self, obj: Raw) -> None:
        """Take in a state of an object, unless a newer one is known."""
        key = key_of(obj)
        old = self._objects.get(key)
        if old is not None and version_of(obj) <= version_of(old):
            return
        if version_of(obj) <= self._dropped.get(obj["metadata"]["uid"], 0):
            return  # the answer to a write of ours, overtaken by the news that the object was deleted since
        new = self._trim(obj)
        self._objects[key] = new
        self._parsed.pop(key, None)
        self._index(key, old, new)
        self._tell(old, new)

    def drop(self, obj: Raw) -> None:
        """Forget an object that was deleted, unless one of that name was created since."""
        key = key_of(obj)
        old = self._objects.get(key)
        if old is None or old["metadata"]["uid"] != obj["metadata"]["uid"]:
            return
        self._dropped[obj["metadata"]["uid"]] = version_of(obj)
        if len(self._dropped) > _REMEMBERED:
            self._dropped.popitem(last=False)
        self._forget(key)

    def replace(self, objects: Iterable[Raw], version: str) -> None:
        """Take in a whole list: what it lacks is gone, unless it is newer than the list."""
        listed = {key_of(obj): obj for obj in objects}
        for key in set(self._objects) - set(listed):
            if version_of(self._objects[key]) <= int(version):
                self.drop(self._objects[key])
        for obj in listed.values():
            self.put(obj)

    def clear(self) -> None:
        """Forget every object, and take in each again that is found to be there after all."""
        for key in list(self._objects):
            self._forget(key)

    def _forget(self, key: Key) -> None:
        old = self._objects.pop(key)
        self._parsed.pop(key, None)
        self._index(key, old, None)
        self._tell(old, None)

    def _tell(self, old: Raw | None, new: Raw | None) -> None:
        self.changes += 1
        self._on_change(old, new)

    def _index(self, key: Key, old: Raw | None, new: Raw | None) -> None:
        before = lease_of(old) if old else None
        after = lease_of(new) if new else None
        if before is not None and before != after:
            self._by_lease[before].discard(key)
            if not self._by_lease[before]:
                del self._by_lease[before]
        if after is not None:
            self._by_lease.setdefault(after, set()).add(key)
