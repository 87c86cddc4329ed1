"""E-signature: two unpaged lists, two with `page` and `per_page`, and a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.sandbox.contract import Api, Found, Route, Signals, json
from tap_analytics.sandbox.paging import UNPAGED, PageNumber, Whole

if TYPE_CHECKING:
    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("per_page", 20)
_KEY = "sandbox-esignature-key"
_TOKEN = "sandbox-esignature-token"  # noqa: S105


def _object(found: Found, _: Window, __: str) -> bytes:
    return b'{"data":%b}' % b"".join(found.rows[:1] or [b"{}"])


def _list(found: Found, _: Window, __: str) -> bytes:
    return b'{"data":%b}' % found.array


def envelope(found: Found, window: Window, _: str) -> bytes:
    """The rows under `data`, and how many there are."""
    pagination = {
        "total": found.total,
        "count": len(found.rows),
        "per_page": window.limit,
        "current_page": window.page,
        "total_pages": -(-found.total // window.limit),
    }
    return b'{"data":%b,"meta":{"pagination":%b}}' % (found.array, json(pagination))


def error(status: int, message: str) -> object:
    """The body of a refusal."""
    if status == 401:  # noqa: PLR2004
        return {"error": "invalid_token", "code": 1537, "message": message}
    return {"errors": [{"code": status, "message": message}]}


_PLACE = ("meta", "pagination")
SIGNALS = Signals(total=(*_PLACE, "total"), pages=(*_PLACE, "total_pages"))

API = Api(
    name="esignature",
    settings={"api_key_id": _KEY, "auth_token": _TOKEN},
    authorization=("api_key", _KEY),
    error=error,
    paging=_PAGES,
    signals=SIGNALS,
    routes=(
        Route("user", "/user", Whole(), _object, most=1),
        Route("user_modified_documents", "/user/documentsv2", Whole(), _list, most=UNPAGED),
        Route("crm_contacts", "/v2/crm/contacts", _PAGES, envelope),
        Route(
            "signing_links",
            "/v2/application/signing-links",
            _PAGES,
            envelope,
            authorization=("authorization", f"Basic {_TOKEN}"),
        ),
    ),
)
