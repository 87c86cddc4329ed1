"""Which pages are asked for, and whether they add up."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tap_analytics.engine.errors import Gone, ListChanged, ReadError
from tap_analytics.engine.pages import judge as judges
from tap_analytics.engine.pages.pagination import (
    NextToken,
    Offsets,
    PageNumbers,
    Paginator,
    Signals,
    SinglePage,
    Unpaged,
)
from tap_analytics.engine.pages.reader import ListReader, Stock
from tests.engine.doubles import SILENT, Pairs, Source, page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.engine.pages.page import Page


class Twos(Offsets):
    size = 2


class Clamped(Pairs):
    repeat_ends = True


class Newest(Pairs):
    newest_first = True


class ZeroOrOne(Pairs):
    first = 0
    zero_or_one = True


class Ended(Pairs):
    past_end = frozenset({400, 404})


def failed(status: int, kind: type[ReadError] = ReadError) -> ReadError:
    """Return the failure that an answer with this status is."""
    failure = kind(f"answered {status}")
    failure.status = status
    return failure


def reader_of(paginator: Paginator | None = None, *, window: int = 0) -> ListReader:
    return ListReader((0,), Source(paginator=paginator), window)


def asked(reader: ListReader) -> list[tuple[int, int]]:
    """Take everything there is to ask for."""
    found = []
    while (taken := reader.take()) is not None:
        found.append(taken)
    assert not reader.is_ready
    return found


def popped(reader: ListReader) -> list[Any]:
    """Consume what is there: ids of pages, and messages of failures."""
    found: list[Any] = []
    while (result := reader.pop()) is not None:
        if isinstance(result, Exception):
            found.append(str(result))
        else:
            found.append([row["id"] for row in result.records])
    return found


def walk(reader: ListReader, pages: Iterable[Page | Exception]) -> list[list[tuple[int, int]]]:
    """Deliver pages in order, each after it was asked for; return what was asked before each."""
    steps = [asked(reader)]
    for index, result in enumerate(pages):
        reader.deliver(index, result)
        steps.append(asked(reader))
    return steps


def test_the_first_page_is_asked_for_alone() -> None:
    reader = reader_of(window=9)
    assert (reader.is_ready, reader.take()) == (True, (0, 1))
    assert (reader.is_ready, reader.take()) == (False, None)
    assert reader.pop() is None
    assert not reader.is_drained()


def test_pages_announced_are_asked_for_all_at_once() -> None:
    reader = reader_of()
    assert walk(reader, [page("ab", Signals(pages=3))]) == [[(0, 1)], [(1, 2), (2, 3)]]
    reader.deliver(2, page("ef", Signals(pages=3)))
    assert popped(reader) == [["a", "b"]]
    reader.deliver(1, page("cd", Signals(pages=3)))
    assert popped(reader) == [["c", "d"], ["e", "f"]]
    assert reader.is_drained()


@pytest.mark.parametrize(("total", "more"), [(3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
def test_pages_follow_from_the_total(total: int, more: int) -> None:
    steps = walk(reader_of(), [page("ab", Signals(total=total))])
    assert steps[1] == [(n, n + 1) for n in range(1, more + 1)]


def test_pages_follow_from_rows_that_came_and_not_from_rows_asked_for() -> None:
    steps = walk(reader_of(), [page("a", Signals(total=4))])
    assert steps[1] == [(1, 2), (2, 3), (3, 4)]


def test_the_number_of_pages_counts_more_than_the_total() -> None:
    steps = walk(reader_of(), [page("ab", Signals(total=9, pages=2))])
    assert steps[1] == [(1, 2)]


def test_only_the_first_page_announces() -> None:
    signals = Signals(total=9, more=True)
    steps = walk(reader_of(), [page("ab"), page("cd", signals)])
    assert steps == [[(0, 1)], [(1, 2)], [(2, 3)]]


def test_there_may_be_more_than_announced() -> None:
    steps = walk(reader_of(), [page("ab", Signals(total=2, more=True))])
    assert steps[1] == [(1, 2)]


def test_without_a_window_pages_are_asked_for_one_by_one() -> None:
    reader = reader_of()
    steps = walk(reader, [page("ab"), page("cd"), page("")])
    assert steps == [[(0, 1)], [(1, 2)], [(2, 3)], []]
    assert popped(reader) == [["a", "b"], ["c", "d"], []]
    assert reader.is_drained()


def test_a_window_grows_slowly() -> None:
    reader = reader_of(window=4)
    steps = walk(reader, [page(range(2 * n, 2 * n + 2)) for n in range(30)])
    asked_before = [sum(map(len, steps[: n + 1])) for n in range(31)]
    assert asked_before[0] == 1
    assert [a - n for n, a in enumerate(asked_before)][1:] == [
        1 + min(4, 1 + n // 7) for n in range(1, 31)
    ]


def test_a_window_of_one_looks_one_page_ahead() -> None:
    steps = walk(reader_of(window=1), [page("ab"), page("cd")])
    assert steps == [[(0, 1)], [(1, 2), (2, 3)], [(3, 4)]]


def test_a_short_page_ends_guessing() -> None:
    reader = reader_of(window=4)
    steps = walk(reader, [page("ab"), page("c"), page("d"), page("e")])
    assert steps == [[(0, 1)], [(1, 2), (2, 3)], [], [(3, 4)], [(4, 5)]]


def test_a_short_page_proves_nothing() -> None:
    reader = reader_of()
    walk(reader, [page("a"), page("bc"), page("d")])
    assert not reader.is_drained()
    assert reader._last is None


def test_pages_with_the_newest_first_are_asked_for_one_by_one() -> None:
    many = Signals(pages=9, total=99)
    reader = reader_of(Newest(), window=5)
    steps = walk(reader, [page("ab", many), page("cd", many), page("e", many)])
    assert steps == [[(0, 1)], [(1, 2)], [(2, 3)], [(3, 4)]]


def test_pages_come_back_in_order() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(pages=4))])
    for index, rows in ((3, "gh"), (1, "cd")):
        reader.deliver(index, page(rows, Signals(pages=4)))
    assert popped(reader) == [["a", "b"], ["c", "d"]]
    assert not reader.is_drained()
    reader.deliver(2, page("ef", Signals(pages=4)))
    assert popped(reader) == [["e", "f"], ["g", "h"]]
    assert reader.is_drained()
    assert reader.pop() is None


def test_after_the_end_nothing_is_asked_for_and_nothing_is_kept() -> None:
    reader = reader_of(window=5)
    walk(reader, [page("ab"), page("cd", Signals(more=False))])
    reader.deliver(2, page("xy"))
    assert len(reader._arrived) == 2
    assert asked(reader) == []
    assert popped(reader) == [["a", "b"], ["c", "d"]]
    assert reader.is_drained()


def test_what_came_beyond_the_end_is_dropped() -> None:
    reader = reader_of(window=5)
    walk(reader, [page("ab")])
    reader.deliver(2, page("xy"))
    reader.deliver(1, page("cd", Signals(more=False)))
    assert len(reader._arrived) == 2
    assert popped(reader) == [["a", "b"], ["c", "d"]]
    assert len(reader._arrived) == 0


def test_an_empty_list_is_one_page() -> None:
    reader = reader_of(window=5)
    assert walk(reader, [page("")]) == [[(0, 1)], []]
    assert popped(reader) == [[]]
    assert reader.is_drained()


@pytest.mark.parametrize("signals", [Signals(total=0), Signals(pages=0), Signals(more=False)])
def test_an_empty_list_that_says_so(signals: Signals) -> None:
    reader = reader_of()
    walk(reader, [page("", signals)])
    assert popped(reader) == [[]]
    assert reader.is_drained()


def test_a_page_that_comes_twice_is_asked_for_once_more() -> None:
    reader = reader_of()
    assert walk(reader, [page("ab"), page("ab")])[-1] == [(1, 2)]
    reader.deliver(1, page("cd"))
    assert asked(reader) == [(2, 3)]
    reader.deliver(2, page(""))
    assert popped(reader) == [["a", "b"], ["c", "d"], []]


def test_a_page_that_comes_twice_again_fails() -> None:
    reader = reader_of()
    walk(reader, [page("ab"), page("cd"), page("ef"), page("cd")])
    reader.deliver(3, page("cd"))
    assert asked(reader) == []
    results = [reader.pop() for _ in range(5)]
    assert isinstance(results[3], ReadError)
    assert str(results[3]) == "page 4 repeats page 2"
    assert results[4] is None
    assert reader.is_drained()


def test_every_page_has_a_second_chance_of_its_own() -> None:
    reader = reader_of()
    walk(reader, [page("ab"), page("ab")])
    reader.deliver(1, page("cd"))
    asked(reader)
    reader.deliver(2, page("cd"))
    assert asked(reader) == [(2, 3)]
    reader.deliver(2, page(""))
    assert reader.pop() is not None
    assert popped(reader) == [["c", "d"], []]


def test_there_may_be_more_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_SECOND_CHANCES", 2)
    reader = reader_of()
    assert walk(reader, [page("ab"), page("ab")])[-1] == [(1, 2)]
    reader.deliver(1, page("ab"))
    assert asked(reader) == [(1, 2)]
    reader.deliver(1, page("ab"))
    assert popped(reader) == [["a", "b"], "page 2 repeats page 1"]


def test_a_page_in_doubt_is_asked_for_before_new_ones() -> None:
    reader = reader_of(window=9)
    walk(reader, [page("ab")])
    reader.deliver(1, page("ab"))
    assert reader.is_ready
    assert reader.take() == (1, 2)


def test_pages_that_wait_behind_one_in_doubt_are_kept() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(pages=3))])
    reader.deliver(1, page("ab", Signals(pages=3)))
    reader.deliver(2, page("ef", Signals(pages=3)))
    assert len(reader._arrived) == 2
    reader.deliver(1, page("cd", Signals(pages=3)))
    assert popped(reader) == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_where_the_last_page_repeats_that_is_the_end() -> None:
    reader = reader_of(Clamped())
    walk(reader, [page("ab"), page("c"), page("c")])
    reader.deliver(2, page("c"))
    assert popped(reader) == [["a", "b"], ["c"]]
    assert reader.is_drained()
    assert asked(reader) == []


def test_empty_pages_are_no_repetition() -> None:
    reader = reader_of()
    walk(reader, [page("", Signals(more=True))])
    reader.deliver(0, page("", Signals(more=True)))
    assert popped(reader) == ["page 1 ends the list after 0 rows, but it announces more"]


@pytest.mark.parametrize("signals", [Signals(pages=3), Signals(more=True)])
def test_an_empty_page_that_announces_more_is_asked_for_once_more(signals: Signals) -> None:
    reader = reader_of()
    assert walk(reader, [page("ab"), page("", signals)])[-1] == [(1, 2)]
    reader.deliver(1, page("", signals))
    assert asked(reader) == []
    results = [reader.pop(), reader.pop()]
    assert isinstance(results[1], ListChanged)
    assert str(results[1]) == "page 2 ends the list after 2 rows, but it announces more"
    assert reader.is_drained()


def test_an_empty_first_page_that_announces_more_is_asked_for_once_more() -> None:
    signals = Signals(total=0, more=True)
    reader = reader_of()
    assert walk(reader, [page("", signals)])[-1] == [(0, 1)]
    reader.deliver(0, page("", signals))
    assert popped(reader) == ["page 1 ends the list after 0 rows, but it announces more"]


def test_an_empty_page_short_of_the_total_is_in_doubt_and_so_are_those_after_it() -> None:
    reader = reader_of()
    steps = walk(reader, [page("ab", Signals(total=4)), page("")])
    assert steps[-1] == [(1, 2)]
    for index in (1, 2):
        reader.deliver(index, page(""))
        assert asked(reader) == [(index + 1, index + 2)]
    reader.deliver(3, page(""))
    assert popped(reader)[3:] == ["page 4 ends the list after 2 rows, but it announces more"]


def test_rows_after_an_empty_page_are_a_hole_in_the_list() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=6)), page("")])
    reader.deliver(1, page(""))
    reader.deliver(2, page("ef", Signals(total=6)))
    assert popped(reader)[2:] == ["page 2 ends the list, but another one has rows"]
    assert reader.is_drained()


def test_an_empty_page_at_the_total_told_before_is_the_end() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=4)), page("cd"), page("")])
    assert popped(reader) == [["a", "b"], ["c", "d"], []]
    assert reader.is_drained()


def test_an_empty_page_after_a_promise_is_in_doubt() -> None:
    reader = reader_of()
    assert walk(reader, [page("ab", Signals(more=True)), page("")])[-1] == [(1, 2)]


def test_a_promise_holds_for_the_next_page_only() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(more=True)), page("cd"), page("")])
    assert popped(reader) == [["a", "b"], ["c", "d"], []]


def test_a_total_of_nothing_does_not_replace_an_earlier_one() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=6)), page("cd"), page("")])
    assert asked(reader) == []
    for index in (2, 3, 4):
        reader.deliver(index, page(""))
    assert popped(reader)[-1] == "page 5 ends the list after 4 rows, but it announces more"


def test_a_shrinking_total_is_a_change() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=7)), page("cd", Signals(total=6))])
    results = [reader.pop(), reader.pop()]
    assert isinstance(results[1], ListChanged)
    assert str(results[1]) == (
        "the list changed while it was read (4 rows read, 6 announced, 7 before)"
    )
    assert reader.pop() is None
    assert reader.is_drained()
    assert asked(reader) == []


def test_a_growing_total_is_none() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=3)), page("cd", Signals(total=5))])
    assert popped(reader) == [["a", "b"], ["c", "d"]]
    assert not reader.is_drained()


def test_more_rows_than_announced_are_a_change() -> None:
    reader = reader_of()
    walk(reader, [page("abc", Signals(total=2))])
    assert popped(reader) == [
        "the list changed while it was read (3 rows read, 2 announced, 0 before)"
    ]


def test_a_single_page_is_the_whole_list() -> None:
    reader = reader_of(SinglePage(), window=9)
    walk(reader, [page("abc")])
    assert popped(reader) == [["a", "b", "c"]]
    assert reader.is_drained()


def test_a_single_page_that_announces_more_fails() -> None:
    reader = reader_of(SinglePage())
    assert walk(reader, [page("abc", Signals(total=4))])[-1] == [(0, 1)]
    reader.deliver(0, page("abc", Signals(total=4)))
    assert popped(reader) == ["page 1 ends the list after 3 rows, but it announces more"]


@pytest.mark.parametrize("signals", [Signals(total=5, more=False), Signals(total=5, pages=1)])
@pytest.mark.parametrize("later", ["", "cd"])
def test_a_page_that_contradicts_itself_fails(signals: Signals, later: str) -> None:
    reader = reader_of()
    assert walk(reader, [page("ab", signals)])[-1] == [(0, 1)]
    reader.deliver(0, page("ab", signals))
    waiting = asked(reader)
    while waiting and not reader.is_drained():
        reader.deliver(waiting.pop(0)[0], page(later, signals))
        waiting += asked(reader)
    failure = popped(reader)[-1]
    if later:
        assert failure == "page 1 ends the list, but another one has rows"
    else:
        assert failure == "page 3 ends the list after 2 rows, but it announces more"
    assert reader.is_drained()


def test_a_last_page_that_says_there_is_more_fails() -> None:
    reader = reader_of()
    signals = Signals(pages=0, more=True)
    assert walk(reader, [page("ab", signals)])[-1] == [(0, 1)]
    reader.deliver(0, page("ab", signals))
    assert popped(reader) == ["page 1 ends the list after 2 rows, but it announces more"]


def test_a_page_before_the_last_does_not_contradict_itself() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=4, pages=2))])
    assert popped(reader) == [["a", "b"]]


def test_a_contradiction_may_pass() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=3, more=False))])
    reader.deliver(0, page("ab", Signals(total=2, more=False)))
    assert popped(reader) == [["a", "b"]]
    assert reader.is_drained()


def test_one_object_is_a_whole_list() -> None:
    reader = reader_of(window=9)
    walk(reader, [page("a", is_object=True)])
    assert popped(reader) == [["a"]]
    assert reader.is_drained()


def test_one_object_that_announces_more_is_not() -> None:
    reader = reader_of()
    steps = walk(reader, [page("a", Signals(more=True), is_object=True)])
    assert steps[-1] == [(1, 2)]
    assert not reader.is_drained()


def test_a_failure_stands_in_the_place_of_its_page() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(pages=4))])
    reader.deliver(2, ReadError("broken"))
    reader.deliver(3, page("gh", Signals(pages=4)))
    assert popped(reader) == [["a", "b"]]
    assert not reader.is_drained()
    reader.deliver(1, page("cd", Signals(pages=4)))
    assert popped(reader) == [["c", "d"], "broken"]
    assert reader.is_drained()
    assert len(reader._arrived) == 0


def test_a_failure_of_the_first_page_is_all() -> None:
    reader = reader_of(window=9)
    walk(reader, [ReadError("broken")])
    assert popped(reader) == ["broken"]
    assert reader.is_drained()
    assert asked(reader) == []


def test_offsets_move_with_full_pages() -> None:
    reader = reader_of(Twos(), window=9)
    steps = walk(reader, [page("ab"), page("cd")])
    assert steps == [[(0, 0)], [(1, 2), (2, 4)], [(3, 6)]]
    assert reader.epoch == 0


def test_offsets_move_by_the_rows_that_came() -> None:
    class Fives(Offsets):
        size = 5

    reader = reader_of(Fives(), window=9)
    assert walk(reader, [page("abc")]) == [[(0, 0)], [(1, 3)]]
    assert reader.epoch == 1
    reader.deliver(1, page("def"))
    assert asked(reader) == [(2, 6)]
    assert reader.epoch == 1
    reader.deliver(2, page("g"))
    assert asked(reader) == [(3, 7)]
    assert reader.epoch == 2
    reader.deliver(3, page("hi"))
    assert asked(reader) == [(4, 9)]
    assert popped(reader) == [["a", "b", "c"], ["d", "e", "f"], ["g"], ["h", "i"]]


def test_offsets_of_short_pages_ask_anew_for_what_was_under_way() -> None:
    class Fives(Offsets):
        size = 5

    reader = reader_of(Fives())
    assert walk(reader, [page("abcde", Signals(total=12))])[-1] == [(1, 5), (2, 10)]
    reader.deliver(2, page("kl", Signals(total=12)))
    assert len(reader._arrived) == 2
    reader.deliver(1, page("fgh", Signals(total=12)))
    assert len(reader._arrived) == 2
    assert asked(reader) == [(2, 8)]
    reader.deliver(2, page("ijk", Signals(total=12)))
    assert asked(reader) == [(3, 11)]
    reader.deliver(3, page("l", Signals(total=12)))
    assert popped(reader) == [list("abcde"), list("fgh"), list("ijk"), ["l"]]
    assert reader.is_drained()


def test_page_numbers_do_not_move_with_short_pages() -> None:
    reader = reader_of()
    assert walk(reader, [page("a"), page("b")])[-1] == [(2, 3)]
    assert reader.epoch == 0


def at(moment: float, rows: str, signals: Signals = SILENT) -> Page:
    """Return a page that was asked for, and came, at a moment."""
    return replace(page(rows, signals), asked_at=moment, answered_at=moment)


def test_what_was_read_before_a_page_in_front_was_asked_for_again_is_read_again() -> None:
    reader = reader_of(window=3)
    walk(reader, [at(1, "ab")])
    reader.deliver(2, at(3, "ef"))
    reader.deliver(1, at(5, "cx"))  # a row came in, and moved d on to the page behind
    assert asked(reader) == [(2, 3), (3, 4)]
    reader.deliver(2, at(6, "de"))
    reader.deliver(3, at(7, ""))
    assert popped(reader) == [["a", "b"], ["c", "x"], ["d", "e"], []]


def test_what_was_under_way_meanwhile_is_read_again_too() -> None:
    reader = reader_of(window=3)
    walk(reader, [at(1, "ab")])
    reader.deliver(1, at(5, "cx"))
    reader.deliver(2, at(3, "ef"))
    assert asked(reader) == [(2, 3), (3, 4)]


@pytest.mark.parametrize(("moment", "signals"), [(3, Signals(total=6)), (4.999, SILENT)])
def test_a_total_tells_of_that_and_moments_do_not_matter(moment: float, signals: Signals) -> None:
    reader = reader_of(window=3)
    walk(reader, [at(1, "ab", signals)])
    reader.deliver(2, at(moment, "ef", signals))
    reader.deliver(1, at(5, "cd", signals))
    assert popped(reader) == [["a", "b"], ["c", "d"], ["e", "f"]]


@pytest.mark.parametrize(("now", "begins"), [(2.5, 1), (12.0, 2)])
def test_a_list_whose_turn_comes_late_is_read_from_its_start(now: float, begins: int) -> None:
    reader = reader_of()
    walk(reader, [at(1, "ab")])
    reader.begin(now)
    assert len(asked(reader)) == begins - 1
    reader.begin(now + 99)
    assert len(reader._arrived) == 2 - begins


def test_pages_read_far_apart_are_read_again_before_anybody_takes_them() -> None:
    reader = reader_of()
    walk(reader, [at(1, "ab"), at(9, "cd"), at(9.5, "")])
    reader.begin(9.6)
    assert (reader.take(), len(reader._arrived)) == ((0, 1), 0)


def test_a_list_that_was_read_through_waits_as_long_as_it_likes() -> None:
    reader = reader_of()
    walk(reader, [at(1, "ab"), at(2, "cd"), at(3, "")])
    reader.begin(1e6)
    assert popped(reader) == [["a", "b"], ["c", "d"], []]


def test_one_page_may_be_page_zero_and_page_one() -> None:
    reader = reader_of(ZeroOrOne())
    steps = walk(reader, [page("ab"), page("ab")])
    assert steps == [[(0, 0)], [(1, 1)], [(1, 2)]]
    reader.deliver(1, page("c"))
    assert asked(reader) == [(2, 3)]
    reader.deliver(2, page(""))
    assert popped(reader) == [["a", "b"], ["c"], []]


def test_page_zero_may_be_the_first() -> None:
    steps = walk(reader_of(ZeroOrOne()), [page("ab"), page("cd")])
    assert steps == [[(0, 0)], [(1, 1)], [(2, 2)]]


@pytest.mark.parametrize(
    "nothing", [page(""), failed(400), failed(404), failed(422)], ids=["empty", "400", "404", "422"]
)
def test_there_may_be_no_page_zero(nothing: Page | Exception) -> None:
    reader = reader_of(ZeroOrOne())
    steps = walk(reader, [nothing])
    assert steps == [[(0, 0)], [(0, 1)]]
    reader.deliver(0, page("ab"))
    reader.deliver(1, page(""))
    assert popped(reader) == [["a", "b"], []]


def test_there_has_to_be_some_page() -> None:
    reader = reader_of(ZeroOrOne())
    walk(
        reader,
        [
            failed(404),
        ],
    )
    reader.deliver(0, failed(404))
    assert popped(reader) == ["answered 404"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_status_ends_a_list_where_that_is_declared(status: int) -> None:
    reader = reader_of(Ended(), window=5)
    walk(reader, [page("ab"), failed(status)])
    assert popped(reader) == [["a", "b"]]
    assert reader.is_drained()


def test_a_status_does_not_end_a_list_before_its_total() -> None:
    reader = reader_of(Ended())
    walk(reader, [page("ab", Signals(total=4)), failed(404)])
    assert popped(reader)[1] == "answered 404: the list ends after 2 rows, but it announces 4"


def test_a_status_that_is_not_declared_ends_nothing() -> None:
    reader = reader_of()
    walk(reader, [page("ab"), failed(404, Gone)])
    reader.pop()
    failure = reader.pop()
    assert type(failure) is ReadError
    assert str(failure) == "answered 404 on page 2"


def test_the_first_page_never_ends_a_list_by_its_status() -> None:
    reader = reader_of(Ended())
    walk(reader, [failed(404, Gone)])
    assert isinstance(reader.pop(), Gone)


@pytest.mark.parametrize(
    "behind",
    [page(""), page("ab", Signals(total=2)), failed(404)],
    ids=["empty", "the same", "404"],
)
def test_a_total_of_one_full_page_proves_nothing_before_there_is_nothing_behind(
    behind: Page | Exception,
) -> None:
    reader = reader_of(window=9)
    steps = walk(reader, [page("ab", Signals(total=2)), behind])
    assert steps == [[(0, 1)], [(1, 2)], []]
    assert popped(reader)[0] == ["a", "b"]
    assert reader.is_drained()
    assert reader.judge.failure is None


def test_a_total_of_each_page_is_not_listened_to() -> None:
    reader = reader_of()
    pages = [
        page("ab", Signals(total=2)),
        page("cd", Signals(total=2)),
        page("e", Signals(total=1)),
    ]
    walk(reader, [*pages, page("", Signals(total=0))])
    assert popped(reader) == [["a", "b"], ["c", "d"], ["e"], []]
    assert not reader.judge.is_guarded


def test_a_total_of_one_full_page_may_grow() -> None:
    reader = reader_of()
    walk(reader, [page("ab", Signals(total=2)), page("c", Signals(total=3))])
    assert popped(reader) == [["a", "b"], ["c"]]
    assert reader.is_drained()
    assert reader.judge.is_guarded


def test_groups_without_rows_do_not_end_a_list() -> None:
    reader = reader_of()
    bare = replace(page(""), is_empty=False, fingerprint=5)
    walk(reader, [page("ab"), bare, page("cd"), page("")])
    assert popped(reader) == [["a", "b"], [], ["c", "d"], []]


def test_pages_that_tell_what_asks_for_the_next_one_are_asked_for_one_by_one() -> None:
    reader = reader_of(NextToken(2), window=9)
    pages = [page("ab", Signals(total=5, next="x")), page("", Signals(next="y"))]
    steps: list[Any] = walk(reader, pages)
    assert steps == [[(0, None)], [(1, "x")], [(2, "y")]]
    reader.deliver(2, page("cde", Signals(total=5)))
    assert popped(reader) == [["a", "b"], [], ["c", "d", "e"]]
    assert reader.is_drained()


def test_a_token_that_comes_back_fails() -> None:
    reader = reader_of(NextToken())
    walk(reader, [page("ab", Signals(next="x")), page("cd", Signals(next="x"))])
    assert popped(reader) == [["a", "b"], "page 2 leads back to an earlier page"]


def test_an_empty_page_that_leads_back_ends_the_list() -> None:
    reader = reader_of(NextToken())
    walk(reader, [page("ab", Signals(next="x")), page("", Signals(next="x"))])
    assert popped(reader) == [["a", "b"], []]
    assert reader.is_drained()


@pytest.mark.parametrize(
    ("without", "last"), [(1000, ["c"]), (1001, "page 1002 is one of too many without rows")]
)
def test_a_thousand_empty_pages_may_lie_between_rows(without: int, last: Any) -> None:
    reader = reader_of(NextToken())
    empty = [page("", Signals(next=f"after {number}")) for number in range(without)]
    walk(reader, [page("ab", Signals(next="x")), *empty, page("c")])
    assert popped(reader) == [["a", "b"], *[[]] * 1000, last]


def test_no_token_although_there_is_more_fails() -> None:
    reader = reader_of(NextToken())
    steps: list[Any] = walk(reader, [page("ab", Signals(more=True))])
    assert steps[-1] == [(0, None)]
    reader.deliver(0, page("ab", Signals(more=True)))
    assert popped(reader) == ["page 1 ends the list after 2 rows, but it announces more"]


def test_what_is_held_is_known() -> None:
    stock = Stock()
    other, reader = (ListReader((0,), Source(), 8, stock=stock) for _ in range(2))
    walk(other, [at(1, "xy")])
    walk(reader, [page("ab", Signals(pages=3), size=100)])
    reader.deliver(2, page("ef", Signals(pages=3), size=30))
    assert (len(reader._arrived), stock.pages, stock.size) == (2, 3, 140)
    reader.pop()
    assert (stock.pages, stock.size) == (2, 40)
    reader.deliver(1, ReadError("broken"))
    assert (stock.pages, stock.size) == (2, 10)
    reader.abandon()
    assert (stock.pages, stock.size) == (1, 10)
    other.begin(1e9)
    assert (stock.pages, stock.size) == (0, 0)


def test_pages_are_remembered_by_their_rows() -> None:
    reader = reader_of()
    walk(reader, [page("ab"), page("cd"), page("")])
    marks = {page(rows).fingerprint: n for n, rows in enumerate(("ab", "cd", ""))}
    assert reader.fingerprints == marks


class Served:
    """A list behind an API that says more or less about it, and caps its pages."""

    def __init__(self, rows: int, cap: int, says: str) -> None:
        self.rows = list(range(rows))
        self.cap = cap
        self.says = says

    def page(self, paginator: Paginator, token: int) -> Page:
        size = min(self.cap, paginator.page_size)
        start = token if isinstance(paginator, Offsets) else (token - 1) * size
        rows = self.rows[start : start + size]
        pages = -(-len(self.rows) // size)
        signals = {
            "total": Signals(total=len(self.rows)),
            "pages": Signals(pages=pages),
            "more": Signals(more=start + size < len(self.rows)),
            "nothing": SILENT,
            "all": Signals(len(self.rows), pages, more=start + size < len(self.rows)),
        }[self.says]
        return page(rows, signals)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(1, 7),
    st.sampled_from(["total", "pages", "more", "nothing", "all"]),
    st.sampled_from([PageNumbers, Offsets]),
    st.integers(1, 7),
    st.integers(0, 9),
    st.integers(0, 2**32),
)
def test_every_list_is_read_whole_in_whatever_order_pages_come(  # noqa: PLR0913, PLR0917
    count: int,
    cap: int,
    says: str,
    kind: type[Paginator],
    size: int,
    window: int,
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311
    server = Served(count, cap, says)
    paginator = kind(size)
    reader = reader_of(paginator, window=window)
    flying: list[tuple[int, int, int]] = []
    rows: list[int] = []
    requests = pages = 0
    for _ in range(1000):
        if reader.is_drained():
            break
        while (taken := reader.take()) is not None:
            flying.append((reader.epoch, *taken))
            requests += 1
        epoch, index, token = flying.pop(chance.randrange(len(flying)))
        if epoch == reader.epoch:
            reader.deliver(index, server.page(paginator, token))
        while (got := reader.pop()) is not None:
            assert not isinstance(got, Exception), got
            pages += 1
            rows += [record["id"] for record in got.records]
    assert reader.is_drained()
    assert rows == server.rows
    if cap >= size:
        assert requests <= pages + 1 + pages // 7


@settings(max_examples=150, deadline=None)
@given(st.integers(3, 40), st.integers(0, 9), st.integers(0, 2**32))
def test_a_list_that_loses_rows_is_whole_or_says_so(count: int, window: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    server = Served(count, 9, "total")
    reader = reader_of(window=window)
    stable = set(server.rows)
    flying: list[tuple[int, int]] = []
    seen: set[int] = set()
    failed = False
    while not reader.is_drained():
        while (taken := reader.take()) is not None:
            flying.append(taken)
        index, token = flying.pop(chance.randrange(len(flying)))
        answer = server.page(reader.source.paginator, token)
        if chance.random() < 0.2 and len(server.rows) > 1:
            stable.discard(server.rows.pop(chance.randrange(len(server.rows))))
        reader.deliver(index, answer)
        while (got := reader.pop()) is not None:
            if isinstance(got, Exception):
                failed = True
            else:
                seen |= {record["id"] for record in got.records}
    assert failed or stable <= seen


MANY = "abcdefghij"


def test_a_list_that_comes_whole_is_asked_for_once_while_it_is_short() -> None:
    reader = reader_of(Unpaged(), window=5)
    assert walk(reader, [page(MANY[:9])]) == [[(0, 1)], []]
    assert popped(reader) == [[*MANY[:9]]]
    assert reader.is_drained()


@pytest.mark.parametrize("past", [page(MANY), page(""), failed(400), failed(404)])
def test_as_many_rows_as_a_page_may_have_are_no_proof(past: Page | Exception) -> None:
    reader = reader_of(Unpaged(), window=5)
    pages = iter([page(MANY), past, past])
    while (taken := reader.take()) is not None:
        reader.deliver(taken[0], next(pages))
    found = popped(reader)
    assert found[0] == [*MANY]
    assert found[1:] in ([], [[]])
    assert reader.is_drained()


def test_a_list_that_does_not_come_whole_is_read_on() -> None:
    reader = reader_of(Unpaged(), window=5)
    walk(reader, [page(MANY), page("klm"), page("")])
    assert popped(reader) == [[*MANY], [*"klm"], []]
    assert reader.is_drained()


def test_what_says_that_it_goes_on_is_read_on_however_short_it_is() -> None:
    reader = reader_of(Unpaged())
    walk(reader, [page("ab", Signals(more=True)), page("c", Signals(more=False))])
    assert popped(reader) == [["a", "b"], ["c"]]


class Cursor(NextToken):
    number_param = "page"


def test_an_empty_page_without_a_word_ends_a_list_of_cursors() -> None:
    reader = reader_of(Cursor())
    steps = walk(reader, [page("ab", Signals(next="x")), page("c"), page("")])
    assert [len(step) for step in steps] == [1, 1, 1, 0]
    assert popped(reader) == [["a", "b"], ["c"], []]
    assert reader.is_drained()


def test_an_empty_page_that_names_the_next_one_does_not() -> None:
    reader = reader_of(Cursor())
    walk(reader, [page("", Signals(next="x")), page("c", Signals(next="y")), page("")])
    assert popped(reader) == [[], ["c"], []]
