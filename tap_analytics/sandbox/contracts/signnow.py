"""SignNow, the e-signature vendor: an older generation of bare answers, a newer one under `data`.

What is known of the size of a page is that contacts take up to 100 and give 15 unless asked. A
wrong token is a bad request; only the text of the error tells it from others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contract import Api, Found, Grant, Route, json
from tap_analytics.sandbox.contracts import esignature
from tap_analytics.sandbox.paging import UNPAGED, PageNumber, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.paging import Window

_PAGES = PageNumber("per_page", 15, most=100)
_UNPAGED = Whole(_PAGES.params)
_KEY = "sandbox-signnow-key"
_TOKEN = "sandbox-signnow-token"  # noqa: S105


def _object(found: Found, _: Window, __: str) -> bytes:
    return b"".join(found.rows[:1]) or b"{}"


def _array(found: Found, _: Window, __: str) -> bytes:
    return found.array


def _bare(found: Found, _: Window, __: str) -> bytes:
    """Not all lists tell how long they are."""
    return b'{"data":%b}' % found.array


def _tree(found: Found, _: Window, __: str) -> bytes:
    """Folders within their folders, and those that are in none within the root."""
    folders = {row["id"]: row for row in map(msgspec.json.decode, found.rows)}
    tops: list[dict[str, Any]] = []
    for row in folders.values():
        above = folders.get(row.get("parent_id"))
        (tops if above is None else above.setdefault("sub_folders", [])).append(row)
    return json({"id": "root", "name": "Root", "total_documents": 0, "folders": tops})


def _list(stream: str, path: str, envelope: Callable[[Found, Window, str], bytes] = _bare) -> Route:
    return Route(stream, path, _PAGES, envelope)


_GRANT = Grant(
    "/oauth2/token",
    client_id="sandbox-signnow-application",
    client_secret="sandbox-signnow-application-secret",  # noqa: S106
    refresh_token="sandbox-signnow-refresh-token",  # noqa: S106
    days=30,
)

API = Api(
    name="esignature",
    upstream="signnow",
    tables=("esignature", "signnow"),
    settings={"api_key_id": _KEY, "auth_token": _TOKEN},
    authorization=("authorization", f"Bearer {_KEY}"),
    error=esignature.error,
    paging=_PAGES,
    records=("data",),
    signals=esignature.SIGNALS,
    unauthorized=400,
    announces=True,
    retry_after=1800,
    grant=_GRANT,
    shapes={"tree": _tree},
    routes=(
        Route("user", "/user", Whole(), _object, most=1),
        Route(
            "user_modified_documents",
            "/user/documentsv2",
            Whole(_PAGES.params),
            _array,
            most=UNPAGED,
        ),
        Route(
            "esignature_user_documents",
            "/user/documents",
            Whole(_PAGES.params),
            _array,
            most=UNPAGED,
        ),
        Route("esignature_folder", "/user/folder", Whole(("page", "per_page")), _object, most=1),
        _list("crm_contacts", "/v2/crm/contacts", esignature.envelope),
        _list("esignature_crm_users", "/v2/crm/users"),
        _list("esignature_crm_groups", "/v2/crm/groups"),
        _list("esignature_favourites", "/v2/favorites"),
        Route("esignature_logs", "/request-logs", _PAGES, _bare, stamp="created"),
        _list("esignature_teams", "/v2/teams", esignature.envelope),
        Route(
            "esignature_team_admins",
            "/v2/teams/{team_id}/admins",
            _PAGES,
            esignature.envelope,
            parent="esignature_teams",
        ),
        _list("esignature_brands", "/v2/brands"),
        _list("esignature_organizations", "/v2/organizations", esignature.envelope),
        Route(
            "signing_links",
            "/v2/application/signing-links",
            _PAGES,
            _bare,
            authorization=("authorization", f"Basic {_TOKEN}"),
        ),
    ),
)
