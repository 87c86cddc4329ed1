"""Signs of life, on a real terminal and elsewhere."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tap_analytics.engine.output import progress
from tap_analytics.engine.output.progress import Progress, Snapshot
from tap_analytics.engine.output.report import FAILED, Report
from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import logging, sys, time
from tap_analytics.engine.output.progress import Progress
from tap_analytics.engine.output.report import Report

logging.basicConfig(stream=sys.stderr, level="INFO")
report = Report()
tally = report.tally("accounts", "sales")
tally.request()
tally.records = 1234
tally.read(50, 100)
with Progress(report):
    time.sleep(0.8)
    logging.getLogger("tap-analytics").info("a log line")
    sys.stdout.write("a message\\n")
    time.sleep(0.8)
"""


def half_done() -> Report:
    report = Report()
    report._began -= 10
    done = report.tally("done", "api")
    done.request()
    done.records = 3000
    done.read(50, 50)
    done.complete()
    failed = report.tally("failed", "api")
    failed.fail(FAILED, "why")
    failed.complete()
    running = report.tally("running", "api")
    running.request()
    running.read(50, 150)
    report.tally("later", "api")
    return report


def test_a_line_says_where_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Report, "seconds", 10.0)
    assert Snapshot(half_done()).line() == (
        "2 of 4 streams done (1 failed), 1 running, 3,000 records (300/s), 2 requests, "
        "about 10 s left"
    )


def test_what_is_waited_for_is_said() -> None:
    report = half_done()
    running = report.tally("running", "api")
    with running.waiting("told", time.monotonic() + 60.4):
        assert Snapshot(report).line().endswith("running: told to wait 1 min 0 s")
    running.waits_until = (time.monotonic() - 1, "told")
    assert "told" not in Snapshot(report).line()


def test_without_totals_no_time_is_promised() -> None:
    report = Report()
    report.tally("s", "api").request()
    assert "left" not in Snapshot(report).line()


def test_in_a_pipe_a_line_comes_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.1)
    began = time.monotonic()
    with Progress(half_done()):
        while len(caplog.messages) < 2 and time.monotonic() < began + 20:
            time.sleep(0.01)
    said = len(caplog.messages)
    assert 2 <= said <= (time.monotonic() - began) / 0.1
    assert caplog.messages[0].startswith("2 of 4 streams done")
    time.sleep(0.2)
    assert len(caplog.messages) == said


def test_it_can_be_turned_off(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "tap-analytics")
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.01)
    with Progress(half_done(), is_on=False):
        time.sleep(0.1)
    assert caplog.messages == []


def test_looking_costs_next_to_nothing() -> None:
    """A view of 200 streams, every half second: under a hundredth of the time."""
    report = Report()
    for number in range(200):
        report.tally(f"s{number}", "api").request()
    began = time.thread_time()
    for _ in range(20):
        Snapshot(report).line()
    assert (time.thread_time() - began) / 20 < progress._SECONDS_BETWEEN_VIEWS / 100


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals here")
@pytest.mark.parametrize(("term", "is_live"), [("xterm-256color", True), ("dumb", False)])
def test_on_a_terminal_there_is_a_live_view(tmp_path: Path, term: str, *, is_live: bool) -> None:
    ours, theirs = os.openpty()
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        done = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", RUN],
            cwd=ROOT,
            env=environment(TERM=term, COLUMNS="100", LINES="30"),
            stdout=stdout,
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
        assert done.wait(20) == 0
    os.close(ours)
    assert out.read_bytes() == b"a message\n"
    assert b"a log line" in seen
    assert (b"accounts" in seen) == is_live
    assert (b"50% of 100" in seen) == is_live
