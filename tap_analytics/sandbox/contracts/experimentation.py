"""Experimentation: `page` and `limit`, a link to the next page, lists below other lists' rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Choice, Found, Route, Signals, json
from tap_analytics.sandbox.paging import UNPAGED, PageNumber, Whole

if TYPE_CHECKING:
    from tap_analytics.sandbox.contract import Params
    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("limit", 100)
_KEY = "sandbox-experimentation-key"
ALWAYS = {"startDate": "0001-01-01", "endDate": "9999-12-31"}
"""Days that no data is outside of."""
_MESSAGE = b'"Listed successfully."'


def _link(path: str, page: int, window: Window) -> str:
    return f"{path}?limit={window.limit}&page={page}"


def _wrap(data: bytes, found: Found, window: Window, path: str) -> bytes:
    more = window.offset + len(found.rows) < found.total and bool(found.rows)
    pagination = {
        "itemsPerPage": window.limit,
        "pageNumber": window.page,
        "nextPage": _link(path, window.page + 1, window) if more else None,
        "previousPage": _link(path, window.page - 1, window) if window.page > 1 else None,
        "totalItems": found.total,
    }
    return b'{"message":%b,"data":%b,"pagination":%b}' % (_MESSAGE, data, json(pagination))


def envelope(found: Found, window: Window, path: str) -> bytes:
    """The rows under `data`, and what page of how many rows they are."""
    return _wrap(found.array, found, window, path)


def bare(found: Found, _: Window, __: str) -> bytes:
    """Some lists come without the pagination object."""
    return b'{"message":%b,"data":%b}' % (_MESSAGE, found.array)


def _object(found: Found, _: Window, __: str) -> bytes:
    """The one object of the first page; behind it there is nothing."""
    return b'{"message":%b,"data":%b}' % (_MESSAGE, b"".join(found.rows) or b"[]")


def rules(found: Found, window: Window, path: str) -> bytes:
    """Rules in an array of objects or, as published too, in one object."""
    if found.parent % 2:
        return _wrap(b'{"rules":%b}' % found.array, found, window, path)
    pairs = [found.rows[start : start + 2] for start in range(0, len(found.rows), 2)]
    data = b",".join(b'{"rules":[%b]}' % b",".join(pair) for pair in pairs)
    return _wrap(b"[%b]" % data, found, window, path)


def error(status: int, message: str) -> object:
    """The body of a refusal."""
    return {"status": status, "message": message}


def between(params: Params) -> Choice:
    """The rows of some days, the last one included."""
    return Choice(lambda row: params["startDate"] <= row["timestamp"][:10] <= params["endDate"])


def _list(stream: str, path: str) -> Route:
    return Route(stream, path, _PAGES, envelope)


SIGNALS = Signals(total=("pagination", "totalItems"), following=("pagination", "nextPage"))

API = Api(
    name="experimentation",
    settings={"api_key": _KEY},
    authorization=("api_key", _KEY),
    error=error,
    paging=_PAGES,
    signals=SIGNALS,
    routes=(
        _list("audit_logs", "/v1/audit_logs"),
        _list("autotunes", "/v1/autotunes"),
        _list("dynamic_configs", "/v1/dynamic_configs"),
        Route(
            "dynamic_configs_versions",
            "/v1/dynamic_configs/{dynamic_config_id}/versions",
            _PAGES,
            envelope,
            parent="dynamic_configs",
        ),
        Route(
            "dynamic_configs_rules",
            "/v1/dynamic_configs/{dynamic_config_id}/rules",
            _PAGES,
            rules,
            parent="dynamic_configs",
        ),
        _list("events", "/v1/events"),
        Route(
            "events_metrics",
            "/v1/events/{event_name}/metrics",
            _PAGES,
            envelope,
            parent="events",
        ),
        _list("experiments", "/v1/experiments"),
        _list("gates", "/v1/gates"),
        Route("gates_rules", "/v1/gates/{gate_id}/rules", _PAGES, rules, parent="gates"),
        _list("holdouts", "/v1/holdouts"),
        Route(
            "ingestion_status",
            "/v1/ingestion/status",
            Whole(),
            bare,
            dates=("startDate", "endDate"),
            most=UNPAGED,
            choose=between,
            widest=ALWAYS,
        ),
        _list("ingestion_runs", "/v1/ingestion/runs"),
        _list("layers", "/v1/layers"),
        _list("metrics", "/v1/metrics/list"),
        Route("metrics_values", "/v1/metrics/values", _PAGES, envelope, dates=("date",)),
        _list("segments", "/v1/segments"),
        Route(
            "segments_ids",
            "/v1/segments/{segment_id}/id_list",
            _PAGES,
            _object,
            parent="segments",
            single=True,
        ),
        Route("tags", "/v1/tags", _PAGES, bare),
        _list("target_apps", "/v1/target_app"),
        _list("users", "/v1/users"),
    ),
)
