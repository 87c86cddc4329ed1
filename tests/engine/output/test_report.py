"""What a run says about its streams."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from tap_analytics.engine.output.report import COMPLETE, DENIED, FAILED, INTERRUPTED, Report, Tally

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_stream_is_interrupted_until_it_is_complete() -> None:
    tally = Tally("s", "api")
    assert (tally.status, tally.is_complete) == (INTERRUPTED, False)
    tally.complete()
    assert (tally.status, tally.is_complete) == (COMPLETE, True)


def test_the_worst_outcome_counts() -> None:
    tally = Tally("s", "api")
    tally.fail(DENIED, "one")
    assert tally.status == DENIED
    tally.fail(FAILED, "two")
    tally.fail(DENIED, "three")
    tally.fail(FAILED, "four")
    tally.complete()
    assert (tally.status, tally.reasons) == (FAILED, ["one", "two", "three"])


def test_everything_is_counted() -> None:
    tally = Tally("s", "api")
    tally.request()
    tally.request()
    tally.retry()
    tally.retry()
    now = [10.0]
    with tally.waiting("told", 11.25, lambda: now[0]):
        now[0] += 1.25
    with tally.waiting("retry", 20, lambda: now[0]):
        now[0] += 0.5004
    tally.records = 3
    tally.skip("GET /a")
    tally.skip("GET /b")
    tally.note("n")
    tally.note("n")
    tally.complete()
    assert tally.row() == {
        "stream": "s",
        "api": "api",
        "status": "complete",
        "records": 3,
        "requests": 2,
        "retries": 2,
        "seconds_waited": 1.75,
        "waits": {"told": 1.25, "retry": 0.5},
        "skipped": 2,
        "reason": None,
        "notes": ["skipped because gone, such as GET /a", "n"],
    }
    assert tally.line() == (
        "s (api): complete, 3 records, 2 requests, 2 retries, 1.8 s waited, 2 skipped; "
        "skipped because gone, such as GET /a; n"
    )


def test_waits_side_by_side_count_once() -> None:
    tally = Tally("s", "api")
    now = [10.0]

    def clock() -> float:
        return now[0]

    with tally.waiting("told", 14, clock):
        now[0] = 11
        with tally.waiting("told", 14, clock):
            now[0] = 13
        now[0] = 14
    assert tally.waits == {"told": 3.0 + 0.0}
    assert tally.waited == 3


def test_reasons_are_told() -> None:
    tally = Tally("s", "api")
    tally.fail(FAILED, "one http://user:word@host/")
    tally.fail(FAILED, "two")
    assert tally.row()["reason"] == "one http://***@host/; two"
    assert tally.line().endswith("0 skipped; one http://***@host/; two")


def test_a_report_is_sound_if_all_streams_are_complete() -> None:
    report = Report()
    one, two = report.tally("one", "api"), report.tally("two", "api")
    assert report.tally("one", "api") is one
    one.complete()
    assert (report.sound, report.troubles) == (False, [])
    two.fail(DENIED, "no")
    assert (report.sound, report.troubles) == (False, [two])


def test_a_report_without_streams_is_sound() -> None:
    assert Report().sound


def test_a_report_is_logged_and_written_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    report = Report()
    report.tally("good", "api").complete()
    report.tally("bad", "api").fail(FAILED, "why")
    path = tmp_path / "report.json"
    path.write_text("from before", encoding="utf-8")
    report.publish(logging.getLogger("test"), str(path))
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told == {"streams": [tally.row() for tally in report.tallies.values()]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR"]
    assert caplog.messages == [tally.line() for tally in report.tallies.values()]


def test_a_report_need_not_be_written(tmp_path: Path) -> None:
    Report().publish(logging.getLogger("test"), None)
    assert list(tmp_path.iterdir()) == []
