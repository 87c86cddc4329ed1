"""How far a stream was read: what is kept, and when it may be trusted."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.run.bookmarks import Bookmark, ChildBookmark, Entry, Ties
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import (
    FIRST,
    Cursor,
    EpochMilliseconds,
    EpochSeconds,
    IsoTime,
)
from tests.engine.doubles import row

SECOND = 1_000_000
STARTED = 1_000_000 * SECOND
LATEST = STARTED - 5 * SECOND


class Plain(Cursor):
    """Orders as they are."""

    def order(self, value: Any) -> int:
        if type(value) is not int:
            raise ValueError(value)
        return value

    def value(self, moment: int) -> int:
        return moment


def entry_of(**values: Any) -> Entry:
    return Entry({"bookmarks": {"s": values}} if values else {}, "s")


def bookmark_of(entry: Entry, cursor: Cursor | None = None) -> Bookmark:
    return Bookmark(entry, "at", cursor or Plain(), STARTED)


def at(value: Any, **more: Any) -> Entry:
    return entry_of(replication_key="at", replication_key_value=value, **more)


def value_of(entry: Entry) -> Any:
    return entry.read().get("replication_key_value")


def test_an_entry_is_there_once_something_is_written() -> None:
    state: dict[str, Any] = {}
    entry = Entry(state, "s")
    assert entry.read() == {}
    assert state == {}
    entry.write(a=1, b=None)
    assert state == {"bookmarks": {"s": {"a": 1}}}
    entry.write(a=None, c=2)
    assert state == {"bookmarks": {"s": {"c": 2}}}
    assert entry.read() == {"c": 2}


def test_entries_leave_others_alone() -> None:
    state: dict[str, Any] = {"bookmarks": {"other": {"x": 1}}}
    Entry(state, "s").write(a=1)
    assert state == {"bookmarks": {"other": {"x": 1}, "s": {"a": 1}}}
    assert Entry(state, "third").read() == {}


def test_without_a_bookmark_all_is_read() -> None:
    bookmark = bookmark_of(entry_of())
    assert (bookmark.since, bookmark.trouble) == (None, None)


@pytest.mark.parametrize("value", [5, 0, -7, STARTED])
def test_a_bookmark_is_where_to_start(value: int) -> None:
    bookmark = bookmark_of(at(value))
    assert (bookmark.since, bookmark.trouble) == (value, None)


def test_a_bookmark_without_the_name_of_its_key_is_ours() -> None:
    assert bookmark_of(entry_of(replication_key_value=5)).since == 5


def test_a_bookmark_of_another_key_is_not_ours() -> None:
    bookmark = bookmark_of(entry_of(replication_key="other", replication_key_value=5))
    assert (bookmark.since, bookmark.trouble) == (None, None)


def test_a_bookmark_in_the_future_is_not_trusted() -> None:
    bookmark = bookmark_of(at(STARTED + times.DAY + 1))
    assert bookmark.since is None
    assert bookmark.trouble == "its bookmark lies in the future, so it is read from the start"


@pytest.mark.parametrize("value", ["soon", {"a": 1}, [1], True, ""], ids=repr)
def test_a_bookmark_that_cannot_be_read_is_not_trusted(value: object) -> None:
    bookmark = bookmark_of(at(value))
    assert bookmark.since is None
    assert bookmark.trouble == "its bookmark could not be read, so it is read from the start"


@pytest.mark.parametrize("kind", [EpochSeconds, EpochMilliseconds, IsoTime])
def test_a_bookmark_may_be_a_time_whatever_the_cursor(kind: type[Cursor]) -> None:
    cursor = kind()
    assert bookmark_of(at("1970-01-02"), cursor).since == 86_400 * SECOND


def test_it_moves_with_every_row() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    for order in (3, 3, 8, LATEST):
        bookmark.advance(row(order))
        assert entry.read() == {"replication_key": "at", "replication_key_value": order}


def test_it_never_goes_back() -> None:
    entry = at(8)
    bookmark = bookmark_of(entry)
    for order in (3, 7):
        bookmark.advance(row(order))
        assert value_of(entry) == 8
    bookmark.advance(row(9))
    assert value_of(entry) == 9


def test_a_row_without_its_key_does_not_move_it() -> None:
    entry = entry_of()
    bookmark_of(entry).advance(row(FIRST))
    assert entry.read() == {}


def test_it_takes_the_value_of_the_row() -> None:
    entry = entry_of()
    bookmark_of(entry).advance(row(3)._replace(value="three"))
    assert value_of(entry) == "three"


@pytest.mark.parametrize("began", [None, STARTED - 600 * SECOND, STARTED + 600 * SECOND])
def test_it_stops_a_little_before_the_servers_time_when_the_list_began(began: int | None) -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.bound(began)
    latest = (began or STARTED) - 5 * SECOND
    for order in (latest + 1, STARTED + times.DAY):
        bookmark.advance(row(order))
        assert entry.read() == {}
    bookmark.advance(row(latest))
    assert value_of(entry) == latest


def test_of_several_lists_the_first_begun_bounds_it() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    for began in (50 * SECOND, 40 * SECOND, 60 * SECOND):
        bookmark.bound(began)
    bookmark.advance(row(35 * SECOND))
    bookmark.advance(row(36 * SECOND))
    assert value_of(entry) == 35 * SECOND


def test_in_doubt_it_stays_and_goes_on_once_that_is_settled() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.advance(row(5))
    bookmark.is_in_doubt = True
    bookmark.advance(row(7))
    bookmark.advance(row(8))
    bookmark.settle()
    assert value_of(entry) == 5
    bookmark.is_in_doubt = False
    bookmark.settle()
    assert value_of(entry) == 8


def test_it_stops_at_a_row_whose_children_are_missing() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.advance(row(5))
    bookmark.advance(row(7), complete=False)
    assert value_of(entry) == 7
    for order in (8, STARTED, STARTED + 5):
        bookmark.advance(row(order))
        assert value_of(entry) == 7
    bookmark.advance(row(7))
    assert value_of(entry) == 7


def test_it_stops_before_a_row_that_is_held() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.hold(7)
    bookmark.hold(9)
    bookmark.advance(row(8))
    assert entry.read() == {}
    bookmark.advance(row(7))
    assert value_of(entry) == 7


def test_a_row_without_key_whose_children_are_missing_holds_everything() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.advance(row(FIRST), complete=False)
    bookmark.advance(row(5))
    assert entry.read() == {}


def test_covering_is_kept_with_the_bookmark() -> None:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.cover(["b", "a"])
    assert entry.read() == {}
    bookmark.advance(row(5))
    assert entry.read()["covers"] == ["a", "b"]
    assert bookmark.trouble is None


def test_a_bookmark_that_covers_the_same_or_more_is_trusted() -> None:
    for covers in (["a", "b"], ["a", "b", "c"]):
        bookmark = bookmark_of(at(5, covers=covers))
        bookmark.cover(["b", "a"])
        assert (bookmark.since, bookmark.trouble) == (5, None)


def test_a_bookmark_says_nothing_about_streams_it_does_not_cover() -> None:
    bookmark = bookmark_of(at(5, covers=["a"]))
    bookmark.cover(["c", "a", "b"])
    assert bookmark.since is None
    assert bookmark.trouble == "newly selected: b, c; read from the start"


def test_covering_says_nothing_without_a_bookmark() -> None:
    bookmark = bookmark_of(entry_of(covers=["a"]))
    bookmark.cover(["a", "b"])
    assert (bookmark.since, bookmark.trouble) == (None, None)


def test_a_bookmark_from_before_there_was_covering_is_trusted() -> None:
    bookmark = bookmark_of(at(5))
    bookmark.cover(["a"])
    assert (bookmark.since, bookmark.trouble) == (5, None)


def test_ties_are_told_apart_by_their_keys() -> None:
    def digest(*keys: Any) -> str | None:
        ties = Ties()
        for key in keys:
            ties.add(row(5, key))
        return ties.result()

    assert digest(1, 2) == digest(2, 1)
    assert len({digest(), digest(1), digest(2), digest("1"), digest(1, 2), digest(1, 1)}) == 6
    marks = [int(blake2b(repr(key).encode(), digest_size=8).hexdigest(), 16) for key in (1, "b")]
    assert digest(1, "b") == f"{sum(marks):x}"
    assert digest() == "0"


@given(st.lists(st.integers(), max_size=6), st.integers(1, 9))
def test_ties_do_not_depend_on_order_or_on_other_orders(keys: list[int], before: int) -> None:
    one, other = Ties(), Ties()
    one.add(row(1, 99, number=before))
    for key in keys:
        one.add(row(5, key))
    for key in reversed(keys):
        other.add(row(5, key, number=before, lines=b"x"))
    assert not keys or one.result() == other.result()


def test_ties_with_a_row_that_is_not_complete_say_nothing() -> None:
    ties = Ties()
    ties.add(row(5, 1), complete=False)
    ties.add(row(5, 2))
    assert ties.result() is None
    ties.add(row(6, 2))
    whole = Ties()
    whole.add(row(6, 2))
    assert ties.result() == whole.result()


def settled(*keys: int, order: int = STARTED - 100 * SECOND) -> Entry:
    entry = entry_of()
    bookmark = bookmark_of(entry)
    bookmark.cover(["s"])
    for key in keys:
        bookmark.advance(row(order, key))
    return entry


def ties_of(*keys: int, order: int = STARTED - 100 * SECOND) -> Ties:
    ties = Ties()
    for key in keys:
        ties.add(row(order, key))
    return ties


def test_the_rows_at_the_bookmark_are_known_again() -> None:
    bookmark = bookmark_of(settled(1, 2))
    assert bookmark.is_done(ties_of(2, 1))
    assert not bookmark.is_done(ties_of(1))
    assert not bookmark.is_done(ties_of(1, 2, 3))


def test_the_rows_at_the_bookmark_are_unknown_without_covering() -> None:
    entry = entry_of()
    bookmark_of(entry).advance(row(5, 1))
    assert "done" not in entry.read()
    assert not bookmark_of(entry).is_done(ties_of(1, order=5))


@pytest.mark.parametrize(("before", "done"), [(64, False), (65, False), (66, True)])
def test_fresh_rows_are_never_done(before: int, *, done: bool) -> None:
    entry = settled(1, order=STARTED - before * SECOND)
    assert ("done" in entry.read()) is done


def test_a_row_that_is_not_complete_is_never_done() -> None:
    entry = settled(1)
    again = bookmark_of(entry)
    again.cover(["s"])
    again.advance(row(STARTED - 99 * SECOND, 1), complete=False)
    assert "done" not in entry.read()


def test_nothing_is_done_for_a_bookmark_that_is_not_trusted() -> None:
    bookmark = bookmark_of(settled(1))
    bookmark.cover(["s", "new"])
    assert not bookmark.is_done(ties_of(1))


def test_nothing_is_done_where_nothing_is_known() -> None:
    ties = Ties()
    ties.add(row(5, 1), complete=False)
    assert not bookmark_of(at(5)).is_done(ties)


def child_of(entry: Entry) -> ChildBookmark:
    return ChildBookmark(entry, bookmark_of(entry))


def test_a_child_starts_at_its_bookmark_below_the_same_parents() -> None:
    assert child_of(at(5, parents="x")).since("x") == 5


@pytest.mark.parametrize(("before", "now"), [("x", "y"), ("x", None), (None, "x"), (None, None)])
def test_a_child_starts_over_below_other_parents(before: object, now: str | None) -> None:
    assert child_of(at(5, parents=before)).since(now) is None


def test_a_childs_bookmark_moves_at_the_end_to_the_latest_row() -> None:
    entry = entry_of()
    child = child_of(entry)
    child.since("x")
    for order in (4, 9, 2, FIRST):
        child.note(row(order))
    assert entry.read() == {}
    child.commit()
    assert entry.read() == {"replication_key": "at", "replication_key_value": 9, "parents": "x"}


def test_of_several_latest_rows_the_first_counts() -> None:
    entry = entry_of()
    child = child_of(entry)
    child.note(row(9)._replace(value="one"))
    child.note(row(9)._replace(value="two"))
    child.commit()
    assert entry.read() == {"replication_key": "at", "replication_key_value": "one"}


def test_a_childs_bookmark_never_moves_back() -> None:
    entry = at(5, parents="x")
    child = child_of(entry)
    child.since("x")
    child.note(row(4))
    child.commit()
    assert entry.read() == {"replication_key": "at", "replication_key_value": 5, "parents": "x"}


def test_a_childs_bookmark_takes_a_row_of_the_same_moment() -> None:
    entry = at(5, parents="x")
    child = child_of(entry)
    child.since("x")
    child.note(row(5)._replace(value="five"))
    child.commit()
    assert value_of(entry) == "five"


def test_a_child_without_rows_keeps_its_bookmark_and_takes_the_parents() -> None:
    entry = at(5, parents="x")
    child = child_of(entry)
    child.since("y")
    child.commit()
    assert entry.read() == {"replication_key": "at", "replication_key_value": 5, "parents": "y"}


def test_a_child_that_never_had_a_row_leaves_no_trace() -> None:
    entry = entry_of()
    child = child_of(entry)
    child.since("x")
    child.note(row(FIRST))
    child.commit()
    assert entry.read() == {}


def test_a_parent_that_was_not_there_makes_the_next_run_start_over() -> None:
    entry = at(5, parents="x")
    child = child_of(entry)
    child.since("x")
    child.miss()
    child.commit()
    assert entry.read() == {"replication_key": "at", "replication_key_value": 5}


@given(
    st.lists(st.integers(0, 9), max_size=12), st.sampled_from([[], ["s", "t"]]), st.integers(0, 12)
)
def test_many_rows_at_once_move_it_as_one_after_the_other_does(
    orders: list[int], covers: list[str], limit: int
) -> None:
    rows = [row(order, order) for order in sorted(orders)]
    entries = []
    for at_once in (True, False):
        entries.append(entry_of())
        bookmark = bookmark_of(entries[-1])
        if covers:
            bookmark.cover(covers)
        bookmark.hold(limit)
        if at_once:
            bookmark.pass_over([tuple(each) for each in rows])
        else:
            for each in rows:
                bookmark.advance(each)
    assert entries[0].read() == entries[1].read()


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 12))
def test_a_childs_bookmark_takes_many_rows_at_once(orders: list[int], limit: int) -> None:
    entries = []
    for at_once in (True, False):
        entries.append(entry_of())
        own = bookmark_of(entries[-1])
        own.hold(limit)
        child = ChildBookmark(entries[-1], own)
        rows = [row(order, order) for order in sorted(orders)]
        if at_once:
            child.pass_over([tuple(each) for each in rows])
        else:
            for each in rows:
                child.note(each)
        child.commit()
    assert entries[0].read() == entries[1].read()
