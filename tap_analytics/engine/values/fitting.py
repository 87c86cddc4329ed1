"""What fits: records into schemas, as types of msgspec that tell in one call, and numbers."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Union

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LARGEST = Decimal(sys.float_info.max)
_DIGITS = _LARGEST.adjusted()
LARGEST_INTEGER = 2**63 - 1
"""What targets that keep integers in 64 bits can hold."""
SMALLEST_INTEGER = -(2**63)
_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": Annotated[int, msgspec.Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)],
    "number": int | float,
    "boolean": bool,
    "null": None,
}
TYPES = (*_SCALARS, "object", "array")
"""The types that JSON Schema knows."""


def is_holdable(number: Decimal) -> bool:
    """Tell whether a target that reads numbers as floats can hold a number."""
    return number.is_finite() and (number.adjusted() < _DIGITS or abs(number) <= _LARGEST)


def exact_number(text: str) -> Decimal | str:
    """Return a fraction in JSON with every digit; what no target can hold stays a text."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # its exponent is beyond all that
        return text
    return number if number.adjusted() < _DIGITS or is_holdable(number) else text


def type_names(schema: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that a schema allows."""
    names = schema.get("type", TYPES)
    return [names] if isinstance(names, str) else list(names)


def record_type(schema: Mapping[str, Any], left_out: Collection[str] = ()) -> type:
    """Return a type that a decoded record fits if its values have the types of a schema.

    Args:
        schema: JSON schema of the records.
        left_out: Top-level fields that may hold anything.
    """
    fields = {name: value_type(part) for name, part in schema.get("properties", {}).items()}
    return _struct({**fields, **dict.fromkeys(left_out, Any)}, is_open=False)


def value_type(schema: Mapping[str, Any], *, days: bool = False) -> Any:
    """Return a type that a decoded value fits if it has a type of the schema.

    Args:
        schema: JSON schema of the value.
        days: Whether texts in it that are to be days must be.
    """
    names = type_names(schema)
    if _may_be_anything(schema):
        return Any
    kinds = tuple(_type(name, schema, days=days) for name in names)
    return Union[kinds]  # noqa: UP007 - as many as there are


def is_day(schema: Mapping[str, Any]) -> bool:
    """Tell whether texts that fit the type of a schema are days."""
    is_text = "string" in type_names(schema) and not _may_be_anything(schema)
    return is_text and schema.get("format") == "date"


def _may_be_anything(schema: Mapping[str, Any]) -> bool:
    return {*TYPES} <= {*type_names(schema)} and not {"properties", "items"} & schema.keys()


def _type(name: str, schema: Mapping[str, Any], *, days: bool) -> Any:
    if name == "object":
        properties = schema.get("properties", {})
        fields = {part: value_type(inner, days=days) for part, inner in properties.items()}
        return _struct(fields, is_open=bool(schema.get("additionalProperties"))) if fields else dict
    if name == "array":
        items = schema.get("items")
        return list[value_type(items, days=days)] if isinstance(items, dict) else list  # type: ignore[misc]
    return date if days and name == "string" and is_day(schema) else _SCALARS[name]


def _struct(fields: Mapping[str, Any], *, is_open: bool) -> type:
    numbered = {f"field_{number}": name for number, name in enumerate(fields)}
    return msgspec.defstruct(
        "Fitting",
        [(number, fields[name], None) for number, name in numbered.items()],
        rename=numbered,
        forbid_unknown_fields=not is_open,
        gc=False,
    )
