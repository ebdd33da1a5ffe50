"""What every object of the API has: the base of all models, metadata and conditions."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from sublet.api.names import Message
from sublet.api.scalars import Duration, PositiveDuration, Timestamp

__all__ = [
    "GROUP",
    "VERSION",
    "Condition",
    "Duration",
    "Model",
    "ObjectMeta",
    "PositiveDuration",
    "Resource",
    "Timestamp",
]

GROUP: Final = "sublet.dev"
VERSION: Final = "v1alpha1"

_INITIALISMS: Final = {"gpu": "GPU", "uid": "UID", "cidrs": "CIDRs"}


def camel_case(name: str) -> str:
    """Turn a field's name into its name in the API: `price_per_gpu_hour` is `pricePerGPUHour`."""
    first, *rest = name.split("_")
    return first + "".join(_INITIALISMS.get(word, word.capitalize()) for word in rest)


class Model(BaseModel):
    """An immutable part of an object; fields that only a newer version of the CRD knows are passed over."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=camel_case,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    def dump(self) -> dict[str, Any]:
        """Write the model as JSON-ready data with the API's names; a field without a value is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of an object's metadata that the operator reads."""

    name: str
    """Name of the object."""
    uid: str = ""
    """Identity given by the API server; never used twice, also not under the same name."""
    generation: int = 0
    """Number of the specification; goes up with each change of it."""
    resource_version: str = ""
    """Opaque mark of this very state of the object, for conditional writes."""
    creation_timestamp: Timestamp | None = None
    """When the API server created the object."""
    deletion_timestamp: Timestamp | None = None
    """When deletion was asked for; the object stays until its finalizers are gone."""
    times_written_at: Timestamp | None = None
    """When somebody last wrote the times of a lease, taken from the API server's bookkeeping as the object is read."""
    release_written_at: Timestamp | None = None
    """When somebody last wrote whether a lease is given back, taken from the same."""
    finalizers: tuple[str, ...] = ()
    """Who still has work to do before the object may go."""
    labels: Mapping[str, str] = {}
    """Labels, for selection."""
    annotations: Mapping[str, str] = {}
    """Annotations, for everything else."""


class Resource(Model):
    """An object of the group, with the names under which the API serves it."""

    kind: ClassVar[str]
    plural: ClassVar[str]

    metadata: ObjectMeta
    """Standard metadata of the object."""

    def manifest(self) -> dict[str, Any]:
        """Write the whole object, ready to be sent; of its metadata only what was given."""
        metadata = self.metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"apiVersion": f"{GROUP}/{VERSION}", "kind": self.kind, **self.dump(), "metadata": metadata}


class Condition(Model):
    """One observation of the object's state."""

    type: Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Z][A-Za-z]*$")]
    """What is observed, such as `Ready`."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    reason: Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Z][A-Za-z]*$")]
    """Why, in one word for programs, such as `TooFewNodes`."""
    message: Message = ""
    """Why, in a sentence for people, with what to do about it."""
    last_transition_time: Timestamp
    """When `status` last changed."""
    # No default: `kubectl wait` passes over a condition whose generation is not that of the object.
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Which `metadata.generation` was looked at."""
