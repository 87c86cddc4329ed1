"""How much of a list that is sorted by its newest change is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.run.front import Front
from tap_analytics.engine.values.cursors import EpochSeconds

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream

SECOND = 1_000_000
STREAM = cast("AnalyticsStream", SimpleNamespace(cursor=EpochSeconds(), window_key="at"))


def read(pages: list[list[Any]], since: int) -> tuple[int, bool]:
    """Return how many pages are read, and whether they were in order."""
    front = Front(STREAM)
    for number, times in enumerate(pages, start=1):
        if front.see([{"at": time} for time in times], since * SECOND):
            return number, front.in_order
    return len(pages), front.in_order


@pytest.mark.parametrize(
    ("pages", "since", "expected"),
    [
        ([[9, 8], [7, 6], [5, 4], [3, 2]], 6, (3, True)),
        ([[9, 9], [9, 6], [6, 6], [3, 2], [1, 1]], 6, (4, True)),
        ([[9, 8], [7, 6], [5, 4]], 1, (3, True)),
        ([[9, 8], [3, 7], [2, 2], [1, 1]], 6, (4, False)),
        ([[9, 8], [None, 7], [2, 2], [1, 1]], 6, (4, False)),
        ([[9, 8], ["x", 7], [2, 2], [1, 1]], 6, (4, False)),
        ([[5, 4], [3, 3], [2, 2]], 6, (3, True)),
        ([[], [9, 8], [5, 4], [3, 3]], 6, (3, True)),
    ],
    ids=["stops", "ties", "all", "order", "null", "no-time", "nothing-new", "empty"],
)
def test_it_stops_behind_a_page_of_older_rows(
    pages: list[list[Any]], since: int, expected: tuple[int, bool]
) -> None:
    assert read(pages, since) == expected


TIMES = st.lists(st.lists(st.integers(1, 30), max_size=4), max_size=8)


@given(TIMES, st.integers(1, 30))
def test_a_sorted_list_is_never_left_too_early(pages: list[list[int]], since: int) -> None:
    ordered = sorted((time for times in pages for time in times), reverse=True)
    rest = iter(ordered)
    pages = [[next(rest) for _ in times] for times in pages]
    number, in_order = read(pages, since)
    assert in_order
    assert all(time < since for times in pages[number:] for time in times)


@given(TIMES, st.integers(1, 30))
def test_where_it_stops_all_that_it_saw_was_in_order(pages: list[list[int]], since: int) -> None:
    number, in_order = read(pages, since)
    seen = [time for times in pages[:number] for time in times]
    assert in_order == (seen == sorted(seen, reverse=True))
    if number < len(pages):
        assert in_order
        assert max(pages[number - 1]) < since <= seen[0]
