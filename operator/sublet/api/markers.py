"""What Kubernetes adds to a JSON schema: list types and CEL rules, beside the field they belong to."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue

Extra: TypeAlias = dict[str, JsonValue]
"""Keywords added to the schema of a field or, in a model's configuration, of the whole model."""

RULES: Final = "x-kubernetes-validations"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_KEYS: Final = "x-kubernetes-list-map-keys"
MAP_TYPE: Final = "x-kubernetes-map-type"
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"

SET: Final[Extra] = {LIST_TYPE: "set"}
"""A list without duplicates, to which several writers may add."""

ATOMIC_MAP: Final[Extra] = {MAP_TYPE: "atomic"}
"""A map or object that is replaced as a whole, as a selector must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One CEL rule: `cel` must be true of `self`, else the API server refuses the write with `message`.

    Attributes:
        cel: The expression. With `oldSelf` it speaks of a change and is skipped on creation.
        message: What is wrong with which field, then what to do.
        message_cel: The same as an expression, with values in it; `message` stands in where it fails.
        field: Path below `self` that the error points at, such as `.spec.nodes`.
        reason: Machine-readable kind of the refusal.
    """

    cel: str
    message: str
    message_cel: str | None = None
    field: str | None = None
    reason: Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"] = "FieldValueInvalid"

    def schema(self) -> Extra:
        """Write the rule as the API server reads it."""
        path: Extra = {} if self.field is None else {"fieldPath": self.field}
        values: Extra = {} if self.message_cel is None else {"messageExpression": self.message_cel}
        return {"rule": self.cel, "message": self.message, "reason": self.reason, **values, **path}


def rules(*several: Rule) -> Extra:
    """Attach CEL rules to a field or a model."""
    return {RULES: [rule.schema() for rule in several]}


def keyed_by(*keys: str) -> Extra:
    """Mark a list of objects as a map: no two items share the values of `keys`."""
    return {LIST_TYPE: "map", LIST_KEYS: list[JsonValue](keys)}
