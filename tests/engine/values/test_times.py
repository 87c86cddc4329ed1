"""Reading and writing times."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_analytics.engine.values import times

UTC = timezone.utc
SECOND = 1_000_000
BASE = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z"""


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2026-01-01", 0),
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00z", 0),
        ("2026-01-01t01:00", 3600 * SECOND),
        ("2026-01-01 01:02:03", 3723 * SECOND),
        ("2026-01-01T00:00:00.5Z", 500_000),
        ("2026-01-01T00:00:00,25Z", 250_000),
        ("2026-01-01T00:00:00.1234567Z", 123_456),
        ("2026-01-01T02:00:00+02:00", 0),
        ("2026-01-01T02:00:00+0200", 0),
        ("2026-01-01T02:00:00 +02", 0),
        ("2025-12-31T19:30:00-04:30", 0),
        ("2025-12-31T20:00:00-04", 0),
        ("2025-12-31T23:59:60Z", 0),
        ("1970-01-01", -BASE),
    ],
)
def test_times_are_read(text: str, after: int) -> None:
    assert times.micros(text) == BASE + after


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026",
        "2026-1-1",
        "2026-02-30",
        "0000-01-01",
        "2026-01-01T",
        "2026-01-01T24:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T02",
        "2026-W01-1T00:00:00",
        "2026-01-01T00:60",
        "2026-01-01T00:00:61",
        "2026-01-01Z",
        "2026-01-01T00:00:00+2",
        " 2026-01-01",
        "2026-01-01\n",
        "٢٠٢٦-01-01",
        "20260101",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        times.micros(text)


def test_times_stop_at_the_edge_of_the_calendar() -> None:
    assert times.iso(times.micros("0001-01-01T00:00:00+14:00")) == "0001-01-01T00:00:00Z"
    assert times.iso(times.micros("9999-12-31T23:59:59.9-14:00")) == "9999-12-31T23:59:59.999999Z"


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_times_are_those_of_the_standard_library(naive: datetime, minutes: int) -> None:
    when = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    moment = times.micros(when.isoformat())
    assert moment == (when - times.EPOCH) // timedelta(microseconds=1)
    assert times.micros(times.iso(moment)) == moment
    assert times.day(moment) == when.astimezone(UTC).date().isoformat()
    assert times.micros(times.utc_text(when.isoformat())) == moment


@given(st.integers(times._FIRST, times._LAST))
def test_times_are_written_so_that_they_can_be_read(moment: int) -> None:
    text = times.iso(moment)
    assert text.endswith("Z")
    assert times.micros(text) == moment
    assert times.utc_text(text) is text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
        ("2026-01-01 00:00:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.120+00:00", "2026-01-01T00:00:00.120000Z"),
        ("2026-01-01T00:00:00.1200000Z", "2026-01-01T00:00:00.1200000Z"),
        ("2026-01-01T00:00:00z", "2026-01-01T00:00:00Z"),
    ],
)
def test_times_leave_in_utc(text: str, utc: str) -> None:
    assert times.utc_text(text) == utc


@pytest.mark.parametrize(
    "text", ["soon", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T02", "", "Z", "T"]
)
def test_only_times_leave(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        times.utc_text(text)


@given(st.from_regex(times._SURELY_VALID, fullmatch=True))
def test_texts_that_are_sure_do_not_change(text: str) -> None:
    assert times.utc_text(text) == text


DATE_TIMES = st.datetimes().map(datetime.isoformat) | st.sampled_from(
    ["2026-01-31T09:00:00", "2026-02-28T23:59:59.5", "2026-02-29T00:00:00", "0001-01-01T00:00:00"]
)
ZONES = st.sampled_from(
    ["Z", "z", "+00:00", "-00:00", "+02:00", "-11:30", "+0200", "+02", "", "+23:59", "+24:00"]
)
FORMS = st.builds(
    lambda text, zone, gap: text.replace("T", gap) + zone,
    DATE_TIMES,
    ZONES,
    st.sampled_from(["T", "T", "T", " ", "t"]),
)


@settings(max_examples=1000)
@given(st.lists(st.none() | FORMS | st.text("0123456789-+:.TZ ", max_size=30), max_size=3))
def test_times_are_moved_to_utc_together_as_they_are_alone(texts: list[str | None]) -> None:
    try:
        places, values = times.moved_to_utc(texts)
    except (ValueError, OverflowError):
        return
    assert len(places) == len(values)
    moved = dict(zip(places, values, strict=True))
    for place, text in enumerate(texts):
        if text is not None:
            assert moved.get(place, text) == times.utc_text(text)


@settings(max_examples=1000)
@given(st.lists(st.none() | FORMS | st.text("0123456789-+:.TZ ", max_size=30), max_size=3))
def test_times_are_read_together_as_they_are_alone(texts: list[str | None]) -> None:
    try:
        found = times.all_micros(texts, -1)
    except ValueError:
        return
    assert found == [-1 if text is None else times.micros(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00.9999999Z",
        "2026-01-01T00:00:00.9999999+00:00",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:00:00-02:00",
        "2026-01-01",
        "soon",
    ],
)
def test_what_is_not_usual_is_read_alone(text: str) -> None:
    usual = "2026-01-01T00:00:00.999999+02:00"
    assert times.all_micros([usual, None], times._FIRST - 1) == [
        times.micros(usual),
        times._FIRST - 1,
    ]
    with pytest.raises(ValueError, match=r"."):
        times.all_micros([usual, None, text], times._FIRST - 1)


@pytest.mark.parametrize("zone", ["Z", "+02:00", "-11:30"])
def test_the_usual_forms_are_moved_together(zone: str) -> None:
    texts = ["2026-01-31T23:00:00", "2026-01-31T00:00:00.5", "2024-02-29T12:00:00.123456"]
    places, _ = times.moved_to_utc([f"{text}{zone}" for text in texts])
    assert len(places) == (0 if zone == "Z" else 3)


def test_times_of_several_zones_are_moved_together() -> None:
    texts = ["2026-01-31T23:00:00+02:00", None, "2026-01-31T23:00:00-11:30", "2026-01-31T00:00:00Z"]
    assert times.moved_to_utc(texts) == ([0, 2], ["2026-01-31T21:00:00Z", "2026-02-01T10:30:00Z"])


def test_days() -> None:
    assert times.day(0) == "1970-01-01"
    assert times.day(-1) == "1969-12-31"
    assert times.day(times.DAY - 1) == "1970-01-01"
    assert times.day(times.DAY) == "1970-01-02"


def test_now_is_now() -> None:
    assert abs(times.now() - time.time() * SECOND) < 10 * SECOND
