"""A reader of the sandbox that knows the vendors only from its tables of routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_analytics.sandbox.contracts import CORE, UPSTREAMS
from tap_analytics.sandbox.paging import Offset

if TYPE_CHECKING:
    import requests

    from tap_analytics.sandbox import Sandbox
    from tap_analytics.sandbox.contract import Api, Route

FACTORIAL = "/api/2026-10-01/resources"
FRESHSALES = "/crm/sales/api"
ROUTES: dict[str, tuple[Api, Route]] = {
    route.stream: (api, route) for api in reversed(CORE) for route in reversed(api.routes)
}
FURTHER = {
    route.stream: (api, route)
    for api in UPSTREAMS
    for route in api.routes
    if route.stream not in ROUTES
}
"""What is served besides, from declarations alone."""
FORMATS = {
    "workforce": ("x-api-key", "{}"),
    "status_page": ("Authorization", "OAuth {}"),
    "experimentation": ("STATSIG-API-KEY", "{}"),
    "sales": ("Authorization", "Token token={}"),
    "esignature": ("Authorization", "Bearer {}"),
}


@dataclass(frozen=True)
class Vendors:
    """Asks a sandbox that speaks as the vendors do, with the right keys."""

    sandbox: Sandbox
    session: requests.Session

    def headers(self, api: str) -> dict[str, str]:
        config = self.sandbox.config()
        header, form = FORMATS[api]
        name = "api_key_id" if api == "esignature" else "api_key"
        return {header: form.format(config[f"{api}_{name}"])}

    def get(self, api: str, path: str, **params: Any) -> requests.Response:
        return self.session.get(
            self.sandbox.base_url + path, params=params, headers=self.headers(api), timeout=10
        )

    def body(self, api: str, path: str, **params: Any) -> Any:
        response = self.get(api, path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def first(self, stream: str) -> str:
        """Return the path of a stream, below the first parents that it has."""
        api, route = (ROUTES | FURTHER)[stream]
        path = api.prefixes[-1 if api.upstream == "factorial" else 0] + route.path
        if "{" not in path:
            return path
        if route.view:
            views = self.body("sales", f"{path.split('/view/')[0]}/filters")["filters"]
            named = {"view_id": next(view["id"] for view in views if view["name"] == route.view)}
        else:
            named = self.sandbox.store.expected(stream)[0]
        return re.sub(r"{(\w+)}", lambda gap: quote(str(named[gap[1]]), safe=""), path)

    def needed(self, stream: str) -> dict[str, str]:
        """Return the parameters that a stream cannot be asked for without."""
        _, route = (ROUTES | FURTHER)[stream]
        days = dict.fromkeys(route.dates, "2026-10-31")
        pages = {}
        if isinstance(route.paging, Offset) and route.paging.needed:
            pages = {"offset": "0", "limit": str(route.paging.most)}
        return {
            **days,
            **pages,
            **{name: (route.options[name] or ("x",))[0] for name in route.needs},
        }
