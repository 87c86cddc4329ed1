"""Decoding pages straight into the types of their schema, with no dictionary for each record.

It takes half the time, for types are told while the body is read, and fields that have a place
each need no names. A page that does not fit is decoded and made to fit the usual way; what
leaves is the same.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from tap_analytics.engine.values.fitting import exact_number, is_day, type_names, value_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence


_MOST_PARTS = 40
_CHANCES = 3


class TypedRecord(msgspec.Struct):
    """A record with a place for each field of its schema, otherwise used like a dictionary.

    A field that it lacks is `UNSET`.
    """

    places: ClassVar[dict[str, str]] = {}

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


def is_told(schema: Mapping[str, Any]) -> bool:
    """Tell whether decoding a value of a schema tells all that its type has to tell."""
    if value_type(schema) is Any:
        return True
    inner = schema.get("items")
    is_flat = "number" not in type_names(schema) and not schema.get("properties")
    return is_flat and not is_day(schema) and (not isinstance(inner, dict) or is_told(inner))


def typed_record(
    schema: Mapping[str, Any], left_out: Collection[str] = (), order: Collection[str] = ()
) -> type[TypedRecord]:
    """Return the type of records that have a schema, as far as decoding can tell it.

    Args:
        schema: JSON schema of the records.
        left_out: Top-level fields that may hold anything.
        order: The fields that come first, in this order.
    """
    properties = schema.get("properties", {})
    kinds = {name: value_type(part) if is_told(part) else Any for name, part in properties.items()}
    kinds.update(dict.fromkeys(left_out, Any))
    names = dict.fromkeys(name for name in (*order, *kinds) if name in kinds)
    places = {name: f"field_{number}" for number, name in enumerate(names)}
    return msgspec.defstruct(  # type: ignore[return-value]
        "Typed",
        [(at, kinds[name] | UnsetType, UNSET) for name, at in places.items()],
        bases=(TypedRecord,),
        namespace={"places": places},
        rename={at: name for name, at in places.items()},
        forbid_unknown_fields=True,
        gc=False,
    )


class TypedPages:
    """Decodes the bodies of one stream, as soon as it knows what records and bodies are like.

    The fields of its records have the order of the first ones, for a field that is where it is
    looked for is found at once: of a record of a hundred fields in another order, most of the
    time would be looking.
    """

    def __init__(
        self, make: Callable[[Collection[str]], type[TypedRecord]], name: str | None
    ) -> None:
        """Take what the records are.

        Args:
            make: Returns their type, given the order of their fields.
            name: Where in a body they are; None if the body is the array of them.
        """
        self._make = make
        self._record: type[TypedRecord] | None = None
        self._name = name
        self._parts: frozenset[str] = frozenset()
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._chances = _CHANCES

    def learn(self, body: Any) -> None:
        """Look at a body that was decoded the usual way: the next ones will have its parts."""
        is_body = self._name is not None and isinstance(body, dict) and self._name in body
        if is_body and not body.keys() <= self._parts:
            self._parts |= body.keys()
            self._decoder = None

    def arrange(self, records: Sequence[Any]) -> None:
        """Give records that were decoded the usual way the order of fields that typed ones have.

        It is the order of the first records that are arranged, those of the first page. Which page
        is decoded which way depends on the threads; what leaves does not.
        """
        if not records or not isinstance(records[0], dict):
            return
        if self._record is None:
            self._record = self._make(max(records, key=len))
        names = self._record.places
        for record in records:
            fields = dict(record)
            record.clear()
            record.update({name: fields[name] for name in names if name in fields})

    def decode(self, body: bytes) -> Any | None:
        """Return a body as it is decoded else, but with typed records; None if it does not fit."""
        decoder = self._decoder or self._new_decoder()
        if decoder is None or not self._chances:
            return None
        try:
            decoded = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._chances -= 1
            return None
        self._chances = _CHANCES
        if self._name is None:
            return decoded
        parts = zip(decoded.__struct_encode_fields__, astuple(decoded), strict=True)
        return {name: value for name, value in parts if value is not UNSET}

    def _new_decoder(self) -> msgspec.json.Decoder[Any] | None:
        """Return a decoder for what is known by now; None if that is not enough, or too much."""
        if self._record is None:
            return None
        kind: Any = list[self._record]  # type: ignore[name-defined]
        if self._name is not None:
            if not 0 < len(self._parts) <= _MOST_PARTS:
                return None
            kind = self._body_type(kind, self._name, sorted(self._parts - {self._name}))
        self._decoder = msgspec.json.Decoder(kind, float_hook=exact_number)
        return self._decoder

    def _body_type(self, records: Any, name: str, others: Sequence[str]) -> type:
        fields: list[Any] = [("records", records)]
        fields += [(f"part_{number}", Any, UNSET) for number, _ in enumerate(others)]
        return msgspec.defstruct(
            "Body",
            fields,
            rename=dict(zip([at for at, *_ in fields], [name, *others], strict=True)),
            forbid_unknown_fields=True,
        )


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
