"""Streams of links: which row of one stream belongs to which of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.engine.stream import AnalyticsStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class Links(AnalyticsStream):
    """Base of lists that bring whole objects of another stream, to say that they belong here.

    Of those objects it keeps its own columns; the rest is read with the other stream.
    """

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Leave the columns of the link."""
        link = {name: value for name, value in row.items() if name in self._columns}
        return super().post_process(link, context)
