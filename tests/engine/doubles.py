"""Pages made by hand, and a small server that answers as it is told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import PageNumbers, Signals
from tap_analytics.engine.run.spool import Row
from tests.helpers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.run.spool import Spool

SILENT = Signals()


class Pairs(PageNumbers):
    """Pages of two rows."""

    size = 2


class Source:
    """Pages by token; an exception in place of one is raised."""

    def __init__(
        self, pages: Callable[[int], Page] | None = None, paginator: Paginator | None = None
    ) -> None:
        """Take what makes a page of a token."""
        self.paginator: Paginator = paginator or Pairs()
        self._pages = pages

    def fetch(self, token: int) -> Page:
        """Return the page at a token."""
        assert self._pages is not None
        return self._pages(token)


def page(
    rows: Sequence[Any], signals: Signals = SILENT, *, size: int = 10, is_object: bool = False
) -> Page:
    """Return a page of rows with these ids."""
    records = [{"id": row} for row in rows]
    return Page(records, signals, hash(tuple(rows)), size, "2026-01-01T00:00:00Z", is_object)


def row(order: int, key: Any = 0, **parts: Any) -> Row:
    """Return a row whose value is its order."""
    return Row(order, key, parts.get("number", 0), parts.get("lines", b""), order, None)


def spooled(spool: Spool) -> list[Row]:
    """Return all rows of a spool, in order."""
    return [Row._make(fields) for stretch in spool.stretches() for fields in stretch]


class Reply(NamedTuple):
    """What the server answers."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}  # noqa: RUF012
    before: Callable[[], Any] | None = None
    """Called before anything is sent."""
    drip: threading.Event | None = None
    """Where set, one byte of the body goes out every 20 ms until the event is set."""


class Asked(NamedTuple):
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


class Server:
    """Answers with the given replies in turn, and with the last one ever after.

    Attributes:
        asked: The requests, in order.
    """

    def __init__(self, *replies: Reply) -> None:
        """Listen on a free port of the loopback interface."""
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # a body waits for no acknowledgement

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.path, dict(self.headers), self.command, body)
                reply = outer._take(asked)
                if reply.before is not None:
                    reply.before()
                self.send_response_only(reply.status)
                for name, value in {
                    "Content-Length": str(len(reply.body)),
                    **reply.headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                if reply.drip is None:
                    self.wfile.write(reply.body)
                    return
                for byte in reply.body:
                    if reply.drip.wait(0.02):
                        break
                    self.wfile.write(bytes([byte]))

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Serve as long as the block runs."""
        with serving(self._server):
            yield self
