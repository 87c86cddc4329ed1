"""Records with a place for each field of their schema, and whole columns of any records."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from tap_analytics.engine.values.fitting import is_day, type_names, value_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence


class TypedRecord(msgspec.Struct):
    """A record with a place for each field of its schema, otherwise used like a dictionary.

    A field that it lacks is `UNSET`. Objects in it may be such records, too.

    Attributes:
        places: The attribute that each field is.
        inner: Of the fields that are such records, or arrays of them, the type of these.
    """

    places: ClassVar[dict[str, str]] = {}
    inner: ClassVar[dict[str, type[TypedRecord]]] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a field, or something else where there is none."""
        value = getattr(self, self.places.get(name, ""), UNSET)
        return default if value is UNSET else value

    def __getitem__(self, name: str) -> Any:
        """Return the value of a field that is there."""
        value = getattr(self, self.places[name])
        if value is UNSET:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        """Put a value in the place of a field, whatever its type."""
        setattr(self, self.places[name], value)

    def __delitem__(self, name: str) -> None:
        """Take a field out."""
        setattr(self, self.places[name], UNSET)

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there."""
        return getattr(self, self.places.get(name, ""), UNSET) is not UNSET

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the fields that are there."""
        return (name for name, at in self.places.items() if getattr(self, at) is not UNSET)

    def keys(self) -> Iterable[str]:
        """Return the names of the fields that are there."""
        return list(self)

    def update(self, values: Mapping[str, Any]) -> None:
        """Put values in the places of fields."""
        for name, value in values.items():
            self[name] = value


def is_told(schema: Mapping[str, Any], *, days: bool = False) -> bool:
    """Tell whether decoding a value of a schema tells all that its type has to tell.

    Args:
        schema: JSON schema of the value.
        days: Whether days are decoded as such.
    """
    if value_type(schema) is Any:
        return True
    inner = schema.get("items")
    is_flat = "number" not in type_names(schema) and not schema.get("properties")
    is_flat = is_flat and (days or not is_day(schema))
    return is_flat and (not isinstance(inner, dict) or is_told(inner, days=days))


def typed_record(
    schema: Mapping[str, Any],
    anything: Collection[str] = (),
    examples: Sequence[Any] = (),
    *,
    is_deep: bool = True,
) -> type[TypedRecord]:
    """Return the type of records that have a schema, as far as decoding can tell it.

    Args:
        schema: JSON schema of the records.
        anything: Top-level fields that may hold anything.
        examples: Records; what their fields are, and those of objects in them, comes first.
        is_deep: Whether objects in them are to be typed as well.
    """
    properties = schema.get("properties", {})
    kinds = {
        name: _kind(part, (examples, name), days=False, is_deep=is_deep)
        for name, part in properties.items()
    }
    kinds.update(dict.fromkeys(anything, (Any, None)))
    return _typed(kinds, examples)


_Kind: TypeAlias = "tuple[Any, type[TypedRecord] | None]"
"""The type of a field, and that of the objects that it is or holds, if they are typed."""


def _kind(
    schema: Mapping[str, Any], field: tuple[Sequence[Any], str], *, days: bool, is_deep: bool
) -> _Kind:
    """Return what a field of examples is decoded as; `Any` where decoding cannot tell it.

    Inside objects days are decoded as such, for nothing looks at them before they leave as the
    very same text.
    """
    if is_told(schema, days=days):
        return value_type(schema, days=days), None
    is_array = _is_only(schema, "array")
    objects = schema.get("items") if is_array else schema
    if not is_deep or not isinstance(objects, dict) or not _is_only(objects, "object"):
        return Any, None
    examples = objects_in(*field)
    kinds: dict[str, _Kind] = {}
    for name, part in objects.get("properties", {}).items():
        kinds[name] = _kind(part, (examples, name), days=True, is_deep=True)
        if kinds[name][0] is Any and value_type(part) is not Any:
            return Any, None
    inner = _typed(kinds, examples)
    kind = list[_or_null(inner, objects)] if is_array else inner  # type: ignore[misc]
    return _or_null(kind, schema), inner


def _is_only(schema: Mapping[str, Any], name: str) -> bool:
    return {*type_names(schema)} - {"null"} == {name}


def _or_null(kind: Any, schema: Mapping[str, Any]) -> Any:
    return kind | None if "null" in type_names(schema) else kind


def _typed(kinds: Mapping[str, _Kind], examples: Sequence[Any]) -> type[TypedRecord]:
    first: Collection[str] = max(examples, key=len, default=())
    names = dict.fromkeys(name for name in (*first, *kinds) if name in kinds)
    places = {name: f"field_{number}" for number, name in enumerate(names)}
    inner = {name: made for name in names if (made := kinds[name][1])}
    return msgspec.defstruct(  # type: ignore[return-value]
        "Typed",
        [(at, kinds[name][0] | UnsetType, UNSET) for name, at in places.items()],
        bases=(TypedRecord,),
        namespace={"places": places, "inner": inner},
        rename={at: name for name, at in places.items()},
        forbid_unknown_fields=True,
        gc=False,
    )


def objects_in(records: Sequence[Any], name: str) -> list[Any]:
    """Return the objects that a field of all records is or holds."""
    return [
        item
        for value in filter(None, column(records, name))
        for item in (value if isinstance(value, list) else (value,))
        if isinstance(item, dict | TypedRecord)
    ]


def column(records: Sequence[Any], name: str, default: Any = None) -> list[Any]:
    """Return a field of all records, and something else for those that lack it."""
    at = records[0].places.get(name) if records and isinstance(records[0], TypedRecord) else None
    if at is None:
        return [record.get(name, default) for record in records]
    values = list(map(attrgetter(at), records))
    if default is not UNSET and UNSET in values:
        return [default if value is UNSET else value for value in values]
    return values


def names_in_all(records: Sequence[Any]) -> Iterable[str]:
    """Return the names of the fields that all of some records have."""
    if isinstance(records[0], TypedRecord):
        columns = zip(records[0].places, zip(*map(astuple, records), strict=True), strict=True)
        return [name for name, values in columns if UNSET not in values]
    return set(records[0]).intersection(*records)


def put(
    records: Sequence[Any], names: Sequence[str], places: Iterable[int], values: Iterable[Any]
) -> None:
    """Put values into fields of records, given by their places in the columns of these fields."""
    count = len(records)
    if records and isinstance(records[0], TypedRecord):
        ats = [records[0].places[name] for name in names]
        for place, value in zip(places, values, strict=True):
            setattr(records[place % count], ats[place // count], value)
    else:
        for place, value in zip(places, values, strict=True):
            records[place % count][names[place // count]] = value


def leave_out(records: Sequence[Any], name: str) -> None:
    """Take a field out of all records."""
    if records and isinstance(records[0], TypedRecord):
        at = records[0].places[name]
        for record in records:
            setattr(record, at, UNSET)
    else:
        for record in records:
            record.pop(name, None)
