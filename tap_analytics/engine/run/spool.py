"""Ordering more rows than fit in memory."""

from __future__ import annotations

import marshal
import os
import tempfile
from array import array
from bisect import bisect_left
from heapq import heapify, heappop, heapreplace
from itertools import chain, islice, pairwise
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BYTES_IN_MEMORY = 16 * 1024 * 1024
_ROW_OVERHEAD = 300
_BUFFER = 256 * 1024
_BYTES_IN_BLOCK = 32 * 1024
_SHARES = 8
_RUNS_OF_A_SIZE = 16
_PLAIN = 2
"""The format of `marshal` that looks for no object it has met before: twice as fast."""


class Row(NamedTuple):
    """A row ready to be written.

    Attributes:
        order: Its replication key as microseconds since 1970, `FIRST` without one.
        key: Its key.
        number: Its place among all rows read.
        lines: Its Singer messages.
        value: Its replication key as it leaves.
        context: What its children are asked with, None if it has none.
    """

    order: int
    key: Any
    number: int
    lines: bytes
    value: Any
    context: dict[str, Any] | None


Fields: TypeAlias = "tuple[Any, ...]"
"""What a `Row` is made of, as a plain tuple, which is made, sorted and put aside faster."""


class _Blocks:
    """Blocks of bytes in one temporary file that vanishes with the process."""

    def __init__(self) -> None:
        self._file: Any = None
        self._end = 0

    def write(self, blocks: Iterable[bytes]) -> array[int]:
        """Append blocks, and return where they start and the last one ends."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - lives as we do
        places = array("q", [self._end])
        for block in blocks:
            self._file.write(block)
            self._end += len(block)
            places.append(self._end)
        self._file.flush()
        return places

    def read(self, places: Sequence[int]) -> Iterator[bytes]:
        """Yield the blocks that follow each other."""
        for start, end in pairwise(places):
            yield os.pread(self._file.fileno(), end - start, start)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file, self._end = None, 0


class Spool:
    """Takes rows in any order and gives them back by (order, key), each pair once.

    Up to some megabytes are kept in memory; more is sorted in runs in a temporary file.
    """

    def __init__(self, *, mixed_keys: bool = False, memory: int | None = None) -> None:
        """Start empty.

        Args:
            memory: Bytes to keep in memory, where they are not the usual 16 MB.
            mixed_keys: Whether keys may be numbers in some rows and texts in others.
        """
        self._mixed_keys = mixed_keys
        self._memory = memory or _BYTES_IN_MEMORY
        self._rows: list[Fields] = []
        self._bytes = 0
        self._file = _Blocks()
        self._runs: list[tuple[Fields, Iterator[tuple[list[Fields], Fields]]]] = []

    def extend(self, rows: Sequence[Fields]) -> None:
        """Take rows."""
        if self._mixed_keys:
            rows = [_with_comparable_key(row) for row in rows]
        self._rows += rows
        self._bytes += sum([len(row[3]) for row in rows]) + _ROW_OVERHEAD * len(rows)
        if self._bytes > self._most():
            self._spill()

    def _most(self) -> int:
        """Return the bytes to keep in memory.

        A list that fits is never put aside. Of one that does not, runs that fit into a
        processor's cache take less time, as long as there are few.
        """
        shares = 1 + len(self._runs) // _RUNS_OF_A_SIZE if self._runs else _SHARES
        return self._memory * min(shares, _SHARES) // _SHARES

    def _spill(self) -> None:
        """Put a run aside: sorted rows, in blocks so small that one of each run is not much.

        The first run is as large as the memory, and stays there until other runs grow.
        """
        rows, self._rows = self._rows, []
        _sort(rows)
        size = 1 + _BYTES_IN_BLOCK * len(rows) // self._bytes
        blocks = (
            (rows[start : start + size], _place(rows, start + size))
            for start in range(0, len(rows), size)
        )
        run = self._filed(blocks) if self._runs else blocks
        self._runs.append((_place(rows, 0), run))
        if len(self._runs) == _RUNS_OF_A_SIZE:
            place, first = self._runs[0]
            self._runs[0] = place, self._filed(first)
        self._bytes = 0

    def _filed(
        self, blocks: Iterable[tuple[list[Fields], Fields]]
    ) -> Iterator[tuple[list[Fields], Fields]]:
        """Write blocks, their rows as columns, which takes less time, and return them as read."""
        columns = (([*zip(*rows, strict=True)], following) for rows, following in blocks)
        places = self._file.write(marshal.dumps(block, _PLAIN) for block in columns)
        read = map(marshal.loads, self._file.read(places))
        return (([*zip(*columns, strict=True)], following) for columns, following in read)

    def stretches(self) -> Iterator[list[Fields]]:
        """Yield all rows in order, many at a time; of rows with one order and key the last read."""
        if not self._mixed_keys:
            return self._merged()
        return ([_with_plain_key(row) for row in rows] for rows in self._merged())

    def _merged(self) -> Iterator[list[Fields]]:
        """Yield all rows in order.

        Blocks come by their first rows, and all that is before the next one is complete: of
        each run little more than a block is in memory, and runs that do not overlap are copied.
        """
        if self._runs and self._rows:
            self._spill()
        rows, self._rows = self._rows, []
        ahead = [(first, number, run) for number, (first, run) in enumerate(self._runs)]
        heapify(ahead)
        while ahead:
            for _ in range(len(ahead)):
                _, number, blocks = ahead[0]
                block, following = next(blocks)
                rows += block
                if following:
                    heapreplace(ahead, (following, number, blocks))
                else:
                    heappop(ahead)
            if ahead:
                rows = _ordered(rows)
                complete = bisect_left(rows, ahead[0][0])
                yield rows[:complete]
                del rows[:complete]
        yield _ordered(rows)

    def close(self) -> None:
        """Forget all rows and give the space back."""
        self._rows, self._runs, self._bytes = [], [], 0
        self._file.close()


def _place(rows: list[Fields], number: int) -> Fields:
    """Return the order and the key of a row, nothing if there are not so many."""
    return rows[number][:2] if number < len(rows) else ()


def _sort(rows: list[Fields]) -> None:
    rows.sort(key=itemgetter(0))  # so the tuples, which are slower to compare, are nearly sorted
    rows.sort()


def _ordered(rows: list[Fields]) -> list[Fields]:
    """Sort rows, and return of those with the same order and key the last one read."""
    _sort(rows)
    keys = [row[1] for row in rows]
    if not any(map(eq, keys, islice(keys, 1, None))):
        return rows
    following = chain(islice(rows, 1, None), [()])
    return [row for row, after in zip(rows, following, strict=True) if row[:2] != after[:2]]


def _with_comparable_key(row: Fields) -> Fields:
    order, key, *rest = row
    return (order, tuple([(isinstance(part, str), part) for part in key]), *rest)


def _with_plain_key(row: Fields) -> Fields:
    order, key, *rest = row
    return (order, tuple([part for _, part in key]), *rest)
