"""The sales API as its document describes it: dialect and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import PageNumbers
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator

SCHEMAS = Path(__file__).parent / "schemas"


class SalesApi(Api):
    """Retries after 429 and server errors, up to 3 times, with an exponential factor of 2."""

    name = "sales"
    title = "Sales"
    policy = RetryPolicy(statuses=(429, 500, 502, 503, 504), max_retries=3, factor=2)


class SalesPages(PageNumbers):
    """``page`` from 1 with ``per_page`` 50."""

    size = 50
    size_param = "per_page"
    total_path = ("meta", "total")
    pages_path = ("meta", "total_pages")


class SalesStream(AnalyticsStream):
    """Base of the sales streams; each API list stands under a name of its own."""

    api = SalesApi
    paginator_class: ClassVar[type[Paginator]] = SalesPages
    schema = KeyedSchema(SCHEMAS)
    primary_keys: tuple[str, ...] = ("id",)
