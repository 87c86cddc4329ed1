"""Workforce: `page` and `limit`, two rows a page unless asked otherwise, totals under `meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Found, Route, Signals, json
from tap_analytics.sandbox.paging import PageNumber, cursor

if TYPE_CHECKING:
    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("limit", 2)
_KEY = "sandbox-workforce-key"


def envelope(found: Found, window: Window, _: str) -> bytes:
    """The rows under `data`, how many there are, and whether there are more."""
    size = len(found.rows)
    meta = {
        "limit": window.limit,
        "total": found.total,
        "has_next_page": found.offset + size < found.total,
        "has_previous_page": found.offset > 0,
        "start_cursor": cursor(found.last - size + 1) if found.rows else None,
        "end_cursor": cursor(found.last) if found.rows else None,
    }
    return b'{"data":%b,"meta":%b}' % (found.array, json(meta))


def error(_: int, message: str) -> object:
    """The body of a refusal."""
    return {"errors": None, "message": message}


SIGNALS = Signals(total=("meta", "total"), more=("meta", "has_next_page"))

API = Api(
    name="workforce",
    settings={"api_key": _KEY},
    authorization=("api_key", _KEY),
    error=error,
    paging=_PAGES,
    signals=SIGNALS,
    routes=(
        Route("public_credentials", "/v1/api_public/credentials", _PAGES, envelope),
        Route("webhook_subscriptions", "/v1/api_public/webhook_subscriptions", _PAGES, envelope),
        Route("tasks", "/v1/tasks/tasks", _PAGES, envelope),
        Route("schedules", "/v1/work_schedule/schedules", _PAGES, envelope),
        Route("overlap_periods", "/v1/work_schedule/overlap_periods", _PAGES, envelope),
    ),
)
