"""Reading several accounts side by side, and writing them one after the other."""

from __future__ import annotations

import math
import os
import tempfile
import threading
from collections import deque
from copy import deepcopy
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.run.bookmarks import Entry
from tap_analytics.engine.threads import started

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.engine.run.outlet import Outlet

_PIECE = 64 * 1024
_BYTES_IN_MEMORY = 256 * 1024
_BYTES_IN_FILE = 64 * 1024 * 1024


class Relay:
    """An outlet for the thread of one account, from which another thread takes what was put in.

    Bookmarks travel with the lines that they stand for. Of lines that nobody takes yet, some
    are kept in memory, more in a file, and whoever writes still more waits.
    """

    def __init__(self, outlet: Outlet) -> None:
        """Start empty.

        Args:
            outlet: Where everything goes in the end.
        """
        self._outlet = outlet
        self._state: dict[str, Any] = {}
        self._entries: list[tuple[str, str | None]] = []
        self._lines = bytearray()
        self._has_moved = False
        self._changed = threading.Condition()
        self._pieces: deque[tuple[bytes | tuple[int, int], dict[str, Any] | None]] = deque()
        self._in_memory = 0
        self._in_file = 0
        self._file: Any = None
        self._is_done = False
        self._failure: BaseException | None = None
        self._most_in_file: float = _BYTES_IN_FILE

    # What the thread of the account calls

    def entry(self, stream: str, account: str | None) -> Entry:
        """Return a stream's part of the state, for one account."""
        entry = Entry(self._state, stream, account)
        if values := deepcopy(self._outlet.entry(stream, account).read()):
            entry.write(**values)
        self._entries.append((stream, account))
        return entry

    def write(self, lines: bytes) -> None:
        """Write whole lines."""
        self._lines += lines
        if len(self._lines) >= _PIECE:
            self._cut()

    def moved(self) -> None:
        """Note that bookmarks stand for all lines until here."""
        self._has_moved = True

    def pause(self) -> float | None:
        """Hand over what was written while the API is waited for."""
        self._cut()
        return None

    def _cut(self) -> None:
        if not (self._lines or self._has_moved):
            return
        lines, self._lines = bytes(self._lines), bytearray()
        state = deepcopy(self._state) if self._has_moved else None
        self._has_moved = False
        with self._changed:
            if self._in_memory + len(lines) <= _BYTES_IN_MEMORY:
                self._in_memory += len(lines)
                self._pieces.append((lines, state))
            else:
                self._changed.wait_for(lambda: self._in_file + len(lines) <= self._most_in_file)
                self._pieces.append((self._put_aside(lines), state))
            self._changed.notify_all()

    def _put_aside(self, lines: bytes) -> tuple[int, int]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as we do
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(lines)
        self._in_file += len(lines)
        return start, len(lines)

    def run(self, work: Callable[[], None], *, is_alone: bool = False) -> None:
        """Do the work that writes here, and note its end, whatever that is.

        Args:
            work: The work.
            is_alone: Whether nobody takes anything before it has ended.
        """
        if is_alone:
            self._most_in_file = math.inf
        try:
            work()
            self._cut()
        except BaseException as failure:  # noqa: BLE001 - it is raised where lines are taken
            self._failure = failure
        with self._changed:
            self._is_done = True
            self._changed.notify_all()

    # What the thread that writes calls

    def drain(self) -> None:
        """Hand everything on, until the work is done.

        Raises:
            BaseException: What the work ended with.
        """
        while (piece := self._next()) is not None:
            lines, state = piece
            self._outlet.write(lines)
            if state is not None:
                for stream, account in self._entries:
                    values = Entry(state, stream, account).read()
                    self._outlet.entry(stream, account).replace(values)
                self._outlet.moved()
        if self._file is not None:
            self._file.close()
        if self._failure is not None:
            raise self._failure

    def _next(self) -> tuple[bytes, dict[str, Any] | None] | None:
        while True:
            seconds = self._outlet.pause() if not self._pieces else None
            with self._changed:
                if not self._pieces and not self._is_done:
                    self._changed.wait(seconds)
                if self._pieces:
                    place, state = self._pieces.popleft()
                    lines = self._taken(place)
                    self._changed.notify_all()
                    return lines, state
                if self._is_done:
                    return None

    def _taken(self, place: bytes | tuple[int, int]) -> bytes:
        if isinstance(place, bytes):
            self._in_memory -= len(place)
            return place
        start, size = place
        lines = os.pread(self._file.fileno(), size, start)
        self._in_file -= size
        if not self._in_file:
            self._file.truncate(0)
        return lines


class Worker:
    """The thread of one account; it does what it is given, one after the other."""

    def __init__(self, name: str) -> None:
        """Start to wait for work."""
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = started(self._serve, f"account-{name}")

    def give(self, relay: Relay, work: Callable[[], None]) -> None:
        """Let work be done that writes to a relay, after everything that was given before.

        Where no thread was to be had, it is done at once.
        """
        if self._thread is None:
            relay.run(work, is_alone=True)
        else:
            self._work.put(partial(relay.run, work))

    def _serve(self) -> None:
        while True:
            self._work.get()()
