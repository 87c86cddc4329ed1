"""Noticing keys that come twice, however many there are."""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from itertools import chain, islice, pairwise
from operator import eq
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.values.encode import encode_lines
from tap_analytics.engine.values.fitting import LARGEST_INTEGER, SMALLEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_KEYS_IN_MEMORY = 1 << 16
_MARKS_PER_BLOCK = 1 << 8
_BLOCKS_PER_SHARE = 1 << 8
_SIZE = array("q").itemsize


class _Run(NamedTuple):
    """Different marks in ascending order, in the file.

    Attributes:
        start: How many marks are before it in the file.
        size: How many it has.
        firsts: The first mark of each of its blocks.
        last: Its last mark.
    """

    start: int
    size: int
    firsts: array[int]
    last: int


class KeyLedger:
    """Counts keys that come more than once, by marks: few in memory, many in a temporary file.

    A key that is one integer is its own mark. The mark of any other is a hash of 64 bits.
    """

    def __init__(self) -> None:
        """Start without a key."""
        self._marks: list[int] = []
        self._known: set[int] = set()
        self._repeated = 0
        self._file: Any = None
        self._runs: list[_Run] = []

    def add(self, keys: Sequence[tuple[Any, ...]]) -> None:
        """Take the keys of a page."""
        self._marks += _marks(keys)
        if len(self._marks) >= _KEYS_IN_MEMORY:
            self._spill()

    def fresh(self, keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return those of a page's keys that are new among the latest ones; does not count them."""
        fresh = dict(zip(_marks(keys), keys, strict=True))
        for mark in self._known & fresh.keys():
            del fresh[mark]
        self._known.update(fresh)
        if len(self._known) >= _KEYS_IN_MEMORY:
            self._known.clear()
        return list(fresh.values())

    def repeats(self) -> int:
        """Return how many of all keys came more than once; ends the ledger."""
        if not self._runs:
            return len(self._marks) - len(set(self._marks))
        self._spill()
        repeated = self._repeated
        runs = sorted(self._runs, key=lambda run: run.firsts[0])
        if any(one.last >= other.firsts[0] for one, other in pairwise(runs)):
            repeated += sum(len(share) - len(set(share)) for share in self._shares())
        self._file.close()
        return repeated

    def _spill(self) -> None:
        """Write the marks in memory to the file, each once."""
        marks = sorted(self._marks)
        self._marks = []
        if not marks:
            return
        if marks[0] < SMALLEST_INTEGER or marks[-1] > LARGEST_INTEGER:
            marks = sorted(map(_shortened, marks))
        if any(map(eq, marks, islice(marks, 1, None))):
            self._repeated += len(marks)
            marks = sorted(set(marks))
            self._repeated -= len(marks)
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as we do
        start = sum(run.size for run in self._runs)
        run = _Run(start, len(marks), array("q", marks[::_MARKS_PER_BLOCK]), marks[-1])
        self._file.write(array("q", marks))
        self._file.flush()
        self._runs.append(run)

    def _shares(self) -> Iterator[list[int]]:
        """Yield the marks of all runs, each between two bounds."""
        firsts = sorted(chain.from_iterable(run.firsts for run in self._runs))
        for low, high in pairwise([*firsts[::_BLOCKS_PER_SHARE], LARGEST_INTEGER + 1]):
            yield [mark for run in self._runs for mark in self._between(run, low, high)]

    def _between(self, run: _Run, low: int, high: int) -> array[int]:
        """Return the marks of a run from one bound up to another."""
        first = max(bisect_right(run.firsts, low) - 1, 0) * _MARKS_PER_BLOCK
        end = min(bisect_left(run.firsts, high) * _MARKS_PER_BLOCK, run.size)
        count = max(end - first, 0)
        marks = array("q")
        marks.frombytes(os.pread(self._file.fileno(), count * _SIZE, (run.start + first) * _SIZE))
        return marks[bisect_left(marks, low) : bisect_left(marks, high)]


def _marks(keys: Sequence[tuple[Any, ...]]) -> Iterable[int]:
    """Return what stands for each key; all of a list have as many parts."""
    parts = list(chain.from_iterable(keys))
    is_single = len(parts) == len(keys)
    kinds = set(map(type, parts)) if is_single else set()
    if kinds == {int}:
        return parts
    if kinds == {str}:
        return map(hash, keys)
    lines = encode_lines(keys).splitlines()
    return map(_mark, parts, lines) if is_single else map(hash, lines)


def _mark(part: Any, line: bytes) -> int:
    if type(part) is int:
        return part
    return hash((part,) if type(part) is str else line)


def _shortened(mark: int) -> int:
    """Return a mark that fits into 64 bits."""
    return mark if SMALLEST_INTEGER <= mark <= LARGEST_INTEGER else hash(str(mark))
