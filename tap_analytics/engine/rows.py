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

    def add(self, context: dict[str, Any]) -> None:
        """Count a parent by what its children are asked with."""
        self._seen.add(blake2b(canonical(context), digest_size=8).digest())

    def result(self) -> str:
        """Return the digest."""
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
        self._mixed = any("integer" in names and "string" in names for names in types)
        version = f',"version":{stream.version}' if stream.version else ""
        name = encode(stream.name).decode()
        self._head = f'{{"type":"RECORD","stream":{name},"record":'.encode()
        self._tail = f'{version},"time_extracted":"'.encode()
        self._number = 0
        self.refused = 0
        self.refused_order = -FIRST
        self._slow: Callable[[dict[str, Any]], bytes] | None = stream.mapped_lines
        self._spread = stream.spreads

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
        cursor, name = stream.cursor, stream.window_key
        for raw in page.records:
            record = stream.post_process(raw, context)
            if record is None:
                continue
            order, value = FIRST, None
            if cursor is not None and name is not None:
                value = record.get(name)
                if value is not None:
                    try:
                        order = cursor.order(value)
                    except ValueError:
                        stream.tally.note(f"{name} has values that are no replication key")
            spread = stream.get_child_context(record, context) if self._spread else None
            if census is not None and spread is not None:
                census.add(spread)
            if order is not FIRST and not since <= order <= until:
                ledger.add(self._raw_key(record))
                continue
            row = self._conform(record)
            key = tuple(map(row.get, self._keys))
            if None in key:
                self.refused += 1
                self.refused_order = min(self.refused_order, order)
                continue
            fresh = ledger.add(self._raw_key(record))
            if not fresh and stream.keyed_by_content:
                continue
            if name is not None and order is not FIRST:
                value = row.get(name, value)
            self._number += 1
            if self._mixed:
                key = tuple((isinstance(part, str), part) for part in key)
            if not stream.selected:
                lines = b""
            elif self._slow:
                lines = self._slow(row)
            else:
                lines = self._head + encode(row) + tail
            yield Row(order, key, self._number, lines, value, spread)

    def _raw_key(self, record: dict[str, Any]) -> Any:  # noqa: ANN401
        key = tuple(map(record.get, self._keys))
        try:
            hash(key)
        except TypeError:
            return repr(key)
        return key


