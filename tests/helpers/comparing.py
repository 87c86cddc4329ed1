"""Comparing what the tap wrote with what the sandbox holds, by means of our own."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tests.helpers.contract import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.sandbox import Sandbox, Store
    from tests.helpers.support import Record, Result

LEFT_OUT = {"won_deals": {"fc_widget_collaboration"}}
"""Fields that carry somebody's secrets."""


def moment(text: str) -> datetime:
    """Return an ISO 8601 time in UTC."""
    padded = re.sub(r"\.(\d+)", lambda match: f".{match[1][:6]:0<6}", text)
    when = datetime.fromisoformat(padded.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def kinds(schema: Record) -> set[str]:
    """Return the types that a schema allows beside null."""
    types = schema.get("type", ())
    return ({types} if isinstance(types, str) else set(types)) - {"null"}


def plain(value: Any, schema: Record) -> Any:
    """Return a value as a column of a schema keeps it.

    Date-times are moments, so that their spelling does not matter. A text holds what is no text
    as JSON, and an empty object comes as an empty list from PHP.
    """
    if kinds(schema) == {"object"} and value == []:
        return {}
    if kinds(schema) == {"string"} and value is not None and not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {name: plain(item, properties.get(name, {})) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item, schema.get("items", {})) for item in value]
    if isinstance(value, str) and schema.get("format") == "date-time":
        return moment(value)
    return value


def expected_rows(store: Store, stream: str) -> list[Record]:
    """Return the rows that the tap should write for a stream, apart from `row_key`."""
    rows = store.expected(stream)
    for row in rows:
        for name in LEFT_OUT.get(stream, ()):
            row.pop(name, None)
        if stream == "won_deals":
            (row["collaboration"] or {}).pop("convo_token", None)
        if stream == "crm_contacts":
            row["updated"] = row["meta"]["updated_at"]
    return rows


def by_key(rows: Iterable[Record], schema: Record, keys: Iterable[str]) -> dict[str, Record]:
    """Return rows by their key; a key that comes twice is an error."""
    names = tuple(keys)
    found: dict[str, Record] = {}
    for row in rows:
        comparable = plain(row, schema)
        key = repr([comparable[name] for name in names])
        assert key not in found, f"{key} comes twice"
        found[key] = comparable
    return found


def assert_rows(
    result: Result,
    stream: str,
    wanted: list[Record],
    keys: tuple[str, ...],
    schema: Record | None = None,
) -> None:
    """Compare all rows of a stream with those wanted, as sets by key.

    `schema` is that of the catalog, where the SCHEMA message does not tell enough.
    """
    schema = schema or result.schemas[stream]["schema"]
    rows = result.records[stream]
    if keys == ("row_key",):
        rows = [{k: v for k, v in row.items() if k != "row_key"} for row in rows]
        keys = tuple(wanted[0]) if wanted else ()
    assert by_key(rows, schema, keys) == by_key(wanted, schema, keys), stream


def assert_equal(result: Result, store: Store, *streams: str) -> None:
    """Compare all rows of documented streams with the store."""
    for stream in streams:
        assert_rows(result, stream, expected_rows(store, stream), BY_NAME[stream].keys)


def ids(rows: Iterable[Record], name: str = "id") -> list[Any]:
    return sorted(row[name] for row in rows)


def union(results: Iterable[Result], stream: str) -> dict[str, Record]:
    """Return the last row for each key, as a target would have it."""
    keys = BY_NAME[stream].keys
    found = {}
    for result in results:
        for row in result.records.get(stream, []):
            found[repr([row[name] for name in keys])] = row
    return found


def assert_union(sandbox: Sandbox, results: list[Result], *streams: str) -> None:
    """Compare what several runs wrote together with the data as it is now."""
    for stream in streams:
        schema = results[-1].schemas[stream]["schema"]
        keys = BY_NAME[stream].keys
        rows = union(results, stream).values()
        wanted = expected_rows(sandbox.store, stream)
        assert by_key(rows, schema, keys) == by_key(wanted, schema, keys), stream
