"""Decoding pages straight into types: what leaves is what the usual way makes of them."""

from __future__ import annotations

import copy
import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.http.answers import Answer, decode
from tap_analytics.engine.pages.selector import Selector
from tap_analytics.engine.values.conform import Conformer
from tap_analytics.engine.values.decoding import TypedPages
from tap_analytics.engine.values.encode import canonical, encode, encode_lines
from tap_analytics.engine.values.typed import (
    TypedRecord,
    column,
    leave_out,
    objects_in,
    put,
)
from tests.engine.values.test_conform import NAMES, SCHEMA, TIMED, VALID, WILD

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBERS = [
    Decimal(text) for text in ("1.10", "1e400", "-0.0", "3.0", "1e5", "0.1234567890123456789")
]
AWKWARD = st.sampled_from(["a\x00b", "\ud800", "é", "\\u0000", "a\nb", 2**63, 2**80, *NUMBERS])
DEEP = st.fixed_dictionaries(
    {},
    optional={
        "time": st.none() | st.sampled_from(["2026-01-31T23:00:00-02:00", "2026-01-31T00:00:00Z"]),
        "integer": st.integers(-9, 9),
        "day": st.none() | st.sampled_from(["2026-01-31", "0001-01-01"]),
        "inner": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "days": st.lists(st.just("2026-01-31"), max_size=2),
                "text": st.sampled_from(["", "é", "a\x00b"]),
            },
        ),
    },
)
FLAT = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | st.sampled_from(["", "é", "a\x00b"]),
        "time": st.none() | st.sampled_from(["2026-01-31T23:00:00-02:00", "2026-01-31T00:00:00Z"]),
        "day": st.none() | st.sampled_from(["2026-01-31", "2026-02-30"]),
        "integer": st.none() | st.integers(-9, 9),
        "number": st.none() | st.integers() | st.sampled_from(NUMBERS),
        "list": st.none() | st.lists(st.sampled_from(NUMBERS) | st.booleans(), max_size=2),
        "either": st.none() | st.integers(-9, 9) | st.just("9"),
        "integers": st.none() | st.lists(st.none() | st.integers(-9, 9), max_size=2),
        "rows": st.none() | st.lists(st.none() | DEEP, max_size=3),
        "open": st.none() | st.dictionaries(st.just("text"), st.sampled_from(["", "é"])),
    },
)
"""What can be decoded into types, for the most part."""
RECORDS = VALID | TIMED | FLAT | st.dictionaries(NAMES, WILD | AWKWARD, max_size=4)
PAGES = st.lists(FLAT, max_size=3) | st.lists(RECORDS, max_size=3)


def written(value: Any) -> str:
    """Return a value as JSON, as an API may write it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ,\n".join(map(written, value)) + "]"
    return json.dumps(value)


def pages(
    conformer: Conformer, name: str | None = "data", example: Mapping[str, Any] | None = None
) -> TypedPages:
    """Return what decodes pages of such records, whose first one was like the example."""
    typed = TypedPages(conformer.typed_record, name)
    typed.arrange([dict(example or {})])
    typed.learn([] if name is None else {name: [], "meta": None})
    return typed


def left(typed: TypedPages, conformer: Conformer, records: list[Any]) -> list[bytes]:
    """Conform records, and return what leaves of them, byte by byte."""
    conformer(records)
    typed.arrange(records)
    lines = encode_lines(records).splitlines()
    assert lines == [encode(record) for record in records]
    return lines


EXAMPLES = st.builds(
    lambda names, inner: {**dict.fromkeys(names), "rows": [dict.fromkeys(inner)]},
    st.lists(st.sampled_from(list(SCHEMA["properties"])), unique=True),
    st.permutations(["time", "integer", "day", "inner"]),
)


@settings(max_examples=500)
@given(PAGES, st.sampled_from([(), ("text", "number", "objects")]), EXAMPLES, st.booleans())
def test_both_ways_to_decode_a_page_let_the_same_leave(
    records: list[dict[str, Any]],
    left_out: tuple[str, ...],
    example: dict[str, Any],
    is_deep: bool,  # noqa: FBT001
) -> None:
    body = written({"data": records, "meta": {"total": 7.50}}).encode()
    usual, typed = (Conformer(SCHEMA, left_out=left_out, apart=["text"]) for _ in range(2))
    ways = pages(typed, example=example)
    if not is_deep:
        ways._expect_less()
    decoded = ways.decode(body)
    if decoded is None:
        return
    expected = decode(body)
    assert decoded["meta"] == expected["meta"]
    rows, same = expected["data"], decoded["data"]
    assert canonical(same) == canonical(rows)
    assert [set(row) for row in same] == [set(row) for row in rows]
    assert left(ways, typed, same) == left(ways, usual, rows)
    assert (typed.changed, typed.unknown) == (usual.changed, usual.unknown)
    for name in SCHEMA["properties"]:
        assert encode(column(same, name)) == encode(column(rows, name))


TIMES = {name: {"type": ["string", "null"], "format": "date-time"} for name in ("a", "b", "c")}
SENT = st.sampled_from(
    [
        "2026-01-31T23:00:00-02:00",
        "2026-01-31T23:00:00.5-02:00",
        "2026-01-31T23:00:00+01:00",
        "2026-01-31T23:00:00Z",
        "2026-01-31T23:00:00.250Z",
    ]
)
ODD = st.sampled_from(
    [
        None,
        "2026-01-31 23:00:00Z",
        "2026-01-31T23:00:60Z",
        "2026-01-31T23:00:00.1234567+02:00",
        "0001-01-01T00:00:00+14:00",
        "2026-01-31",
        "soon",
    ]
)


WHOLE = SENT.map(lambda text: dict.fromkeys(TIMES, text))
PARTIAL = st.fixed_dictionaries({"a": SENT}, optional={"b": SENT, "c": SENT | ODD})


@settings(max_examples=500)
@given(st.lists(WHOLE, max_size=4) | st.lists(PARTIAL, max_size=4))
def test_fields_of_times_are_moved_together_as_each_alone(records: list[dict[str, Any]]) -> None:
    conformer = Conformer({"properties": TIMES})
    alone = {name: Conformer({"properties": {name: TIMES[name]}}) for name in TIMES}
    expected = [dict(row) for row in records]
    for row in expected:
        for name, value in row.items():
            single = {name: value}
            alone[name]._fix(single)
            row[name] = single[name]
    typed = pages(conformer).decode(written({"data": records}).encode())
    assert typed is not None
    for rows in (typed["data"], records):
        conformer.forget_drift()
        conformer(rows)
        assert list(map(dict, rows)) == expected
        assert conformer.changed == sum((one.changed for one in alone.values()), Counter())


@given(st.lists(FLAT, max_size=3))
def test_pages_of_the_usual_types_are_decoded_into_them(records: list[dict[str, Any]]) -> None:
    decoded = pages(Conformer(SCHEMA)).decode(written({"data": records}).encode())
    assert decoded is not None
    assert all(isinstance(record, TypedRecord) for record in decoded["data"])
    for name in ("rows", "open"):
        objects = objects_in(decoded["data"], name)
        assert all(isinstance(one, TypedRecord) for one in objects)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"integer": "1"}]},
        {"data": [{"integer": True}]},
        {"data": [{"integer": Decimal("3.0")}]},
        {"data": [{"integer": 2**63}]},
        {"data": [{"text": "\ud800"}]},
        {"data": [{"unknown": 1}]},
        {"data": [None]},
        {"data": {"text": "one object"}},
        {"data": [], "errors": []},
        {"meta": 1},
        [],
    ],
)
def test_what_does_not_fit_is_left_to_the_usual_way(body: Any) -> None:
    assert pages(Conformer(SCHEMA)).decode(written(body).encode()) is None


def test_what_is_around_the_records_is_learnt() -> None:
    typed = pages(Conformer(SCHEMA))
    body = b'{"errors": [], "data": [{}], "meta": {"total": 1}}'
    assert typed.decode(body) is None
    typed.learn(decode(body))
    decoded = typed.decode(body)
    assert decoded is not None
    assert (decoded["errors"], decoded["meta"]) == ([], {"total": 1})
    typed.learn({f"part {number}": 1 for number in range(100)} | {"data": []})
    assert typed.decode(b'{"part 1": 1, "data": []}') is None, "too many to be the parts of a body"


@pytest.mark.parametrize("part", ['of "all"', "a\\b", "a\nb", "\x00", "\ud800"])
def test_parts_that_no_type_can_have_are_left_to_the_usual_way(part: str) -> None:
    typed = pages(Conformer(SCHEMA))
    body = written({"data": [{}], part: 1}).encode()
    assert typed.decode(body) is None
    typed.learn(decode(body))
    assert typed.decode(body) is None


GIVEN = {
    "parent": {"type": ["integer", "null"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "object": {"type": ["object", "null"], "properties": {"text": {"type": "string"}}},
}


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GIVEN, WILD | AWKWARD)))
def test_what_is_put_into_decoded_records_is_made_to_fit(more: dict[str, Any]) -> None:
    conformer = Conformer({"properties": GIVEN | TIMES}, given=GIVEN)
    typed = pages(conformer, None)
    body = b'[{"a": "2026-01-31T23:00:00Z"}, {"b": null}]'
    lines = []
    for rows in (decode(body), typed.decode(body) or []):
        conformer.forget_drift()
        for row in rows:
            row.update(copy.deepcopy(more))
        lines.append((left(typed, conformer, rows), +conformer.changed, +conformer.unknown))
    assert lines[0] == lines[1]


def test_fields_have_the_order_of_the_first_records_that_are_arranged() -> None:
    typed = TypedPages(Conformer(SCHEMA).typed_record, None)
    late = b'[{"integer": 1, "text": "a", "day": null}]'
    assert typed.decode(late) is None, "before the first page was looked at"
    first = [{"day": None}, {"day": None, "text": "a"}]
    typed.arrange(first)
    records = decode(late)
    typed.arrange(records)
    assert list(records[0]) == ["day", "text", "integer"]
    assert encode(typed.decode(late)) == encode(records)
    typed.arrange([{"integer": 1, "day": None}])
    assert encode(typed.decode(late)) == encode(records), "later pages change nothing"


def test_pages_that_never_fit_are_not_tried_for_ever() -> None:
    typed = pages(Conformer(SCHEMA), None)
    good, bad = b"[{}]", b'[{"unknown": 1}]'
    assert typed.decode(good) is not None
    for _ in range(6):
        assert typed.decode(bad) is None
    assert typed.decode(good) is None


@pytest.mark.parametrize(
    "row", [{"surprise": 1}, {"day": "2026-01-31T00:00:00Z"}, {"integer": None}, {"inner": []}]
)
def test_objects_that_do_not_always_fit_are_left_as_they_come(row: dict[str, Any]) -> None:
    typed = pages(Conformer(SCHEMA), None, {"rows": [{"day": None, "integer": 1}]})
    good = b'[{"rows": [{"integer": 1, "day": null}]}]'
    bad = json.dumps([{"rows": [row]}]).encode()
    for _ in range(3):
        assert typed.decode(good) is not None
        assert typed.decode(bad) is None
    assert [type(one) for one in objects_in(typed.decode(bad) or [], "rows")] == [dict]
    records = typed.decode(good) or []
    typed.arrange(records)
    assert encode(records) == b'[{"rows":[{"day":null,"integer":1}]}]', "in the order they had"


def test_a_body_is_decoded_once() -> None:
    typed = pages(Conformer(SCHEMA))
    answer = Answer(200, {}, b'{"data": [{"text": "a"}]}')
    answer.decode_by(typed)
    assert isinstance(answer.json()["data"][0], TypedRecord)
    seen = Answer(200, {}, answer.content)
    before = seen.json()
    seen.decode_by(typed)
    assert seen.json() is before
    assert type(before["data"][0]) is dict


def test_typed_records_are_used_like_dictionaries() -> None:
    records = pages(Conformer(SCHEMA), None).decode(b'[{"text": "a", "integer": null}, {}]')
    assert records is not None
    first, second = records
    assert (list(first), list(first.keys()), list(second)) == (["text", "integer"],) * 2 + ([],)
    assert (first["text"], first.get("integer", 1), first.get("day", 1)) == ("a", None, 1)
    assert ("text" in first, "text" in second, "nothing" in first) == (True, False, False)
    assert dict(first) == {"text": "a", "integer": None}
    with pytest.raises(KeyError):
        second["text"]
    second.update({"text": "b"})
    del first["text"]
    assert column(records, "text") == [None, "b"]
    put(records, ["day", "text"], [1, 2], ["d", "c"])
    leave_out(records, "integer")
    assert msgspec.json.encode(records) == b'[{"text":"c"},{"text":"b","day":"d"}]'


@pytest.mark.parametrize(
    ("path", "name"),
    [("$[*]", ""), ("$.data[*]", "data"), ("$.data", None), ("$", None), ("$.a.b[*]", None)],
)
def test_records_are_typed_where_one_array_holds_them(path: str, name: str | None) -> None:
    assert Selector(path).name == name
