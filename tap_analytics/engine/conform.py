"""Making records fit their schema, with the schema compiled once.

Most records fit, which is found out without touching them. In others, a value of another
type is converted where nothing is lost by it, and becomes null where something would be;
both are counted per field. Texts with the format date-time leave in UTC, and integers
without a fraction.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.encode import encode
from tap_analytics.engine.times import is_utc_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Check = Callable[[Any], bool]
    Convert = Callable[[Any], Any]

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


class _Unfit(Exception):
    """The value cannot be held by the schema."""


class _Field(NamedTuple):
    """What one place of a schema holds.

    Attributes:
        passing: Types that fit whatever their value is.
        checks: For other types, whether a value fits as it is.
        converts: For the types in ``checks``, how to make it fit.
        target: The first type of the schema, for values of a type it does not have.
        path: The place, for counting.
    """

    passing: frozenset[type]
    checks: dict[type, Check]
    converts: dict[type, Convert]
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
        self._keep_unknown = keep_unknown
        self._fields = self._compile_fields(schema, "", self._left_out)
        self._fits = _object_check(self._fields, extra=False)
        self._convert = self._object_converter(self._fields, "", keep=keep_unknown)

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it leaves, its fields in the order they came in."""
        return record if self._fits(record) else self._convert(record)

    def _compile_fields(
        self, schema: Mapping[str, Any], path: str, left_out: Collection[str] = ()
    ) -> dict[str, _Field]:
        return {
            name: self._compile(part, f"{path}{name}")
            for name, part in schema.get("properties", {}).items()
            if name not in left_out
        }

    def _compile(self, schema: Mapping[str, Any], path: str) -> _Field:
        names = schema.get("type", list(_TYPES))
        types = [names] if isinstance(names, str) else list(names)
        checks: dict[type, Check] = {}
        converts: dict[type, Convert] = {}
        if "number" in types:
            checks[Decimal], converts[Decimal] = _is_finite, _finite
        elif "integer" in types:
            checks[Decimal], converts[Decimal] = _never, _whole
        if schema.get("format") == "date-time":
            checks[str], converts[str] = is_utc_text, utc_text
        if "object" in types and schema.get("properties"):
            extra = bool(schema.get("additionalProperties"))
            fields = self._compile_fields(schema, f"{path}.")
            checks[dict] = _object_check(fields, extra=extra)
            converts[dict] = self._object_converter(fields, f"{path}.", keep=extra, count=not extra)
        if "array" in types and isinstance(schema.get("items"), dict):
            item = self._compile(schema["items"], f"{path}[]")
            checks[list] = _array_check(item)
            converts[list] = self._array_converter(item)
        passing = frozenset(_TYPES[name] for name in types) - set(checks)
        target = next((name for name in types if name != "null"), "null")
        return _Field(passing, checks, converts, target, path)

    def _fit(self, field: _Field, value: Any) -> Any:
        kind = type(value)
        if kind in field.passing:
            return value
        try:
            if kind in field.converts:
                return field.converts[kind](value)
        except (_Unfit, ValueError):
            pass
        self.changed[field.path] += 1
        try:
            return _coerce(value, field.target)
        except (_Unfit, ValueError, ArithmeticError):
            return None

    def _object_converter(
        self, fields: dict[str, _Field], path: str, *, keep: bool, count: bool = True
    ) -> Convert:
        def convert(value: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for name, item in value.items():
                field = fields.get(name)
                if field is not None:
                    out[name] = self._fit(field, item)
                elif path or name not in self._left_out:
                    if count:
                        self.unknown[path + name] += 1
                    if keep:
                        out[name] = item
            return out

        return convert

    def _array_converter(self, item: _Field) -> Convert:
        return lambda value: [self._fit(item, part) for part in value]


def _object_check(fields: dict[str, _Field], *, extra: bool) -> Check:
    find = fields.get

    def check(value: dict[str, Any]) -> bool:
        for name, item in value.items():
            field = find(name)
            if field is None:
                if extra:
                    continue
                return False
            kind = type(item)
            if kind in field[0]:
                continue
            deeper = field[1].get(kind)
            if deeper is None or not deeper(item):
                return False
        return True

    return check


def _array_check(field: _Field) -> Check:
    passing, checks = field.passing, field.checks

    def check(value: list[Any]) -> bool:
        for item in value:
            kind = type(item)
            if kind not in passing:
                deeper = checks.get(kind)
                if deeper is None or not deeper(item):
                    return False
        return True

    return check


def _never(value: Any) -> bool:  # noqa: ARG001
    return False


def _is_finite(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() <= _LARGEST_EXPONENT


def _finite(value: Decimal) -> Decimal:
    if not _is_finite(value):
        raise _Unfit
    return value


def _whole(value: Decimal) -> int:
    if not _is_finite(value) or value % 1:
        raise _Unfit
    return int(value)


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
