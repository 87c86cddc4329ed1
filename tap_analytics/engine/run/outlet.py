"""Where rows and bookmarks go while a stream is read."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.output.writer import Checkpoints
from tap_analytics.engine.run.bookmarks import Entry, forget_others

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_analytics.engine.output.writer import LineWriter


class Outlet:
    """Hands lines to the writer, and bookmarks to the state that follows them.

    A backfill reads and moves bookmarks of its own; the state it was given passes through.
    """

    def __init__(
        self,
        writer: LineWriter,
        state: dict[str, Any],
        *,
        backfill: bool = False,
        accounts: Collection[str] = (),
    ) -> None:
        """Take the state of earlier runs, and forget in it what is not read any more.

        Args:
            writer: Takes the messages.
            state: The state.
            backfill: Whether the state passes through as it is.
            accounts: Names of the accounts that are read; none for the only one.
        """
        if not backfill:
            forget_others(state, accounts)
        self._writer = writer
        self._states = Checkpoints(writer, deepcopy(state) if backfill else state)
        self._state = state

    def entry(self, stream: str, account: str | None) -> Entry:
        """Return a stream's part of the state, for one account."""
        return Entry(self._state, stream, account)

    def write(self, lines: bytes) -> None:
        """Write whole lines."""
        self._writer.write(lines)

    def moved(self) -> None:
        """Note that bookmarks stand for all lines until here."""
        self._states.moved()

    def pause(self) -> float | None:
        """Use a wait for the API to hand over what was written.

        Returns:
            Seconds after which to be called again, if the wait takes longer.
        """
        if not self._writer.holding:
            self._writer.flush()
            return None
        due = self._states.due_in()
        if due > 0:
            return due
        self._states.write()
        return None

    def close(self) -> None:
        """Write the last state and everything that is still buffered."""
        self._states.write(last=True)
