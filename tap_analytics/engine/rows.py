"""From decoded records to rows that are ready to be written."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.encode import canonical, encode
from tap_analytics.engine.spool import FIRST, KeyLedger, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.engine.page import Page
    from tap_analytics.engine.stream import AnalyticsStream


class Window(NamedTuple):
    """The replication keys a list is read for, both ends included, as microseconds since 1970."""

    since: int = FIRST
    until: int = -FIRST


class Census:
    """A digest of all parents of a list, to tell whether they are the same as last time."""

    def __init__(self) -> None:
        """Start without a parent."""
        self._seen: set[bytes] = set()
        self._is_whole = True

    def clear(self) -> None:
        """Forget all parents, for they are counted once more."""
        self._seen.clear()
        self._is_whole = True

    def add(self, context: dict[str, Any], *, is_read: bool) -> None:
        """Count a parent.

        Args:
            context: What its children are asked with.
            is_read: Whether its children are read, in this run or an earlier one.
        """
        self._seen.add(blake2b(canonical(context), digest_size=8).digest())
        self._is_whole = self._is_whole and is_read

    def result(self) -> str | None:
        """Return the digest; None if not all parents are read."""
        if not self._is_whole:
            return None
        return blake2b(b"".join(sorted(self._seen)), digest_size=16).hexdigest()


class RowMaker:
    """Turns the records of one stream into rows: completed, conformed, keyed, encoded.

    It is compiled once per stream and used by the thread that writes.

    Attributes:
        refused: Rows without a key.
        refused_order: The oldest of them.
    """

    def __init__(self, stream: AnalyticsStream) -> None:
        """Compile what the stream declares and the user selected."""
        self._stream = stream
        self._conform = stream.conformer
        self._keys = tuple(stream.primary_keys)
        version = f',"version":{stream.version}' if stream.version else ""
        name = encode(stream.name).decode()
        self._head = f'{{"type":"RECORD","stream":{name},"record":'.encode()
        self._tail = f'{version},"time_extracted":"'.encode()
        self._number = 0
        self.refused = 0
        self.refused_order = -FIRST
        self._slow: Callable[[dict[str, Any]], bytes] | None = (
            stream.mapped_lines if stream.selected else lambda _: b""
        )
        self._complete = stream.post_process
        self._may_repeat = stream.may_repeat
        self._spread = stream.spreads
        self._cursor = stream.cursor if stream.window_key else None
        self._name = stream.window_key or ""

    def rows(
        self,
        page: Page,
        context: dict[str, Any] | None,
        window: Window,
        ledger: KeyLedger,
        census: Census | None = None,
    ) -> list[Row]:
        """Return the rows of a page that fall into a window.

        Args:
            page: The page.
            context: What its list was asked with, None for a list of its own.
            window: Which replication keys are wanted.
            ledger: Takes the key of every record.
            census: Takes what the children of every record are asked with.
        """
        since, until = window
        head, tail = self._head, self._tail + page.read_at.encode() + b'"}\n'
        names, slow, cursor = self._keys, self._slow, self._cursor
        rows: list[Row] = []
        keys: list[Any] = []
        order, value, children = FIRST, None, None
        for raw in page.records:
            record = self._complete(raw, context)
            if record is None:
                continue
            if cursor:
                order, value = self._order(record)
            if self._spread:
                children = self._stream.get_child_context(record, context)
                if census is not None and children is not None:
                    census.add(children, is_read=order <= until)
            wanted = order == FIRST or since <= order <= until
            row = self._conform(record) if wanted else record
            key = tuple([row.get(name) for name in names])
            if None in key:
                self._refuse(order)
                continue
            keys.append(key)
            if wanted:
                if cursor and order != FIRST:
                    value = row.get(self._name)
                    value = cursor.value(order) if value is None else value
                lines = slow(row) if slow else head + encode(row) + tail
                rows.append(Row(order, key, self._number + len(keys), lines, value, children))
        self._number += len(keys)
        fresh = ledger.add(keys)
        if self._may_repeat and len(fresh) < len(keys):
            rows = _without_repeats(rows, fresh)
        return rows

    def _order(self, record: dict[str, Any]) -> tuple[int, Any]:
        """Return the replication key of a record as microseconds since 1970, and as it is."""
        value = record.get(self._name)
        if value is None or self._cursor is None:
            return FIRST, None
        try:
            order = self._cursor.order(value)
            if FIRST < order < -FIRST:
                return order, value
        except ValueError:
            pass
        self._stream.tally.note(f"{self._name} has values that are no replication key")
        return FIRST, None

    def _refuse(self, order: int) -> None:
        self.refused += 1
        self.refused_order = min(self.refused_order, order)


def _without_repeats(rows: list[Row], fresh: list[Any]) -> list[Row]:
    """Keep the first of the rows with each key, if it is one of the fresh ones."""
    left = set(fresh)
    kept = []
    for row in rows:
        if row.key in left:
            left.discard(row.key)
            kept.append(row)
    return kept
