"""The run report: what happened to each stream."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COMPLETE, FAILED, DENIED, INTERRUPTED = "complete", "failed", "denied", "interrupted"
_MOST_REASONS = 3
_MOST_FIELDS = 20


class Tally:
    """Counts and outcome of one stream; counting is safe from any thread."""

    def __init__(self, stream: str, api: str, account: str | None = None) -> None:
        """Start at zero, with the outcome open."""
        self.account = account
        self._lock = threading.Lock()
        self.stream = stream
        self.api = api
        self.records = 0
        self.again = 0  # of the records: those written once more, or in place of others
        self.rows_read = 0
        self.rows_expected: int | None = None
        self.requests = 0
        self.seconds_asked = 0.0
        self.bytes = 0
        self.retries = 0
        self.waits: dict[str, float] = {}
        self.waits_until: tuple[float, str] | None = None
        self._waited_until = 0.0
        self.skipped = 0
        self.status = INTERRUPTED
        self.may_be_left_out = True  # where it was refused: its key is good for others
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self.drift: list[str] = []
        self.bookmark_before: str | None = None
        self._bookmark: Callable[[], Any] = lambda: None
        self.began_at: float | None = None
        self.ended_at: float | None = None

    def follow(self, bookmark: Callable[[], Any]) -> None:
        """Take what tells the stream's bookmark, as it is now and will be."""
        self._bookmark = bookmark
        self.bookmark_before = self.bookmark_after

    @property
    def bookmark_after(self) -> str | None:
        """How far the stream is read by now."""
        value = self._bookmark()
        return None if value is None else str(value)

    def request(self) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.began_at = self.began_at or time.monotonic()

    def answered(self, size: int, seconds: float) -> None:
        """Count the bytes of an answer, and how long it took."""
        with self._lock:
            self.bytes += size
            self.seconds_asked += seconds

    def read(self, rows: int, total: int | None) -> None:
        """Count the rows of a page, and take how many the API says there are."""
        with self._lock:
            self.rows_read += rows
            self.rows_expected = total or self.rows_expected

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
    def name(self) -> str:
        """The stream's name, and the account's if there are several."""
        return self.stream if self.account is None else f"{self.stream} of {self.account}"

    @property
    def seconds(self) -> float:
        """Seconds from its first request to its end, or to now."""
        if self.began_at is None:
            return 0.0
        return (self.ended_at or time.monotonic()) - self.began_at

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
        self.ended_at = time.monotonic()

    def note(self, text: str) -> None:
        """Say something that is no failure, once."""
        clean = redactor.clean(text)
        if clean not in self.notes:
            self.notes.append(clean)

    def drifted(self, what: str, fields: Sequence[str]) -> None:
        """Say that the API's rows do not look as its schema says, or as they did before.

        Args:
            what: What some fields are.
            fields: These; of many only the first are named.
        """
        rest = len(fields) - _MOST_FIELDS
        named = ", ".join(fields[:_MOST_FIELDS]) + (f" and {rest} more" if rest > 0 else "")
        self.drift.append(redactor.clean(f"{what}: {named}"))

    def row(self) -> dict[str, Any]:
        """Return the stream's part of the report, ready for JSON."""
        return {
            "stream": self.stream,
            "api": self.api,
            "account": self.account,
            "status": self.status,
            "records": self.records,
            "bytes": self.bytes,
            "requests": self.requests,
            "retries": self.retries,
            "seconds": round(self.seconds, 3),
            "seconds_waited": round(self.waited, 3),
            "waits": {cause: round(seconds, 3) for cause, seconds in self.waits.items()},
            "skipped": self.skipped,
            "bookmark_before": self.bookmark_before,
            "bookmark_after": self.bookmark_after,
            "reason": "; ".join(self.reasons) or None,
            "notes": self.notes,
            "drift": self.drift,
        }

    def line(self) -> str:
        """Return the stream's part of the report as one line."""
        text = (
            f"{self.name} ({self.api}): {self.status}, {self.records} records, "
            f"{self.requests} requests, {self.retries} retries, {self.waited:.1f} s waited, "
            f"{self.skipped} skipped"
        )
        return "; ".join([text, *self.reasons, *self.notes, *self.drift])


class Report:
    """The tallies of all streams of a run, in the order the streams are read.

    Attributes:
        started_at: When the run began, in microseconds since 1970.
    """

    def __init__(self) -> None:
        """Start without a stream."""
        self.tallies: dict[tuple[str | None, str], Tally] = {}
        self.started_at = times.now()
        self._began = time.monotonic()

    def tally(self, stream: str, api: str, account: str | None = None) -> Tally:
        """Return the tally of a stream of an account, a new one the first time."""
        place = (account, stream)
        if place not in self.tallies:
            self.tallies[place] = Tally(stream, api, account)
        return self.tallies[place]

    @property
    def sound(self) -> bool:
        """Whether every stream is complete."""
        return all(tally.is_complete for tally in self.tallies.values())

    @property
    def troubles(self) -> list[Tally]:
        """The streams that failed or were refused."""
        return [tally for tally in self.tallies.values() if tally.status in (FAILED, DENIED)]

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def totals(self) -> dict[str, Any]:
        """Return the sums over all streams, ready for JSON."""
        tallies = list(self.tallies.values())
        outcomes = Counter(tally.status for tally in tallies)
        waits: Counter[str] = Counter()
        for tally in tallies:
            waits.update(tally.waits)
        return {
            "streams": len(tallies),
            **{status: outcomes[status] for status in (COMPLETE, FAILED, DENIED, INTERRUPTED)},
            "records": sum(tally.records for tally in tallies),
            "bytes": sum(tally.bytes for tally in tallies),
            "requests": sum(tally.requests for tally in tallies),
            "retries": sum(tally.retries for tally in tallies),
            "seconds": round(self.seconds, 3),
            "waits": {cause: round(seconds, 3) for cause, seconds in waits.items()},
            "skipped": sum(tally.skipped for tally in tallies),
        }
