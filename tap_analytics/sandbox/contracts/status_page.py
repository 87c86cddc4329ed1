"""Status page: `offset` and `limit`, no totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Found, Route
from tap_analytics.sandbox.paging import Offset

if TYPE_CHECKING:
    from tap_analytics.sandbox.paging import Window

_PAGES = Offset(100)
_KEY = "sandbox-status-page-key"


def _envelope(found: Found, _: Window, __: str) -> bytes:
    return b'{"data":%b}' % found.array


def _error(_: int, message: str) -> object:
    return {"message": message}


API = Api(
    name="status_page",
    settings={"api_key": _KEY},
    authorization=("api_key", _KEY),
    error=_error,
    paging=_PAGES,
    routes=(
        Route("pages", "/v1/resource", _PAGES, _envelope),
        Route("subscribers", "/v1/resource/subscribers", _PAGES, _envelope),
    ),
)
