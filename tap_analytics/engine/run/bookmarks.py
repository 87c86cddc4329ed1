"""How far a stream was read, as kept in the Singer state."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.run.spool import FIRST
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping

    from tap_analytics.engine.run.spool import Row
    from tap_analytics.engine.values.cursors import Cursor

_SECOND = 1_000_000
_SETTLED_AFTER = 60 * _SECOND


class Entry:
    """One stream's part of the state, which is there only once something is written."""

    def __init__(self, state: MutableMapping[str, Any], stream: str) -> None:
        """Take the state of the whole tap and the stream's name."""
        self._state = state
        self._stream = stream

    def read(self) -> dict[str, Any]:
        """Return what is there, which may be nothing."""
        entry: dict[str, Any] = self._state.get("bookmarks", {}).get(self._stream, {})
        return entry

    def write(self, **values: Any) -> None:
        """Put values in; None takes one out."""
        entry = self._state.setdefault("bookmarks", {}).setdefault(self._stream, {})
        entry.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del entry[name]


class Ties:
    """A digest of the rows that have one and the same replication key."""

    def __init__(self) -> None:
        """Start without a row."""
        self._order = FIRST
        self._sum: int | None = 0

    def add(self, row: Row, *, complete: bool = True) -> None:
        """Take a row; one with another replication key than before starts anew."""
        if row.order != self._order:
            self._order, self._sum = row.order, 0
        if not complete:
            self._sum = None
        elif self._sum is not None:
            self._sum += int.from_bytes(
                blake2b(repr(row.key).encode(), digest_size=8).digest(), "big"
            )

    def result(self) -> str | None:
        """Return the digest; None if not all rows are complete."""
        return None if self._sum is None else f"{self._sum:x}"


class Bookmark:
    """The bookmark of a stream that is read oldest first.

    It moves with every row, never past the start of the run, and never past a row whose
    children are not complete.
    """

    def __init__(self, entry: Entry, key: str, cursor: Cursor, started: int) -> None:
        """Read the bookmark of an earlier run.

        Args:
            entry: The stream's own part of the state.
            key: Name of the replication key.
            cursor: Its kind.
            started: When this run started, in microseconds since 1970.
        """
        self._entry = entry
        self._key = key
        self._cursor = cursor
        self._started = started
        # APIs that count in seconds stamp a change with the start of its second.
        self._latest = started // _SECOND * _SECOND
        self._limit = self._latest
        self._covers: list[str] | None = None
        self._ties = Ties()
        self.trouble: str | None = None
        self.since: int | None = self._read()

    def _read(self) -> int | None:
        entry = self._entry.read()
        value = entry.get("replication_key_value")
        if value is None or entry.get("replication_key", self._key) != self._key:
            return None
        try:
            since = self._order(value)
        except ValueError:
            self.trouble = "its bookmark could not be read, so it is read from the start"
            return None
        if since > self._started:
            self.trouble = "its bookmark lies in the future, so it is read from the start"
            return None
        return since

    def _order(self, value: Any) -> int:
        try:
            return self._cursor.order(value)
        except ValueError:
            return times.micros(str(value))

    def cover(self, streams: Collection[str]) -> None:
        """Say which streams the bookmark stands for: the stream itself and those below it.

        A stream that an earlier run did not read makes this one start over, for the
        bookmark says nothing about it.
        """
        before = self._entry.read().get("covers")
        self._covers = sorted(streams)
        if self.since is not None and before is not None and not set(streams) <= set(before):
            added = ", ".join(sorted(set(streams) - set(before)))
            self.trouble = f"newly selected: {added}; read from the start"
            self.since = None

    def is_done(self, ties: Ties) -> bool:
        """Tell whether the rows at the bookmark are those whose children were read last time."""
        done = self._entry.read().get("done")
        return self.since is not None and done is not None and done == ties.result()

    def advance(self, row: Row, *, complete: bool = True) -> None:
        """Move to a row that is written, with its children.

        Args:
            row: The row.
            complete: Whether its children are; if not, the bookmark does not pass it.
        """
        if not complete:
            self.hold(row.order)
        if row.order == FIRST:
            return
        value = row.value
        if row.order > self._limit:
            if self._limit < self._latest:
                return
            value = self._cursor.value(self._latest)
        self._entry.write(replication_key=self._key, replication_key_value=value)
        if self._covers is not None:
            self._ties.add(row, complete=complete)
            settled = row.order < self._started - _SETTLED_AFTER
            done = self._ties.result() if settled else None
            self._entry.write(covers=self._covers, done=done)

    def hold(self, order: int) -> None:
        """Stop at a row that is not complete; the next run reads it again."""
        self._limit = min(self._limit, order)


class ChildBookmark:
    """The bookmark of a stream that is read parent by parent; it moves when all is read.

    It may only filter rows of parents that an earlier run has read. Which ones these were
    is not kept: a digest tells whether the parents are still the same, and if they are
    not, their rows are read in full.
    """

    def __init__(self, entry: Entry, own: Bookmark) -> None:
        """Start from the bookmark of an earlier run.

        Args:
            entry: The stream's own part of the state.
            own: The same part, read as a bookmark.
        """
        self._entry = entry
        self._own = own
        self._latest: Row | None = None
        self._parents: str | None = None

    def since(self, parents: str | None) -> int | None:
        """Return where to start, given the digest of today's parents."""
        self._parents = parents
        same = parents is not None and self._entry.read().get("parents") == parents
        return self._own.since if same else None

    def note(self, row: Row) -> None:
        """Remember the latest row."""
        if row.order != FIRST and (self._latest is None or row.order > self._latest.order):
            self._latest = row

    def miss(self) -> None:
        """Note that a parent was not there to be read, so that it may come back whole."""
        self._parents = None

    def commit(self) -> None:
        """Write the bookmark, for every parent's rows are written."""
        if self._latest is not None and self._latest.order >= (self._own.since or FIRST):
            self._own.advance(self._latest)
        if self._entry.read():
            self._entry.write(parents=self._parents)
