"""Statsig's Console API: dialect, paginators and base stream."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.apis.experimentation.client import (
    SCHEMAS,
    ExperimentationApi,
    ExperimentationStream,
)
from tap_analytics.engine.pages.pagination import PageNumbers, Totals, Unpaged
from tap_analytics.engine.schemas import KeyedSchema

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.pages.pagination import Paginator

OF_TEAM = {"teamID": "experimentation_users_teams.id"}
"""What all that belongs to a team points to."""
_RULE_KEYS = frozenset({"id", "baseID", "passPercentage"})
_RULE_VERSION = re.compile(r":\d+(\.\d+)?:\d+\Z")


class StatsigApi(ExperimentationApi):
    """A path before the documented ones, a dated version, and a limit for reading."""

    key_header = "STATSIG-API-KEY"
    headers = {"STATSIG-API-VERSION": "20240601"}
    origin = "https://statsigapi.net"
    prefix = "/console"
    windows = ((100, 10),)
    permission_help = (
        "the key has to be a Console API key (not a server or client SDK key) of this project, and "
        "its role has to be allowed to read this; what the plan does not have is refused, too"
    )


class StatsigPages(PageNumbers):
    """``page`` from 1 with ``limit`` 100, until there is no next page.

    The number of rows, where there is one, may count something else.
    """

    total_path = ("pagination", "totalItems")
    totals = Totals.HINT
    next_path = ("pagination", "nextPage")


class UnsizedPages(StatsigPages):
    """``page`` from 1; how many rows it holds cannot be asked for."""

    size_param = None


class WholeList(Unpaged):
    """Lists that come in one answer, unless it says that there is a next page."""

    next_path = ("pagination", "nextPage")


class StatsigStream(ExperimentationStream):
    """Base of the Statsig streams."""

    api = StatsigApi
    schema = KeyedSchema(SCHEMAS, Path(__file__).parent / "schemas")
    paginator_class: ClassVar[type[Paginator]] = StatsigPages

    def unwrap(self, body: Any) -> Any:
        """Return the body with ``data``, also of a bare array or of null for an empty list."""
        if isinstance(body, list):
            return {"data": body}
        if isinstance(body, dict) and body.get("data", body) is None:
            return {**body, "data": []}
        return body


class RulesStream(StatsigStream):
    """Base of the rules of a gate or config: one row a rule, whatever they are wrapped in.

    The id of a rule changes with its percentage; its base id is promised to stay.
    """

    paginator_class = WholeList

    def unwrap(self, body: Any) -> Any:
        """Return the body with rules below ``data``, where they may also stand themselves."""
        body = super().unwrap(body)
        data = body.get("data") if isinstance(body, dict) else None
        if isinstance(data, list) and any(map(_is_rule, data)):
            return {
                **body,
                "data": [{"rules": [part]} if _is_rule(part) else part for part in data],
            }
        return body

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Complete the key of a rule from its id, less its percentage and number."""
        if row.get("baseID") is None and isinstance(row.get("id"), str):
            row["baseID"] = _RULE_VERSION.sub("", row["id"])
        return super().post_process(row, context)


def _is_rule(part: Any) -> bool:
    return isinstance(part, dict) and "rules" not in part and not _RULE_KEYS.isdisjoint(part)
