"""The status page API as its document describes it: dialect and base stream."""

from __future__ import annotations

from pathlib import Path

from singer_sdk.schema.source import SchemaDirectory, StreamSchema

from tap_analytics.engine.api import Api
from tap_analytics.engine.cursors import IsoTime
from tap_analytics.engine.pagination import Offsets
from tap_analytics.engine.policy import RetryPolicy
from tap_analytics.engine.stream import AnalyticsStream


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
    paginator_class = StatusPageOffsets
    records_jsonpath = "$.data[*]"
    schema = StreamSchema(SchemaDirectory(Path(__file__).parent / "schemas"))
    primary_keys = ("id",)
    cursor = IsoTime()
