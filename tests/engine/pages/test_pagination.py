"""Which parameters ask for a page, and what answers say about the rest."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.pages.pagination import (
    LinkHeader,
    NextLink,
    NextToken,
    Offsets,
    PageNumbers,
    Paginator,
    Signals,
    SinglePage,
)

COUNTS = st.none() | st.integers(0, 5)


class Dialect(PageNumbers):
    size = 7
    total_path = ("meta", "total")
    pages_path = ("meta", "paging", "pages")
    more_path = ("meta", "more")


class Linked(PageNumbers):
    next_path = ("links", "next")


class Response:
    def __init__(self, body: Any) -> None:
        self._body = body

    def json(self) -> Any:
        return self._body


def test_silence_says_nothing() -> None:
    assert Signals().ended(0, 1) is None
    assert Signals().ended(100, 100) is None


@pytest.mark.parametrize(
    ("signals", "rows", "page", "ended"),
    [
        (Signals(total=3), 2, 9, False),
        (Signals(total=3), 3, 1, True),
        (Signals(total=3), 4, 1, True),
        (Signals(total=0), 0, 1, True),
        (Signals(pages=3), 99, 2, False),
        (Signals(pages=3), 0, 3, True),
        (Signals(pages=3), 0, 4, True),
        (Signals(pages=0), 0, 1, True),
        (Signals(more=True), 9, 9, False),
        (Signals(more=False), 0, 1, True),
    ],
)
def test_one_word_decides(signals: Signals, rows: int, page: int, ended: object) -> None:
    assert signals.ended(rows, page) is ended


@given(COUNTS, COUNTS, st.none() | st.booleans(), st.integers(0, 6), st.integers(1, 6))
def test_several_words_have_to_agree(
    total: int | None, pages: int | None, more: object, rows: int, page: int
) -> None:
    signals = Signals(total, pages, more if isinstance(more, bool) else None)
    words = []
    if total is not None:
        words.append(rows >= total)
    if pages is not None:
        words.append(page >= pages)
    if isinstance(more, bool):
        words.append(not more)
    assert signals.ended(rows, page) is (None if not words else words.count(True) == len(words))


def test_all_signals_are_found() -> None:
    body = {"meta": {"total": 12, "paging": {"pages": 3}, "more": True}}
    assert Dialect().signals(body) == Signals(12, 3, more=True)
    body = {"meta": {"total": 0, "paging": {"pages": 0}, "more": False}}
    assert Dialect().signals(body) == Signals(0, 0, more=False)


@pytest.mark.parametrize("body", [None, [], 5, "meta", {}, {"meta": None}, {"meta": [1]}])
def test_signals_that_are_not_there_are_none(body: object) -> None:
    assert Dialect().signals(body) == Signals()


def test_paginators_without_paths_listen_to_nothing() -> None:
    loud = {"total": 1, "pages": 1, "more": True, "next": "x", "": 4}
    assert PageNumbers().signals(loud) == Signals()
    assert PageNumbers().signals(5) == Signals()
    assert PageNumbers().signals(True) == Signals()  # noqa: FBT003


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (3, 3),
        (0, 0),
        (-1, None),
        (True, None),
        (None, None),
        ("12", 12),
        ("0", 0),
        ("", None),
        ("-1", None),
        ("1.0", None),
        ("٣", None),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, None),
        (Decimal("12.0"), 12),
        (Decimal("NaN"), None),
        (Decimal("Infinity"), None),
        (Decimal("9e17"), 9 * 10**17),
        (Decimal("1e18"), None),
        (Decimal(1), 1),
        (Decimal("0.5"), None),
        ([1], None),
    ],
    ids=repr,
)
def test_numbers_are_read_where_they_are_sound(value: object, read: int | None) -> None:
    body = {"meta": {"total": value, "paging": {"pages": value}}}
    assert Dialect().signals(body) == Signals(total=read, pages=read)


@pytest.mark.parametrize("value", [1, 0, "true", None, []])
def test_only_booleans_tell_of_more(value: object) -> None:
    assert Dialect().signals({"meta": {"more": value}}).more is None


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"links": {"next": None}}, False),
        ({"links": {"next": "/page/2"}}, True),
        ({"links": {"next": 2}}, True),
        ({"links": {"next": {"page": 2}}}, True),
        ({"links": {"next": 0}}, False),
        ({"links": {"next": ""}}, False),
        ({"links": {"next": False}}, False),
        ({"links": {"next": {}}}, False),
        ({"links": {"next": []}}, False),
        ({"links": {}}, None),
        ({"links": []}, None),
        ({}, None),
    ],
)
def test_a_null_or_empty_next_link_ends_the_list(body: object, more: object) -> None:
    assert Linked().signals(body).more is more


def test_a_next_link_overrules_only_when_it_is_there() -> None:
    class Both(PageNumbers):
        more_path = ("more",)
        next_path = ("next",)

    assert Both().signals({"more": True}).more is True
    assert Both().signals({"more": True, "next": None}).more is False


def test_page_numbers() -> None:
    paginator = PageNumbers()
    assert (paginator.first, paginator.current_value, paginator.page_size) == (1, 1, 100)
    assert paginator.params(3) == {"page": 3, "limit": 100}
    assert paginator.after(3, 4, 100) == 7
    assert not paginator.short_page_moves_next
    assert not paginator.single


def test_offsets() -> None:
    paginator = Offsets()
    assert (paginator.first, paginator.current_value) == (0, 0)
    assert paginator.params(200) == {"offset": 200, "limit": 100}
    assert paginator.after(200, 3, 50) == 350
    assert paginator.short_page_moves_next


def test_single_pages_take_no_parameters() -> None:
    paginator = SinglePage()
    assert paginator.params(1) == {}
    assert paginator.after(1, 2, 50) == 3
    assert paginator.single


def test_a_page_size_replaces_the_dialects() -> None:
    assert Dialect(None).page_size == 7
    assert Dialect(0).page_size == 7
    assert Dialect(3).params(1) == {"page": 1, "limit": 3}


def test_names_of_parameters_are_the_dialects() -> None:
    class Other(PageNumbers):
        page_param = "number"
        size_param = None
        first = 0

    assert Other().params(5) == {"number": 5}
    assert Other().current_value == 0


def test_the_base_leaves_steps_open() -> None:
    with pytest.raises(NotImplementedError):
        Paginator().after(1, 1, 1)


@pytest.mark.parametrize(("more", "following"), [(True, 2), (False, None), (None, 2)])
def test_the_sdk_can_walk_pages(more: object, following: int | None) -> None:
    assert Dialect().get_next(Response({"meta": {"more": more}})) == following


def test_the_sdk_can_walk_offsets_and_single_pages() -> None:
    assert Offsets(30).get_next(Response({})) == 30
    assert SinglePage().get_next(Response({})) is None


class After(NextToken):
    page_param = "after_id"
    token_path = ("meta", "end_cursor")
    more_path = ("meta", "has_next_page")
    number_param = "page"


def test_tokens_stand_in_bodies() -> None:
    paginator = After(7)
    body = {"meta": {"end_cursor": "x", "has_next_page": True}}
    assert not paginator.jumps
    assert paginator.params(paginator.first) == {"limit": 7}
    assert paginator.signals(body) == Signals(more=True, next="x")
    assert paginator.params("x") == {"after_id": "x", "limit": 7}
    assert paginator.get_next(Response(body)) == "x"
    body["meta"]["has_next_page"] = False
    assert paginator.get_next(Response(body)) is None


@pytest.mark.parametrize("token", [None, "", 0, False, True, {}, [], {"a": 1}])
def test_what_is_no_token_ends_the_list(token: object) -> None:
    assert NextToken().signals({"next_cursor": token}).next is None
    assert NextToken().signals({}).next is None


def test_where_there_is_no_token_pages_have_numbers() -> None:
    paginator = After()
    token = paginator.following(None, 0, paginator.signals({"data": []}))
    assert paginator.params(token) == {"page": 2, "limit": 100}
    assert paginator.params(2) == {"after_id": 2, "limit": 100}


URL = "https://api.example.com/v1/rows"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (
            "https://api.example.com/v1/rows?cursor=x%2Fy",
            "https://api.example.com/v1/rows?cursor=x%2Fy",
        ),
        ("https://API.example.com:443/other", "https://API.example.com:443/other"),
        ("/v1/rows?page=2", URL + "?page=2"),
        ("?page=2", URL + "?page=2"),
    ],
)
def test_links_lead_to_the_next_page(link: str, target: str) -> None:
    paginator = NextLink()
    signals = paginator.signals({"next": link})
    assert signals.next == link
    assert paginator.place(URL, {"a": 1, **paginator.params(link)}, link) == (target, {})
    first = {"a": 1, **paginator.params(None)}
    assert paginator.place(URL, first, None) == (URL, {"a": 1, "limit": 100})


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.org/v1/rows",
        "http://api.example.com/v1/rows",
        "https://api.example.com:8443/v1/rows",
        "https://api.example.com.evil.org/",
        "https://api.example.com@evil.example.org/",
        "https://me@api.example.com/v1/rows",
        "https://api.example.com:port/",
        "//evil.example.org/",
        "javascript:alert(1)",
    ],
)
def test_links_to_other_hosts_are_refused(link: str) -> None:
    with pytest.raises(ReadError, match="links to another host"):
        NextLink().place(URL, {}, link)


def test_links_stand_in_headers() -> None:
    said = {"Link": f'<{URL}?page=1>; rel="prev", <{URL}?page=3>; rel="next"'}
    assert LinkHeader().signals([], said).next == f"{URL}?page=3"
    assert LinkHeader().signals([], {"Link": f'<{URL}?page=1>; rel="prev"'}).next is None
    assert LinkHeader().signals([], {}).next is None
    assert LinkHeader().signals([]).next is None


def test_walking_adds_up() -> None:
    for paginator, pages, rows in product((PageNumbers(), Offsets()), range(4), (1, 50)):
        token = paginator.first
        for _ in range(pages):
            token = paginator.after(token, 1, rows)
        assert token == paginator.after(paginator.first, pages, rows)
