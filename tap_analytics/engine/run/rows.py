"""From decoded records to rows that are ready to be written."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b
from io import BytesIO
from itertools import chain, compress
from operator import and_, not_
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tap_analytics.engine.values.cursors import FIRST
from tap_analytics.engine.values.encode import canonical, encode, encode_lines
from tap_analytics.engine.values.typed import column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_analytics.engine.output.report import Tally
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.run.ledger import KeyLedger
    from tap_analytics.engine.run.spool import Fields
    from tap_analytics.engine.stream import AnalyticsStream
    from tap_analytics.engine.values.cursors import Window

_RECORDS_IN_PIECE = 100


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


class Batch(Struct, frozen=True):
    """The wanted records of one page, as columns of the same length.

    Attributes:
        read_at: When the page was read, ISO 8601 in UTC.
        records: The records, conformed.
        orders: Their replication keys as microseconds since 1970, `FIRST` without one.
        keys: Their keys.
        places: Their places among all records of the stream.
        contexts: What their children are asked with, None if they have none.
    """

    read_at: str
    records: Sequence[dict[str, Any]]
    orders: Sequence[int]
    keys: Sequence[Any]
    places: Sequence[int]
    contexts: Sequence[dict[str, Any] | None]

    def only(self, chosen: list[bool]) -> Batch:
        """Return the chosen records."""
        if all(chosen):
            return self
        columns = (self.records, self.orders, self.keys, self.places, self.contexts)
        return Batch(self.read_at, *(list(compress(column, chosen)) for column in columns))


class RowMaker:
    """Turns the records of one stream into rows: completed, conformed, keyed, encoded.

    It is compiled once per stream and used by the thread that writes. Whole pages go through
    each step, for that is several times as fast as record by record.

    Attributes:
        refused: Rows without a key.
        refused_order: The oldest of them.
    """

    def __init__(
        self,
        stream: AnalyticsStream,
        tally: Tally,
        *,
        version: int | None = None,
        context: Mapping[str, Any] | None = None,
        is_wanted: bool = True,
    ) -> None:
        """Compile what the stream declares and the user selected.

        Args:
            stream: Whose rows they are.
            tally: Takes notes on them.
            version: The version of the table that they belong to, if any.
            context: What every row carries.
            is_wanted: Whether they leave at all, and not only those below them.
        """
        self._stream = stream
        self._tally = tally
        self._context = dict(context or {})
        self._conform = stream.conformer
        self._typed = stream.typed_pages
        self._keys = tuple(stream.primary_keys)
        said = f',"version":{version}' if version else ""
        name = encode(stream.name).decode()
        self._head = f'{{"type":"RECORD","stream":{name},"record":'.encode()
        self._tail = f'{said},"time_extracted":"'.encode()
        self._number = 0
        self.refused = 0
        self.refused_order = -FIRST
        self._version = version
        self._slow: Callable[[dict[str, Any], int | None, str], bytes] | None = (
            stream.mapped_lines if is_wanted else lambda *_: b""
        )
        self._may_repeat = stream.may_repeat
        self._spread = bool(stream.children)
        self._cursor = stream.cursor if stream.window_key else None
        self._name = stream.window_key or ""

    def batch(
        self,
        page: Page,
        context: Mapping[str, Any] | None,
        window: Window,
        ledger: KeyLedger,
        census: Census | None = None,
    ) -> Batch:
        """Return the records of a page that fall into a window.

        Args:
            page: The page.
            context: What its list was asked with, None for a list of its own.
            window: Which replication keys are wanted.
            ledger: Takes the key of every record.
            census: Takes what the children of every record are asked with.
        """
        asked = {**self._context, **(context or {})}
        records = self._stream.completed(page.records, asked)
        orders = self._orders(records)
        contexts = self._contexts(records, context)
        if census is not None:
            for order, child in zip(orders, contexts, strict=True):
                if child is not None:
                    identity = {name: child[name] for name in self._stream.child_keys}
                    census.add(identity, is_read=order <= window.until)
        wanted = self._wanted(orders, window)
        leaving = records if all(wanted) else list(compress(records, wanted))
        self._conform(leaving)
        if self._typed is not None:
            self._typed.arrange(leaving)
        columns = [column(records, name) for name in self._keys]
        keys: list[Any] = list(zip(*columns, strict=True))
        keyed = [True] * len(keys)
        if any(None in column for column in columns):
            keyed = [None not in key for key in keys]
            wanted = list(map(and_, wanted, keyed))
            self._refuse(list(compress(orders, map(not_, keyed))))
        places = range(self._number, self._number + len(records))
        self._number += len(records)
        batch = Batch(page.read_at, records, orders, keys, places, contexts).only(wanted)
        keys = keys if all(keyed) else list(compress(keys, keyed))
        if not self._may_repeat:
            ledger.add(keys)
        elif len(fresh := ledger.fresh(keys)) < len(keys):
            batch = batch.only(_firsts(batch.keys, fresh))
        return batch

    def lines(self, batch: Batch) -> Iterator[tuple[bytes, int]]:
        """Yield the Singer messages of a batch, with the number of RECORDs in each piece.

        A piece fits into a processor's cache.

        Raises:
            ReadError: If a stream map fails on a record.
        """
        records = batch.records
        if self._slow:
            for record in records:
                lines = self._slow(record, self._version, batch.read_at)
                yield lines, lines.count(b"\n")
            return
        head, tail = self._head, self._tail + batch.read_at.encode() + b'"}\n'
        for start in range(0, len(records), _RECORDS_IN_PIECE):
            piece = records[start : start + _RECORDS_IN_PIECE]
            lines = encode_lines(piece).replace(b"\n", tail + head)
            yield b"".join((head, memoryview(lines)[: -len(head)])), len(piece)

    def rows(self, batch: Batch) -> list[Fields]:
        """Return what each `Row` of a batch is made of.

        Raises:
            ReadError: If a stream map fails on a record.
        """
        lines: Iterable[bytes] = (piece for piece, _ in self.lines(batch))
        if not self._slow:  # a file is cut three times as fast as bytes are
            lines = chain.from_iterable(map(BytesIO, lines))
        values = column(batch.records, self._name)
        if FIRST in batch.orders or None in values:
            values = list(map(self._value, values, batch.orders))
        columns = (batch.orders, batch.keys, batch.places, lines, values, batch.contexts)
        return list(zip(*columns, strict=True))

    def _value(self, value: Any, order: int) -> Any:
        """Return the replication key of a record as it leaves."""
        if self._cursor is None or order == FIRST:
            return None
        return self._cursor.value(order) if value is None else value

    def _contexts(
        self, records: list[dict[str, Any]], context: Mapping[str, Any] | None
    ) -> list[dict[str, Any] | None]:
        """Return what the children of each record are asked with."""
        if not self._spread:
            return [None] * len(records)
        return [self._stream.get_child_context(record, context) for record in records]

    def _orders(self, records: list[dict[str, Any]]) -> list[int]:
        """Return the replication key of each record as microseconds since 1970."""
        if self._cursor is None:
            return [FIRST] * len(records)
        values = column(records, self._name)
        with suppress(ValueError, ArithmeticError):
            orders = self._cursor.orders(values)
            if -FIRST > max(orders, default=FIRST) >= min(orders, default=FIRST) >= FIRST:
                return orders
        return list(map(self._order, values))

    def _wanted(self, orders: list[int], window: Window) -> list[bool]:
        """Tell which rows are in a window; those without a replication key always are."""
        if self._cursor is None:
            return [True] * len(orders)
        since, until = window
        return [order == FIRST or since <= order <= until for order in orders]

    def _order(self, value: Any) -> int:
        if value is None or self._cursor is None:
            return FIRST
        try:
            order = self._cursor.order(value)
            if FIRST < order < -FIRST:
                return order
        except ValueError:
            pass
        self._tally.note(f"{self._name} has values that are no replication key")
        return FIRST

    def _refuse(self, orders: list[int]) -> None:
        self.refused += len(orders)
        self.refused_order = min(self.refused_order, *orders)


def _firsts(keys: Sequence[Any], fresh: list[Any]) -> list[bool]:
    """Tell which keys are the first of their kind, and one of the fresh ones."""
    left = set(fresh)
    firsts = []
    for key in keys:
        firsts.append(key in left)
        left.discard(key)
    return firsts
