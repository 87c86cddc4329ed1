"""Making records fit their schema."""

from __future__ import annotations

import json
import logging
from collections import Counter
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from singer_sdk.helpers._typing import conform_record_data_types
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_analytics.engine.values.conform import Conformer
from tap_analytics.engine.values.encode import encode

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": ["string", "null"]},
        "time": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "integer": {"type": ["integer", "null"]},
        "number": {"type": ["number", "null"]},
        "boolean": {"type": ["boolean", "null"]},
        "object": {
            "type": ["object", "null"],
            "properties": {
                "integer": {"type": ["integer", "null"]},
                "time": {"type": ["string", "null"], "format": "date-time"},
            },
        },
        "open": {
            "type": ["object", "null"],
            "properties": {"text": {"type": ["string", "null"]}},
            "additionalProperties": True,
        },
        "any": {"type": ["object", "null"]},
        "integers": {"type": ["array", "null"], "items": {"type": ["integer", "null"]}},
        "objects": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {
                    "number": {"type": ["number", "null"]},
                    "day": {"type": "string", "format": "date"},
                    "inner": {
                        "type": ["object", "null"],
                        "properties": {"time": {"type": ["string", "null"], "format": "date-time"}},
                    },
                },
            },
        },
        "rows": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {
                    "integer": {"type": "integer"},
                    "day": {"type": ["string", "null"], "format": "date"},
                    "time": {"type": ["string", "null"], "format": "date-time"},
                    "inner": {
                        "type": ["object", "null"],
                        "properties": {
                            "text": {"type": ["string", "null"]},
                            "days": {
                                "type": "array",
                                "items": {"type": "string", "format": "date"},
                            },
                        },
                    },
                },
                "additionalProperties": True,
            },
        },
        "days": {"type": ["array", "null"], "items": {"type": "string", "format": "date"}},
        "untyped": {"format": "date"},
        "list": {"type": ["array", "null"]},
        "either": {"type": ["integer", "string", "null"]},
    },
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("3.0"), Decimal("1e300"), "2026-01-01", "2026-01-01T01:00+01:00"])
    | st.sampled_from(["true", " 7 ", "1e5", "0", "-3.5", "2026-01-01T00:00:00Z", "NaN"])
    | TEXTS
)
NAMES = st.sampled_from([*SCHEMA["properties"], "unknown"])
WILD = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
OBJECT = st.fixed_dictionaries({}, optional={"integer": st.none() | st.integers(-9, 9)})
VALID = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | TEXTS,
        "integer": st.none() | st.integers(-9, 9),
        "number": st.none() | st.integers(-9, 9),
        "boolean": st.none() | st.booleans(),
        "object": st.none() | OBJECT,
        "open": st.none() | st.dictionaries(st.sampled_from(["text", "more"]), TEXTS),
        "integers": st.none() | st.lists(st.integers(-9, 9), max_size=3),
        "objects": st.none()
        | st.lists(st.fixed_dictionaries({"number": st.integers()}), max_size=2),
        "unknown": st.integers(),
    },
)
MOMENTS = st.none() | st.sampled_from(
    ["", "soon", "2026-01-31", "2026-02-30", "2026-01-31T23:00:00-02:00", "2026-01-31T00:00:00Z"]
)
INNER = st.none() | st.fixed_dictionaries({}, optional={"time": MOMENTS})
TIMED = st.fixed_dictionaries(
    {},
    optional={
        "object": INNER,
        "days": st.lists(MOMENTS.filter(bool), max_size=3),
        "untyped": MOMENTS,
        "objects": st.lists(
            st.fixed_dictionaries({}, optional={"day": MOMENTS.filter(bool), "inner": INNER})
        ),
    },
)
"""What fits by its types and has times deeper down, good and bad ones."""


def conformed(record: dict[str, Any], conformer: Conformer | None = None) -> dict[str, Any]:
    """Conform one record on a page of its own."""
    page = [deepcopy(record)]
    (conformer or Conformer(SCHEMA))(page)
    return page[0]


def value_of(value: Any, field: str = "integer") -> tuple[Any, dict[str, int]]:
    """Conform one value; returns it, and what was counted."""
    conformer = Conformer(SCHEMA)
    return conformed({field: value}, conformer).get(field, "left out"), dict(conformer.changed)


@given(st.dictionaries(NAMES, WILD, max_size=6))
def test_whatever_comes_fits_the_schema(record: dict[str, Any]) -> None:
    row = conformed(record)
    assert list(row) == [name for name in record if name != "unknown"]
    Draft7Validator(SCHEMA).validate(json.loads(encode(row), parse_float=Decimal))


@given(st.lists(VALID | TIMED | st.dictionaries(NAMES, WILD, max_size=6), max_size=4))
def test_a_page_is_conformed_like_its_records(records: list[dict[str, Any]]) -> None:
    one_by_one, at_once = Conformer(SCHEMA), Conformer(SCHEMA)
    page = deepcopy(records)
    at_once(page)
    misfit = {"unknown": 1}
    alone = [deepcopy(record) for record in [*records, misfit]]
    one_by_one(alone)
    assert repr(page) == repr(alone[:-1])
    assert at_once.changed == one_by_one.changed
    assert at_once.unknown + Counter(unknown=1) == one_by_one.unknown


@given(VALID)
def test_valid_records_are_as_the_sdk_makes_them(record: dict[str, Any]) -> None:
    expected = conform_record_data_types(
        "s",
        deepcopy(record),
        SCHEMA,
        TypeConformanceLevel.ROOT_ONLY,
        logging.getLogger("quiet"),
    )
    conformer = Conformer(SCHEMA)
    assert conformed(record, conformer) == expected
    assert conformer.changed == {}


@given(st.dictionaries(NAMES, WILD, max_size=6))
def test_what_fits_stays(record: dict[str, Any]) -> None:
    row = conformed(record)
    again = Conformer(SCHEMA)
    assert repr(conformed(row, again)) == repr(row)
    assert again.changed == again.unknown == {}


@pytest.mark.parametrize(
    ("field", "value", "fixed"),
    [
        ("integer", Decimal("3.0"), 3),
        ("integer", Decimal("1e3"), 1000),
        ("integer", 2**53 + 1, 2**53 + 1),
        ("number", Decimal("1.10"), Decimal("1.10")),
        ("number", Decimal("1.7e308"), Decimal("1.7e308")),
        ("integer", -(2**63), -(2**63)),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("number", 3, 3),
        ("time", "2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("time", "2026-01-01", "2026-01-01T00:00:00Z"),
        ("day", "2024-02-29", "2024-02-29"),
        ("any", {"a": [Decimal(1)]}, {"a": [Decimal(1)]}),
        ("list", [1, "a", None], [1, "a", None]),
        ("any", [], {}),
        ("object", [], {}),
        ("integers", [1, None, Decimal("2.0")], [1, None, 2]),
        ("objects", [{"number": Decimal("1.5")}, None], [{"number": Decimal("1.5")}, None]),
        ("object", {"integer": Decimal("2.0")}, {"integer": 2}),
        ("object", {"time": "2026-01-01"}, {"time": "2026-01-01T00:00:00Z"}),
        ("open", {"text": "a", "more": 1}, {"text": "a", "more": 1}),
        ("either", 1, 1),
        ("either", "a", "a"),
        ("text", None, None),
    ],
    ids=repr,
)
def test_values_of_their_type_are_no_change(field: str, value: Any, fixed: Any) -> None:
    found, changed = value_of(value, field)
    assert (found, type(found), changed) == (fixed, type(fixed), {})


AWKWARD: list[tuple[str, Any, Any]] = [
    ("day", "", None),
    ("day", "soon", None),
    ("day", "0000-00-00", None),
    ("day", "0000-01-01", None),
    ("day", "10000-01-01", None),
    ("day", "2025-02-30", None),
    ("day", "2025-02-29", None),
    ("day", "20250131", None),
    ("day", "2025-W05-5", None),
    ("day", "31/01/2025", None),
    ("day", "2025-01-31T10:00:00Z", None),
    ("day", 1767225600, None),
    ("day", "2025-01-31T", None),
    ("day", " 2025-01-31", "2025-01-31"),
    ("day", "2025-01-31T00:00:00Z", "2025-01-31"),
    ("day", "2025-01-31 00:00:00.000+02:00", "2025-01-31"),
    ("time", "", None),
    ("time", "2025-02-30T00:00:00Z", None),
    ("time", "0000-00-00T00:00:00Z", None),
    ("time", "0000-00-00 00:00:00", None),
    ("time", "10000-01-01T00:00:00Z", None),
    ("time", "2025-01-31T24:00:00Z", None),
    ("time", "2025-01-31T00:60:00Z", None),
    ("time", "2025-01-31T00:00:61Z", None),
    ("time", "2025-01-31T00:00:00+99:99", None),
    ("time", "2025-01-31T00:00:00+24:00", None),
    ("time", "2025-01-31T00:00:00+0160", None),
    ("time", "31/01/2025 10:00", None),
    ("time", "23:59:60Z", None),
    ("time", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("time", "2016-12-31T23:59:60.5+01:00", "2016-12-31T23:00:00.500000Z"),
    ("time", " 2016-12-31T23:59:59Z ", "2016-12-31T23:59:59Z"),
    ("integer", 2**63, None),
    ("integer", -(2**63) - 1, None),
    ("integer", str(2**63), None),
    ("integer", Decimal("1e19"), None),
    ("integer", 10**400, None),
    ("number", "1.8e308", None),
    ("number", "Infinity", None),
    ("boolean", "", None),
]
"""Values of the right type that targets refuse, and what becomes of them."""


@pytest.mark.parametrize(("field", "value", "fixed"), AWKWARD, ids=repr)
@pytest.mark.parametrize("place", ["top", "object", "item", "deep"])
def test_what_leaves_can_be_loaded(place: str, field: str, value: Any, fixed: Any) -> None:
    """Wherever it stands, and whether or not the rest of its page fits."""
    part = {"type": "object", "properties": {"x": SCHEMA["properties"][field]}}
    schema, record, wanted = part, {"x": value}, {"x": fixed}
    path = "x"
    for step in {"top": "", "object": "o", "item": "a", "deep": "aoao"}[place]:
        name, hull = ("o", schema) if step == "o" else ("a", {"type": "array", "items": schema})
        schema = {"type": "object", "properties": {name: hull}}
        record = {name: record if step == "o" else [{}, record]}
        wanted = {name: wanted if step == "o" else [{}, wanted]}
        path = f"{name}{'' if step == 'o' else '[]'}.{path}"
    for others in ([], [{"surplus": 1}]):
        conformer = Conformer(schema)
        page = [deepcopy(record), *deepcopy(others)]
        conformer(page)
        assert page[0] == wanted
        assert conformer.changed == {path: 1}


KEYED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "integer": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "texts": {"type": "array", "items": {"type": "string"}},
        "object": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "more": {"type": ["string", "null"]}},
        },
    },
}


@pytest.mark.parametrize("more", [{}, {"surplus": 1}], ids=["", "surplus"])
@pytest.mark.parametrize("name", list(KEYED["properties"]))
def test_a_null_where_none_may_be_is_never_made_into_a_value(
    name: str, more: dict[str, Any]
) -> None:
    conformer = Conformer(KEYED)
    assert conformed({name: None, **more}, conformer) == {}
    assert conformer.changed == {name: 1}


def test_nulls_deeper_down_are_left_out_where_none_may_be() -> None:
    row = {"texts": [None, "a", None], "object": {"text": None, "more": None}}
    conformer = Conformer(KEYED)
    assert conformed(row, conformer) == {"texts": ["a"], "object": {"more": None}}
    assert conformer.changed == {"texts[]": 2, "object.text": 1}
    assert conformed({"texts": None, "time": "soon", "integer": "x"}) == {
        "time": None,
        "integer": None,
    }
    assert conformed({"time": "soon", "integer": "x"}, conformer) == {}


@pytest.mark.parametrize("row", [{"day": "\ud800"}, {"rows": [{"day": "\udc00"}]}, {"\ud800": 1}])
def test_half_a_surrogate_pair_is_no_failure(row: dict[str, Any]) -> None:
    conformer = Conformer(SCHEMA)
    conformer([row, {"day": "2026-01-31"}])
    assert sum(conformer.changed.values()) + sum(conformer.unknown.values()) == 1


@given(st.lists(st.text("\\u0d8a\x00\ud800\udfff/é", max_size=8), unique=True))
def test_distinct_keys_stay_distinct(keys: list[str]) -> None:
    page: list[dict[str, Any]] = [{"text": key, "other": 1} for key in keys]
    Conformer(KEYED, apart=("text", "integer", "nothing"))(page)
    left = [json.loads(encode(row))["text"] for row in page]
    assert len(set(left)) == len(keys)
    for key, text in zip(keys, left, strict=True):
        assert text == key or {*key} & {"\\", "\0", chr(0xD800), chr(0xDFFF)}


def test_keys_are_written_out_as_in_json() -> None:
    page: list[dict[str, Any]] = [{"text": text} for text in ("a\0b", "\ud83d", "a\\b", "\\u0000")]
    Conformer(KEYED, apart=("text",))(page)
    left = [row["text"] for row in page]
    assert left == ["a\\u0000b", "\\ud83d", "a\\b", "\\\\u0000"]


@pytest.mark.parametrize(
    ("field", "value", "fixed"),
    [
        ("integer", "7", 7),
        ("integer", " -7 ", -7),
        ("integer", "7.0", 7),
        ("integer", "7.5", None),
        ("integer", Decimal("7.5"), None),
        ("integer", Decimal("1e309"), None),
        ("integer", Decimal("NaN"), None),
        ("integer", Decimal("Infinity"), None),
        ("integer", "1e400", None),
        ("integer", "seven", None),
        ("integer", "", None),
        ("integer", True, None),
        ("integer", [], None),
        ("integer", {}, None),
        ("number", "7", 7),
        ("number", "7.10", Decimal("7.10")),
        ("number", "NaN", None),
        ("number", "1e309", None),
        ("number", "-Infinity", None),
        ("number", False, None),
        ("boolean", "TRUE ", True),
        ("boolean", "false", False),
        ("boolean", 1, True),
        ("boolean", 0, False),
        ("boolean", 2, None),
        ("boolean", "yes", None),
        ("boolean", Decimal(1), None),
        ("text", 5, "5"),
        ("text", Decimal("5.10"), "5.10"),
        ("text", True, "true"),
        ("text", {"a": [1]}, '{"a":[1]}'),
        ("text", [None], "[null]"),
        ("time", "soon", None),
        ("time", "", None),
        ("time", 1767225600, None),
        ("time", [], None),
        ("integers", 5, [5]),
        ("list", "a", ["a"]),
        ("any", "a", None),
        ("list", '["a", 1.50]', ["a", Decimal("1.50")]),
        ("list", "[a]", ["[a]"]),
        ("list", '{"a": 1}', ['{"a": 1}']),
        ("any", '{"a": [1e999]}', {"a": ["1e999"]}),
        ("any", "[]", None),
        ("any", [1], None),
        ("object", '{"integer": 2}', {"integer": 2}),
        ("object", 5, None),
        ("either", Decimal("1.5"), None),
    ],
    ids=repr,
)
def test_values_of_other_types_are_converted_where_nothing_is_lost(
    field: str, value: Any, fixed: Any
) -> None:
    found, changed = value_of(value, field)
    assert changed == {field: 1}
    assert (found, type(found)) == (fixed, type(fixed))


@pytest.mark.parametrize(("value", "fixed"), [("5", 5), (False, None), ("x", None), ({}, None)])
def test_single_values_in_place_of_an_array_fit_it(value: Any, fixed: Any) -> None:
    found, changed = value_of(value, "integers")
    assert found == [fixed]
    assert changed["integers"] == 1


def test_changes_are_counted_at_their_place() -> None:
    conformer = Conformer(SCHEMA)
    for _ in range(2):
        conformed(
            {"integers": ["x", 1, "y"], "object": {"integer": "x"}, "objects": [{"number": []}]},
            conformer,
        )
    assert conformer.changed == {"integers[]": 4, "object.integer": 2, "objects[].number": 2}


def test_fields_outside_the_schema_are_left_out_and_counted() -> None:
    conformer = Conformer(SCHEMA)
    row = conformed(
        {"x": 1, "text": "a", "object": {"y": 1, "integer": 2}, "objects": [{"z": 1}]}, conformer
    )
    assert row == {"text": "a", "object": {"integer": 2}, "objects": [{}]}
    assert conformer.unknown == {"x": 1, "object.y": 1, "objects[].z": 1}
    assert conformer.changed == {}


KEEPING = {
    **SCHEMA,
    "properties": {**SCHEMA["properties"], "unknown_fields": {"type": ["object", "null"]}},
}


def test_fields_outside_the_schema_are_kept_by_their_path_where_wanted() -> None:
    conformer = Conformer(KEEPING, left_out=("any",))
    row = {
        "x{}[]": 1,
        "text": "a",
        "any": {"secret": 1},
        "object": {"integer": 2, "y": [None]},
        "objects": [{"z": 1}, None, {"z": {"a": 2}, "number": 3}],
        "unknown_fields": "theirs",
    }
    kept = {
        "x{}[]": 1,
        "object.y": [None],
        "objects[0].z": 1,
        "objects[2].z": {"a": 2},
        "unknown_fields": "theirs",
    }
    page: list[dict[str, Any]] = [row, {"text": "b"}]
    conformer(page)
    assert page == [
        {
            "text": "a",
            "object": {"integer": 2},
            "objects": [{}, None, {"number": 3}],
            "unknown_fields": kept,
        },
        {"text": "b", "unknown_fields": None},
    ]
    assert conformer.unknown["objects[].z"] == 2
    page = [{"text": "b"}]
    conformer(page)
    assert page == [{"text": "b", "unknown_fields": None}]


def test_of_many_unknown_names_only_some_are_remembered() -> None:
    conformer = Conformer(SCHEMA)
    for number in range(3000):
        conformed({f"{number}" + "x" * 5000: 1, "object": {f"{number}": 1}}, conformer)
    assert len(conformer.unknown) <= 501
    assert sum(conformer.unknown.values()) == 6000
    assert max(map(len, conformer.unknown)) <= 200


def test_open_objects_take_anything() -> None:
    conformer = Conformer(SCHEMA)
    assert conformed({"open": {"x": 1}}, conformer) == {"open": {"x": 1}}
    assert conformer.unknown == {}


def test_fields_that_are_left_out_are_not_counted() -> None:
    conformer = Conformer(SCHEMA, left_out=("text", "gone"))
    assert conformed({"text": 5, "gone": 1, "integer": 1}, conformer) == {"integer": 1}
    assert conformer.unknown == conformer.changed == {}


def test_fields_deeper_down_are_not_left_out_with_their_namesakes() -> None:
    conformer = Conformer(SCHEMA, left_out=("integer",))
    assert conformed({"integer": 1, "object": {"integer": 1}}, conformer) == {
        "object": {"integer": 1}
    }


def test_types_may_be_single_or_missing() -> None:
    conformer = Conformer({"properties": {"id": {"type": "string"}, "free": {}}})
    assert conformed({"id": 5, "free": [1]}, conformer) == {"id": "5", "free": [1]}
    assert conformer.changed == {"id": 1}
    assert conformed({"a": 1}, Conformer({})) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("on", "on"),
        (None, None),
        (True, "true"),
        (3, "3"),
        (2**70, str(2**70)),
        (Decimal("2.50"), "2.50"),
        ({"a": [1]}, '{"a":[1]}'),
        ([], "[]"),
    ],
)
def test_what_may_be_anything_is_no_change_of_shape(value: Any, text: str | None) -> None:
    """A text with the media type of JSON holds as JSON whatever else comes."""
    column = {"type": ["string", "null"], "contentMediaType": "application/json"}
    conformer = Conformer({"properties": {"any": column, "text": {"type": ["string", "null"]}}})
    records = [{"any": value, "text": "a"}, {"any": "b", "text": "a"}]
    conformer(records)
    assert [record["any"] for record in records] == [text, "b"]
    assert conformer.changed == {}
    conformer([{"any": value, "text": [1]}])
    assert conformer.changed == {"text": 1}, "of all others it is one"
