"""How each kind is served: the names to type, the columns of `kubectl get`, the fields to select by."""

from dataclasses import dataclass
from typing import Final, Literal

from sublet.api.lease import GPULease
from sublet.api.meta import Resource
from sublet.api.pool import GPUPool
from sublet.api.record import LeaseRecord
from sublet.api.schema import Schema

_CONDITION: Final = '.status.conditions[?(@.type=="{}")].status'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`.

    Attributes:
        name: Its heading.
        path: Where its value stands in the object.
        description: What it tells.
        type: How it is printed. A `date` prints as an age and, where it lies ahead, as `<invalid>`: what
            may lie ahead is a string.
        wide: Whether it is shown with `-o wide` only.
    """

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    wide: bool = False

    def schema(self) -> Schema:
        """Write the column as the API server reads it."""
        column: Schema = {
            "name": self.name,
            "type": self.type,
            "jsonPath": self.path,
            "description": self.description,
        }
        return {**column, "priority": 1} if self.wide else column


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a model does not say about its resource.

    Attributes:
        model: The model.
        columns: Columns of `kubectl get`, in their order.
        short_names: Names to type instead of the plural.
        selectable: Fields that `kubectl get --field-selector` takes.
    """

    model: type[Resource]
    columns: tuple[Column, ...]
    short_names: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()


_AGE: Final = Column("Age", ".metadata.creationTimestamp", "Time since the object was made.", "date")

_LEASE: Final = Definition(
    model=GPULease,
    short_names=("gl",),
    selectable=(".spec.pool", ".spec.tenant.name", ".status.phase"),
    columns=(
        Column("Phase", ".status.phase", "Where the lease stands."),
        Column("Tenant", ".spec.tenant.name", "Who rents."),
        Column("Nodes", ".status.nodeCount", "Nodes booked.", "integer"),
        Column("Ready", _CONDITION.format("Ready"), "Whether the tenant can work."),
        Column("Queue", ".status.queue.position", "Place in the queue of the pool.", "integer"),
        Column("Ends", ".status.endsAt", "When the lease ends, in UTC."),
        Column("Why", ".status.message", "What is going on, and what to do about it."),
        _AGE,
        Column("Pool", ".spec.pool", "The pool rented from.", wide=True),
        Column("Starts", ".status.startsAt", "When the lease starts, in UTC.", wide=True),
        Column("GPUs", ".status.gpus", "GPUs of the booked nodes.", "integer", wide=True),
    ),
)

_POOL: Final = Definition(
    model=GPUPool,
    columns=(
        Column("For Sale", ".status.nodes.forSale", "Healthy nodes not kept by the owner.", "integer"),
        Column("Leased", ".status.nodes.leased", "Nodes held by a lease.", "integer"),
        Column("Healthy", ".status.nodes.healthy", "Nodes ready with all their GPUs.", "integer"),
        Column("Total", ".status.nodes.total", "Nodes that the selector matches.", "integer"),
        Column("Accepted", _CONDITION.format("Accepted"), "Whether the pool can be sold from."),
        Column("Next Free", ".status.nextFree", "When a node is next free to rent, in UTC."),
        _AGE,
        Column("Reserved", ".status.nodes.reserved", "Nodes booked for later.", "integer", wide=True),
        Column("Sanitizing", ".status.nodes.sanitizing", "Nodes being cleaned.", "integer", wide=True),
        Column("Quarantined", ".status.nodes.quarantined", "Nodes kept from use.", "integer", wide=True),
    ),
)

_RECORD: Final = Definition(
    model=LeaseRecord,
    selectable=(".spec.pool", ".spec.tenant.name", ".spec.leaseName"),
    columns=(
        Column("Lease", ".spec.leaseName", "The lease."),
        Column("Tenant", ".spec.tenant.name", "Who rented."),
        Column("Pool", ".spec.pool", "The pool rented from."),
        Column("Term", ".spec.term", "Firm or Interruptible."),
        Column("Closed", ".spec.closedAt", "When the record was written, in UTC."),
        _AGE,
        Column("Account", ".spec.tenant.billingAccount", "Account to charge.", wide=True),
    ),
)


DEFINITIONS: Final = (_LEASE, _POOL, _RECORD)
