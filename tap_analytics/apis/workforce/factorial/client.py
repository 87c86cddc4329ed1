"""Factorial's API: dialect, paginators and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_analytics.apis.workforce.client import (
    SCHEMAS,
    WorkforceApi,
    WorkforceStream,
)
from tap_analytics.engine.pages.pagination import NextToken, Totals
from tap_analytics.engine.schemas import KeyedSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.pages.pagination import Paginator

_VERSION = "2026-10-01"


class FactorialApi(WorkforceApi):
    """One host, a path for every dated version of the API, and the key in ``x-api-key``."""

    key_header = "x-api-key"
    origin = "https://api.factorialhr.com"
    permission_help = (
        "either the module is not enabled in Factorial, or the key's user may not see it: enable "
        "it, or give that user the permission"
    )
    empty_is_suspicious = True
    extra_settings = (
        th.Property(
            "workforce_api_version",
            th.StringType(pattern=r"^(\d{4}-\d{2}-\d{2}|v\d+)\Z"),
            default=_VERSION,
            title="Workforce: API version",
            description="Factorial's dated API version.",
        ),
    )

    @classmethod
    def base_url(cls, config: Mapping[str, Any]) -> str:
        """Return where paths start, which depends on the version."""
        version = cls.setting(config, "api_version") or _VERSION
        return f"{super().base_url(config)}/api/{version}/resources"


class FactorialPages(NextToken):
    """``after_id`` of the last row with ``limit`` 100, the most there is; else ``page``.

    The total is not of rows everywhere, and nothing but the cursor is described any more.
    """

    page_param = "after_id"
    token_path = ("meta", "end_cursor")
    number_param = "page"
    more_path = ("meta", "has_next_page")
    total_path = ("meta", "total")
    totals = Totals.HINT


class FactorialStream(WorkforceStream):
    """Base of the Factorial streams; ids are texts, which hold the numbers of older versions."""

    api = FactorialApi
    schema = KeyedSchema(SCHEMAS, Path(__file__).parent / "schemas")
    paginator_class: ClassVar[type[Paginator]] = FactorialPages

    def unwrap(self, body: Any) -> Any:
        """Return the body with ``data``: of an empty list it may say nothing but no errors."""
        if isinstance(body, dict) and "data" not in body and body.get("errors", body) is None:
            # A total of 0 lets the same body on a later page pass as a change, not as the end.
            return {"data": [], "meta": {"total": 0, "has_next_page": False}}
        return body
