"""Writing Singer messages: buffered lines, and STATE not more often than it is useful."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, StateMessage

from tap_analytics.engine.encode import encode
from tap_analytics.engine.errors import ClosedOutput, Terminated

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLUSH_AT = 64 * 1024
_SECONDS_BETWEEN_STATES = 1.0


class LineWriter(GenericSingerWriter[bytes, Message]):
    """Collects lines and writes them to standard output in large pieces.

    Lines leave in the order they came, when enough have gathered, and when `flush` is
    called: before every wait for the API and at the end.
    """

    def __init__(self) -> None:
        """Start with nothing to write."""
        self._buffer = bytearray()
        self._writing = False
        self._end_asked = 0
        self._ending = False

    def serialize_message(self, message: Message) -> bytes:
        """Return a message as a line of JSON."""
        return encode(message.to_dict()) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write a message."""
        self.write(self.serialize_message(message))

    def write(self, lines: bytes) -> None:
        """Write whole lines."""
        self._buffer += lines
        if len(self._buffer) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Hand all lines to the operating system.

        Raises:
            ClosedOutput: If nobody reads them any more.
            Terminated: If the end was asked for meanwhile.
        """
        self._writing = True
        try:
            while self._buffer:
                del self._buffer[: _write_some(self._buffer)]
        except OSError as error:
            self._buffer.clear()
            if error.errno in (errno.EPIPE, errno.ECONNRESET, errno.EBADF):
                raise ClosedOutput from None
            raise
        finally:
            self._writing = False
        if self._end_asked and not self._ending:
            self._ending = True
            raise Terminated(self._end_asked)

    def ask_end(self, signal: int) -> None:
        """Raise `Terminated`, if need be after the lines that are being written.

        For signal handlers. The second signal ends the process at once.
        """
        if self._end_asked:
            os._exit(128 + signal)
        self._end_asked = signal
        if not self._writing:
            self._ending = True
            raise Terminated(signal)


def _write_some(data: bytearray) -> int:
    stdout = sys.__stdout__
    if stdout is not None and sys.stdout is stdout:
        return os.write(stdout.fileno(), data)
    sys.stdout.write(data.decode())
    return len(data)


class StateWriter:
    """Writes STATE at most once a second, and the latest one when asked to."""

    def __init__(self, writer: LineWriter) -> None:
        """Start with no state written."""
        self._writer = writer
        self._written: bytes | None = None
        self._written_at = -_SECONDS_BETWEEN_STATES

    def write_state(self, state: Mapping[str, Any], *, now: bool = False) -> None:
        """Write the state if it is time to and it is another than before.

        Args:
            state: The state of the whole tap.
            now: Whether to write it even so shortly after the last.
        """
        at = time.monotonic()
        if not now and at - self._written_at < _SECONDS_BETWEEN_STATES:
            return
        line = self._writer.serialize_message(StateMessage(value=state))
        if line != self._written:
            self._writer.write(line)
            self._written = line
            self._written_at = at
