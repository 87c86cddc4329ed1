"""From decoded records to rows that are ready to be written."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.encode import canonical, encode
from tap_analytics.engine.spool import FIRST, KeyLedger, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        types = [stream.schema["properties"][name].get("type", ()) for name in self._keys]
        is_sorted = stream.window_key or any(child.window_key for child in stream.children)
        self._mixed = is_sorted and any("integer" in kind and "string" in kind for kind in types)
        version = f',"version":{stream.version}' if stream.version else ""
        name = encode(stream.name).decode()
        self._head = f'{{"type":"RECORD","stream":{name},"record":'.encode()
        self._tail = f'{version},"time_extracted":"'.encode()
        self._number = 0
        self.refused = 0
        self.refused_order = -FIRST
        self._slow: Callable[[dict[str, Any]], bytes] | None = stream.mapped_lines
        self._spread = stream.spreads
        self._selected = stream.selected
        self._cursor = stream.cursor if stream.window_key else None
        self._name = stream.window_key or ""

    def rows(
        self,
        page: Page,
        context: dict[str, Any] | None,
        window: Window,
        ledger: KeyLedger,
        census: Census | None = None,
    ) -> Iterator[Row]:
        """Yield the rows of a page that fall into a window.

        Args:
            page: The page.
            context: What its list was asked with, None for a list of its own.
            window: Which replication keys are wanted.
            ledger: Takes the key of every record.
            census: Takes what the children of every record are asked with.
        """
        stream = self._stream
        since, until = window
        tail = self._tail + page.read_at.encode() + b'"}\n'
        for raw in page.records:
            record = stream.post_process(raw, context)
            if record is None:
                continue
            order, value = self._order(record) if self._cursor else (FIRST, None)
            children = stream.get_child_context(record, context) if self._spread else None
            if census is not None and children is not None:
                census.add(children, is_read=order <= until)
            fresh = ledger.add(tuple(map(record.get, self._keys)))
            wanted = order is FIRST or since <= order <= until
            row = self._conform(record) if wanted else record
            key = tuple(map(row.get, self._keys))
            if None in key:
                self._refuse(order)
                continue
            if wanted and (fresh or not stream.may_repeat):
                self._number += 1
                if self._mixed:
                    key = tuple([(isinstance(part, str), part) for part in key])
                if self._cursor is not None and order is not FIRST:
                    value = row.get(self._name)
                    value = self._cursor.value(order) if value is None else value
                yield Row(order, key, self._number, self._lines(row, tail), value, children)

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

    def _lines(self, row: dict[str, Any], tail: bytes) -> bytes:
        if not self._selected:
            return b""
        return self._slow(row) if self._slow else self._head + encode(row) + tail

    def _refuse(self, order: int) -> None:
        self.refused += 1
        self.refused_order = min(self.refused_order, order)
