"""Clocks that differ, rows from the future, and rows that come to light late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer
from tests.helpers.changing import instant, touch
from tests.helpers.comparing import assert_union, ids
from tests.helpers.support import run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request, Sandbox

    OpenSandbox = Callable[..., Sandbox]


class Clock:
    """The clock of a server that is behind ours, or ahead of it."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    @property
    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self._ahead

    def __call__(self, _: Request) -> Answer:
        """Let an answer carry the server's time."""
        return Answer(headers={"Date": format_datetime(self.now, usegmt=True)})


def read(sandbox: Sandbox, *streams: str, state: Any = None, **more: Any) -> Any:
    return run_tap(settings(sandbox, **more), *streams, state=state)


@pytest.mark.parametrize("minutes", [-10, -0.1, 0, 10])
@pytest.mark.parametrize("stream", ["layers", "tasks", "signing_links"])
def test_a_row_that_changes_while_a_run_goes_on_is_not_lost(
    open_sandbox: OpenSandbox, stream: str, minutes: float
) -> None:
    """What the first run did not see was stamped after its list began, by the server's clock."""
    sandbox = open_sandbox(records=8)
    clock = Clock(timedelta(minutes=minutes))
    sandbox.faults.append(clock)
    touch(sandbox, stream, 1, clock.now)
    first = read(sandbox, stream)
    assert first.status == 0
    assert instant(first.bookmark(stream)) < clock.now - timedelta(seconds=4)
    touch(sandbox, stream, 2, clock.now - timedelta(seconds=1))
    second = read(sandbox, stream, state=first.state)
    assert_union(sandbox, [first, second], stream)


@pytest.mark.parametrize("stream", ["layers", "tasks"])
def test_a_row_that_is_committed_late_is_not_lost(open_sandbox: OpenSandbox, stream: str) -> None:
    sandbox = open_sandbox(records=8)
    now = datetime.now(timezone.utc)
    touch(sandbox, stream, 1, now)
    first = read(sandbox, stream)
    touch(sandbox, stream, 2, now - timedelta(seconds=2))
    second = read(sandbox, stream, state=first.state)
    assert_union(sandbox, [first, second], stream)


def test_a_lookback_reads_again_what_is_so_old(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=8)
    times = [datetime(2026, 10, day, tzinfo=timezone.utc) for day in range(1, 9)]
    for index, when in enumerate(times):
        touch(sandbox, "layers", index, when)
    first = read(sandbox, "layers")
    touch(sandbox, "layers", 0, datetime(2026, 10, 6, 12, tzinfo=timezone.utc))
    assert len(read(sandbox, "layers", state=first.state).records["layers"]) == 1
    second = read(sandbox, "layers", state=first.state, lookback_days=2)
    stamps = sorted(instant(row["lastModifiedTime"]) for row in second.records["layers"])
    assert stamps == [*times[5:6], datetime(2026, 10, 6, 12, tzinfo=timezone.utc), *times[6:]]
    assert second.state == first.state
    assert_union(sandbox, [first, second], "layers")


def test_a_lookback_never_takes_a_bookmark_back(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=8)
    first = read(sandbox, "layers", lookback_days=400)
    for index in range(8):
        touch(sandbox, "layers", index, datetime(2026, 1, 1 + index, tzinfo=timezone.utc))
    second = read(sandbox, "layers", state=first.state, lookback_days=400)
    assert len(second.records["layers"]) == 8
    assert second.bookmark("layers") == first.bookmark("layers")


def test_a_backfill_reads_its_window_and_leaves_the_state_as_it_is(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(records=30)
    first = read(sandbox, "layers", "tags", "gates", "gates_rules")
    window = {"start_date": "2026-03-01", "end_date": "2026-06-30", "backfill": True}
    result = read(sandbox, "layers", "tags", "gates", "gates_rules", state=first.state, **window)
    assert result.status == 0
    wanted = [
        row
        for row in sandbox.store.rows("experimentation", "layers")
        if datetime(2026, 3, 1, tzinfo=timezone.utc)
        <= instant(row["lastModifiedTime"])
        < datetime(2026, 7, 1, tzinfo=timezone.utc)
    ]
    assert wanted
    assert ids(result.records["layers"]) == ids(wanted)
    assert "tags" not in result.records
    assert result.state == first.state
    fresh = read(sandbox, "layers", **window)
    assert ids(fresh.records["layers"]) == ids(wanted)
    assert not fresh.state.get("bookmarks")
