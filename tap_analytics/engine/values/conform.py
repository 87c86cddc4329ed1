"""Making records fit their schema, with the schema compiled once.

Records are changed in place, and most of them not at all. A value of another type, or one
that targets refuse, is converted where nothing is lost by it, and becomes null where something
would be; both are counted per field. Where the schema forbids null nothing stands in its
place. Texts with the format date-time leave in UTC, and integers without a fraction. Most
pages fit as a whole; then only the fields are looked at whose type does not tell everything.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET

from tap_analytics.engine.values.apart import keep_apart
from tap_analytics.engine.values.encode import encode
from tap_analytics.engine.values.fitting import (
    LARGEST_INTEGER,
    SMALLEST_INTEGER,
    exact_number,
    is_day,
    is_holdable,
    record_type,
    type_names,
    value_type,
)
from tap_analytics.engine.values.times import (
    day_text,
    mended_day,
    mended_time,
    moved_to_utc,
    utc_text,
)
from tap_analytics.engine.values.typed import (
    TypedRecord,
    column,
    is_told,
    leave_out,
    objects_in,
    put,
    typed_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    Fixer = Callable[[Any], Any]

UNKNOWN = "unknown_fields"
"""The column that takes what the schema does not know, where the user wants it kept."""
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_FORMATS: dict[str, tuple[Fixer, Fixer]] = {
    "date-time": (utc_text, mended_time),
    "date": (day_text, mended_day),
}
"""What returns a text as it fits, and what makes more of those fit that do not."""
_NESTED: dict[str, type] = {"object": dict, "array": list}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_JSON = "application/json"
"""The media type of texts that hold, as JSON, whatever else comes in their place."""
_MOST_UNKNOWN = 500
_LONGEST_NAME = 200


class _Unfit(ValueError):
    """The value cannot be held by the schema."""


class _Field(NamedTuple):
    """What one place of a schema holds.

    Attributes:
        passing: Types that fit whatever their value is.
        fixers: For other types, what returns the value as it fits, unchanged if it did.
        mend: What makes a text fit that its fixer refuses, None if nothing does.
        target: The first type of the schema, for values of a type it does not have.
        path: The place, for counting.
        is_settled: Whether a value of a type of the schema needs no fixer.
        may_be_null: Whether null may stand there.
        inside: Of objects, and arrays of objects, the fields in them that are not settled, if
            these are all that is not.
    """

    passing: frozenset[type]
    fixers: dict[type, Fixer]
    mend: Fixer | None
    target: str
    path: str
    is_settled: bool
    may_be_null: bool
    inside: Sequence[tuple[str, _Field]]


class _Drift(threading.local):
    """What a thread met that is not of the schema; each account is read in one of its own."""

    def __init__(self) -> None:
        self.unknown: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()


class Conformer:
    """A compiled schema; several threads may use it."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        *,
        left_out: Collection[str] = (),
        apart: Collection[str] = (),
        given: Collection[str] = (),
    ) -> None:
        """Compile a schema; one with the column `UNKNOWN` keeps what it does not know there.

        Args:
            schema: JSON schema of the records.
            left_out: Top-level fields to leave out.
            apart: Top-level fields whose texts must stay distinct, such as keys.
            given: Top-level fields that are put into records after they were decoded.
        """
        self._drift = _Drift()
        self._left_out = frozenset(left_out)
        properties = dict(schema.get("properties", {}))
        self._keeps = properties.pop(UNKNOWN, None) is not None and UNKNOWN not in left_out
        self._kept: dict[str, Any] = {}
        self._places: list[int] = []
        known = {**schema, "properties": properties}
        fields = self._compile_fields(known, "")
        wanted = {name: field for name, field in fields.items() if name not in left_out}
        self._apart = [name for name in apart if name in wanted and wanted[name].target == "string"]
        self._fix = self._object_fixer(wanted, "", extra=False)
        self._unsettled = _unsettled(wanted)
        self._page_type = list[record_type(known, left_out)]  # type: ignore[misc]
        self._known = known
        self._any = frozenset((*left_out, *given))
        self._untold = [
            (name, field, list[value_type(properties[name], days=True)])  # type: ignore[misc]
            for name, field in wanted.items()
            if name in given or not is_told(properties[name])
        ]

    @property
    def takes_typed(self) -> bool:
        """Whether records can be decoded straight into a type, which has no place for unknowns."""
        return not self._keeps

    def typed_record(self, examples: Sequence[Any], is_deep: bool) -> type[TypedRecord]:  # noqa: FBT001
        """Return the type that records can be decoded straight into.

        Args:
            examples: Records; a type whose fields have their order is faster.
            is_deep: Whether objects in them are to be typed as well.
        """
        return typed_record(self._known, self._any, examples, is_deep=is_deep)

    @property
    def unknown(self) -> Counter[str]:
        """How often this thread met each field outside the schema; of many only the first."""
        return self._drift.unknown

    @property
    def changed(self) -> Counter[str]:
        """How often each field had a value of another type here, or one that targets refuse."""
        return self._drift.changed

    def forget_drift(self) -> None:
        """Start to count anew."""
        self._drift.unknown.clear()
        self._drift.changed.clear()

    def __call__(self, records: list[Any]) -> None:
        """Change the records of a page into what leaves, their fields in the order they came."""
        if (records and isinstance(records[0], TypedRecord)) or _fits(records, self._page_type):
            self._tell(records)
            self._settle_all(records)
        else:
            self._fix_each(records)
        for name in self._apart:
            keep_apart(records, name)

    def _fix_each(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            self._fix(record)
            if self._keeps:
                record[UNKNOWN], self._kept = self._kept or None, {}

    def _tell(self, records: Sequence[Any]) -> None:
        """Fix what the types of a page leave untold: what decoding does, and days."""
        is_typed = records and isinstance(records[0], TypedRecord)
        told = records[0].inner if is_typed else ()
        for name, field, kind in self._untold:
            if name in told:
                continue
            given = [value for value in column(records, name, UNSET) if value is not UNSET]
            if not _fits(given, kind):
                self._settle(records, name, field)

    def _settle_all(self, records: Sequence[Any]) -> None:
        """Fix what the types of a page that fits do not tell."""
        for name in self._left_out:
            leave_out(records, name)
        self._settle_fields(records, self._unsettled)
        if self._keeps:
            for record in records:
                record[UNKNOWN] = None

    def _settle_fields(self, records: Sequence[Any], fields: Sequence[tuple[str, _Field]]) -> None:
        times = [name for name, field in fields if _holds_only_times(field)]
        are_moved = _move_to_utc(records, times)
        for name, field in fields:
            if field.inside:
                self._settle_fields(objects_in(records, name), field.inside)
            elif name not in times or not (are_moved or _move_to_utc(records, [name])):
                self._settle(records, name, field)

    def _settle(self, records: Sequence[Any], name: str, field: _Field) -> None:
        for record in records:
            if name in record and type(item := record[name]) not in field.passing:
                record[name] = fixed = self._fixed(field, item)
                if fixed is None and not field.may_be_null:
                    del record[name]

    def _compile_fields(self, schema: Mapping[str, Any], path: str) -> dict[str, _Field]:
        properties = schema.get("properties", {})
        return {name: self._compile(part, path + name) for name, part in properties.items()}

    def _compile(self, schema: Mapping[str, Any], path: str) -> _Field:
        types = type_names(schema)
        fixers: dict[type, Fixer] = {}
        mend: Fixer | None = None
        inner: list[_Field] = []
        inside: list[tuple[str, _Field]] = []
        if "integer" in types and "number" not in types:
            fixers |= {Decimal: _whole, int: _integer}
        if "string" in types and schema.get("format") in _FORMATS:
            fixers[str], mend = _FORMATS[schema["format"]]
        if schema.get("contentMediaType") == _JSON and {"object", "array"}.isdisjoint(types):
            fixers |= dict.fromkeys((dict, list, bool, int, Decimal), _as_json)
        if "object" in types and "array" not in types:
            fixers[list] = _empty_object
        if "object" in types and schema.get("properties"):
            fields = self._compile_fields(schema, f"{path}.")
            extra = bool(schema.get("additionalProperties"))
            fixers[dict] = self._object_fixer(fields, f"{path}.", extra=extra)
            inner += fields.values()
            inside += _unsettled(fields)
        if "array" in types and isinstance(schema.get("items"), dict):
            items = self._compile(schema["items"], f"{path}[]")
            fixers[list] = self._array_fixer(items)
            inner.append(items)
            inside += items.inside if "object" in type_names(schema["items"]) else ()
        passing = frozenset(kind for name in types for kind in _TYPES[name]) - fixers.keys()
        target = next((name for name in types if name != "null"), "null")
        is_text_told = str not in fixers or is_day(schema)
        is_settled = is_text_told and all(field.is_settled for field in inner)
        if mend or {*_NESTED} <= {*types}:
            inside = []
        return _Field(passing, fixers, mend, target, path, is_settled, "null" in types, inside)

    def _object_fixer(self, fields: dict[str, _Field], path: str, *, extra: bool) -> Fixer:
        find = fields.get

        def fix(value: dict[str, Any]) -> dict[str, Any]:
            surplus: list[str] = []
            gone: list[str] = []
            for name, item in value.items():
                field = find(name)
                if field is None:
                    surplus.append(name)
                elif type(item) not in field.passing:
                    value[name] = fixed = self._fixed(field, item)
                    if fixed is None and not field.may_be_null:
                        gone.append(name)
            for name in gone:
                del value[name]
            if surplus and not extra:
                self._remove(value, surplus, path)
            return value

        return fix

    def _remove(self, value: dict[str, Any], surplus: list[str], path: str) -> None:
        for name in surplus:
            item = value.pop(name)
            if not path and name in self._left_out:
                continue
            place = (path + name)[:_LONGEST_NAME]
            if place not in self._drift.unknown and len(self._drift.unknown) >= _MOST_UNKNOWN:
                place = "others"
            self._drift.unknown[place] += 1
            if self._keeps:
                self._kept[self._here(path) + name] = item

    def _here(self, path: str) -> str:
        """Return a path with the places in the arrays that are being looked at."""
        before, *after = path.split("[]")
        return before + "".join(
            [f"[{at}]{part}" for at, part in zip(self._places, after, strict=True)]
        )

    def _array_fixer(self, field: _Field) -> Fixer:
        def fix(value: list[Any]) -> list[Any]:
            self._places.append(0)
            for index, item in enumerate(value):
                if type(item) not in field.passing:
                    self._places[-1] = index
                    value[index] = self._fixed(field, item)
            self._places.pop()
            if not field.may_be_null:
                value[:] = [item for item in value if item is not None]
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
        self._drift.changed[field.path] += 1
        try:
            if field.mend and isinstance(value, str):
                return field.mend(value)
            coerced = _coerce(value, field.target)
            fixer = field.fixers.get(type(coerced))
            return fixer(coerced) if fixer else coerced
        except (ValueError, ArithmeticError):
            return None


def _fits(values: list[Any], kind: Any) -> bool:
    try:
        msgspec.convert(values, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter for half a surrogate pair
        return False
    return True


def _unsettled(fields: Mapping[str, _Field]) -> list[tuple[str, _Field]]:
    return [item for item in fields.items() if not item[1].is_settled]


def _holds_only_times(field: _Field) -> bool:
    return field.mend is mended_time and len(field.fixers) == 1


def _move_to_utc(records: Sequence[Any], names: Sequence[str]) -> bool:
    """Move fields of date-times to UTC, and tell whether all were of a form that could be."""
    for absent in (UNSET, None):  # most pages lack none, and need no look at each value
        texts = list(chain.from_iterable([column(records, name, absent) for name in names]))
        with suppress(ValueError, OverflowError):
            put(records, names, *moved_to_utc(texts))
            return True
        if UNSET not in texts:
            break
    return False


def _finite(value: Decimal) -> Decimal:
    if not is_holdable(value):
        raise _Unfit
    return value


def _whole(value: Decimal) -> int:
    whole = int(_finite(value))
    if whole != value:
        raise _Unfit
    return _integer(whole)


def _integer(value: int) -> int:
    if SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    raise _Unfit


def _as_json(value: Any) -> str:
    return encode(value).decode()


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
    if value is None:
        raise _Unfit
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
