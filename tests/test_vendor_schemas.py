"""The columns of the vendors' streams against the official descriptions of their records."""

from __future__ import annotations

from collections import defaultdict
from inspect import getattr_static
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis import PACKAGES
from tests.helpers.vendors import CORE, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.support import Record

OFFICIAL: dict[str, dict[str, str]] = load("official_schemas")
KNOWN: dict[str, dict[str, list[str]]] = load("schema_differences")
"""Why, what (official type to ours) and where; null is left out everywhere."""


SCHEMAS: dict[str, Record] = {
    str(getattr_static(stream, "name")): getattr_static(stream, "schema").get_stream_schema(
        stream, stream
    )
    for package in PACKAGES
    for vendor in package.upstreams.values()
    for stream in vendor.streams
}


def columns(stream: str) -> dict[str, str]:
    """Return the types of a stream's columns, and of what is inside them, by path."""
    return dict(inside(SCHEMAS[stream], ""))


def inside(schema: Record, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and types of everything inside a schema."""
    for name, inner in schema.get("properties", {}).items():
        yield from described(inner, f"{path}.{name}" if path else name)
    if isinstance(schema.get("items"), dict):
        yield from described(schema["items"], f"{path}[]")


def described(schema: Record, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and types of a schema and of everything inside."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    form = f":{schema['format']}" if "format" in schema else ""
    yield path, "|".join(sorted(set(types) - {"null"})) + form
    yield from inside(schema, path)


def differences() -> dict[str, set[str]]:
    """Return where the columns differ from the official ones, by how they do."""
    found: dict[str, set[str]] = defaultdict(set)
    for stream, official in OFFICIAL.items():
        ours = columns(stream)
        for path in {**official, **ours}:
            change = (official.get(path, "nothing"), ours.get(path, "nothing"))
            if change[0] != change[1]:
                found[" -> ".join(change)].add(f"{stream}.{path}")
    return found


def test_all_official_streams_are_compared() -> None:
    with_official = {"workforce", "status_page", "experimentation"}
    assert set(OFFICIAL) == {s.name for s in CORE if s.api in with_official}


def test_every_difference_has_a_reason() -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for changes in KNOWN.values():
        for change, paths in changes.items():
            assert not known[change] & set(paths), "a difference with two reasons"
            known[change] |= set(paths)
    assert differences() == known


@pytest.mark.parametrize("stream", OFFICIAL)
def test_no_value_of_the_official_type_is_refused(stream: str) -> None:
    """A type may be wider than the official one, or narrower where a reason says so.

    A text holds whatever comes, as JSON.
    """
    ours = columns(stream)
    narrower = {"number -> integer", "string -> string:date", "string -> string:date-time"}
    narrower.add("array|string -> array")
    for path, official in OFFICIAL[stream].items():
        if path not in ours or official == "any" or ours[path] == "string":
            continue
        change = f"{official} -> {ours[path]}"
        lacking = set(official.split(":")[0].split("|")) - set(ours[path].split(":")[0].split("|"))
        if "number" in ours[path]:
            lacking -= {"integer"}
        assert not lacking or change in narrower, f"{path}: {change}"
