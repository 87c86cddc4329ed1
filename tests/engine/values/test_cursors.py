"""Replication keys, compared as moments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.engine.values import cursors, times

if TYPE_CHECKING:
    from tap_analytics.engine.values.cursors import Cursor

SECOND = 1_000_000
MOMENT = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z"""
ALL = [
    cursors.IsoTime(),
    cursors.Day(),
    cursors.EpochMilliseconds(),
    cursors.EpochSeconds(),
    cursors.EpochSecondsText(),
]


@pytest.mark.parametrize(
    ("cursor", "value"),
    [
        (cursors.IsoTime(), "2026-01-01T00:00:00Z"),
        (cursors.Day(), "2026-01-01"),
        (cursors.EpochMilliseconds(), 1_767_225_600_000),
        (cursors.EpochSeconds(), 1_767_225_600),
        (cursors.EpochSecondsText(), "1767225600"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_moment_and_its_value_are_the_same(cursor: Cursor, value: Any) -> None:
    assert cursor.order(value) == MOMENT
    written = cursor.value(MOMENT)
    assert (written, type(written)) == (value, type(value))


@pytest.mark.parametrize("cursor", ALL, ids=lambda part: type(part).__name__)
@given(st.integers(times._FIRST, times._LAST))
def test_what_is_written_is_never_later(cursor: Cursor, moment: int) -> None:
    assert moment - times.DAY < cursor.order(cursor.value(moment)) <= moment


@pytest.mark.parametrize(
    ("value", "said"),
    [(value, "not a text") for value in (1, None, True, Decimal(1), ["2026-01-01"])]
    + [(value, "not an ISO 8601 time") for value in ("soon", "")],
    ids=repr,
)
@pytest.mark.parametrize("cursor", ALL[:2], ids=lambda part: type(part).__name__)
def test_times_are_text(cursor: Cursor, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        cursor.order(value)


@pytest.mark.parametrize(
    ("value", "order"),
    [
        (5, 5 * SECOND),
        (-5, -5 * SECOND),
        ("5", 5 * SECOND),
        (Decimal("5.0"), 5 * SECOND),
        (Decimal("5.9"), 5 * SECOND),
        (Decimal("1e29"), 10**29 * SECOND),
    ],
    ids=repr,
)
def test_numbers_may_be_text(value: object, order: int) -> None:
    assert cursors.EpochSeconds().order(value) == order
    assert cursors.EpochSecondsText().order(value) == order
    assert cursors.EpochMilliseconds().order(value) == order // 1000


@pytest.mark.parametrize("value", [True, False, None, 1.5, [], {}])
def test_other_types_are_no_numbers(value: object) -> None:
    with pytest.raises(ValueError, match=r"^not a number$"):
        cursors.EpochSeconds().order(value)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e30", "1e999999999"])
def test_numbers_of_another_world_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"^no number of this world$"):
        cursors.EpochSeconds().order(Decimal(value))


@pytest.mark.parametrize("value", ["", "soon", "1.5", "2026-01-01"])
def test_other_texts_are_no_numbers(value: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        cursors.EpochSeconds().order(value)


def test_the_base_leaves_it_open() -> None:
    with pytest.raises(NotImplementedError):
        cursors.Cursor().order(1)
    with pytest.raises(NotImplementedError):
        cursors.Cursor().value(1)
