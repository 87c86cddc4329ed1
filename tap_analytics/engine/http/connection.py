"""HTTP connections with a deadline for the whole attempt, which requests does not have.

A read timeout counts from byte to byte, so a server that drips its answer would never run
into it. A watchdog closes the sockets of attempts that are past their deadline.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECK_EVERY = 0.1
_current = threading.local()


class _Attempt:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.connection: HTTPConnection | None = None
        self.expired = False

    def abort(self) -> None:
        self.expired = True
        sock = self.connection.sock if self.connection else None
        if sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _note(connection: HTTPConnection) -> None:
    attempt = getattr(_current, "attempt", None)
    if attempt is not None:
        attempt.connection = connection


class _Connection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _note(self)
        super().request(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _note(self)
        super().request(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """A requests adapter whose connections the `Watchdog` can close."""

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
    """Ends attempts that take longer than allowed."""

    def __init__(self) -> None:
        """Start without a thread; the first attempt starts it."""
        self._attempts: set[_Attempt] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[_Attempt]:
        """Watch over one attempt of the calling thread."""
        attempt = _current.attempt = _Attempt(time.monotonic() + seconds)
        with self._lock:
            self._attempts.add(attempt)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
        try:
            yield attempt
        finally:
            _current.attempt = None
            with self._lock:
                self._attempts.discard(attempt)

    def _watch(self) -> None:
        while not self._closed.wait(_CHECK_EVERY):
            now = time.monotonic()
            with self._lock:
                overdue = [attempt for attempt in self._attempts if attempt.deadline < now]
            for attempt in overdue:
                attempt.abort()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
