"""Lines of JSON that any target can read."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.values.encode import canonical, encode, encode_lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
WILD = st.text(st.characters(codec=None), max_size=8) | st.text("\x00\ud800\udc00a", max_size=6)


@given(VALUES)
def test_values_survive(value: Any) -> None:
    if "\x00" not in repr(value) and "\\x00" not in repr(value):
        assert json.loads(encode(value)) == value
        assert json.loads(canonical(value)) == value


@given(st.dictionaries(WILD, WILD | st.lists(WILD), max_size=4))
def test_any_text_becomes_sound_utf_8(value: Any) -> None:
    text = encode(value).decode("utf-8")
    assert "\\u0000" not in text
    assert "\x00" not in json.dumps(json.loads(text), ensure_ascii=False)


@given(st.lists(VALUES | WILD | st.just("\\u0000"), max_size=4))
def test_values_are_encoded_together_as_they_are_alone(values: list[Any]) -> None:
    assert encode_lines(values) == b"".join(encode(value) + b"\n" for value in values)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"a": "x\x00y"}, b'{"a":"xy"}'),
        ({"a\x00": [("\x00", 1)]}, b'{"a":[["",1]]}'),
        ("\ud83d", '"\N{REPLACEMENT CHARACTER}"'.encode()),
        ("\ud83d\ude00", '"\N{GRINNING FACE}"'.encode()),
        ("a\ud83db", '"a\N{REPLACEMENT CHARACTER}b"'.encode()),
        ("\\u0000", b'"\\\\u0000"'),
        (Decimal("1.10"), b"1.10"),
        ([Decimal("12345678901234567890.5")], b"[12345678901234567890.5]"),
        (2**53 + 1, b"9007199254740993"),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), b'"2026-01-02T00:00:00Z"'),
        (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        ({"b": 1, "a": 2}, b'{"b":1,"a":2}'),
        ("é/\n", b'"\xc3\xa9/\\n"'),
    ],
    ids=repr,
)
def test_lines_are(value: Any, line: bytes) -> None:
    assert encode(value) == line


@pytest.mark.parametrize("escape", ["\n", '"', "\\", "\x01"])
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 1000])
def test_a_nul_is_found_behind_however_many_escapes(escape: str, count: int) -> None:
    before = f"a{escape}" * count
    assert json.loads(encode([before, "b\0c", before])) == [before, "bc", before]
    assert json.loads(encode([before, "u0000"])) == [before, "u0000"]


def test_other_objects_leave_as_text() -> None:
    assert encode({"a": 1 + 2j}) == b'{"a":"(1+2j)"}'


def test_canonical_lines_do_not_depend_on_order() -> None:
    one = {"b": {"d": 1, "c": [2]}, "a": "x"}
    assert canonical(one) == b'{"a":"x","b":{"c":[2],"d":1}}'
    assert canonical({"a": "x", "b": {"c": [2], "d": 1}}) == canonical(one)


def test_canonical_lines_depend_on_all_else() -> None:
    assert len({canonical(v) for v in (1, "1", [1], {"1": 1}, None, True, Decimal("1.0"))}) == 7
