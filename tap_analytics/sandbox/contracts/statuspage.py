"""Statuspage, the status page vendor: bare arrays, and lists below each page.

Subscribers are counted in pages from 0, everything else from 1. A size above 100 is taken for 100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Choice, Found, Route
from tap_analytics.sandbox.paging import PageNumber, Whole

if TYPE_CHECKING:
    from tap_analytics.sandbox.contract import Params
    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("per_page", 100, most=100, capped=True)
_LIMITED = PageNumber("limit", 100, most=100, capped=True)
_SUBSCRIBERS = PageNumber("limit", 100, first=0, most=100, capped=True)
_UNAUTHORIZED = 401
_KEY = "sandbox-statuspage-key"


def _array(found: Found, _: Window, __: str) -> bytes:
    return found.array


def _object(found: Found, _: Window, __: str) -> bytes:
    return b"".join(found.rows)


def _in_state(params: Params) -> Choice | None:
    """Subscribers who are active, unless others are asked for.

    One who is in quarantine has the time of it; nothing tells who has not confirmed yet.
    """
    state = params.get("state", "active")
    if state == "all":
        return None
    return Choice(lambda row: (row["quarantined_at"] is not None) == (state == "quarantined"))


def _error(status: int, message: str) -> object:
    return {"error": message} if status == _UNAUTHORIZED else {"message": message}


def _below(stream: str, name: str, paging: PageNumber = _PAGES) -> Route:
    return Route(stream, f"/pages/{{page_id}}/{name}", paging, _array, parent="pages")


API = Api(
    name="status_page",
    upstream="statuspage",
    prefixes=("/v1",),
    tables=("status_page", "statuspage"),
    settings={"api_key": _KEY},
    authorization=("authorization", f"OAuth {_KEY}"),
    error=_error,
    paging=_PAGES,
    routes=(
        Route("pages", "/pages", Whole(("page", "per_page", "limit")), _array),
        Route(
            "subscribers",
            "/pages/{page_id}/subscribers",
            _SUBSCRIBERS,
            _array,
            parent="pages",
            options={"state": ("active", "quarantined", "all")},
            choose=_in_state,
            widest={"state": "all"},
            unsure_first=True,
        ),
        Route(
            "status_page_subscribers_histogram_by_state",
            "/pages/{page_id}/subscribers/histogram_by_state",
            Whole(),
            _object,
            parent="pages",
            single=True,
        ),
        _below("status_page_incident_templates", "incident_templates"),
        _below("status_page_incidents", "incidents", _LIMITED),
        _below("status_page_components", "components"),
        _below("status_page_metrics", "metrics"),
    ),
)
