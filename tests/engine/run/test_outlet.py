"""Where rows and bookmarks go: states that follow their lines, and what a backfill leaves."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from tap_analytics.engine.output import writer as writers
from tap_analytics.engine.output.writer import LineWriter
from tap_analytics.engine.run.outlet import Outlet

ROW = b'{"type":"RECORD"}\n'


class Output:
    """Standard output and the clock of the writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 500.0
        self._text = io.StringIO()
        monkeypatch.setattr(writers, "sys", SimpleNamespace(stdout=self._text, __stdout__=object()))
        monkeypatch.setattr(writers, "time", SimpleNamespace(monotonic=lambda: self.now))

    def said(self) -> list[Any]:
        """Return the messages so far: a state's value, and the kinds of all others."""
        lines = map(json.loads, self._text.getvalue().splitlines())
        return [line.get("value", line["type"]) for line in lines]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    return Output(monkeypatch)


def bookmarks(**entries: Any) -> dict[str, Any]:
    return {"bookmarks": {name: {"n": number} for name, number in entries.items()}}


def test_a_wait_hands_over_lines_without_a_bookmark_at_once(output: Output) -> None:
    outlet = Outlet(LineWriter(), {})
    outlet.write(ROW)
    assert output.said() == []
    assert outlet.pause() is None
    assert output.said() == ["RECORD"]


def test_a_wait_hands_over_lines_with_their_bookmark_when_it_is_due(output: Output) -> None:
    outlet = Outlet(LineWriter(), {})
    outlet.write(ROW)
    outlet.entry("s", None).write(n=1)
    outlet.moved()
    assert outlet.pause() == pytest.approx(0.2)
    assert output.said() == []
    output.now += 0.15
    assert outlet.pause() == pytest.approx(0.05)
    output.now += 0.05 + 1e-6
    assert outlet.pause() is None
    assert output.said() == ["RECORD", bookmarks(s=1)]
    outlet.write(ROW)
    outlet.entry("s", None).write(n=2)
    outlet.moved()
    assert outlet.pause() == pytest.approx(1)


def test_lines_that_moved_a_bookmark_leave_once_too_many_are_held(output: Output) -> None:
    writer = LineWriter()
    outlet = Outlet(writer, {})
    outlet.entry("s", None).write(n=1)
    outlet.moved()
    outlet.write(ROW * 10_000)
    assert output.said() == []
    outlet.write(ROW * 230_000)
    assert output.said() == ["RECORD"] * 240_000
    assert outlet.pause() == pytest.approx(0.2), "the state is still to come"


def test_the_end_says_the_last_state_though_it_is_not_due(output: Output) -> None:
    state = bookmarks(s=1)
    outlet = Outlet(LineWriter(), state)
    outlet.entry("s", None).write(n=2)
    outlet.moved()
    outlet.close()
    assert output.said() == [bookmarks(s=2)]
    assert state == bookmarks(s=2)


def test_the_end_says_a_state_though_there_is_none(output: Output) -> None:
    Outlet(LineWriter(), {}).close()
    assert output.said() == [{"bookmarks": {}}]


def test_the_state_of_a_backfill_passes_through(output: Output) -> None:
    given = {"bookmarks": {"s": {"n": 1, "accounts": {"x": {"n": 2}}}}}
    state = json.loads(json.dumps(given))
    outlet = Outlet(LineWriter(), state, backfill=True, accounts=["y"])
    outlet.entry("s", None).write(n=9)
    outlet.moved()
    output.now += 1
    outlet.moved()
    outlet.close()
    assert output.said() == [given, given]
    assert outlet.entry("s", None).read()["n"] == 9, "it reads and moves bookmarks of its own"


def test_accounts_that_are_not_read_any_more_are_forgotten(output: Output) -> None:
    accounts = {"x": {"n": 1}, "y": {"n": 2}}
    state: dict[str, Any] = {"bookmarks": {"s": {"n": 0, "accounts": accounts}}}
    outlet = Outlet(LineWriter(), state, accounts=["x", "z"])
    assert outlet.entry("s", "x").read() == {"n": 1}
    assert outlet.entry("s", "y").read() == {}
    outlet.close()
    assert output.said() == [{"bookmarks": {"s": {"accounts": {"x": {"n": 1}}}}}]
    alone: dict[str, Any] = {"bookmarks": {"s": {"n": 0, "accounts": {"x": {"n": 1}}}}}
    Outlet(LineWriter(), alone)
    assert alone == bookmarks(s=0)
