"""Finding records in answers."""

from __future__ import annotations

from typing import Any

import pytest

from tap_analytics.engine.pages.selector import Selector

A, B = {"id": 1}, {"id": 2}


@pytest.mark.parametrize(
    ("path", "body", "found", "is_object"),
    [
        ("$[*]", [A, B], [A, B], False),
        ("$[*]", [], [], False),
        ("$[*]", A, [A], True),
        ("$", A, [A], False),
        ("$.data", {"data": A}, [A], False),
        ("$.data[*]", {"data": [A, B]}, [A, B], False),
        ("$.data[*]", {"data": [A]}, [A], False),
        ("$.data[*]", {"data": A}, [A], True),
        ("$.data[*]", {"data": []}, [], False),
        ("$.a.b[*]", {"a": {"b": [A]}}, [A], False),
        ("$.data[*].rules[*]", {"data": [{"rules": [A]}, {"rules": [B]}]}, [A, B], False),
        ("$.data[*].rules[*]", {"data": {"rules": [A, B]}}, [A, B], False),
        ("$.data[*].rules[*]", {"data": {"rules": A}}, [A], True),
        ("$.data[*].rules[*]", {"data": [{"rules": A}, {"rules": B}]}, [A, B], False),
        ("$.data[*].rules[*]", {"data": []}, [], False),
    ],
)
def test_records_are_found(path: str, body: Any, found: list[Any], *, is_object: bool) -> None:
    assert Selector(path).find(body)[:2] == (found, is_object)


@pytest.mark.parametrize(
    ("path", "body", "items"),
    [
        ("$.data[*]", {"data": [A, B]}, 2),
        ("$.data[*]", {"data": []}, 0),
        ("$.data[*]", {"data": A}, 1),
        ("$", A, 1),
        ("$.data[*].rules[*]", {"data": [{"rules": []}, {"rules": []}]}, 2),
        ("$.data[*].rules[*]", {"data": []}, 0),
        ("$.data[*].rules[*]", {"data": {"rules": []}}, 0),
        ("$.data[*].rules[*]", {"data": {"rules": [A]}}, 1),
    ],
)
def test_groups_without_records_are_something(path: str, body: Any, items: int) -> None:
    assert len(Selector(path).find(body).items) == items


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "data",
        5,
        {},
        {"data": None},
        {"data": 5},
        {"data": "x"},
        {"data": [1]},
        {"data": [A, None]},
        {"data": [[A]]},
        {"Data": []},
    ],
    ids=repr,
)
def test_other_answers_have_no_place_for_records(body: Any) -> None:
    with pytest.raises(LookupError) as failure:
        Selector("$.data[*]").find(body)
    assert failure.value.args == ("$.data[*]",)


def test_every_object_on_the_way_needs_the_name() -> None:
    with pytest.raises(LookupError):
        Selector("$.data[*].rules[*]").find({"data": [{"rules": []}, {}]})


@pytest.mark.parametrize(
    "path", ["data", "$..id", "$.a[0]", "$['a']", "$.a[*]b", "", "$.a[?(@.b)]"]
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="unsupported records path"):
        Selector(path)
