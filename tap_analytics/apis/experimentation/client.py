"""The experimentation API as its document describes it: dialect and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import PageNumbers, Totals
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values.cursors import EpochMilliseconds

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor

SCHEMAS = Path(__file__).parent / "schemas"


class ExperimentationApi(Api):
    """Retries after 429 and server errors, up to 3 times, with an exponential factor of 2."""

    name = "experimentation"
    title = "Experimentation"
    policy = RetryPolicy(statuses=(429, 500, 502, 503, 504), max_retries=3, factor=2)


class ExperimentationPages(PageNumbers):
    """``page`` from 1 with ``limit`` 100."""

    size = 100
    total_path = ("pagination", "totalItems")
    next_path = ("pagination", "nextPage")


class IdListPages(PageNumbers):
    """Pages of one object that lists ids, ``count`` in all."""

    total_path = ("data", "count")
    totals = Totals.EXACT
    repeat_ends = True

    def counted(self, records: list[dict[str, Any]]) -> int:
        """Return how many ids a page has."""
        return sum(len(record.get("ids") or ()) for record in records)


class ExperimentationStream(AnalyticsStream):
    """Base of the experimentation streams."""

    api = ExperimentationApi
    paginator_class: ClassVar[type[Paginator]] = ExperimentationPages
    records_jsonpath = "$.data[*]"
    schema = KeyedSchema(SCHEMAS)
    primary_keys: tuple[str, ...] = ("id",)
    cursor: ClassVar[Cursor | None] = EpochMilliseconds()
