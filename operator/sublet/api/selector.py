"""A selection of nodes by their labels, as Kubernetes writes it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from sublet.api.markers import ATOMIC_MAP, Rule, rules
from sublet.api.meta import Model
from sublet.api.names import LabelKey, LabelValue


class SelectorOperator(StrEnum):
    """How a label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class SelectorRequirement(Model):
    """One demand on a label."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                cel="self.operator in ['In', 'NotIn'] == (has(self.values) && size(self.values) > 0)",
                message="In and NotIn need values, Exists and DoesNotExist take none",
                field=".values",
            )
        )
    )

    key: LabelKey
    """Key of the label."""
    operator: SelectorOperator
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] = ()
    """Values that `In` and `NotIn` compare with."""


class LabelSelector(Model):
    """A selection by labels; a node must meet all of it."""

    model_config = ConfigDict(
        json_schema_extra={
            **ATOMIC_MAP,
            **rules(
                Rule(
                    cel=(
                        "has(self.matchLabels) && size(self.matchLabels) > 0"
                        " || has(self.matchExpressions) && size(self.matchExpressions) > 0"
                    ),
                    message="is empty, which would select every node of the cluster: name a label",
                    reason="FieldValueRequired",
                )
            ),
        }
    )

    match_labels: Annotated[Mapping[str, LabelValue], Field(max_length=16)] = {}
    """Labels with the value that each must have, for example `example.com/for-sale: "true"`."""
    match_expressions: Annotated[tuple[SelectorRequirement, ...], Field(max_length=16)] = ()
    """Further demands on labels."""
