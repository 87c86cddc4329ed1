"""How far a stream was read, as kept in the Singer state."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.run.spool import Row
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping, Sequence

    from tap_analytics.engine.run.spool import Fields
    from tap_analytics.engine.values.cursors import Cursor

_SECOND = 1_000_000
_MARGIN = 5 * _SECOND
"""A row may become visible so long after the time it is stamped with."""
_SETTLED_AFTER = 60 * _SECOND
_CLOCKS_DIFFER_BY = times.DAY


class Entry:
    """One stream's part of the state, which is there only once something is written.

    It is what is below ``bookmarks`` and the stream's name. A key that has nothing to say is
    not there:

    - ``accounts``: with several accounts, such an entry for each, by its name, and beside it
      nothing but ``carried``.
    - ``replication_key``, ``replication_key_value``: the bookmark, as in every Singer state.
    - ``covers``: the streams below, by name, whose rows the bookmark stands for as well; one
      that is selected later is read from the start.
    - ``done``: a digest of the rows at the bookmark itself, all complete with their children.
    - ``parents``: of a child, a digest of the parents that its bookmark was reached below.
    - ``version``: what RECORDs carried when targets last removed what was gone.
    - ``rows``: how many there were then; far fewer are not believed.
    - ``since``: the start date that kept older rows out then, if one did.
    - ``full_read``: when an incremental stream was last read in full.
    - ``in_order``: true where its lists were last seen to be sorted, newest change first.
    - ``carried``: of all accounts, which fields every row carried then (see `carried.noted`).
    """

    def __init__(
        self, state: MutableMapping[str, Any], stream: str, account: str | None = None
    ) -> None:
        """Take the state of the whole tap, and whose part it is."""
        self._state = state
        self._path = (stream,) if account is None else (stream, "accounts", account)

    def read(self) -> dict[str, Any]:
        """Return what is there, which may be nothing."""
        entry: dict[str, Any] = self._state.get("bookmarks", {})
        for name in self._path:
            entry = entry.get(name, {})
        return entry

    def replace(self, values: dict[str, Any]) -> None:
        """Put these values in the place of all that is there."""
        if values or self.read():
            self.write(**{**dict.fromkeys(self.read()), **values})

    def write(self, **values: Any) -> None:
        """Put values in; None takes one out."""
        entry = self._state.setdefault("bookmarks", {})
        for name in self._path:
            entry = entry.setdefault(name, {})
        entry.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del entry[name]


def forget_others(state: MutableMapping[str, Any], accounts: Collection[str]) -> None:
    """Take out of a state what belongs to other accounts than those that are read.

    Args:
        state: The state of the whole tap.
        accounts: Their names; none for the only one, whose part stands at the top.
    """
    for entry in state.get("bookmarks", {}).values():
        kept = {name: entry.get("accounts", {}).get(name) for name in accounts}
        kept = {name: part for name, part in kept.items() if part}
        if accounts:
            for key in entry.keys() - {"accounts", "carried"}:
                del entry[key]
        entry.pop("accounts", None)
        if kept:
            entry["accounts"] = kept


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

    It moves with every row, but never back, never past what the server called now when the
    list began, and never past a row whose children are not complete.

    Attributes:
        since: Where to start, in microseconds since 1970; None for the start.
        trouble: What is wrong with the bookmark of the earlier run, if anything.
        is_in_doubt: Whether it is not sure that what was passed over may be.
    """

    def __init__(self, entry: Entry, key: str, cursor: Cursor, now: int) -> None:
        """Read the bookmark of an earlier run.

        Args:
            entry: The stream's own part of the state.
            key: Name of the replication key.
            cursor: Its kind.
            now: The current time, in microseconds since 1970.
        """
        self._entry = entry
        self._key = key
        self._cursor = cursor
        self._now = now
        self._latest: int | None = None
        self._limit = -FIRST
        self._reached: Row | None = None
        self._covers: list[str] | None = None
        self._ties = Ties()
        self.trouble: str | None = None
        self.is_in_doubt = False
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
        if since > self._now + _CLOCKS_DIFFER_BY:
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

    def bound(self, began: int | None) -> None:
        """Stop short of what the server called now when a list began.

        Args:
            began: That time in microseconds since 1970; None if the server did not tell, so
                that our own clock has to do.
        """
        latest = (self._now if began is None else began) // _SECOND * _SECOND - _MARGIN
        self._latest = latest if self._latest is None else min(self._latest, latest)

    def advance(self, row: Row, *, complete: bool = True) -> None:
        """Move to a row that is written, with its children; while in doubt, only note it.

        Args:
            row: The row.
            complete: Whether its children are; if not, the bookmark does not pass it.
        """
        if not complete:
            self.hold(row.order)
        since = FIRST if self.since is None else self.since
        if not self.may_reach(row.order) or row.order < since:
            return
        if self._covers is not None:
            self._ties.add(row, complete=complete)
        self._reached = row
        if not self.is_in_doubt:
            self.settle()

    def pass_over(self, rows: Sequence[Fields]) -> None:
        """Move to the last of some rows that it may reach; they are in order and complete."""
        for row in rows if self._covers is not None else self.farthest(rows):
            self.advance(Row._make(row))

    def farthest(self, rows: Sequence[Fields]) -> list[Fields]:
        """Return the last of some rows in order that it may reach, alone; nothing without one."""
        return next(([row] for row in reversed(rows) if self.may_reach(row[0])), [])

    def settle(self) -> None:
        """Move to the latest row that was noted, unless in doubt."""
        row = self._reached
        if row is None or self.is_in_doubt:
            return
        self._reached = None
        self._entry.write(replication_key=self._key, replication_key_value=row.value)
        if self._covers is not None:
            settled = row.order < (self._latest or FIRST) - _SETTLED_AFTER
            self._entry.write(covers=self._covers, done=self._ties.result() if settled else None)

    def may_reach(self, order: int) -> bool:
        """Tell whether the bookmark may move to a row."""
        if self._latest is None:
            self.bound(None)
        return FIRST < order <= min(self._latest or FIRST, self._limit)

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

    def bound(self, began: int | None) -> None:
        """Stop short of what the server called now when a list began."""
        self._own.bound(began)

    def note(self, row: Row) -> None:
        """Remember the latest row that the bookmark may move to."""
        latest = self._latest
        if self._own.may_reach(row.order) and (latest is None or row.order > latest.order):
            self._latest = row

    def pass_over(self, rows: Sequence[Fields]) -> None:
        """Remember the latest of some rows; they are in order."""
        for row in self._own.farthest(rows):
            self.note(Row._make(row))

    def miss(self) -> None:
        """Note that a parent was not there to be read, so that it may come back whole."""
        self._parents = None

    def commit(self) -> None:
        """Write the bookmark, for every parent's rows are written."""
        if self._latest is not None:
            self._own.advance(self._latest)
        if "replication_key_value" in self._entry.read():
            self._entry.write(parents=self._parents)
