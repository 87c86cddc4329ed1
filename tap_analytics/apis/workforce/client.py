"""The workforce API as its document describes it: dialect and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import PageNumbers
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values.cursors import IsoTime

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor

SCHEMAS = Path(__file__).parent / "schemas"


class WorkforceApi(Api):
    """Retries after 429 only, up to 3 times, with an exponential factor of 2."""

    name = "workforce"
    title = "Workforce"
    policy = RetryPolicy(statuses=(429,), max_retries=3, factor=2)


class WorkforcePages(PageNumbers):
    """``page`` from 1 with ``limit`` 2."""

    size = 2
    total_path = ("meta", "total")
    more_path = ("meta", "has_next_page")


class WorkforceStream(AnalyticsStream):
    """Base of the workforce streams."""

    api = WorkforceApi
    paginator_class: ClassVar[type[Paginator]] = WorkforcePages
    records_jsonpath = "$.data[*]"
    schema = KeyedSchema(SCHEMAS)
    primary_keys: tuple[str, ...] = ("id",)
    cursor: ClassVar[Cursor | None] = IsoTime()
