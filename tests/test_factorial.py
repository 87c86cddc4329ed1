"""Further streams of Factorial that are not like the others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis.workforce.factorial.attendance import WorkedTimes
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST, Window
from tap_analytics.sandbox import Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.support import Result

OPTIONAL = (
    "workforce_expenses",
    "workforce_planning_versions",
    "workforce_policy_assignments",
    "workforce_subprojects",
)
NOW = times.micros("2026-11-27T10:00:00Z")
DAY = times.DAY


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=12, upstreams=True) as sandbox:
        yield sandbox


def read(sandbox: Sandbox, *streams: str, **more: object) -> Result:
    config = settings(sandbox, "workforce", all_streams=True, **more)
    return run_tap(config, catalog_=vendor_catalog(sandbox, *streams))


def test_a_row_without_an_id_gets_a_lasting_one(sandbox: Sandbox) -> None:
    for stream in OPTIONAL:
        sandbox.store.update(stream, 0, {"id": None})
    first, again = (read(sandbox, *OPTIONAL) for _ in range(2))
    assert first.status == again.status == 0, first.stderr
    for stream in OPTIONAL:
        ids = [[row["id"] for row in result.records[stream]] for result in (first, again)]
        assert ids[0] == ids[1]
        assert len(set(ids[0])) == 12
        assert sum(len(one) == 64 for one in ids[0]) == 1
        assert {row["id"] for row in sandbox.store.expected(stream)} - {None} < set(ids[0])


def test_the_id_of_an_expense_stays_where_its_links_change(sandbox: Sandbox) -> None:
    stream = "workforce_expenses"
    row = sandbox.store.expected(stream)[0] | {"id": None}
    ids = set()
    for number in (1, 2):
        link = f"https://example.com/{number}"
        files = [{"id": "1", "url": link, "download_url": link}]
        sandbox.store.update(stream, 0, row | {"access_token": str(number), "files": files})
        ids |= {one["id"] for one in read(sandbox, stream).records[stream]}
    assert len(ids) == 12


def days(since: int, until: int) -> tuple[str, str]:
    """Return the first and the last day that worked times are asked for."""
    stream = WorkedTimes.__new__(WorkedTimes)
    windows = list(stream.slices(Window(since, until), NOW))
    return windows[0]["first_day"], windows[-1]["last_day"]


def test_days_to_come_are_not_asked_for() -> None:
    assert days(FIRST, -FIRST) == ("2025-11-28", "2026-11-27")
    assert days(NOW - 900 * DAY, NOW + 900 * DAY) == (times.day(NOW - 900 * DAY), "2026-11-27")
    assert days(NOW - 9 * DAY, NOW - 3 * DAY) == ("2026-11-18", "2026-11-24")


def test_estimated_times_are_asked_for_by_employee(sandbox: Sandbox) -> None:
    employees = {row["id"] for row in sandbox.store.expected("workforce_employees")}
    result = read(sandbox, "workforce_estimated_times", start_date=None)
    assert result.status == 0, result.stderr
    asked = [one for one in sandbox.requests if one.stream == "workforce_estimated_times"]
    assert sorted(one.params["employee_ids[]"] for one in asked) == sorted(employees)
    today = datetime.now(timezone.utc).date()
    assert {one.params["end_on"] for one in asked} <= {f"{today}", f"{today - timedelta(1)}"}
    assert {one.params["start_on"] < f"{today - timedelta(360)}" for one in asked} == {True}


def test_allowances_have_the_day_of_the_run(sandbox: Sandbox) -> None:
    """It is asked for, so that all pages are of one day, and stays in the row."""
    stream = "workforce_allowance_stats"
    result = read(sandbox, stream, workforce_page_size=5, emit_activate_version_messages=True)
    asked = {one.params["reference_date"] for one in sandbox.requests if one.stream == stream}
    assert len(asked) == 1
    assert {row["reference_date"] for row in result.records[stream]} == asked
    assert result.of("ACTIVATE_VERSION") == []
