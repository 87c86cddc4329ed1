"""Writing Singer messages: buffered lines, and STATE not more often than it is useful."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import sys
import time
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, StateMessage

from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.values.encode import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLUSH_AT = 256 * 1024
_HOLD_AT_MOST = 4 * 1024 * 1024
_PIECE = 512 * 1024
"""Half of what the pipe to a target holds: it has one half to read while the other is made."""
_SECONDS_BETWEEN_STATES = 1.0
_SECONDS_TO_FIRST_STATE = 0.2
_SECONDS_STUCK = 3.0
_SECONDS_BETWEEN_LOOKS = 0.2


class LineWriter(GenericSingerWriter[bytes, Message]):
    """Collects lines and writes them to standard output in large pieces.

    Lines leave in the order they came, when enough have gathered and when `flush` is called.
    Lines that moved a bookmark are held until the STATE that says so goes with them: a run
    that is killed repeats next time only what left without its STATE.

    Attributes:
        holding: Whether such lines are waiting.
    """

    def __init__(self) -> None:
        """Start with nothing to write."""
        self.holding = False
        self._buffer = bytearray()
        self._since_state = self._before_state = 0
        self._writing = False
        self._end_asked = 0
        self._ending = False
        self._broken: ClosedOutput | None = None

    def serialize_message(self, message: Message) -> bytes:
        """Return a message as a line of JSON."""
        return encode(message.to_dict()) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write a message."""
        self.write(self.serialize_message(message))

    def write(self, lines: bytes) -> None:
        """Write whole lines."""
        self._buffer += lines
        self._since_state += len(lines)
        if len(self._buffer) >= self._most():
            self.flush()

    def _most(self) -> int:
        """Return how many bytes wait for others, or for their STATE."""
        if not self.holding:
            return _FLUSH_AT
        is_much = max(self._since_state, self._before_state) > _HOLD_AT_MOST
        return _PIECE if is_much else _HOLD_AT_MOST

    def settle(self) -> None:
        """Hand over all lines, for the STATE that they waited for is among them."""
        self.holding = False
        self._before_state, self._since_state = self._since_state, 0
        self.flush()

    def flush(self) -> None:
        """Hand all lines to the operating system.

        Raises:
            ClosedOutput: If nobody can read them any more; and from then on always, so that
                no STATE leaves whose lines did not.
            Terminated: If the end was asked for meanwhile.
        """
        if self._broken is not None:
            raise self._broken
        self._writing = True
        try:
            self._write_all()
        except OSError as error:
            self._buffer.clear()
            self._broken = ClosedOutput(error)
            if self._ending or not isinstance(error, BlockingIOError):
                raise self._broken from None
        finally:
            self._writing = False
        if self._end_asked and not self._ending:
            self._ending = True
            raise Terminated(self._end_asked)

    def _write_all(self) -> None:
        moved_at = time.monotonic()
        while self._buffer:
            try:
                del self._buffer[: _write_some(self._buffer)]
                moved_at = time.monotonic()
            except BlockingIOError:
                if self._end_asked and time.monotonic() > moved_at + _SECONDS_STUCK:
                    raise
                select.select([], [sys.stdout], [], _SECONDS_BETWEEN_LOOKS)

    def ask_end(self, signal: int) -> None:
        """Raise `Terminated`, if need be after the lines that are being written.

        For signal handlers. The second signal ends the process at once. From now on writing
        does not wait for ever: a reader that takes nothing for some seconds is given up.
        """
        if self._end_asked:
            os._exit(128 + signal)
        self._end_asked = signal
        _never_block()
        if not self._writing:
            self._ending = True
            raise Terminated(signal)


def _block(number: int) -> None:
    with contextlib.suppress(OSError):  # it may be closed by now
        os.set_blocking(number, True)


def _never_block() -> None:
    """Let standard output refuse what it cannot take, for the rest of the process only."""
    with contextlib.suppress(OSError, AttributeError, ValueError):  # there may be none
        number = sys.stdout.fileno()
        if os.get_blocking(number):
            os.set_blocking(number, False)
            # A terminal is shared with other programs.
            atexit.register(_block, number)


def _write_some(data: bytearray) -> int:
    stdout = sys.__stdout__
    if stdout is not None and sys.stdout is stdout:
        return os.write(stdout.fileno(), data)
    sys.stdout.write(data.decode())
    return len(data)


class Checkpoints:
    """Writes the state of the tap at most once a second, with the lines it stands for."""

    def __init__(self, writer: LineWriter, state: Mapping[str, Any]) -> None:
        """Take the state, which others change."""
        self._writer = writer
        self._state = state
        self._written: bytes | None = None
        self._due_at: float | None = None

    def moved(self) -> None:
        """Note that a bookmark moved, and write the state if it is time to."""
        if not self._writer.holding:
            self._writer.holding = True
            if self._due_at is None:
                self._due_at = time.monotonic() + _SECONDS_TO_FIRST_STATE
        if self.due_in() <= 0:
            self.write()

    def due_in(self) -> float:
        """Return the seconds until a moved bookmark may be written."""
        return (self._due_at or 0.0) - time.monotonic()

    def write(self, *, last: bool = False) -> None:
        """Write the state, if it is another than before, with all lines before it.

        Args:
            last: Whether nothing follows; the last state is written even if it is not new, or
                empty, for targets that keep nothing before they see one.
        """
        state = self._state or {"bookmarks": {}}
        line = self._writer.serialize_message(StateMessage(value=state))
        if last or (self._state and line != self._written):
            self._writer.write(line)
            self._written = line
        self._due_at = time.monotonic() + _SECONDS_BETWEEN_STATES
        self._writer.settle()
