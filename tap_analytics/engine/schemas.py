"""Schemas of streams, from one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.schema.source import SchemaSource, StreamSchema

from tap_analytics.engine.accounts import ACCOUNT
from tap_analytics.engine.values.conform import UNKNOWN
from tap_analytics.engine.values.fitting import type_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from singer_sdk import Stream

_MADE = "made_schema"
"""Where a stream keeps its schema."""


class _Folder(SchemaSource[str]):
    """Files of a folder, read when they are needed, in half the time that the SDK's take."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def fetch_schema(self, key: str) -> dict[str, Any]:
        return _read(self._folder / f"{key}.json")


class KeyedSchema(StreamSchema[str]):
    """The schema in the file that has the stream's name, with the stream's keys never null."""

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        """Take the folders of the files.

        Args:
            folder: Where the schema of every stream is.
            own: Where a vendor says, for streams that are documented, which of their fields it
                has in another shape: files of ``{"properties": {...}}``. What is not described
                there is as documented.
        """
        super().__init__(_Folder(folder))
        self._own = own

    def get_stream_schema(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        """Return a stream's schema, which an instance makes once."""
        if isinstance(stream, type):
            return self._made(stream, stream_class)
        if _MADE not in vars(stream):
            vars(stream)[_MADE] = self._made(stream, stream_class)
        made: dict[str, Any] = vars(stream)[_MADE]
        return made

    def _made(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        keys = list(stream_class.primary_keys)  # type: ignore[call-overload]
        properties = {**schema["properties"]}
        for name, own in self._own_properties(str(stream.name)).items():
            properties[name] = _described(own, properties.get(name, {}))
        for name, target in pointers(stream_class, properties).items():
            properties[name] = _pointing(properties[name], target)
        for name in keys:
            types = properties[name]["type"]
            kept = types if isinstance(types, str) else [kind for kind in types if kind != "null"]
            properties[name] = {**properties[name], "type": kept}
        if not isinstance(stream, type) and stream.config.get("accounts"):
            description = "The account that the row is of, by its name in the settings."
            properties[ACCOUNT] = {"type": "string", "description": description}
            keys.insert(0, ACCOUNT)
        if not isinstance(stream, type) and stream.config.get("unknown_fields") == "column":
            properties[UNKNOWN] = {
                "type": ["object", "null"],
                "description": "Fields that the schema does not know, by their path.",
            }
        return {**schema, "properties": properties, "required": keys}

    def _own_properties(self, name: str) -> dict[str, Any]:
        file = self._own / f"{name}.json" if self._own else None
        if file is None or not file.is_file():
            return {}
        properties: dict[str, Any] = _read(file)["properties"]
        return properties


def _read(file: Path) -> dict[str, Any]:
    schema: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return schema


def pointers(stream: type[Stream], columns: Iterable[str]) -> dict[str, str]:
    """Return which columns of a stream hold keys of others, as ``stream.column``.

    What a child is asked with points to its parent, or to what that points to; the rest is
    declared.
    """
    kind: Any = stream  # the SDK types what classes declare as properties
    parent = kind.parent_stream_type
    asked = parent.child_keys.items() if parent else ()
    above = {
        name: pointers(parent, (field,)).get(field, f"{parent.name}.{field}")
        for name, field in asked
        if name in columns
    }
    return {**above, **kind.references}


def _described(own: dict[str, Any], documented: dict[str, Any]) -> dict[str, Any]:
    """Return a part of a vendor's schema, in the documented one's words where it has none."""
    said = documented.get("description")
    part = {"description": said, **own} if said else {**own}
    if "items" in own:
        part["items"] = _described(own["items"], documented.get("items", {}))
    if "properties" in own:
        known = documented.get("properties", {})
        part["properties"] = {
            name: _described(inner, known.get(name, {}))
            for name, inner in own["properties"].items()
        }
    return part


def _pointing(column: dict[str, Any], target: str) -> dict[str, Any]:
    """Return a column whose description begins with what it points to."""
    stream, _, field = target.partition(".")
    begin = f"Key of `{stream}`." if field == "id" else f"`{field}` of `{stream}`."
    return {**column, "description": " ".join(filter(None, (begin, column.get("description"))))}


def as_said(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as its SCHEMA message says it: what holds objects is one document.

    Rows keep the shape inside, and the catalog tells it. But of `items` that are objects
    target-postgres makes a column of an array of documents (`jsonb[]`), which takes it several
    times as long to fill as a document that is an array, and which holds no arrays in arrays.
    """
    properties = schema.get("properties", {})
    said = {
        name: {key: value for key, value in part.items() if key != "items"}
        if _holds_documents(part)
        else part
        for name, part in properties.items()
    }
    return {**schema, "properties": said}


def _holds_documents(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return isinstance(items, dict) and not {"object", "array"}.isdisjoint(type_names(items))
