"""Streams that are asked for by days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_analytics.engine.values.cursors import Window

_DAYS_BACK = 30
_DAYS_OF_WINDOWS_BACK = 364
_DAYS_OF_WINDOWS_AHEAD = 56
_FIRST_DAY = times.micros("1970-01-01")
_LAST_DAY = times.micros("2099-12-31")


def _moments(window: Window, now: int) -> tuple[int, int]:
    """Return the start of the first day to ask for, and some time on the last one.

    Without a bookmark and a start date that is a month back until today.
    """
    since = now - _DAYS_BACK * times.DAY if window.since == FIRST else window.since
    first = since // times.DAY * times.DAY
    return first, min(window.until, now)


class EachDay(AnalyticsStream):
    """A stream with one list for each day; the day becomes part of the row."""

    asks_by_days = True

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

    asks_by_days = True
    context_params: ClassVar[Mapping[str, str]] = {"startDate": "first_day", "endDate": "last_day"}

    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield the one context there is."""
        first, last = _moments(window, now)
        yield {"first_day": times.day(first), "last_day": times.day(max(first, last))}


class DateWindows(AnalyticsStream):
    """A stream that is slow by its size and asked for in windows of a few days, in full.

    The windows reach from `start_date` to `end_date`. Without the one, all that is older than
    a year is a window of its own; without the other, all that is further ahead than eight
    weeks. A window that is too slow is halved, down to single days, and those after it are no
    longer than its halves. Days at the edge belong to both neighbors, so that it does not
    matter whether the last day counts, whose midnight it is, or what reaches from one day
    into the next; a row that comes twice is written once.

    A replication key would pass rows of later windows by, so such a stream has none.

    Attributes:
        window_days: How many days a window has at most.
        context_params: The parameters for ``first_day`` and ``last_day``.
    """

    window_days: ClassVar[int] = 7
    patience = 3.0
    asks_by_days = True
    slices_overlap = True
    context_params: ClassVar[Mapping[str, str]] = {"start_at": "first_day", "end_at": "last_day"}

    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield a context for each window, oldest first."""
        is_open = window.until > _LAST_DAY
        first = max(window.since, _FIRST_DAY)
        last = now + _DAYS_OF_WINDOWS_AHEAD * times.DAY if is_open else window.until
        if window.since < _FIRST_DAY:
            first = min(now - _DAYS_OF_WINDOWS_BACK * times.DAY, last)
            yield _span(_FIRST_DAY, first)
        step = max(self.window_days - 1, 1) * times.DAY
        for start in range(first, max(last, first + 1), step):
            first = max(min(start + step, last), start + times.DAY)
            yield _span(start, first)
        if is_open:
            yield _span(first, _LAST_DAY)

    def halves(self, context: Mapping[str, Any] | None) -> Sequence[dict[str, Any]]:
        """Return what to ask with for both halves of a window of more than a day."""
        days = self.extent(context)
        if not context or days <= 1:
            return ()
        first = times.micros(str(context["first_day"]))
        middle, last = first + days // 2 * times.DAY, first + days * times.DAY
        return _span(first, middle), _span(middle, last)

    def extent(self, context: Mapping[str, Any] | None) -> int:
        """Return how many days lie between the first and the last one."""
        if not context:
            return 0
        first, last = (times.micros(str(context[name])) for name in ("first_day", "last_day"))
        return (last - first) // times.DAY


def _span(first: int, last: int) -> dict[str, Any]:
    return {"first_day": times.day(first), "last_day": times.day(last)}
