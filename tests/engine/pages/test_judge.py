"""What becomes of a page: the verdicts, and the words for those that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from msgspec.structs import replace

from tap_analytics.engine.errors import Gone, ListChanged, ReadError
from tap_analytics.engine.pages import judge as judges
from tap_analytics.engine.pages.judge import Judge, Outline, Verdict
from tap_analytics.engine.pages.pagination import NextToken, PageNumbers, Signals, Totals
from tests.engine.doubles import Pairs, page

if TYPE_CHECKING:
    from tap_analytics.engine.pages.page import Page

GOOD, LAST, AGAIN, WRONG = Verdict.GOOD, Verdict.LAST, Verdict.AGAIN, Verdict.WRONG
SAME, BEYOND = Verdict.SAME, Verdict.BEYOND
GONE = Gone("answered 404")
GONE.status = 404


class Exact(Pairs):
    totals = Totals.EXACT


class Repeating(Pairs):
    repeat_ends = True


class Numbered(NextToken):
    number_param: ClassVar[str | None] = "page"


def told(total: int | None = None, **more: int | bool | str) -> Signals:
    return Signals(total=total, **more)  # type: ignore[arg-type]


def judged(judge: Judge, *pages: Page) -> list[Verdict]:
    return [judge.page(one) for one in pages]


def outline(*pages: Page, total: int) -> Outline:
    return Outline(tuple(one.fingerprint for one in pages), total)


# Pages that tell where the list goes on


def test_a_page_without_a_token_is_followed_by_its_number_where_that_is_declared() -> None:
    judge = Judge(Numbered())
    for number in (2, 3, 4):
        assert judge.page(page([number])) is GOOD
        assert Numbered().params(judge.token) == {"page": number, "limit": 100}


def test_the_token_comes_from_what_the_paginator_makes_of_the_one_before() -> None:
    class Counting(NextToken):
        def following(self, token: int | None, index: int, signals: Signals) -> int | None:
            return None if signals.more is False else 10 * (token or 0) + index + 1

    judge = Judge(Counting())
    judged(judge, page([1]), page([2]), page([3]))
    assert judge.token == 123


@pytest.mark.parametrize("ended", [Signals(more=False, next="x"), Signals(total=1, next="x")])
def test_a_list_that_says_it_ends_does_so_whatever_token_comes_with_it(ended: Signals) -> None:
    judge = Judge(NextToken(1))
    assert judge.page(replace(page([7], ended), is_object=True)) is LAST


def test_a_page_that_announces_nothing_and_leads_nowhere_is_the_last() -> None:
    judge = Judge(NextToken())
    assert judged(judge, page([1], told(next="x")), page([2])) == [GOOD, LAST]


def bare(number: int) -> Page:
    return page([], told(next=f"t{number}"))


def test_so_many_pages_without_rows_may_follow_each_other_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judges, "_MOST_EMPTY_PAGES", 3)
    judge = Judge(NextToken())
    assert judged(judge, *map(bare, range(3)), page([1], told(next="r"))) == [GOOD] * 4
    assert judged(judge, *map(bare, range(10, 14))) == [GOOD] * 3 + [WRONG]
    assert str(judge.failure) == "page 8 is one of too many without rows"
    assert type(judge.failure) is ReadError


# Pages that end a list before its time


def test_a_number_of_pages_and_a_total_may_disagree_and_no_second_read_decides() -> None:
    """Where only pages are announced and not all of them come, nothing is accepted."""
    for signals in (told(5, pages=3), told(5, more=True)):
        judge = Judge(Exact())
        first = page([1, 2], signals)
        end = page([], signals)
        assert judged(judge, first, end, end) == [GOOD, AGAIN, WRONG]
        assert judge.outline is None
        assert str(judge.failure) == "page 2 ends the list after 2 rows, but it announces more"


@pytest.mark.parametrize(
    ("rows", "signals"),
    [
        ([], told(5)),
        ([3], told(5, more=False)),
        ([3], told(5, pages=2)),
        ([3], told(5, pages=2, more=True)),
    ],
    ids=["empty", "no more", "pages", "pages in spite of more"],
)
def test_what_falls_short_is_kept_to_be_compared(rows: list[int], signals: Signals) -> None:
    first, end = page([1, 2], told(5)), page(rows, signals)
    judge = Judge(Exact())
    assert judged(judge, first, end, end) == [GOOD, AGAIN, WRONG]
    assert judge.outline == outline(first, end, total=5)
    assert isinstance(judge.failure, ListChanged)


def test_a_list_with_all_its_rows_that_promises_more_pages_is_not_short() -> None:
    judge = Judge(Pairs())
    first, end = page([1, 2], told(2, more=True)), page([], told(2, more=True))
    assert judged(judge, first, end, end) == [GOOD, AGAIN, WRONG]
    assert judge.outline is None


@pytest.mark.parametrize("later", [None, 7], ids=["the same total", "a total that grew"])
def test_a_refusal_short_of_the_total_is_taken_only_if_it_comes_again_alike(
    later: int | None,
) -> None:
    class Ended(Pairs):
        past_end = frozenset({404})

    first, second = page([1, 2], told(6)), page([3, 4], told(later))
    judge = Judge(Ended())
    judged(judge, first, second)
    assert judge.error(GONE) is WRONG
    assert judge.outline == outline(first, second, total=later or 6)
    assert str(judge.failure).startswith("answered 404: the list ends after 4 rows")

    again = Judge(Ended(), judge.outline)
    judged(again, first, second)
    assert again.error(GONE) is BEYOND
    assert again.failure is None
    assert again.note == (f"it announces {later or 6} rows, but only 4 can be seen, twice alike")
    assert again.total == 0
    assert not again.is_guarded

    other = Judge(Ended(), judge.outline)
    judged(other, first, page([3, 5], told(later)))
    assert other.error(GONE) is WRONG


def test_an_exact_total_is_never_given_up() -> None:
    class Strict(Exact):
        past_end = frozenset({404})

    first = page([1, 2], told(6))
    judge = Judge(Strict(), outline(first, total=6))
    judge.page(first)
    assert judge.error(GONE) is WRONG


class One(PageNumbers):
    single = True


def test_a_single_page_that_falls_short_alike_twice_is_taken_with_its_rows() -> None:
    only = page([1, 2], told(5))
    judge = Judge(One())
    assert judged(judge, only, only) == [AGAIN, WRONG]
    assert judge.outline == outline(only, total=5)
    again = Judge(One(), judge.outline)
    assert judged(again, only, only) == [AGAIN, LAST]
    assert (again.rows, again.accepted, again.total) == (2, 1, 0)
    assert again.note == "it announces 5 rows, but only 2 can be seen, twice alike"


def test_a_total_that_only_the_last_page_tells_is_the_one_that_counts() -> None:
    first, end = page([1], told(next="x")), page([2, 3], told(9, more=False))
    judge = Judge(NextToken())
    assert judged(judge, first, end, end) == [GOOD, AGAIN, WRONG]
    assert judge.outline == outline(first, end, total=9)
    again = Judge(NextToken(), judge.outline)
    assert judged(again, first, end, end) == [GOOD, AGAIN, LAST]
    assert again.note == "it announces 9 rows, but only 3 can be seen, twice alike"


# Pages that come again


def test_the_first_page_in_place_of_one_beyond_the_end_is_the_end() -> None:
    judge = Judge(Repeating())
    judged(judge, page([1, 2]), page([3, 4]), page([5, 6]))
    assert judged(judge, page([1, 2]), page([1, 2])) == [SAME, BEYOND]


def test_the_last_page_in_place_of_one_beyond_the_end_is_the_end() -> None:
    judge = Judge(Repeating())
    judged(judge, page([1, 2]), page([3, 4]), page([5, 6]))
    assert judged(judge, page([5, 6]), page([5, 6])) == [SAME, BEYOND]


def test_another_page_than_these_is_none() -> None:
    judge = Judge(Repeating())
    judged(judge, page([1, 2]), page([3, 4]), page([5, 6]))
    assert judged(judge, page([3, 4]), page([3, 4])) == [AGAIN, WRONG]
    assert str(judge.failure) == "page 4 repeats page 2"
    assert type(judge.failure) is ReadError


@pytest.mark.parametrize("signals", [told(9), told(more=True), told(2, more=True)])
def test_a_page_that_comes_again_before_the_end_is_not_the_end(signals: Signals) -> None:
    judge = Judge(Repeating())
    only = page([1, 2], signals)
    assert judged(judge, only, only, only) == [GOOD, AGAIN, WRONG]
    assert isinstance(judge.failure, ListChanged)
    assert str(judge.failure) == ("page 2 repeats page 1 after 2 rows, but more are announced")


def test_where_repetition_ends_nothing_it_is_a_plain_failure() -> None:
    judge = Judge(Pairs())
    only = page([1, 2], told(9))
    assert judged(judge, only, only, only) == [GOOD, AGAIN, WRONG]
    assert str(judge.failure) == "page 2 repeats page 1"
    assert not isinstance(judge.failure, ListChanged)
