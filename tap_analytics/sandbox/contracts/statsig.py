"""Statsig, the experimentation vendor: the documented lists, stricter and with odd corners."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contract import Api, Choice, Found, Route, json
from tap_analytics.sandbox.contracts import experimentation as documented
from tap_analytics.sandbox.contracts.further import under
from tap_analytics.sandbox.data import moments
from tap_analytics.sandbox.paging import PageNumber, Whole, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_analytics.sandbox.contract import Envelope, Params

_PAGES = PageNumber("limit", 100, most=100)
_IDS = PageNumber("limit", 100, most=1000)
_UNSIZED = PageNumber("", 20)
_RULES = Window(0, 20_000)
_KEY = "sandbox-statsig-key"


def _rules(found: Found, _: Window, path: str) -> bytes:
    """All rules come at once, and the answer speaks of a page that holds them."""
    return documented.rules(found, _RULES, path)


def _status(found: Found, window: Window, path: str) -> bytes:
    """Both shapes are published: the bare array, and the one under `data`."""
    return found.array if found.total % 2 else documented.bare(found, window, path)


def _shown(params: Params) -> Choice | None:
    """Hidden metrics are shown on demand only."""
    if params.get("showHiddenMetrics") == "true":
        return None
    return Choice(lambda row: row["isHidden"] is not True)


def _unarchived(params: Params) -> Choice | None:
    if params.get("includeArchived") == "true":
        return None
    return Choice(lambda row: row["status"] != "Archived")


def _has_ids(segment: dict[str, Any]) -> bool:
    """Only a segment that is a list has one; of a segment without a type it cannot be told."""
    return segment["type"] in (None, "id_list")


def _since(params: Params) -> Choice | None:
    """Changes from some day on; one without a day is always shown."""
    first, last = params.get("startDate", "0001-01-01"), params.get("endDate", "9999-12-31")

    def keep(row: dict[str, Any]) -> bool:
        text = row["date"]
        day = f"{moments.text_day(text):%Y-%m-%d}" if text else first
        return first <= day <= last

    return Choice(keep) if {"startDate", "endDate"} & set(params) else None


_BOTH = ("true", "false")
_OWN: dict[str, dict[str, Any]] = {
    "audit_logs": {
        "stamp": "date",
        "options": {
            "sortKey": ("id", "name", "date", "time"),
            "sortOrder": ("asc", "desc"),
            "startDate": (),
            "endDate": (),
        },
        "choose": _since,
    },
    "dynamic_configs_rules": {"paging": Whole(_PAGES.params), "envelope": _rules},
    "gates": {
        "options": {"includeArchived": _BOTH, "includeArchiveMetadata": _BOTH},
        "choose": _unarchived,
        "widest": {"includeArchived": "true"},
    },
    "gates_rules": {"paging": Whole(_PAGES.params), "envelope": _rules},
    "ingestion_status": {"envelope": _status},
    "ingestion_runs": {"paging": _UNSIZED},
    "metrics": {
        "options": {"showHiddenMetrics": _BOTH},
        "choose": _shown,
        "widest": {"showHiddenMetrics": "true"},
    },
    "segments_ids": {"having": _has_ids, "paging": _IDS},
}
"""What differs from the documented routes, apart from the size of the pages."""


def _recounted(days: int, _: int, index: int, row: dict[str, Any]) -> None:
    """Every night a third of the gates is counted anew, and some become stale or stop to be it."""
    if index % 3 == 0:
        row["checksPerHour"] = (row["checksPerHour"] or 0) + 7 * days
    if (index + days) % 4 == 0:
        row["typeReason"] = "STALE_NO_RULES" if days % 2 else "NONE"


def _restated(days: int, age: int, _: int, row: dict[str, Any]) -> None:
    """Values go on changing for three days after their own: the sources of late events."""
    row["value"] = round(row["value"] + max(0, min(days, _RESTATED - age)), 2)


_RESTATED = 3
_DRIFTS = {"gates": _recounted, "metrics_values": _restated}
"""What changes in rows whose time of change stands still."""


def _route(route: Route) -> Route:
    paging = _PAGES if route.paging.params else route.paging
    own = {"paging": paging, "drift": _DRIFTS.get(route.stream), **_OWN.get(route.stream, {})}
    return replace(route, **own)


def _results(found: Found, _: Window, __: str) -> bytes:
    """One object of a day, with a list of metrics for each kind of them."""
    body: dict[str, Any] = {}
    for row in map(msgspec.json.decode, found.rows):
        body["ds"] = row.pop("ds", None)
        body.setdefault(f"{row.pop('metric_list', 'primary')}Metrics", []).append(row)
    return json({"message": "Results read successfully.", "data": body})


def _daily(found: Found, _: Window, __: str) -> bytes:
    """One object for each group, with a list of days."""
    groups: dict[str, dict[str, Any]] = {}
    for row in map(msgspec.json.decode, found.rows):
        day = {name: row.pop(name, None) for name in ("date", "exposures")}
        groups.setdefault(row.get("groupID", ""), {**row, "results": []})["results"].append(day)
    return json({"message": "Exposures read successfully.", "data": list(groups.values())})


def _usual(names: Sequence[str]) -> Envelope:
    return documented.envelope if list(names) == ["data"] else under(names)


API = Api(
    name="experimentation",
    upstream="statsig",
    prefixes=("/console",),
    tables=("experimentation", "statsig"),
    settings={"api_key": _KEY},
    authorization=("statsig-api-key", _KEY),
    error=documented.error,
    paging=_PAGES,
    records=("data",),
    usual=_usual,
    shapes={"results": _results, "daily": _daily},
    signals=documented.SIGNALS,
    routes=tuple(_route(route) for route in documented.API.routes),
)
