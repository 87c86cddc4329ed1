"""Ordering more rows than fit in memory."""

from __future__ import annotations

import heapq
import marshal
import os
import tempfile
from array import array
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BYTES_IN_MEMORY = 16 * 1024 * 1024
_ROW_OVERHEAD = 300
_BUFFER = 256 * 1024
_ROWS_PER_BLOCK = 16


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


class _Blocks:
    """Runs of blocks of bytes in one temporary file that vanishes with the process."""

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
        return places

    def read(self, places: array[int]) -> Iterator[bytes]:
        """Yield the blocks of a run."""
        self._file.flush()
        for start, end in pairwise(places):
            yield os.pread(self._file.fileno(), end - start, start)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file, self._end = None, 0


class Spool:
    """Takes rows in any order and gives them back by (order, key), each pair once.

    Up to some megabytes are kept in memory; more is sorted in runs in a temporary file. Inside
    they are plain tuples, which are sorted and written faster.
    """

    def __init__(self, *, mixed_keys: bool = False, memory: int | None = None) -> None:
        """Start empty.

        Args:
            memory: Bytes to keep in memory, where they are not the usual 16 MB.
            mixed_keys: Whether keys may be numbers in some rows and texts in others.
        """
        self._mixed_keys = mixed_keys
        self._memory = memory or _BYTES_IN_MEMORY
        self._rows: list[tuple[Any, ...]] = []
        self._bytes = 0
        self._blocks = _Blocks()
        self._runs: list[array[int]] = []

    def add(self, row: Row) -> None:
        """Take a row."""
        self.extend([tuple(row)])

    def extend(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take rows, as tuples of what a `Row` is made of."""
        if self._mixed_keys:
            rows = [(order, _comparable(key), *rest) for order, key, *rest in rows]
        self._rows += rows
        self._bytes += sum([len(row[3]) for row in rows]) + _ROW_OVERHEAD * len(rows)
        if self._bytes >= self._memory:
            self._spill()

    def _spill(self) -> None:
        rows = sorted(self._rows)
        self._rows = []
        starts = range(0, len(rows), _ROWS_PER_BLOCK)
        blocks = (marshal.dumps(rows[start : start + _ROWS_PER_BLOCK]) for start in starts)
        self._runs.append(self._blocks.write(blocks))
        self._bytes = 0

    def _run(self, places: array[int]) -> Iterator[tuple[Any, ...]]:
        return chain.from_iterable(map(marshal.loads, self._blocks.read(places)))

    def rows(self) -> Iterator[Row]:
        """Yield all rows in order; of rows with the same order and key the last one read."""
        self._rows.sort()
        runs = [self._run(places) for places in self._runs]
        merged = heapq.merge(*runs, self._rows) if runs else iter(self._rows)
        held: tuple[Any, ...] | None = None
        for row in merged:
            if held is not None and (held[0] != row[0] or held[1] != row[1]):
                yield Row._make(held)
            held = row
        if held is not None:
            yield Row._make(held)

    def close(self) -> None:
        """Forget all rows and give the space back."""
        self._rows, self._runs, self._bytes = [], [], 0
        self._blocks.close()


def _comparable(key: Any) -> tuple[tuple[bool, Any], ...]:
    return tuple([(isinstance(part, str), part) for part in key])
