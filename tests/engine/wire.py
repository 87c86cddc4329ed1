"""Servers that speak byte by byte, for what no proper server would do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE = 20.0


class Line:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        """Take the accepted socket, and what says that the test is over."""
        self.sock = sock
        self.is_over = over.is_set
        self._over = over

    def ask(self) -> bytes:
        """Return the head of the next request, empty if there is none."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            if not byte:
                return b""
            head += byte
        return head

    def say(self, *parts: bytes) -> None:
        """Send all of it at once."""
        self.sock.sendall(b"".join(parts))

    def drip(self, part: bytes) -> None:
        """Send a byte every 20 ms, until the test is over."""
        for byte in part:
            if self._over.wait(0.02):
                return
            self.sock.sendall(bytes([byte]))

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self._over.wait(_PATIENCE)


@contextlib.contextmanager
def speaking(speak: Callable[[Line], None]) -> Iterator[tuple[int, list[Line]]]:
    """Serve each connection by a function, on a thread of its own; yield port and connections."""
    lines: list[Line] = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(line: Line) -> None:
            with line.sock, contextlib.suppress(OSError):
                line.sock.settimeout(_PATIENCE)
                speak(line)

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                lines.append(Line(sock, over))
                threading.Thread(target=serve, args=(lines[-1],), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], lines
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@contextlib.contextmanager
def dead_address() -> Iterator[int]:
    """Yield a port of the loopback interface that takes no connection and refuses none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]
