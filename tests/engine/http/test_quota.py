"""Limits that headers announce: read in every spelling, and kept before they are hit."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.http.quota import Announcement, Quota, announced, told

AT = 1_800_000_000
SERVED = AT * 1_000_000


@pytest.mark.parametrize("prefix", ["RateLimit", "X-RateLimit", "X-Rate-Limit"])
@pytest.mark.parametrize(
    "reset",
    [
        "30",
        str(AT + 30),
        str((AT + 30) * 1000),
        f"{AT + 30}.0",
        formatdate(AT + 30, usegmt=True),
        "2027-01-15T08:00:30Z",
    ],
)
def test_limits_are_read_in_every_spelling(prefix: str, reset: str) -> None:
    headers = {f"{prefix}-Limit": "500", f"{prefix}-Remaining": "7", f"{prefix}-Reset": reset}
    (said,) = announced(headers, SERVED)
    assert said[:3] == ("500", 500, 7)
    assert said.reset == pytest.approx(31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limit=100, remaining=50, reset=5", [("100", 100, 50, 6.0)]),
        ("limit=100; remaining=0; reset=5", [("100", 100, 0, 6.0)]),
        ('"default";r=50;t=30', [('"default"', None, 50, 31.0)]),
        ('"burst";r=5;t=1, "day";r=9;t=60', [('"burst"', None, 5, 2.0), ('"day"', None, 9, 61.0)]),
        ('"default";r=50', []),
        ("", []),
        ("nonsense", []),
    ],
)
def test_structured_limits_are_read(text: str, expected: list[Any]) -> None:
    assert announced({"RateLimit": text}, SERVED) == expected


def test_the_first_of_several_limits_counts() -> None:
    headers = {"RateLimit-Limit": "10, 10;w=1, 50;w=60", "RateLimit-Remaining": "3"}
    said = announced({**headers, "RateLimit-Reset": "0.5"}, SERVED)
    assert said == [Announcement("10", 10, 3, 0.5)]


def test_the_servers_clock_counts() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(AT + 30)}
    assert announced(headers, (AT + 20) * 1_000_000)[0].reset == pytest.approx(11)
    late = {**headers, "X-RateLimit-Reset": str(int(time.time()) + 30)}
    assert announced(late, None)[0].reset == pytest.approx(31, abs=2)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Reset": "10"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "10"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 400},
        {"X-RateLimit-Remaining": "nan", "X-RateLimit-Reset": "inf"},
    ],
)
def test_half_of_a_limit_says_nothing(headers: dict[str, str]) -> None:
    assert announced(headers, SERVED) == []


def test_a_refusal_means_that_nothing_is_left_unless_it_says_else() -> None:
    assert told(announced({"X-RateLimit-Reset": "10"}, SERVED, refused=True)) == 11
    some = {"X-RateLimit-Reset": "10", "X-RateLimit-Remaining": "5"}
    assert told(announced(some, SERVED, refused=True)) is None
    assert told([]) is None


@given(
    st.dictionaries(
        st.sampled_from(
            ["RateLimit", "X-RateLimit-Reset", "X-RateLimit-Remaining", "RateLimit-Limit"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255)),
    )
)
def test_no_header_is_a_surprise(headers: dict[str, str]) -> None:
    for said in announced(headers, SERVED, refused=True):
        assert said.remaining >= 0
        assert 0 <= said.reset < float("inf")


def say(remaining: int, reset: float = 60.0, limit: int | None = 10) -> Announcement:
    return Announcement("", limit, remaining, reset)


def test_nothing_is_known_at_first() -> None:
    quota = Quota()
    assert quota.has_room(99, 0)
    assert quota.free_at(0) == 0


def test_what_is_in_flight_counts_against_what_remains() -> None:
    quota = Quota()
    quota.take(say(3), 0, 1)
    assert [quota.has_room(n, 1) for n in range(5)] == [True, True, True, False, False]
    assert quota.free_at(1) == 0


def test_what_is_spent_is_free_again_at_the_reset() -> None:
    quota = Quota()
    quota.take(say(0), 0, 1)
    assert quota.free_at(1) == 61
    assert quota.free_at(60.9) == 61
    assert quota.free_at(61) == 0
    assert [quota.has_room(n, 61) for n in (9, 10)] == [True, False]


def test_answers_that_overtake_each_other_make_no_more_of_it() -> None:
    quota = Quota()
    quota.take(say(4), granted=0, now=1)
    quota.take(say(5), granted=0.5, now=1.1)
    assert not quota.has_room(4, 1.1)
    quota.take(say(9), granted=2, now=3)
    assert quota.has_room(8, 3)


def test_late_words_about_the_last_window_say_nothing_of_this_one() -> None:
    quota = Quota()
    quota.take(say(9, reset=60), granted=0, now=10)
    quota.take(say(0, reset=2), granted=9, now=10.5)
    assert quota.free_at(10.5) == 0


def test_a_new_window_begins_when_an_answer_says_so() -> None:
    quota = Quota()
    quota.take(say(1, reset=2), granted=0, now=10)
    quota.take(say(9, reset=60), granted=9, now=10.5)
    assert quota.has_room(8, 10.5)


def test_answers_that_say_nothing_are_counted() -> None:
    quota = Quota()
    quota.take(say(2), 0, 1)
    quota.missed()
    quota.missed()
    assert quota.free_at(1) == 61


def test_headers_that_stop_coming_are_no_limit_for_ever() -> None:
    quota = Quota()
    quota.take(say(0, limit=None), 0, 1)
    assert quota.free_at(61) == 0
    for _ in range(5):
        quota.missed()
    assert quota.free_at(62) == 0
    assert quota.has_room(50, 62)
