"""Every field that may be null is null in some row of its stream, and is not in another."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Store
from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tap_analytics.sandbox.contracts.tables import tables_of
from tap_analytics.sandbox.data.patterns import LEVELS, PATTERNS, Weaver
from tap_analytics.sandbox.data.ties import references, tied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_analytics.sandbox.contract import Api

ROWS = 25
FEW = 8
"""More than the patterns that show every field with and without a value."""


def levels(kind: Any, shared: dict[str, Any]) -> int:
    """Return how many objects are inside each other."""
    if isinstance(kind, list):
        return levels(kind[0], shared)
    if isinstance(kind, dict):
        return 1 + max((levels(inner, shared) for inner in kind.values()), default=0)
    return levels(shared[kind[1:]], shared) if kind.startswith("$") else 0


def optional(
    kind: Any, shared: dict[str, Any], values: Sequence[Any], path: str = ""
) -> Iterator[tuple[str, set[bool]]]:
    """Yield each field that may be null or absent, with whether it has a value, in some rows.

    Args:
        kind: What a table of fields says of a place.
        shared: Tables that it may name.
        values: What stands there in the rows.
        path: The place.
    """
    if isinstance(kind, str):
        if kind.startswith("$"):
            yield from optional(shared[kind[1:]], shared, values, path)
        return
    if isinstance(kind, list):
        items = [one for array in values if array for one in array]
        yield from optional(kind[0], shared, items, f"{path}[]")
        return
    objects = [one for one in values if isinstance(one, dict)]
    last = {name: names for names in kind for name in re.findall(r"[^ ?~]+", names)}
    for name, names in last.items():
        inner = [one.get(name) for one in objects]
        if names[-1] in "?~":
            yield f"{path}.{name}", {value is not None for value in inner}
        yield from optional(kind[names], shared, inner, f"{path}.{name}")


def one_sided(api: Api, store: Store) -> dict[str, list[str]]:
    """Return the fields of an API that always have a value or never have one, by stream."""
    streams, shared = tables_of(api)
    pointing = references(api)
    found = {}
    for route in api.routes:
        table = tied(route.stream, streams[route.stream], pointing)
        rows = store.expected(route.stream)
        places = optional(table, shared, rows)
        if fields := [place for place, seen in places if len(seen) < 2]:
            found[route.stream] = fields if len(rows) > 1 else []
    return {stream: fields for stream, fields in found.items() if fields}


@pytest.mark.parametrize("apis", [APIS, UPSTREAMS], ids=["documented", "vendors"])
def test_every_optional_field_is_there_and_is_not(apis: tuple[Api, ...]) -> None:
    """Streams of one row aside, which is a full one."""
    store = Store(ROWS, apis=apis)
    assert {api.name: one_sided(api, store) for api in apis} == {api.name: {} for api in apis}


def test_a_few_rows_are_enough() -> None:
    table = {"id": "int 1 9", "a?": {"b c?": "$deep", "d~": "bool"}, "e~": [{"f?": "text"}, 2]}
    shared = {"deep": {"g": "text", "h?": "text"}}
    weaver = Weaver(table, shared)
    rows = [json.loads(weaver.weave("made-up", number).template) for number in range(FEW)]
    seen = dict(optional(table, shared, rows))
    assert len(seen) == 8
    assert set(map(frozenset, seen.values())) == {frozenset({True, False})}
    assert levels(table, shared) == 3


def test_no_table_has_more_levels_than_the_first_patterns_show() -> None:
    deepest = 0
    for api in (*APIS, *UPSTREAMS):
        streams, shared = tables_of(api)
        deepest = max(deepest, *(levels(table, shared) for table in streams.values()))
    assert 3 < deepest <= LEVELS < FEW < PATTERNS


def test_a_field_that_is_never_null_is_found() -> None:
    """The failing twin: one row cannot show both."""
    store = Store(1, apis=UPSTREAMS)
    table, shared = {"name?": "text"}, dict[str, Any]()
    assert dict(optional(table, shared, [{"name": 1}, {"name": 2}])) == {".name": {True}}
    assert dict(optional(table, shared, [{"name": None}])) == {".name": {False}}
    (vendor,) = [api for api in UPSTREAMS if api.name == "status_page"]
    assert not one_sided(vendor, store).get("pages")
    store.append("pages", store.expected("pages")[0])
    assert one_sided(vendor, store)["pages"]
