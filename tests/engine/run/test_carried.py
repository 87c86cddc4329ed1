"""Which fields rows carry, and what the state keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.run.bookmarks import Entry
from tap_analytics.engine.run.carried import Carried, compare, noted, recall
from tap_analytics.engine.values.typed import typed_record

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream

NAMES = tuple("abcdefghij")
MANY = 1000


class Columns:
    """As much of a stream as this needs."""

    def __init__(self, *names: str, deselected: tuple[str, ...] = ()) -> None:
        self.schema = {"properties": dict.fromkeys(names)}
        self.deselected_fields = deselected
        self.left_out = ("secret",)


def columns(*names: str, **more: Any) -> AnalyticsStream:
    return cast("AnalyticsStream", Columns(*(names or NAMES), **more))


def entry_with(text: Any) -> Entry:
    return Entry({"bookmarks": {"s": {"carried": text}}}, "s")


def seen(*pages: list[dict[str, Any]], before: str = "") -> Carried:
    carried = Carried(before)
    for records in pages:
        carried.see(records)
    return carried


def test_a_null_is_carried_and_what_is_absent_is_not() -> None:
    carried = seen([{"a": 1, "b": None}, {"a": None, "b": 2, "c": 3}], before="abcd")
    assert carried.always == {"a", "b"}
    assert carried.missing == ["d"]


RECORDS = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 1), max_size=3), max_size=4
)


@given(st.lists(RECORDS, max_size=3))
def test_typed_records_carry_what_dictionaries_carry(pages: list[list[dict[str, Any]]]) -> None:
    record = typed_record({"properties": {name: {} for name in "abc"}})
    typed = [msgspec.convert(records, list[record]) for records in pages]  # type: ignore[valid-type]
    one, other = seen(*pages, before="abd"), seen(*typed, before="abd")
    assert (one.always, one.missing) == (other.always, other.missing)


def test_without_rows_nothing_is_said() -> None:
    carried = seen([], before="a")
    assert carried.always is None
    assert carried.missing == ["a"]


def test_one_row_anywhere_shows_that_a_field_is_there() -> None:
    pages = [[{"a": 1}] * MANY, [{"a": 1}] * 50 + [{"a": 1, "b": 2}] + [{"a": 1}] * 50]
    assert seen(*pages, before="ab").missing == []
    assert seen(*pages, before="abc").missing == ["c"]


def test_of_long_lists_the_first_rows_and_both_ends_of_pages_are_looked_at() -> None:
    whole, lacking = {"a": 1, "b": 2}, {"a": 1}
    assert seen([whole] * (MANY - 1) + [lacking]).always == {"a"}
    assert seen([whole] * MANY, [lacking, whole, whole]).always == {"a"}
    assert seen([whole] * MANY, [whole, whole, lacking]).always == {"a"}
    assert seen([whole] * MANY, [whole, lacking, whole]).always == {"a", "b"}


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.text(max_size=5)))
def test_the_state_keeps_which_columns_are_carried(fields: set[str], others: set[str]) -> None:
    stream = columns()
    text = noted(stream, fields | others)
    assert recall(stream, entry_with(text)) == fields | others & {*NAMES}
    assert len(text) <= 8 + len(NAMES)


def test_a_hundred_columns_take_a_few_dozen_characters() -> None:
    names = [f"a_column_with_a_long_name_{number}" for number in range(100)]
    assert len(noted(columns(*names), names)) == 8 + 25


def test_of_other_columns_nothing_is_known() -> None:
    text = noted(columns(), NAMES)
    assert recall(columns(*NAMES), entry_with(text)) == {*NAMES}
    assert recall(columns(*NAMES, "k"), entry_with(text)) == set()
    assert recall(columns(*NAMES[1:]), entry_with(text)) == set()


@pytest.mark.parametrize("text", [None, 5, "", [], {}, "x", "0123456789", "{digest}", "{digest}z"])
def test_what_is_no_note_is_not_believed(text: Any) -> None:
    digest = noted(columns(), ())[:8]
    text = text.replace("{digest}", digest) if isinstance(text, str) else text
    assert recall(columns(), entry_with(text)) == set()


def test_what_is_gone_is_said_until_it_comes_back() -> None:
    stream, entry = columns("a", "b"), Entry({}, "s")

    def run(*records: dict[str, Any], saw_all: bool = True) -> list[str]:
        carried = seen([*records], before="".join(recall(stream, entry)))
        return compare(stream, entry, [carried], saw_all=saw_all)

    assert run({"a": 1, "b": 1}) == []
    assert run({"a": 1}) == ["b"]
    assert run({"a": 1}) == ["b"]
    assert run({"a": 1}, {"a": 1, "b": 1}) == []
    assert run({"a": 1}) == []


def test_a_part_of_the_rows_unlearns_but_does_not_teach() -> None:
    stream, entry = columns("a", "b"), Entry({}, "s")
    compare(stream, entry, [seen([{"a": 1}])], saw_all=True)
    compare(stream, entry, [seen([{"a": 1, "b": 1}], before="a")], saw_all=False)
    assert recall(stream, entry) == {"a"}
    compare(stream, entry, [seen([{"a": 1}, {"b": 1}], before="a")], saw_all=False)
    assert recall(stream, entry) == set()


def test_what_one_account_carries_is_not_gone() -> None:
    stream, entry = columns("a", "b", "c"), Entry({}, "s")
    with_b = seen([{"a": 1, "b": 1}], before="abc")
    without = seen([{"a": 1}], before="abc")
    assert compare(stream, entry, [with_b, without], saw_all=True) == ["c"]
    assert recall(stream, entry) == {"a", "c"}


def test_columns_that_nobody_wants_are_not_missed() -> None:
    stream = columns("a", "b", "secret", deselected=("b",))
    carried = seen([{}], before="")
    carried.missing = ["a", "b", "secret"]
    assert compare(stream, Entry({}, "s"), [carried], saw_all=True) == ["a"]
