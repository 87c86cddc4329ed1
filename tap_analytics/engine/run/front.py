"""The front of a list that is sorted by its newest change: how much of it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.engine.values.cursors import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_analytics.engine.stream import AnalyticsStream


class Front:
    """Looks at the rows of a list that is asked for newest change first.

    No order is trusted, but proven: a list that was read whole and was in order, each row no
    newer than the one before it, may be left the next time once a whole page of it is older than
    what is wanted. It is read to its end where any row breaks the order or has no time, and
    where nothing in front of that page is as new as what is wanted, for the row that the
    bookmark stands at should be.

    Attributes:
        in_order: Whether all rows so far were in order.
    """

    def __init__(self, stream: AnalyticsStream) -> None:
        """Start before the first row."""
        self.in_order = True
        self._stream = stream
        self._last = -FIRST
        self._met = False

    def see(self, records: Iterable[Mapping[str, Any]], since: int) -> bool:
        """Look at a page, and tell whether it and all behind it are older than what is wanted.

        Args:
            records: Its rows.
            since: The oldest replication key that is wanted, in microseconds since 1970.
        """
        newest = FIRST
        for record in records:
            order = self._order(record)
            if order == FIRST or order > self._last:
                self.in_order = False
            self._last = order
            newest = max(newest, order)
        is_older = self._met and FIRST < newest < since
        self._met = self._met or newest >= since
        return self.in_order and is_older

    def _order(self, record: Mapping[str, Any]) -> int:
        cursor, name = self._stream.cursor, self._stream.window_key
        value = record.get(name or "")
        if value is None or cursor is None:
            return FIRST
        try:
            return cursor.order(value)
        except ValueError:
            return FIRST
