"""Signs of life: a live view on a terminal, else a short line now and then."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tap_analytics.engine.output.closing import duration
from tap_analytics.engine.output.report import INTERRUPTED
from tap_analytics.engine.threads import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from rich.console import Group
    from rich.live import Live

    from tap_analytics.engine.output.report import Report, Tally

_logger = logging.getLogger("tap-analytics")
_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_VIEWS = 0.5
_SHARE_OF_TIME = 0.005
_ROWS_SHOWN = 12
_WAITS = {"told": "told to wait", "rate": "waits for its rate", "retry": "retries in"}


def is_terminal() -> bool:
    """Tell whether somebody watches standard error, and the messages go elsewhere."""
    watched = sys.stderr is not None and sys.stderr.isatty()
    return watched and not sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class Snapshot:
    """Where a run is at one moment; reading the counters costs the run nothing."""

    def __init__(self, report: Report) -> None:
        """Read the counters."""
        now = time.monotonic()
        tallies = list(report.tallies.values())
        self.streams = len(tallies)
        self.done = [tally for tally in tallies if tally.ended_at is not None]
        self.running = [
            tally for tally in tallies if tally.ended_at is None and tally.began_at is not None
        ]
        self.waiting = self.streams - len(self.done) - len(self.running)
        self.records = sum(tally.records for tally in tallies)
        self.requests = sum(tally.requests for tally in tallies)
        self.seconds = report.seconds
        self.waits = {
            tally.name: (wait[0] - now, wait[1])
            for tally in self.running
            if (wait := tally.waits_until) is not None and wait[0] > now
        }

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the lists whose totals are known are read, at the pace so far."""
        known = [tally for tally in self.running if tally.rows_expected]
        left = sum(max((tally.rows_expected or 0) - tally.rows_read, 0) for tally in known)
        read = sum(tally.rows_read for tally in [*self.running, *self.done])
        longest = max((seconds for seconds, _ in self.waits.values()), default=0.0)
        return longest + left * self.seconds / read if left and read else None

    def line(self) -> str:
        """Return it as one short line."""
        failed = sum(not tally.is_complete and tally.status != INTERRUPTED for tally in self.done)
        parts = [
            f"{len(self.done)} of {self.streams} streams done"
            + (f" ({failed} failed)" if failed else ""),
            f"{len(self.running)} running",
            f"{self.records:,} records ({self.records / max(self.seconds, 1):,.0f}/s)",
            f"{self.requests:,} requests",
        ]
        if self.seconds_left is not None:
            parts.append(f"about {duration(self.seconds_left)} left")
        if self.waits:
            name, (seconds, cause) = max(self.waits.items(), key=lambda item: item[1])
            more = f" and {len(self.waits) - 1} more" if len(self.waits) > 1 else ""
            parts.append(f"{name}{more}: {_WAITS[cause]} {duration(seconds)}")
        return ", ".join(parts)


class Progress:
    """Shows where a run is, from a thread of its own, as long as the block runs."""

    def __init__(self, report: Report, *, is_on: bool = True) -> None:
        """Take the counters to look at.

        Args:
            report: The run's.
            is_on: Whether to show anything.
        """
        self._report = report
        self._is_on = is_on
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._stack = ExitStack()

    def __enter__(self) -> None:
        """Start to show."""
        if self._is_on:
            show = self._show_lines
            if is_terminal():
                live = self._stack.enter_context(_live_view())
                show = lambda: self._show_live(live)  # noqa: E731
            self._thread = started(show, "progress")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and leave the terminal as it was."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(1)
        self._stack.close()

    def _show_lines(self) -> None:
        while not self._end.wait(_SECONDS_BETWEEN_LINES):
            now = Snapshot(self._report)
            fields = {"records": now.records, "requests": now.requests, "done": len(now.done)}
            _logger.info("%s", now.line(), extra=fields)

    def _show_live(self, live: Live) -> None:
        pause = _SECONDS_BETWEEN_VIEWS
        while not self._end.wait(pause):
            began = time.thread_time()
            live.update(_view(Snapshot(self._report)), refresh=True)
            pause = max(_SECONDS_BETWEEN_VIEWS, (time.thread_time() - began) / _SHARE_OF_TIME)


@contextmanager
def _live_view() -> Iterator[Live]:
    """Open a live view on standard error; log lines appear above it."""
    from rich.console import Console  # noqa: PLC0415 - a pipe never needs it
    from rich.live import Live  # noqa: PLC0415

    real = sys.stderr
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is real
    ]
    console = Console(file=real)
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        for handler in handlers:
            handler.setStream(sys.stderr)
        try:
            yield live
        finally:
            for handler in handlers:
                handler.setStream(real)


def _view(now: Snapshot) -> Group:
    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stream", "records", "requests", ""):
        table.add_column(name, justify="left" if name in ("stream", "") else "right")
    for tally in _most_telling(now):
        wait = now.waits.get(tally.name)
        words = f"{_WAITS[wait[1]]} {duration(wait[0])}" if wait else _share(tally)
        table.add_row(tally.name, f"{tally.records:,}", f"{tally.requests:,}", words)
    return Group(Text(now.line(), style="bold"), table)


def _most_telling(now: Snapshot) -> list[Tally]:
    """Return the streams to show: those that wait, then those that asked most."""
    return sorted(
        now.running, key=lambda tally: (tally.name not in now.waits, -tally.requests, tally.name)
    )[:_ROWS_SHOWN]


def _share(tally: Tally) -> str:
    if not tally.rows_expected:
        return ""
    return f"{min(tally.rows_read / tally.rows_expected, 1):.0%} of {tally.rows_expected:,}"
