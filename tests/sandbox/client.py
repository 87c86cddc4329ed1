"""A reader of the sandbox that knows the contracts only from its tables of routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from tap_analytics.sandbox.contracts import APIS

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox
    from tap_analytics.sandbox.contract import Api, Route

ROUTES: dict[str, tuple[Api, Route]] = {r.stream: (api, r) for api in APIS for r in api.routes}
TOP = [stream for stream, (_, route) in ROUTES.items() if not route.context]
PAGED = [stream for stream, (_, route) in ROUTES.items() if route.paging.params]

_ARRAYS = {
    "accounts": "sales_accounts",
    "contacts": "contacts",
    "won_deals": "deals",
    "open_tasks": "tasks",
    "past_appointments": "appointments",
}
_TIMEOUT = 10


class Client:
    """Asks a sandbox, with the right key unless told otherwise."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Ask `sandbox`."""
        self.sandbox = sandbox
        self.session = requests.Session()

    def raw(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        """Send a request as it is."""
        url = self.sandbox.base_url + path
        return self.session.request(method, url, headers=headers, timeout=_TIMEOUT)

    def get(self, stream: str, parent: str = "", **params: Any) -> requests.Response:
        """Ask for a page of `stream`; required days are filled in."""
        api, route = ROUTES[stream]
        header, secret = route.authorization or api.authorization
        if route.dates == ("date",):
            params = {"date": parent or "2026-10-31", **params}
        elif route.dates:
            params = {"startDate": "2000-01-01", "endDate": "2030-01-01", **params}
        path = re.sub(r"{\w+}", lambda _: quote(parent, safe=""), route.path)
        url = self.sandbox.base_url + path
        return self.session.get(url, params=params, headers={header: secret}, timeout=_TIMEOUT)

    def page(self, stream: str, parent: str = "", **params: Any) -> list[dict[str, Any]]:
        """The rows of one page."""
        response = self.get(stream, parent, **params)
        assert response.status_code == 200, response.text
        data = response.json()[_ARRAYS.get(stream, "data")]
        if stream.endswith("_rules"):
            objects = [data] if isinstance(data, dict) else data
            return [rule for part in objects for rule in part["rules"]]
        return [data] if isinstance(data, dict) else data

    def walk(self, stream: str, size: int | None = None, parent: str = "") -> list[dict[str, Any]]:
        """All rows of a list, page after page until one is empty."""
        _, route = ROUTES[stream]
        if not route.paging.params:
            return self.page(stream, parent)
        position, size_param = route.paging.params
        sizes = {} if size is None else {size_param: size}
        rows: list[dict[str, Any]] = []
        for turn in range(10_000):
            start = turn + 1 if position == "page" else len(rows)
            page = self.page(stream, parent, **{position: start}, **sizes)
            if not page:
                break
            rows += page
        return rows

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
