"""The run report: what happened to each stream."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.secrets import redactor

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

COMPLETE, FAILED, DENIED, INTERRUPTED = "complete", "failed", "denied", "interrupted"
_MOST_REASONS = 3


class Tally:
    """Counts and outcome of one stream; counting is safe from any thread."""

    def __init__(self, stream: str, api: str) -> None:
        """Start at zero, with the outcome open."""
        self._lock = threading.Lock()
        self.stream = stream
        self.api = api
        self.records = 0
        self.again = 0  # of the records: those written once more, or in place of others
        self.requests = 0
        self.retries = 0
        self.waits: dict[str, float] = {}
        self.waits_until: tuple[float, str] | None = None
        self._waited_until = 0.0
        self.skipped = 0
        self.status = INTERRUPTED
        self.reasons: list[str] = []
        self.notes: list[str] = []

    def request(self) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1

    def retry(self) -> None:
        """Count a retry."""
        with self._lock:
            self.retries += 1

    @contextmanager
    def waiting(
        self, cause: str, until: float, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[None]:
        """Count the time that the block takes as a wait; waits side by side count once.

        Args:
            cause: Why it waits.
            until: Monotonic time until which it will.
            clock: Tells that time.
        """
        began = clock()
        self.waits_until = max(self.waits_until or (0.0, ""), (until, cause))
        try:
            yield
        finally:
            now = clock()
            with self._lock:
                seconds = max(now - max(began, self._waited_until), 0.0)
                self.waits[cause] = self.waits.get(cause, 0.0) + seconds
                self._waited_until = max(now, self._waited_until)

    @property
    def waited(self) -> float:
        """Seconds waited, for all causes together."""
        return sum(self.waits.values())

    def skip(self, why: str) -> None:
        """Count a list that is not there any more."""
        self.skipped += 1
        if self.skipped == 1:
            self.note(f"skipped because gone, such as {why}")

    @property
    def is_complete(self) -> bool:
        """Whether the stream is done and nothing of it failed."""
        return self.status == COMPLETE

    def fail(self, status: str, reason: str) -> None:
        """Note a failure; the worst status and the first reasons are kept."""
        if self.status != FAILED:
            self.status = status
        if len(self.reasons) < _MOST_REASONS:
            self.reasons.append(redactor.clean(reason))

    def complete(self) -> None:
        """Note that the stream is complete, unless something failed before."""
        if self.status == INTERRUPTED:
            self.status = COMPLETE

    def note(self, text: str) -> None:
        """Say something that is no failure, once."""
        clean = redactor.clean(text)
        if clean not in self.notes:
            self.notes.append(clean)

    def row(self) -> dict[str, Any]:
        """Return the stream's part of the report, ready for JSON."""
        return {
            "stream": self.stream,
            "api": self.api,
            "status": self.status,
            "records": self.records,
            "requests": self.requests,
            "retries": self.retries,
            "seconds_waited": round(self.waited, 3),
            "waits": {cause: round(seconds, 3) for cause, seconds in self.waits.items()},
            "skipped": self.skipped,
            "reason": "; ".join(self.reasons) or None,
            "notes": self.notes,
        }

    def line(self) -> str:
        """Return the stream's part of the report as one line."""
        text = (
            f"{self.stream} ({self.api}): {self.status}, {self.records} records, "
            f"{self.requests} requests, {self.retries} retries, {self.waited:.1f} s waited, "
            f"{self.skipped} skipped"
        )
        return "; ".join([text, *self.reasons, *self.notes])


class Report:
    """The tallies of all streams of a run, in the order the streams are read."""

    def __init__(self) -> None:
        """Start without a stream."""
        self.tallies: dict[str, Tally] = {}

    def tally(self, stream: str, api: str) -> Tally:
        """Return the tally of a stream, a new one the first time."""
        if stream not in self.tallies:
            self.tallies[stream] = Tally(stream, api)
        return self.tallies[stream]

    @property
    def sound(self) -> bool:
        """Whether every stream is complete."""
        return all(tally.is_complete for tally in self.tallies.values())

    @property
    def troubles(self) -> list[Tally]:
        """The streams that failed or were refused."""
        return [tally for tally in self.tallies.values() if tally.status in (FAILED, DENIED)]

    def publish(self, logger: logging.Logger, path: str | None) -> None:
        """Log one line per stream and, with a path, write the report there as JSON.

        The file appears whole or not at all.
        """
        for tally in self.tallies.values():
            log = logger.info if tally.is_complete else logger.error
            log("%s", tally.line())
        if path:
            rows = [tally.row() for tally in self.tallies.values()]
            draft = _draft_of(path)
            draft.write_text(json.dumps({"streams": rows}, indent=2) + "\n", encoding="utf-8")
            draft.replace(path)


def find_obstacle(path: str) -> str | None:
    """Return why no report can be written to a path; None if one can."""
    try:
        if Path(path).is_dir():
            return "is a folder"
        draft = _draft_of(path)
        draft.touch()
        draft.unlink()
    except FileNotFoundError:
        return "is in a folder that does not exist"
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    except ValueError:
        return "is no path"
    return None


def _draft_of(path: str) -> Path:
    target = Path(path)
    return target.with_name(f".{target.name}.{os.getpid()}")
