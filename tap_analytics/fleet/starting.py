"""How a worker starts the guard of a tap and a target."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO

from tap_analytics.fleet import guard

_CAN_FORK = sys.platform == "linux"
"""Elsewhere libraries of the system may break in forks."""


@dataclass
class Guard:
    """A running guard.

    Attributes:
        stdin: What it is told; it kills its programs when this is closed.
        stdout: What it says.
    """

    stdin: IO[bytes]
    stdout: IO[bytes]


class Starter:
    """Starts guards: forks of a process that has the tap imported, where that can be."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._link: socket.socket | None = None

    def start(self) -> Guard:
        """Start one."""
        given, stdin = os.pipe()
        stdout, said = os.pipe()
        try:
            if _CAN_FORK:
                with self._lock:
                    self._ask(given, said)
            else:
                _launch(["-I", "-S", guard.__file__], given, said)
        finally:
            os.close(given)
            os.close(said)
        return Guard(open(stdin, "wb"), open(stdout, "rb"))  # noqa: PTH123

    def close(self) -> None:
        """Let the process that forks end."""
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None

    def _ask(self, *pipes: int) -> None:
        """Hand pipes to the process that forks; if it has died, to a new one."""
        if self._link is not None:
            try:
                socket.send_fds(self._link, [b"."], list(pipes))
            except OSError:
                self._link.close()
            else:
                return
        self._link = _warm()
        socket.send_fds(self._link, [b"."], list(pipes))


def _warm() -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        _launch(["-m", "tap_analytics.fleet.warm"], theirs.fileno(), subprocess.DEVNULL)
    return ours


def _launch(arguments: list[str], stdin: int, stdout: int) -> None:
    """Start a program of Python's which Ctrl-C in a terminal does not reach; it ends by itself."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments], stdin=stdin, stdout=stdout, start_new_session=True
    )
    threading.Thread(target=process.wait, daemon=True).start()


starter = Starter()
"""The one of this worker."""
atexit.register(starter.close)
