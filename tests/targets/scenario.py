"""What is loaded: two runs of the tap, between which rows, columns and one list change."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox import Sandbox
from tests.helpers.support import catalog, entry_of, metadata_of, read_result, settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
Rows = dict[str, dict[str, Row]]

CHANGED = "tasks"
DELETED_FROM = "accounts"
LATER_COLUMN = "city"
AWKWARD = {
    "line breaks": "one\ntwo\r\nthree",
    "quotes": "a \"b\" 'c' \\n \\ ,;|\t{}",
    "other alphabets": "Zoë 漢字 🜁 \u202e",
    "NUL": "be\0fore",
    "empty": "",
    "of blanks": "  ",
    "null in words": "null",
    "formula": "=1+1",
}


def key_of(row: Row, keys: list[str]) -> str:
    """Return what tells a row apart, as text."""
    return json.dumps([str(row[name]) for name in keys])


@dataclass(frozen=True)
class Load:
    """What one run of the tap wrote.

    Attributes:
        text: Its lines as they are.
    """

    text: bytes

    def only(self, streams: Iterable[str]) -> Load:
        """Return what was written of some streams."""
        chosen = set(streams)
        pairs = zip(self.lines, self.text.splitlines(keepends=True), strict=True)
        return Load(b"".join(text for line, text in pairs if line.get("stream") in chosen))

    @cached_property
    def lines(self) -> list[Row]:
        """The messages, with numbers as precise as they are written."""
        return [json.loads(line, parse_float=Decimal) for line in self.text.splitlines()]

    @cached_property
    def schemas(self) -> dict[str, Row]:
        """The last schema of each stream."""
        return {line["stream"]: line["schema"] for line in self.lines if line["type"] == "SCHEMA"}

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        """The keys of each stream."""
        schemas = (line for line in self.lines if line["type"] == "SCHEMA")
        return {line["stream"]: line["key_properties"] for line in schemas}

    @cached_property
    def rows(self) -> Rows:
        """The last row of each key, by stream."""
        found: Rows = defaultdict(dict)
        for line in self.lines:
            if line["type"] == "RECORD":
                row = line["record"]
                found[line["stream"]][key_of(row, self.keys[line["stream"]])] = row
        return found


@dataclass(frozen=True)
class Scenario:
    """Two runs, the later one over changed data and with one more column; a third follows."""

    first: Load
    second: Load

    @property
    def third(self) -> bytes:
        """What a run writes that finds one changed row in one list."""
        found: dict[str, bytes] = {}
        for line, text in zip(self.second.lines, self.second.text.splitlines(), strict=True):
            if line.get("stream") == CHANGED:
                found[line["type"]] = text
        return found["SCHEMA"] + b"\n" + found["RECORD"] + b"\n"

    @property
    def deleted(self) -> str:
        """The key of the row that is gone in the second run."""
        (key,) = set(self.first.rows[DELETED_FROM]) - set(self.second.rows[DELETED_FROM])
        return key


def _run(sandbox: Sandbox, *, without: str = "", further: bool = False) -> bytes:
    config = settings(sandbox, emit_activate_version_messages=True)
    documented = {entry["tap_stream_id"] for entry in catalog()["streams"]}
    chosen = catalog(config=config)
    for entry in chosen["streams"]:
        metadata_of(entry)["selected"] = not (further and entry["tap_stream_id"] in documented)
    if without:
        entry = entry_of(chosen, DELETED_FROM)
        metadata_of(entry, "properties", without)["selected"] = False
    with started_tap(config, catalog_=chosen) as (tap, report):
        out, _ = tap.communicate(timeout=120)
        result = read_result(tap.returncode, out, report)
    assert result.status == 0, result.stderr[-3000:]
    return out


def make(records: int) -> Scenario:
    """Run the tap twice over the documented streams, and at last over the vendors' beside them."""
    with (
        Sandbox(records=records, upstreams=True) as vendors,
        Sandbox(records=records) as documented,
    ):
        for index, text in enumerate(AWKWARD.values()):
            documented.store.update(CHANGED, index, {"name": text})
        first = _run(documented, without=LATER_COLUMN)
        documented.store.delete(DELETED_FROM, 1)
        documented.store.update(CHANGED, len(AWKWARD), {"name": "changed"})
        second = _run(documented) + _run(vendors, further=True)
    return Scenario(Load(first), Load(second))
