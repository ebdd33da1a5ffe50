"""From a model to the structural schema that a CustomResourceDefinition wants.

Kubernetes takes a narrow part of JSON schema: no references, no titles, no unions. What has an equal there
is rewritten, and everything else is an error: a keyword passed over in silence would be a rule that nobody
keeps.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python
from typing_extensions import override

from sublet.api.markers import LIST_TYPE, RULES
from sublet.api.scalars import format_decimal, format_duration

Schema: TypeAlias = dict[str, Any]
"""A JSON schema, or a part of one."""

_KEPT: Final = frozenset(
    {"type", "format", "pattern", "enum", "minimum", "maximum", "required", "properties"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)
_DROPPED: Final = frozenset({"title", "$defs"})
_KUBERNETES: Final = "x-kubernetes-"
_REFERENCE: Final = "#/$defs/"
_NULL: Final = {"type": "null"}


class SchemaError(ValueError):
    """A model says something that a structural schema cannot say."""


class _Generator(GenerateJsonSchema):
    """Writes defaults in the form that the API uses."""

    @override
    def encode_default(self, dft: Any) -> Any:
        """Write a default value, of a model only what differs from the defaults inside of it."""
        return _plain(dft)


def structural(model: type[BaseModel]) -> Schema:
    """Convert a model with everything in it."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _converted(schema, schema.get("$defs", {}), model.__name__)


def _converted(schema: Schema, models: Schema, path: str) -> Schema:
    schema, models = _folded(schema, models, path)
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword == "description":
            result[keyword] = _reflowed(value)
        elif keyword == "properties":
            result[keyword] = {name: _converted(part, models, f"{path}.{name}") for name, part in value.items()}
        elif keyword in {"items", "additionalProperties"} and isinstance(value, dict):
            result[keyword] = _converted(value, models, f"{path}[]")
        elif keyword in _KEPT or keyword.startswith(_KUBERNETES):
            result[keyword] = deepcopy(value)
        elif keyword not in _DROPPED | {"default"}:
            raise SchemaError(f"{path}: {keyword}: {value!r} has no equal in a structural schema")
    if "type" not in result:
        raise SchemaError(f"{path}: has no type")
    if result["type"] == "array":
        result.setdefault(LIST_TYPE, "atomic")
    if _says_something(schema.get("default"), result):
        result["default"] = default = schema["default"]
        # `kubectl explain` shows no defaults of its own.
        result["description"] = f"{result.get('description', '')} {_default_in_words(default)}".strip()
    return result


def _folded(schema: Schema, models: Schema, path: str) -> tuple[Schema, Schema]:
    """Fold a reference, an optional, a constant or an open bound into plain keywords.

    Returns the schema, and the models that may be referred to below it: all but those it is part of itself.
    """
    outer = dict(schema)
    if "const" in outer:
        outer["enum"] = [outer.pop("const")]
    if outer.get("type") == "integer" and "exclusiveMinimum" in outer:
        outer["minimum"] = outer.pop("exclusiveMinimum") + 1
    if "$ref" in outer:
        name = outer.pop("$ref").removeprefix(_REFERENCE)
        if name not in models:
            raise SchemaError(f"{path}: {name} contains itself, which a structural schema cannot express")
        inner, models = models[name], {other: model for other, model in models.items() if other != name}
    elif "anyOf" in outer:
        inner = _optional(outer.pop("anyOf"), path, has_default="default" in outer)
    else:
        return outer, models
    inner, models = _folded(inner, models, path)
    both = [*inner.get(RULES, ()), *outer.get(RULES, ())]
    return {**inner, **outer, **({RULES: both} if both else {})}, models


def _optional(choices: list[Schema], path: str, *, has_default: bool) -> Schema:
    """Take the one choice beside null; a field that must be given cannot be null as well."""
    given = [choice for choice in choices if choice != _NULL]
    if len(given) != 1 or not has_default:
        raise SchemaError(f"{path}: a union has no equal in a structural schema, but for an optional field")
    return given[0]


def _says_something(default: object, schema: Schema) -> bool:
    """Whether a default says more than absence does; an empty object does if fields inside have defaults."""
    if default == {}:
        return any("default" in part for part in schema.get("properties", {}).values())
    return default not in (None, "", [])


def _default_in_words(default: object) -> str:
    match default:
        case {} if not default:
            return ""
        case str():
            text = default
        case list():
            text = ", ".join(map(str, default))
        case _:
            text = json.dumps(default)
    return f"Default: `{text}`."


def _plain(value: object) -> object:
    match value:
        case BaseModel():
            return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        case timedelta():
            return format_duration(value)
        case Decimal():
            return format_decimal(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return to_jsonable_python(value)


def _reflowed(text: str) -> str:
    """Undo the line breaks of the source and keep its paragraphs."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
