"""Making records fit their schema, with the schema compiled once.

Records are changed in place, and most of them not at all. A value of another type is
converted where nothing is lost by it, and becomes null where something would be; both are
counted per field. Texts with the format date-time leave in UTC, and integers without a
fraction.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.encode import encode
from tap_analytics.engine.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Fixer = Callable[[Any], Any]

_LARGEST_EXPONENT = 308
_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "number": int,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
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
    """

    passing: frozenset[type]
    fixers: dict[type, Fixer]
    target: str
    path: str


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

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Change a record into what leaves, its fields in the order they came in."""
        fixed: dict[str, Any] = self._fix(record)
        return fixed

    def _compile_fields(self, schema: Mapping[str, Any], path: str) -> dict[str, _Field]:
        properties = schema.get("properties", {})
        return {name: self._compile(part, path + name) for name, part in properties.items()}

    def _compile(self, schema: Mapping[str, Any], path: str) -> _Field:
        names = schema.get("type", list(_TYPES))
        types = [names] if isinstance(names, str) else list(names)
        fixers: dict[type, Fixer] = {}
        if "number" in types:
            fixers[Decimal] = _finite
        elif "integer" in types:
            fixers[Decimal] = _whole
        if schema.get("format") == "date-time":
            fixers[str] = utc_text
        if "object" in types and schema.get("properties"):
            fields = self._compile_fields(schema, f"{path}.")
            extra = bool(schema.get("additionalProperties"))
            fixers[dict] = self._object_fixer(fields, f"{path}.", extra=extra)
        if "array" in types and isinstance(schema.get("items"), dict):
            fixers[list] = self._array_fixer(self._compile(schema["items"], f"{path}[]"))
        passing = frozenset(_TYPES[name] for name in types) - set(fixers)
        target = next((name for name in types if name != "null"), "null")
        return _Field(passing, fixers, target, path)

    def _object_fixer(self, fields: dict[str, _Field], path: str, *, extra: bool) -> Fixer:
        find = fields.get

        def fix(value: dict[str, Any]) -> dict[str, Any]:
            surplus: list[str] = []
            for name, item in value.items():
                field = find(name)
                if field is None:
                    surplus.append(name)
                    continue
                kind = type(item)
                if kind in field[0]:
                    continue
                fixer = field[1].get(kind)
                try:
                    fixed = fixer(item) if fixer else self._coerce(field, item)
                except ValueError:
                    fixed = self._coerce(field, item)
                if fixed is not item:
                    value[name] = fixed
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
        passing, fixers = field.passing, field.fixers

        def fix(value: list[Any]) -> list[Any]:
            for index, item in enumerate(value):
                kind = type(item)
                if kind in passing:
                    continue
                fixer = fixers.get(kind)
                try:
                    value[index] = fixer(item) if fixer else self._coerce(field, item)
                except ValueError:
                    value[index] = self._coerce(field, item)
            return value

        return fix

    def _coerce(self, field: _Field, value: Any) -> Any:
        self.changed[field.path] += 1
        try:
            coerced = _coerce(value, field.target)
            fixer = field.fixers.get(type(coerced))
            return fixer(coerced) if fixer else coerced
        except (ValueError, ArithmeticError):
            return None


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite() or value.adjusted() > _LARGEST_EXPONENT:
        raise _Unfit
    return value


def _whole(value: Decimal) -> int:
    whole = int(_finite(value))
    if whole != value:
        raise _Unfit
    return whole


def _coerce(value: Any, target: str) -> Any:
    """Convert a value to another JSON type without losing any of it."""
    if target == "string" and not isinstance(value, str):
        return encode(value).decode()
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
