"""What all judges share: the world as it is told event by event, and the book in which they write."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hack.day import facts
from hack.day.history import Event


class World:
    """The objects as of the event that is judged. Judges see an event before the world takes it in.

    Attributes:
        nodes: By name.
        leases: By UID, those that are gone included, as they were last.
        present: The UID of the lease of each name that is there.
        bindings: RoleBindings, by namespace and name.
        namespaces: By name.
        claims: The nodes that carry the claim of each lease, by UID.
        pool: The pool.
        unsound: When each node was last seen not to be sound.
        freed: When each node last lost a claim.
        emptied: When the last namespace of each lease was gone, by UID.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, facts.Node] = {}
        self.leases: dict[str, facts.Lease] = {}
        self.present: dict[str, str] = {}
        self.bindings: dict[str, facts.Child] = {}
        self.namespaces: dict[str, facts.Child] = {}
        self.claims: defaultdict[str, set[str]] = defaultdict(set)
        self.pool: facts.Pool | None = None
        self.unsound: dict[str, datetime] = {}
        self.freed: dict[str, datetime] = {}
        self.emptied: dict[str, datetime] = {}

    def lease(self, name: str) -> facts.Lease | None:
        """The lease of a name, if it is there."""
        uid = self.present.get(name)
        return self.leases[uid] if uid is not None else None

    def was_unsound(self, node: str, since: datetime) -> bool:
        """Whether a node is not sound, or was not after an instant."""
        seen = self.nodes.get(node)
        return seen is None or not seen.sound or self.unsound.get(node, since) > since

    def take(self, event: Event) -> None:
        """Take in an event."""
        match event.fact:
            case facts.Lease() as lease:
                self.leases[lease.uid] = lease
                self.present[event.name] = lease.uid
            case facts.Pool() as pool:
                self.pool = pool
            case facts.Node() as node:
                self._node(event, node)
            case facts.Child() as child:
                (self.bindings if event.kind == "RoleBinding" else self.namespaces)[event.name] = child
            case None:
                self._drop(event)

    def _node(self, event: Event, node: facts.Node | None) -> None:
        before = self.nodes.pop(event.name, None)
        if before is not None and before.uid is not None:
            self.claims[before.uid].discard(event.name)
            if node is None or node.uid != before.uid:
                self.freed[event.name] = event.at
        if node is None or not node.sound or (before is not None and not before.sound):
            self.unsound[event.name] = event.at
        if node is not None:
            self.nodes[event.name] = node
            if node.uid is not None:
                self.claims[node.uid].add(event.name)

    def _drop(self, event: Event) -> None:
        match event.kind:
            case "Node":
                self._node(event, None)
            case "GPULease":
                del self.present[event.name]
            case "RoleBinding":
                del self.bindings[event.name]
            case "Namespace":
                uid = self.namespaces.pop(event.name).uid
                if all(other.uid != uid for other in self.namespaces.values()):
                    self.emptied[uid] = event.at
            case _:
                self.pool = None


@dataclass
class Book:
    """Where judges write.

    Attributes:
        factor: Seconds of the day in one second of the machine.
        checked: How often each rule was held against something.
        violations: What broke a rule, in words.
        excused: What a rule let pass, and why.
        late: Delays in seconds of the day, by what they are of.
        open: Since when something is not as it must be that has a grace, and what.
    """

    factor: int
    checked: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    excused: Counter[str] = field(default_factory=Counter)
    late: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    open: dict[Hashable, datetime] = field(default_factory=dict)

    def check(self, rule: str, at: datetime, *, holds: bool, otherwise: str) -> None:
        """Hold a rule against something."""
        self.checked[rule] += 1
        if not holds:
            self.violations.append(f"{at:%d %H:%M:%S} {rule}: {otherwise}")

    def real(self, seconds: float) -> timedelta:
        """How much of the day passes in so many seconds of the machine."""
        return timedelta(seconds=seconds * self.factor)

    def lasting(self, rule: str, key: Hashable, at: datetime, grace: timedelta, *, holds: bool, otherwise: str) -> None:
        """Hold a rule against something that may be otherwise for a while."""
        self.checked[rule] += 1
        since = self.open.pop((rule, key), None)
        if holds and since is None:
            return
        if not holds:
            self.open[rule, key] = since or at
        if since is not None and at - since > grace and (rule, key, since) not in self.open:
            self.open[rule, key, since] = at
            self.violations.append(f"{at:%d %H:%M:%S} {rule}: {otherwise}, for {at - since} by now")
        if holds and since is not None:
            self.late[f"{rule}: lasted"].append((at - since).total_seconds())
