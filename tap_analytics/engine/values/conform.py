"""Making records fit their schema, with the schema compiled once.

Records are changed in place, and most of them not at all. A value of another type is
converted where nothing is lost by it, and becomes null where something would be; both are
counted per field. Texts with the format date-time leave in UTC, and integers without a
fraction. Most pages fit as a whole; then only the fields are looked at whose type does not
tell everything.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_analytics.engine.values.encode import encode
from tap_analytics.engine.values.fitting import (
    exact_number,
    is_holdable,
    record_type,
    type_names,
)
from tap_analytics.engine.values.times import moved_to_utc, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Fixer = Callable[[Any], Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_TIME: dict[type, Fixer] = {str: utc_text}
_NESTED: dict[str, type] = {"object": dict, "array": list}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class _Unfit(ValueError):
    """The value cannot be held by the schema."""


class _Field(NamedTuple):
    """What one place of a schema holds.

    Attributes:
        passing: Types that fit whatever their value is.
        fixers: For other types, what returns the value as it fits, unchanged if it did.
        target: The first type of the schema, for values of a type it does not have.
        path: The place, for counting.
        is_settled: Whether a value of a type of the schema needs no fixer.
    """

    passing: frozenset[type]
    fixers: dict[type, Fixer]
    target: str
    path: str
    is_settled: bool


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
        self._left_out = frozenset(left_out)
        fields = self._compile_fields(schema, "")
        wanted = {name: field for name, field in fields.items() if name not in left_out}
        self._fix = self._object_fixer(wanted, "", extra=keep_unknown)
        self._unsettled = [item for item in wanted.items() if not item[1].is_settled]
        self._page_type = list[record_type(schema, left_out)]  # type: ignore[misc]

    def __call__(self, records: list[dict[str, Any]]) -> None:
        """Change the records of a page into what leaves, their fields in the order they came."""
        try:
            msgspec.convert(records, self._page_type)
        except msgspec.ValidationError:
            for record in records:
                self._fix(record)
            return
        for name in self._left_out:
            for record in records:
                record.pop(name, None)
        for name, field in self._unsettled:
            if field.fixers != _TIME or not _move_to_utc(records, name):
                self._settle(records, name, field)

    def _settle(self, records: list[dict[str, Any]], name: str, field: _Field) -> None:
        for record in records:
            item = record.get(name)
            if type(item) in field.fixers:
                record[name] = self._fixed(field, item)

    def _compile_fields(self, schema: Mapping[str, Any], path: str) -> dict[str, _Field]:
        properties = schema.get("properties", {})
        return {name: self._compile(part, path + name) for name, part in properties.items()}

    def _compile(self, schema: Mapping[str, Any], path: str) -> _Field:
        types = type_names(schema)
        fixers: dict[type, Fixer] = {}
        inner: list[_Field] = []
        if "integer" in types and "number" not in types:
            fixers[Decimal] = _whole
        if schema.get("format") == "date-time":
            fixers[str] = utc_text
        if "object" in types and "array" not in types:
            fixers[list] = _empty_object
        if "object" in types and schema.get("properties"):
            fields = self._compile_fields(schema, f"{path}.")
            extra = bool(schema.get("additionalProperties"))
            fixers[dict] = self._object_fixer(fields, f"{path}.", extra=extra)
            inner += fields.values()
        if "array" in types and isinstance(schema.get("items"), dict):
            items = self._compile(schema["items"], f"{path}[]")
            fixers[list] = self._array_fixer(items)
            inner.append(items)
        passing = frozenset(kind for name in types for kind in _TYPES[name]) - fixers.keys()
        target = next((name for name in types if name != "null"), "null")
        is_settled = str not in fixers and all(field.is_settled for field in inner)
        return _Field(passing, fixers, target, path, is_settled)

    def _object_fixer(self, fields: dict[str, _Field], path: str, *, extra: bool) -> Fixer:
        find = fields.get

        def fix(value: dict[str, Any]) -> dict[str, Any]:
            surplus: list[str] = []
            for name, item in value.items():
                field = find(name)
                if field is None:
                    surplus.append(name)
                    continue
                if type(item) not in field.passing:
                    value[name] = self._fixed(field, item)
            if surplus:
                self._remove(value, surplus, path, extra=extra)
            return value

        return fix

    def _remove(self, value: dict[str, Any], surplus: list[str], path: str, *, extra: bool) -> None:
        for name in surplus:
            if not path and name in self._left_out:
                del value[name]
                continue
            if not (path and extra):
                self.unknown[path + name] += 1
            if not extra:
                del value[name]

    def _array_fixer(self, field: _Field) -> Fixer:
        def fix(value: list[Any]) -> list[Any]:
            for index, item in enumerate(value):
                if type(item) not in field.passing:
                    value[index] = self._fixed(field, item)
            return value

        return fix

    def _fixed(self, field: _Field, value: Any) -> Any:
        """Return a value as it fits, if its type alone does not say that it does."""
        fixer = field.fixers.get(type(value))
        try:
            return fixer(value) if fixer else self._coerce(field, value)
        except ValueError:
            return self._coerce(field, value)

    def _coerce(self, field: _Field, value: Any) -> Any:
        self.changed[field.path] += 1
        try:
            coerced = _coerce(value, field.target)
            fixer = field.fixers.get(type(coerced))
            return fixer(coerced) if fixer else coerced
        except (ValueError, ArithmeticError):
            return None


def _move_to_utc(records: list[dict[str, Any]], name: str) -> bool:
    """Move a field of date-times to UTC, and tell whether all were of a form that could be."""
    try:
        moved = moved_to_utc([record.get(name) for record in records])
    except (ValueError, OverflowError):
        return False
    for place, text in moved.items():
        records[place][name] = text
    return True


def _finite(value: Decimal) -> Decimal:
    if not is_holdable(value):
        raise _Unfit
    return value


def _whole(value: Decimal) -> int:
    whole = int(_finite(value))
    if whole != value:
        raise _Unfit
    return whole


def _empty_object(value: list[Any]) -> dict[str, Any]:
    """Return the empty object that an empty list is in PHP."""
    if value:
        raise _Unfit
    return {}


def _written_out(text: str, kind: type) -> Any:
    """Return the array or object that a text is the JSON of, None if it is not."""
    try:
        value = json.loads(text, parse_float=exact_number, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None


def _coerce(value: Any, target: str) -> Any:
    """Convert a value to another JSON type without losing any of it."""
    if target == "string" and not isinstance(value, str):
        return encode(value).decode()
    if target in _NESTED and isinstance(value, str):
        written = _written_out(value, _NESTED[target])
        if written is not None:
            return written
    if target == "array":
        return [value]
    if target == "boolean" and isinstance(value, (str, int)):
        text = str(value).strip().lower()
        if text in _BOOLEANS:
            return _BOOLEANS[text]
    if target in ("integer", "number") and isinstance(value, str):
        number = Decimal(value.strip())
        is_whole = target == "integer" or "." not in value
        return _whole(number) if is_whole else _finite(number)
    raise _Unfit
