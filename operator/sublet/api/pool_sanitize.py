"""How a node is cleaned between two tenants."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from sublet.api.markers import PRESERVE, Rule, keyed_by, rules
from sublet.api.meta import Model, PositiveDuration
from sublet.api.names import DnsLabel

RawObject = Annotated[Mapping[str, Any], WithJsonSchema({"type": "object", PRESERVE: True})]
"""An object of another API, passed on as it is."""


class SanitizeMode(StrEnum):
    """Who cleans."""

    STEPS = "Steps"
    EXTERNAL = "External"


class SanitizeStep(Model):
    """One step of the cleaning: a Job on the node."""

    name: DnsLabel
    """Name of the step, for example `wipe-nvme`."""
    timeout: PositiveDuration
    """Time the Job may take, for example `10m`; after it the node is quarantined."""
    template: RawObject
    """The Job, as a `JobTemplateSpec`; it is run on the node itself. The node is quarantined if it fails."""


class Sanitize(Model):
    """How a node is cleaned between two tenants."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                cel="self.mode != 'Steps' || has(self.steps) && size(self.steps) > 0",
                message="mode Steps has no steps: add one, or set mode to External",
                field=".steps",
                reason="FieldValueRequired",
            ),
            Rule(
                cel="self.mode != 'External' || !has(self.steps) || size(self.steps) == 0",
                message="mode External runs no steps: remove them, or set mode to Steps",
                field=".steps",
                reason="FieldValueForbidden",
            ),
        )
    )

    mode: SanitizeMode = SanitizeMode.STEPS
    """`Steps` runs the steps below. `External` waits until another system says that the node is clean."""
    steps: Annotated[tuple[SanitizeStep, ...], Field(max_length=16, json_schema_extra=keyed_by("name"))] = ()
    """Jobs run on each node, one after the other; the node is free again when all have succeeded."""
