"""The sandbox as a server in a thread of this process."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tap_analytics.sandbox.data import moments
from tap_analytics.sandbox.data.store import Store
from tap_analytics.sandbox.http.app import App
from tap_analytics.sandbox.http.wire import protocol
from tap_analytics.sandbox.variants import vary

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from tap_analytics.sandbox.http.exchange import Fault, Request
    from tap_analytics.sandbox.http.limits import Quota
    from tap_analytics.sandbox.http.wire import Transports

_HOST = "127.0.0.1"
_UNLIMITED = 10_000
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class Sandbox:
    """A server for all five APIs on one port of the loopback interface.

    Use it in a `with` block, or call `start` and `stop`. What it serves is in `store`; what was
    asked is in `requests`; callables in `faults` may spoil answers.
    """

    def __init__(  # noqa: PLR0913
        self,
        records: int = 100,
        port: int = 0,
        *,
        upstreams: bool = False,
        variants: Iterable[str] = (),
        sizes: Mapping[str, int] | None = None,
        latency: float = 0.0,
        rate: int | None = None,
        quota: Quota | None = None,
        token_seconds: float | None = None,
        log: int = 10_000,
    ) -> None:
        """Prepare a server.

        Args:
            records: Rows in each list that is not below another one.
            port: The port to listen on; 0 takes a free one.
            upstreams: Whether to speak as the five vendors do, and not as documented.
            variants: Ways to behave that the facts leave open, each as `vendor.stream=variant`;
                see `tap_analytics.sandbox.variants`.
            sizes: Other numbers of rows for some streams, by name.
            latency: Seconds that every answer waits.
            rate: Requests an API allows in any second; more are answered with 429.
            quota: Requests an API allows in a longer time; vendors that tell it in headers do.
            token_seconds: How long a bearer token lives where it can be renewed, in place of the
                vendor's days; see `renewal`. Days that the store's clock goes on count, too.
            log: How many requests `requests` remembers.

        Raises:
            OSError: The port is taken.
            ValueError: There is no such variant.
        """
        self._apis = vary(UPSTREAMS if upstreams else APIS, variants)
        self.store = Store(records, sizes, self._apis)
        transports: Transports = {}
        app = App(
            self._apis,
            self.store,
            transports,
            latency=latency,
            rate=rate,
            quota=quota,
            token_seconds=token_seconds,
            log=log,
        )
        self.faults: list[Fault] = app.faults
        self.requests: deque[Request] = app.requests
        self.refused: deque[Request] = app.refused
        """Those of them that were not answered with what they asked for."""
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        """The port it listens on."""
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=protocol(transports),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    @property
    def base_url(self) -> str:
        """The base URL of every API."""
        return f"http://{_HOST}:{self.port}"

    def config(self) -> dict[str, Any]:
        """The tap's settings for all five APIs, and a start date that covers all the data.

        The vendors' limits hold for their own servers, so there are settings that lift them.
        """
        settings: dict[str, Any] = {"start_date": moments.BEFORE.strftime("%Y-%m-%dT%H:%M:%SZ")}
        for api in self._apis:
            settings |= {f"{api.name}_{name}": value for name, value in api.settings.items()}
            settings[f"{api.name}_base_url"] = self.base_url
            if api.upstream:
                settings[f"{api.name}_upstream"] = api.upstream
                settings[f"{api.name}_requests_per_second"] = _UNLIMITED
        return settings

    def renewal(self) -> dict[str, str]:
        """The tap's settings that renew tokens; they are no part of `config`."""
        return {
            f"{api.name}_{name}": getattr(api.grant, name)
            for api in self._apis
            if api.grant
            for name in ("refresh_token", "client_id", "client_secret")
        }

    def start(self) -> None:
        """Serve; returns when the server answers.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                message = "the sandbox's server did not start"
                raise RuntimeError(message)
            time.sleep(0.005)

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def _listen(port: int) -> socket.socket:
    # asyncio turns off Nagle's algorithm only where the protocol is given as TCP; with it, an
    # answer in two parts waits 40 ms for the client's acknowledgment.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
