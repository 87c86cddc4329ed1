"""Windows of days: nothing between them, none too long, and shorter ones where they are slow."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_analytics.apis.workforce.factorial.core import Shifts
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST, Window
from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request

NOW = times.micros("2026-11-27T10:00:00Z")
DAYS = st.integers(-4000, 4000).map(lambda day: NOW + day * times.DAY + 12_345)
SHIFTS = Shifts.__new__(Shifts)


def ends(context: dict[str, Any]) -> tuple[int, int]:
    """Return the first and the last day of a window."""
    first, last = (times.micros(context[name]) // times.DAY for name in ("first_day", "last_day"))
    return first, last


@given(st.sampled_from([FIRST]) | DAYS, st.sampled_from([-FIRST]) | DAYS)
def test_windows_leave_nothing_out(since: int, until: int) -> None:
    windows = [ends(context) for context in SHIFTS.slices(Window(since, until), NOW)]
    if since > until:
        return
    assert windows[0][0] == max(since // times.DAY, 0)
    assert windows[-1][1] >= min(until // times.DAY, times.micros("2099-12-31") // times.DAY)
    for (_, last), (first, _) in pairwise(windows):
        assert first <= last, "neighbors share the day at their edge"
    inner = windows[since == FIRST : len(windows) - (until == -FIRST)]
    assert all(1 <= last - first <= 6 for first, last in inner)


@given(DAYS, st.integers(0, 30_000))
def test_halves_leave_nothing_out(first: int, days: int) -> None:
    whole = {"first_day": times.day(first), "last_day": times.day(first + days * times.DAY)}
    halves = list(map(ends, SHIFTS.halves(whole)))
    if days <= 1:
        assert halves == []
        return
    (start, middle), (again, end) = halves
    assert (start, end) == ends(whole)
    assert middle == again
    assert start < middle < end


def test_a_list_that_takes_no_days_has_no_halves() -> None:
    assert SHIFTS.halves(None) == ()


def _slow_above(days: int, late: Answer | None) -> Callable[[Request], Answer | None]:
    """Answer too late, or that it was too late, where more days are asked for."""

    def fault(request: Request) -> Answer | None:
        if request.stream != "workforce_shifts":
            return None
        first, last = (times.micros(request.params[name]) for name in ("start_at", "end_at"))
        return late if last - first > days * times.DAY else None

    return fault


@pytest.mark.parametrize(
    "late", [Answer(delay=4), Answer(status=504, body=b"{}")], ids=["silent", "gateway"]
)
def test_windows_that_are_too_slow_become_shorter(
    open_sandbox: Callable[..., Sandbox], late: Answer
) -> None:
    sandbox = open_sandbox(records=300, upstreams=True)
    sandbox.faults.append(_slow_above(3, late))
    config = settings(
        sandbox,
        start_date="2026-09-01",
        end_date="2026-10-20",
        request_timeout=1,
        max_concurrency=2,
    )
    result = run_tap(config, catalog_=vendor_catalog(sandbox, "workforce_shifts"))
    assert result.status == 0, result.stderr[-2000:]
    ids = [row["id"] for row in result.records["workforce_shifts"]]
    assert len(ids) == len(set(ids))
    wanted = {
        row["id"]
        for row in sandbox.store.expected("workforce_shifts")
        if "2026-09-01" <= (row["start_at"] or "")[:10] <= "2026-10-20"
    }
    assert wanted <= set(ids)
    assert wanted
    report = result.report["workforce_shifts"]
    assert any("asked for in parts of less than" in note for note in report["notes"])
    assert report["retries"] == 0, "a window that can be halved is not asked for again"
    long = [
        request
        for request in sandbox.requests
        if times.micros(request.params["end_at"]) - times.micros(request.params["start_at"])
        > 3 * times.DAY
    ]
    assert len(long) <= 6, "those that follow a slow one are short from the start"


def test_a_day_that_is_too_slow_fails_in_words(open_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = open_sandbox(records=3, upstreams=True)
    sandbox.faults.append(_slow_above(0, Answer(status=504, body=b"{}")))
    config = settings(sandbox, start_date="2026-10-01", end_date="2026-10-07", max_retries=1)
    result = run_tap(config, catalog_=vendor_catalog(sandbox, "workforce_shifts"))
    assert result.status == 1
    assert "504" in result.report["workforce_shifts"]["reason"]


def test_days_that_are_bounded_delete_nothing(open_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = open_sandbox(records=3, upstreams=True)
    chosen = vendor_catalog(sandbox, "workforce_shifts")
    config = settings(sandbox, emit_activate_version_messages=True)
    assert run_tap(config, catalog_=chosen).of("ACTIVATE_VERSION")
    bounded = run_tap({**config, "end_date": "2026-10-20"}, catalog_=chosen)
    assert bounded.status == 0
    assert not bounded.of("ACTIVATE_VERSION")
