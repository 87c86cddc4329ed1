"""Making records fit their schema, with the schema compiled once.

A value that fits is passed on as it is. One of another type is converted where nothing is
lost by it, and becomes null where something would be; both are counted per field. Texts
with the format date-time leave in UTC, and integers without a fraction.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_LARGEST_EXPONENT = 308
_PASSING: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_TEXTS_OF_BOOLEANS = {"true": True, "false": False, 1: True, 0: False, "1": True, "0": False}


class _Unfit(Exception):  # noqa: N818
    """The value cannot be held by the schema."""


class Conformer:
    """A compiled schema.

    Attributes:
        unknown: How often each field outside the schema was met.
        changed: How often each field had a value of another type.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        *,
        left_out: Collection[str] = (),
        keep_unknown: bool = False,
    ) -> None:
        """Compile a schema.

        Args:
            schema: JSON schema of the records.
            left_out: Top-level fields to leave out.
            keep_unknown: Whether to let fields through that the schema does not have.
        """
        self.unknown: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self._keep_unknown = keep_unknown
        self._left_out = frozenset(left_out)
        self._fields = self._compile_fields(schema, "", self._left_out)

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it leaves, its fields in the order they came in."""
        fields = self._fields
        out = {}
        for name, value in record.items():
            field = fields.get(name)
            if field is None:
                if name not in self._left_out:
                    self.unknown[name] += 1
                    if self._keep_unknown:
                        out[name] = value
            elif type(value) in field[0]:
                out[name] = value
            else:
                out[name] = field[1](value)
        return out

    def _compile_fields(
        self, schema: Mapping[str, Any], path: str, left_out: Collection[str] = ()
    ) -> dict[str, tuple[frozenset[type], Callable[[Any], Any]]]:
        return {
            name: self._compile(part, f"{path}{name}")
            for name, part in schema.get("properties", {}).items()
            if name not in left_out
        }

    def _compile(
        self, schema: Mapping[str, Any], path: str
    ) -> tuple[frozenset[type], Callable[[Any], Any]]:
        """Return the types that pass as they are, and what to do with the others."""
        names = schema.get("type", list(_PASSING))
        types = [names] if isinstance(names, str) else list(names)
        passing = {kind for name in types for kind in _PASSING[name]}
        converters: dict[type, Callable[[Any], Any]] = {}
        if "number" in types:
            converters[Decimal] = _finite
        elif "integer" in types:
            converters[Decimal] = _whole
        if schema.get("format") == "date-time":
            converters[str] = utc_text
        if "object" in types and schema.get("properties"):
            converters[dict] = self._object(schema, path)
        if "array" in types and isinstance(schema.get("items"), dict):
            accepts, convert = self._compile(schema["items"], f"{path}[]")
            converters[list] = _array(accepts, convert)
        passing -= set(converters)
        target = next((name for name in types if name != "null"), "null")

        def fix(value: Any) -> Any:  # noqa: ANN401
            converter = converters.get(type(value))
            try:
                if converter is not None:
                    return converter(value)
            except (_Unfit, ValueError):
                pass
            self.changed[path] += 1
            try:
                return _coerce(value, target)
            except (_Unfit, ValueError, ArithmeticError):
                return None

        return frozenset(passing), fix

    def _object(self, schema: Mapping[str, Any], path: str) -> Callable[[Any], Any]:
        fields = self._compile_fields(schema, f"{path}.")
        extra = bool(schema.get("additionalProperties"))

        def convert(value: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for name, item in value.items():
                field = fields.get(name)
                if field is None:
                    if extra:
                        out[name] = item
                    else:
                        self.unknown[f"{path}.{name}"] += 1
                elif type(item) in field[0]:
                    out[name] = item
                else:
                    out[name] = field[1](item)
            return out

        return convert


def _array(
    accepts: frozenset[type], convert: Callable[[Any], Any]
) -> Callable[[list[Any]], list[Any]]:
    def convert_all(value: list[Any]) -> list[Any]:
        return [item if type(item) in accepts else convert(item) for item in value]

    return convert_all


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite() or value.adjusted() > _LARGEST_EXPONENT:
        raise _Unfit
    return value


def _whole(value: Decimal) -> int:
    if not value.is_finite() or value.adjusted() > _LARGEST_EXPONENT or value % 1:
        raise _Unfit
    return int(value)


def _coerce(value: Any, target: str) -> Any:  # noqa: ANN401
    """Convert a value to another JSON type without losing any of it."""
    if target == "string":
        if isinstance(value, str):
            raise _Unfit
        return str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    if target == "boolean" and not isinstance(value, (dict, list)):
        key = value.strip().lower() if isinstance(value, str) else value
        if key in _TEXTS_OF_BOOLEANS:
            return _TEXTS_OF_BOOLEANS[key]
    if target in ("integer", "number") and isinstance(value, str):
        number = Decimal(value.strip())
        return _whole(number) if target == "integer" or number == number.to_integral_value() else _finite(number)
    if target == "array":
        return [value]
    raise _Unfit
