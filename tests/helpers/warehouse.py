"""A target in memory that deletes what it is told is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.comparing import by_key, expected_rows
from tests.helpers.contract import BY_NAME

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox
    from tests.helpers.support import Record


class Warehouse:
    """Tables as a target keeps them that deletes what ACTIVATE_VERSION says is gone."""

    def __init__(self) -> None:
        self.state: Record | None = None
        self._tables: dict[str, dict[str, tuple[int | None, Record]]] = {}
        self._schemas: dict[str, Record] = {}

    def take(self, lines: list[Record]) -> None:
        for line in lines:
            stream = line.get("stream", "")
            if line["type"] == "SCHEMA":
                self._schemas[stream] = line
                self._tables.setdefault(stream, {})
            elif line["type"] == "RECORD":
                row = line["record"]
                key = repr([row[name] for name in self._schemas[stream]["key_properties"]])
                self._tables[stream][key] = (line.get("version"), row)
            elif line["type"] == "ACTIVATE_VERSION":
                self._tables[stream] = {
                    key: (version, row)
                    for key, (version, row) in self._tables[stream].items()
                    if version is not None and version >= line["version"]
                }
            else:
                self.state = line["value"]

    def rows(self, stream: str) -> list[Record]:
        return [row for _, row in self._tables[stream].values()]

    def assert_has(self, sandbox: Sandbox, *streams: str) -> None:
        for stream in streams:
            schema, keys = self._schemas[stream]["schema"], BY_NAME[stream].keys
            wanted = by_key(expected_rows(sandbox.store, stream), schema, keys)
            assert by_key(self.rows(stream), schema, keys) == wanted, stream
