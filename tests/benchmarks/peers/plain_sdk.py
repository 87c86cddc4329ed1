"""A tap as the SDK's documentation teaches: its own paginators, writer, state and requests.

Run as `plain_sdk.py --config FILE`; the settings are `base_url`, `api_key`, `page_size` and
`streams`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from singer_sdk.pagination import PageNumberPaginator
from singer_sdk.schema.source import SchemaDirectory, StreamSchema

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

_APIS = Path(__file__).parents[3] / "tap_analytics" / "apis"


class PagesByTotal(PageNumberPaginator):
    """Pages up to the number the answer names."""

    def has_more(self, response: requests.Response) -> bool:
        return bool(self.current_value < response.json()["meta"]["total_pages"])


class PagesByLink(PageNumberPaginator):
    """Pages as long as the answer names a next one."""

    def has_more(self, response: requests.Response) -> bool:
        return bool(response.json()["pagination"]["nextPage"])


class ApiStream(RESTStream[int]):
    """Base of the streams."""

    size_param: ClassVar[str]
    paginator_class: ClassVar[type[PageNumberPaginator]]

    @property
    def url_base(self) -> str:
        return str(self.config["base_url"])

    @property
    def authenticator(self) -> APIKeyAuthenticator:
        return APIKeyAuthenticator(key="api_key", value=self.config["api_key"], location="header")

    def get_new_paginator(self) -> PageNumberPaginator:
        return self.paginator_class(1)

    def get_http_request(self, *, page: PageContext[int]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        request.params["page"] = page.next_page_token
        request.params[self.size_param] = self.config["page_size"]
        return request


class OpenTasks(ApiStream):
    """One flat list; the SDK cannot conform arrays of objects of any shape, so theirs is given."""

    name = "open_tasks"
    path = "/v1/tasks"
    records_jsonpath = "$.tasks[*]"
    primary_keys = ("id",)
    size_param = "per_page"
    paginator_class = PagesByTotal
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("title", th.StringType),
        th.Property("description", th.StringType),
        th.Property("due_date", th.StringType),
        th.Property("completed_date", th.StringType),
        th.Property("targetable_id", th.IntegerType),
        th.Property("targetable_type", th.StringType),
        th.Property("Possible", th.StringType),
        th.Property("owner_id", th.IntegerType),
        th.Property("creater_id", th.IntegerType),
        th.Property("updater_id", th.IntegerType),
        th.Property("status", th.IntegerType),
        th.Property("created_at", th.DateTimeType),
        th.Property("updated_at", th.DateTimeType),
        th.Property("outcome_id", th.IntegerType),
        th.Property("task_type_id", th.IntegerType),
        th.Property(
            "targetables",
            th.ArrayType(
                th.ObjectType(th.Property("id", th.IntegerType), th.Property("type", th.StringType))
            ),
        ),
    ).to_dict()


class ExperimentationStream(ApiStream):
    """What the list of parents and the lists of children have in common."""

    records_jsonpath = "$.data[*]"
    replication_key = "lastModifiedTime"
    size_param = "limit"
    paginator_class = PagesByLink
    schema: ClassVar[StreamSchema] = StreamSchema(
        SchemaDirectory(_APIS / "experimentation/schemas")
    )


class DynamicConfigs(ExperimentationStream):
    """Parents."""

    name = "dynamic_configs"
    path = "/v1/dynamic_configs"
    primary_keys = ("id",)

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any]:  # noqa: ARG002
        return {"dynamic_config_id": quote(record["id"], safe="")}


class DynamicConfigsVersions(ExperimentationStream):
    """Their children."""

    name = "dynamic_configs_versions"
    path = "/v1/dynamic_configs/{dynamic_config_id}/versions"
    primary_keys = ("id", "version")
    parent_stream_type = DynamicConfigs


class PlainTap(Tap):
    """The tap."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, required=True),
        th.Property("streams", th.ArrayType(th.StringType), required=True),
    ).to_dict()

    def discover_streams(self) -> list[ApiStream]:
        streams = (OpenTasks, DynamicConfigs, DynamicConfigsVersions)
        return [stream(self) for stream in streams if stream.name in self.config["streams"]]


if __name__ == "__main__":
    PlainTap.cli()
