"""Streams that are asked for by days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_analytics.engine.values.cursors import Window

_DAYS_BACK = 30


def _moments(window: Window, now: int) -> tuple[int, int]:
    """Return the start of the first day to ask for, and some time on the last one.

    Without a bookmark and a start date that is a month back until today.
    """
    since = now - _DAYS_BACK * times.DAY if window.since == FIRST else window.since
    first = since // times.DAY * times.DAY
    return first, min(window.until, now)


class EachDay(AnalyticsStream):
    """A stream with one list for each day; the day becomes part of the row."""

    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield a context for each day."""
        first, last = _moments(window, now)
        for moment in range(first, last + 1, times.DAY):
            yield {str(self.replication_key): times.day(moment)}


class SinceDay(AnalyticsStream):
    """A stream whose list can be asked for from a day on; all of it where there is none yet.

    What the server leaves in is looked at here as well.
    """

    context_params: ClassVar[Mapping[str, str]] = {"startDate": "first_day"}

    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any] | None]:  # noqa: ARG002
        """Yield the one context there is."""
        yield None if window.since == FIRST else {"first_day": times.day(window.since)}


class DayWindow(AnalyticsStream):
    """A stream whose list is asked for with a first and a last day."""

    context_params: ClassVar[Mapping[str, str]] = {"startDate": "first_day", "endDate": "last_day"}

    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield the one context there is."""
        first, last = _moments(window, now)
        yield {"first_day": times.day(first), "last_day": times.day(max(first, last))}
