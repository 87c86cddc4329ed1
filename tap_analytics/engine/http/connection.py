"""HTTP connections with a deadline for the whole attempt, which requests does not have.

A read timeout counts from byte to byte, so a server that drips its answer would never run
into it. A watchdog shuts the sockets of attempts that are past their deadline, by a duplicate
that each connection has for this: whoever holds the socket at that time (a connection, a tunnel,
an answer that ends with its connection) runs into its end. So a socket itself needs no time limit
once it is connected, which would cost a look at the clock and a system call at every step.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from tap_analytics.engine.errors import TransientError
from tap_analytics.engine.http.dial import dial
from tap_analytics.engine.http.response import Response
from tap_analytics.engine.threads import started

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECK_EVERY = 0.1
_current = threading.local()


class Attempt:
    """One attempt to get an answer, redirects included.

    Attributes:
        deadline: Monotonic time until which it must be done.
        seconds: How long that was from its start.
        expired: Whether it was not.
    """

    def __init__(self, deadline: float, seconds: float = 0.0) -> None:
        """Start without a socket."""
        self.deadline = deadline
        self.seconds = seconds
        self.expired = False
        self._socket: socket.socket | None = None
        self._is_left_to_us = False
        self._lock = threading.Lock()

    def watch(self, sock: socket.socket) -> None:
        """Have this socket shut at the deadline, until it is `let_go`."""
        with self._lock:
            if sock is not self._socket:
                self._drop()
                self._socket = sock
            if self.expired:
                self._shut()

    def let_go(self) -> None:
        """Leave the socket alone from now on: its exchange has ended."""
        with self._lock:
            self._drop()

    def inherit(self, sock: socket.socket) -> bool:
        """Take a socket whose connection was closed, to close it later; tell whether it will be.

        What is left of an answer may come without its connection.
        """
        with self._lock:
            self._is_left_to_us |= sock is self._socket
            return sock is self._socket

    def abort(self) -> None:
        """Shut the socket, for the time is up."""
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._is_left_to_us and self._socket is not None:
            self._socket.close()
        self._socket, self._is_left_to_us = None, False

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Stop the clock while the attempt waits for something on our side."""
        left = self.deadline - time.monotonic()
        self.deadline = math.inf
        try:
            yield
        finally:
            self.deadline = time.monotonic() + left


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Watched(_Base):
    """A connection whose attempt is watched, and which is used again only if it is clean."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.response_class = partial(Response, ended=self._ended)  # type: ignore[assignment]
        self._in_exchange = False
        self._has_surplus = False
        self._line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        attempt: Attempt | None = getattr(_current, "attempt", None)
        name = f"the proxy {self.host}" if self.proxy else self.host
        self._in_exchange = self._has_surplus = False
        sock = dial(
            self._dns_host,
            self.port,
            attempt.deadline if attempt else math.inf,
            name=name,
            options=self.socket_options or (),
        )
        self._let_go_of_line()
        self._line = sock.dup()
        if attempt:
            attempt.watch(self._line)
        return sock

    def _let_go_of_line(self) -> None:
        line, self._line = self._line, None
        attempt: Attempt | None = getattr(_current, "attempt", None)
        if line is not None and not (attempt and attempt.inherit(line)):
            line.close()

    def close(self) -> None:
        self._let_go_of_line()
        super().close()

    def _tunnel(self) -> None:
        super()._tunnel()
        attempt: Attempt | None = getattr(_current, "attempt", None)
        if attempt and attempt.expired:  # whose socket, once shut, looks like a tunnel that is open
            raise TimeoutError

    def request(self, *args: Any, **kwargs: Any) -> None:
        attempt: Attempt | None = getattr(_current, "attempt", None)
        if attempt and self._line is not None:
            attempt.watch(self._line)
        super().request(*args, **kwargs)
        self._in_exchange = True

    def _ended(self, has_surplus: bool) -> None:  # noqa: FBT001
        attempt: Attempt | None = getattr(_current, "attempt", None)
        if self._in_exchange:
            self._has_surplus |= has_surplus
            if attempt:
                attempt.let_go()

    @property
    def is_connected(self) -> bool:
        return not self._has_surplus and super().is_connected


class _Connection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class Route(NamedTuple):
    """How requests reach one origin.

    Attributes:
        pool: The connections.
        is_by_proxy: Whether they are read by a proxy, which is told the whole URL.
    """

    pool: HTTPConnectionPool
    is_by_proxy: bool


class DeadlineAdapter(HTTPAdapter):
    """A requests adapter whose attempts the `Watchdog` can end."""

    def route(
        self,
        origin: str,
        *,
        verify: bool | str,
        cert: str | tuple[str, str] | None,
        proxies: dict[str, str],
    ) -> Route:
        """Return how requests reach an origin, which `send` would find out for each of them.

        Args:
            origin: Scheme and host; more does not matter.
            verify: Whether to verify its certificate, or by which certificates.
            cert: A certificate of ours.
            proxies: Proxies by scheme.

        Raises:
            RequestException: If a proxy's address is none.
            OSError: If there are no certificates where they should be.
        """
        request = requests.Request("GET", origin).prepare()
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies, cert)
        self.cert_verify(pool, origin, verify, cert)  # type: ignore[no-untyped-call]
        return Route(pool, not self.request_url(request, proxies).startswith("/"))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool manager with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Return a proxy manager with our connections."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Watchdog:
    """Ends attempts that take longer than allowed; one thread does so for all its users."""

    def __init__(self) -> None:
        """Start without a user, and without a thread."""
        self._attempts: set[Attempt] = set()
        self._lock = threading.Lock()
        self._users = 0
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Take one more user; the first one starts the thread, before others take them all."""
        with self._lock:
            self._users += 1
            self._start()

    def _start(self) -> None:
        if not (self._thread and self._thread.is_alive()):
            self._thread = started(self._watch, "watchdog")

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[Attempt]:
        """Watch over one attempt of the calling thread, whose user may have gone.

        Raises:
            TransientError: If there is no thread that could.
        """
        attempt = Attempt(time.monotonic() + seconds, seconds)
        with self._lock:
            self._start()
            if self._thread is None:
                msg = "this machine gives no thread that could limit the time of a request: "
                msg += "allow this process more tasks or more address space"
                raise TransientError(msg)
            self._attempts.add(attempt)
        _current.attempt = attempt
        try:
            yield attempt
        finally:
            _current.attempt = None
            with self._lock:
                self._attempts.discard(attempt)
            attempt.let_go()

    def _watch(self) -> None:
        while True:
            time.sleep(_CHECK_EVERY)
            now = time.monotonic()
            with self._lock:
                if not (self._users or self._attempts):
                    self._thread = None
                    return
                overdue = [attempt for attempt in self._attempts if attempt.deadline < now]
            for attempt in overdue:
                attempt.abort()

    def close(self) -> None:
        """Let a user go; the thread ends after the last one, and after the last attempt."""
        with self._lock:
            self._users -= 1


WATCHDOG = Watchdog()
"""The one of this process."""
