"""Decoding pages straight into the types of their schema, with no dictionary for each record.

It takes half the time, for types are told while the body is read, and fields that have a place
each need no names. A page that does not fit is decoded and made to fit the usual way; what
leaves is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from tap_analytics.engine.values.fitting import exact_number
from tap_analytics.engine.values.typed import objects_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_analytics.engine.values.typed import TypedRecord

_MOST_PARTS = 40
_CHANCES = 3


class TypedPages:
    """Decodes the bodies of one stream, as soon as it knows what records and bodies are like.

    The fields of its records have the order of the first ones, for a field that is where it is
    looked for is found at once: of a record of a hundred fields in another order, most of the
    time would be looking.
    """

    def __init__(
        self, make: Callable[[Sequence[Any], bool], type[TypedRecord]], name: str | None
    ) -> None:
        """Take what the records are.

        Args:
            make: Returns their type, given examples and whether objects in them are typed.
            name: Where in a body they are; None if the body is the array of them.
        """
        self._make = make
        self._shape: type[TypedRecord] | None = None
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
        if records and self._shape is None and isinstance(records[0], dict):
            self._record = self._shape = self._make(records, True)  # noqa: FBT003
        if records and self._shape is not None and not isinstance(records[0], self._shape):
            _arrange(records, self._shape)

    def decode(self, body: bytes) -> Any | None:
        """Return a body as it is decoded else, but with typed records; None if it does not fit."""
        if self._chances < 1:
            return None
        decoder = self._decoder or self._new_decoder()
        if decoder is None:
            return None
        try:
            decoded = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._chances -= 1
            if self._chances < 1:
                self._expect_less()
            return None
        if self._record is None or not self._record.inner:  # else objects may fit now and then
            self._chances = _CHANCES
        if self._name is None:
            return decoded
        parts = zip(decoded.__struct_encode_fields__, astuple(decoded), strict=True)
        return {name: value for name, value in parts if value is not UNSET}

    def _expect_less(self) -> None:
        """Leave the objects in records as they come, where it may be them that do not fit."""
        if self._record is not None and self._record.inner:
            self._record = self._make([dict.fromkeys(self._record.places)], False)  # noqa: FBT003
            self._decoder, self._chances = None, _CHANCES

    def _new_decoder(self) -> msgspec.json.Decoder[Any] | None:
        """Return a decoder for what is known by now; None if that is not enough, or too much."""
        if self._record is None:
            return None
        kind: Any = list[self._record]  # type: ignore[name-defined]
        if self._name is not None:
            if not 0 < len(self._parts) <= _MOST_PARTS:
                return None
            try:
                kind = self._body_type(kind, self._name, sorted(self._parts - {self._name}))
            except ValueError:  # a part is called what no field of a type can be
                self._chances = 0
                return None
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


def _arrange(records: Sequence[Any], shape: type[TypedRecord]) -> None:
    """Give records, and the objects in them, the order that the fields of a type have."""
    if records and isinstance(records[0], dict):
        for record in records:
            fields = dict(record)
            record.clear()
            record.update({name: fields[name] for name in shape.places if name in fields})
            record.update(fields)
    for name, inner in shape.inner.items():
        _arrange(objects_in(records, name), inner)
