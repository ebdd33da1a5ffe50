"""A model becomes a structural schema, or an error; nothing is left out in silence."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import ConfigDict, Field

from sublet.api.markers import ATOMIC_MAP, SET, Rule, keyed_by, rules
from sublet.api.meta import Duration, Model
from sublet.api.schema import SchemaError, structural


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Inner(Model):
    """The class of the inner part."""

    model_config = ConfigDict(json_schema_extra=rules(Rule(cel="self.size > 0", message="inner")))

    size: int = 3
    """How big."""
    gap: Duration = timedelta(minutes=15)
    """How long."""


class Plain(Model):
    """A part without defaults."""

    names: tuple[str, ...] = ()
    """Names."""


class Loop(Model):
    """A part that contains itself."""

    again: "Loop | None" = None
    """Itself."""


def convert(annotation: Any, default: Any = ..., **extra: Any) -> dict[str, Any]:  # noqa: ANN401 - any annotation
    """The schema of one field, as a model of its own has it."""
    field: Any = Field(default, json_schema_extra=extra) if extra else Field(default)
    made = type("Made", (Model,), {"__annotations__": {"part": annotation}, "part": field, "__module__": __name__})
    properties = structural(made)["properties"]
    assert list(properties) == ["part"]
    converted: dict[str, Any] = properties["part"]
    return converted


def test_a_reference_is_written_out_without_titles() -> None:
    assert convert(Inner) == {
        "type": "object",
        "description": "The class of the inner part.",
        "properties": {
            "size": {"type": "integer", "default": 3, "description": "How big. Default: `3`."},
            "gap": convert(Duration, timedelta(minutes=15)) | {"description": "How long. Default: `15m`."},
        },
        "x-kubernetes-validations": [{"rule": "self.size > 0", "message": "inner", "reason": "FieldValueInvalid"}],
    }


def test_an_optional_field_is_one_that_may_be_absent() -> None:
    class Made(Model):
        part: int | None = None

    assert structural(Made) == {"type": "object", "properties": {"part": {"type": "integer"}}}


def test_a_field_without_default_is_required() -> None:
    class Made(Model):
        billing_account: str

    assert structural(Made)["required"] == ["billingAccount"]


def test_the_text_of_a_field_goes_before_that_of_its_model() -> None:
    class Made(Model):
        part: Inner | None = None
        """The field's own
        text.

        And more.
        """

    assert structural(Made)["properties"]["part"]["description"] == "The field's own text.\n\nAnd more."


def test_rules_of_field_and_model_both_count() -> None:
    outer = rules(Rule(cel="true", message="outer"))
    found = convert(Annotated[Inner, Field(json_schema_extra=outer)])["x-kubernetes-validations"]
    assert [rule["message"] for rule in found] == ["inner", "outer"]


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (bool, {"type": "boolean"}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (Colour, {"type": "string", "enum": ["red", "blue"], "description": "A colour."}),
        (Annotated[int, Field(gt=0, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (Annotated[str, Field(min_length=1, max_length=9)], {"type": "string", "minLength": 1, "maxLength": 9}),
        (
            Annotated[Mapping[str, str], Field(max_length=2)],
            {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
        ),
    ],
)
def test_scalars_and_maps_keep_their_bounds(annotation: object, schema: dict[str, Any]) -> None:
    assert convert(annotation) == schema


@pytest.mark.parametrize(
    ("extra", "markers"),
    [
        ({}, {"x-kubernetes-list-type": "atomic"}),
        (SET, {"x-kubernetes-list-type": "set"}),
        (keyed_by("type"), {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
    ],
)
def test_every_list_says_how_it_is_merged(extra: dict[str, Any], markers: dict[str, Any]) -> None:
    assert convert(tuple[str, ...], **extra) == {"type": "array", "items": {"type": "string"}} | markers


def test_a_map_can_be_marked_atomic() -> None:
    assert convert(Mapping[str, str], **ATOMIC_MAP)["x-kubernetes-map-type"] == "atomic"


@pytest.mark.parametrize(
    ("annotation", "default", "written"),
    [
        (Duration, timedelta(days=1), "1d"),
        (tuple[Duration, ...], (timedelta(days=7), timedelta(minutes=10)), ["7d", "10m"]),
        (Colour, Colour.RED, "red"),
        (bool, False, False),
        (int, 0, 0),
        (Mapping[str, str], {"k8s-app": "kube-dns"}, {"k8s-app": "kube-dns"}),
        (Inner, Inner(), {}),
        (Inner, Inner(gap=timedelta(hours=1)), {"gap": "1h"}),
    ],
)
def test_a_default_is_written_as_the_api_has_it(annotation: object, default: object, written: object) -> None:
    assert convert(annotation, default)["default"] == written


@pytest.mark.parametrize(
    ("annotation", "default"), [(int | None, None), (tuple[str, ...], ()), (str, ""), (Plain, Plain())]
)
def test_a_default_that_says_nothing_is_left_out(annotation: object, default: object) -> None:
    assert "default" not in convert(annotation, default)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (int | str, "a union"),
        (int | None, "a union"),
        (tuple[int | None, ...], "a union"),
        (Annotated[int, Field(lt=9)], "exclusiveMaximum"),
        (Annotated[int, Field(multiple_of=2)], "multipleOf"),
        (tuple[int, str], "prefixItems"),
        (frozenset[str], "uniqueItems"),
        (Mapping[Annotated[str, Field(pattern="^a")], str], "patternProperties|propertyNames"),
        (Mapping[str, Any], "additionalProperties"),
        (Any, "has no type"),
        (Loop, "contains itself"),
    ],
)
def test_what_has_no_equal_is_an_error(annotation: object, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        convert(annotation)


def test_the_error_says_where() -> None:
    class Outer(Model):
        parts: tuple[Annotated[int, Field(multiple_of=2)], ...]

    with pytest.raises(SchemaError, match=r"^Outer\.parts\[\]: "):
        structural(Outer)
