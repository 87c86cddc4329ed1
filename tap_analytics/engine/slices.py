"""Streams that are asked for by days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.engine.run.spool import FIRST
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

_DAYS_BACK = 30


class DatedStream(AnalyticsStream):
    """A stream whose API wants to be told the days.

    Without a bookmark and a start date it goes back a month.
    """

    @property
    def first_moment(self) -> int:
        """Start of the first day to ask for."""
        since = self.bookmarked_window.since
        if since == FIRST:
            since = self.run.started - _DAYS_BACK * times.DAY
        return since // times.DAY * times.DAY

    @property
    def last_moment(self) -> int:
        """Some time on the last day to ask for: today, or the end date if that is earlier."""
        return min(self.bookmarked_window.until, self.run.started)


class EachDay(DatedStream):
    """A stream with one list for each day; the day becomes part of the row."""

    def slices(self) -> Iterator[dict[str, Any]]:
        """Yield a context for each day."""
        for moment in range(self.first_moment, self.last_moment + 1, times.DAY):
            yield {str(self.replication_key): times.day(moment)}


class DayWindow(DatedStream):
    """A stream whose list is asked for with a first and a last day."""

    first_day_param = "startDate"
    last_day_param = "endDate"

    def get_params(self, context: Context | None) -> dict[str, Any]:
        """Return the query parameters, the two days among them."""
        first, last = self.first_moment, max(self.first_moment, self.last_moment)
        return {
            **super().get_params(context),
            self.first_day_param: times.day(first),
            self.last_day_param: times.day(last),
        }
