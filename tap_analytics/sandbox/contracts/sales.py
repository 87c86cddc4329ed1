"""Sales: `page` and `per_page`, rows under the plural of what they are, totals under `meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Found, Route, Signals, json
from tap_analytics.sandbox.paging import PageNumber

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("per_page", 50)
_KEY = "sandbox-sales-key"


def under(name: str) -> Callable[[Found, Window, str], bytes]:
    """An envelope with the rows under `name`, and how many there are."""

    def envelope(found: Found, window: Window, _: str) -> bytes:
        meta = {"total_pages": -(-found.total // window.limit), "total": found.total}
        return b'{"%b":%b,"meta":%b}' % (name.encode(), found.array, json(meta))

    return envelope


def error(status: int, message: str) -> object:
    """The body of a refusal."""
    if status == 401:  # noqa: PLR2004
        return {"login": "failed", "message": message}
    return {"errors": {"code": status, "message": [message]}}


SIGNALS = Signals(total=("meta", "total"), pages=("meta", "total_pages"))

API = Api(
    name="sales",
    settings={"api_key": _KEY},
    authorization=("api_key", _KEY),
    error=error,
    paging=_PAGES,
    signals=SIGNALS,
    routes=(
        Route("accounts", "/v1/accounts", _PAGES, under("sales_accounts")),
        Route("contacts", "/v1/contacts", _PAGES, under("contacts")),
        Route("won_deals", "/v1/deals", _PAGES, under("deals")),
        Route("open_tasks", "/v1/tasks", _PAGES, under("tasks")),
        Route("past_appointments", "/v1/appointments", _PAGES, under("appointments")),
    ),
)
