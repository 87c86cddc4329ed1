"""The books' API: a small server with the books of several customers of its own."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.helpers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

_DAY = "2026-03-{:02d}T12:00:00Z"


def rows(owner: str) -> dict[str, list[dict[str, Any]]]:
    """Return what one owner has, by path; ids are the same for all owners."""
    invoices: list[dict[str, Any]] = [
        {
            "id": f"i{n}",
            "customer_id": f"c{n % 4}",
            "amount": n + 0.5,
            "changed_at": _DAY.format(n + 1),
        }
        for n in range(8)
    ]
    found: dict[str, list[dict[str, Any]]] = {
        "/v1/invoices": invoices,
        "/v1/customers": [{"id": f"c{n}", "name": f"{owner}'s {n}"} for n in range(4)],
        "/v1/payments/search": [
            {"id": f"p{n}", "amount": n, "changed_at": _DAY.format(n + 2)} for n in range(7)
        ],
    }
    for count, invoice in enumerate(invoices):
        name = invoice["id"]
        found[f"/v1/invoices/{name}/lines"] = [
            {"number": n, "text": f"{owner} {name} {n}"} for n in range(count)
        ]
    return found


class Books:
    """The server.

    Attributes:
        owners: What each owner has, by path.
        asked: Method and path of every request.
        url: Where it is.
    """

    def __init__(self, *owners: str) -> None:
        """Keep the books of some owners.

        Args:
            owners: Their names; refresh tokens are made of them.
        """
        self.owners = {owner: rows(owner) for owner in owners}
        self.asked: list[tuple[str, str]] = []
        self._renewers = {f"renewer-of-{owner}": owner for owner in owners}
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        books = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                authorization = self.headers.get("Authorization", "")
                status, said = books.answer(self.command, self.path, authorization, body)
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def settings(self, owner: str) -> dict[str, str]:
        """Return the tap's settings that read an owner's books."""
        return {
            "books_base_url": self.url,
            "books_refresh_token": f"renewer-of-{owner}",
            "books_client_id": "the-client",
            "books_client_secret": "its-secret",
        }

    def forget(self) -> None:
        """Let all access tokens die."""
        with self._lock:
            self._tokens.clear()

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, Any]:
        """Answer one request."""
        parts = urlsplit(target)
        with self._lock:
            self.asked.append((method, parts.path))
            if parts.path == "/oauth/token":
                return self._renew(authorization, parse_qs(body.decode()))
            owner = self._tokens.get(authorization.removeprefix("Bearer "))
            if owner is None:
                return 401, {"error": "who is it?"}
            return self._list(self.owners[owner].get(parts.path), method, parts, body)

    def _list(
        self, found: list[Any] | None, method: str, parts: SplitResult, body: bytes
    ) -> tuple[int, Any]:
        if found is None:
            return 404, {"error": "not found"}
        given: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.endswith("/search"):
            if method != "POST":
                return 405, {"error": "to be searched for"}
            given = json.loads(body)
        if parts.path == "/v1/customers":
            return 200, self._by_link(found, int(given["limit"]), int(given.get("from", 0)))
        return 200, self._by_cursor(found, int(given["limit"]), given.get("cursor"))

    def _renew(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, Any]:
        pair = base64.b64encode(b"the-client:its-secret").decode()
        owner = self._renewers.get(form.get("refresh_token", [""])[0])
        if authorization != f"Basic {pair}" or owner is None:
            return 400, {"error": "invalid_grant"}
        token = f"token-{len(self.asked)}-of-{owner}"
        renewer = f"renewer-{len(self.asked)}-of-{owner}"
        self._tokens[token] = self._renewers[renewer] = owner
        return 200, {"access_token": token, "refresh_token": renewer, "expires_in": 3600}

    @staticmethod
    def _by_cursor(found: list[Any], limit: int, cursor: str | None) -> dict[str, Any]:
        start = int(cursor.removeprefix("after-")) if cursor else 0
        end = start + limit
        following = f"after-{end}" if end < len(found) else None
        return {"items": found[start:end], "page": {"next": following}}

    def _by_link(self, found: list[Any], limit: int, start: int) -> dict[str, Any]:
        end = start + limit
        query = urlencode({"limit": limit, "from": end})
        following = f"{self.url}/v1/customers?{query}" if end < len(found) else None
        return {"items": found[start:end], "links": {"next": following}}

    @contextmanager
    def open(self) -> Iterator[Books]:
        """Serve as long as the block runs."""
        with serving(self._server):
            yield self
