"""The status page API as its document describes it: dialect and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import Offsets
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values.cursors import IsoTime

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor

SCHEMAS = Path(__file__).parent / "schemas"


class StatusPageApi(Api):
    """Retries after 420 and 429, up to 3 times, always after 62 seconds."""

    name = "status_page"
    title = "Status page"
    policy = RetryPolicy(statuses=(420, 429), max_retries=3, constant=62)


class StatusPageOffsets(Offsets):
    """``offset`` from 0 with ``limit`` 100; answers say nothing about the whole list."""

    size = 100


class StatusPageStream(AnalyticsStream):
    """Base of the status page streams."""

    api = StatusPageApi
    paginator_class: ClassVar[type[Paginator]] = StatusPageOffsets
    records_jsonpath = "$.data[*]"
    schema = KeyedSchema(SCHEMAS)
    primary_keys: tuple[str, ...] = ("id",)
    cursor: ClassVar[Cursor | None] = IsoTime()
