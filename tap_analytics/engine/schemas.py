"""Schemas of streams, from one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.schema.source import SchemaDirectory, StreamSchema

if TYPE_CHECKING:
    from pathlib import Path

    from singer_sdk import Stream


class KeyedSchema(StreamSchema[str]):
    """The schema in the file that has the stream's name, with the stream's keys never null."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the files."""
        super().__init__(SchemaDirectory(folder))

    def get_stream_schema(self, stream: Stream, stream_class: type[Stream]) -> dict[str, Any]:
        """Return a stream's schema."""
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        keys = list(stream_class.primary_keys)  # type: ignore[call-overload]
        properties = dict(schema["properties"])
        for name in keys:
            types = properties[name]["type"]
            kept = types if isinstance(types, str) else [kind for kind in types if kind != "null"]
            properties[name] = {**properties[name], "type": kept}
        return {**schema, "properties": properties, "required": keys}
