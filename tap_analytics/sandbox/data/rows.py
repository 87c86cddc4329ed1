"""One list as it stands: computed rows, with what was changed, deleted and appended."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class ServedRows:
    """The rows of one stream under one parent.

    Indexes name rows for good: deleting one does not move the others, appended rows go on
    counting.
    """

    def __init__(self, size: int, rows: Callable[[int, int], list[bytes]]) -> None:
        """Start with `size` rows; `rows` gives those from one index up to another."""
        self._size = size
        self._rows = rows
        self._changed: dict[int, bytes] = {}
        self._gone: list[int] = []

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._size - len(self._gone)

    def indexes(self, offset: int, limit: int) -> Sequence[int]:
        """The indexes of up to `limit` rows, after the first `offset` of those that are there."""
        if not self._gone:
            return range(min(offset, self._size), min(offset + limit, self._size))
        return list(self._indexes(offset, limit))

    def many(self, indexes: Sequence[int]) -> list[bytes]:
        """The rows at `indexes`, all of which are there."""
        if isinstance(indexes, range) and not self._changed:
            return self._rows(indexes.start, indexes.stop)
        return [self.get(index) for index in indexes]

    def until(self, index: int) -> int:
        """How many of the rows up to `index`, itself included, are there."""
        return min(index + 1, self._size) - bisect_right(self._gone, index)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Each row with its index."""
        for index in self._indexes(0, self.total):
            yield index, self.get(index)

    def __contains__(self, index: int) -> bool:
        """Whether the row at `index` is there."""
        place = bisect_right(self._gone, index) - 1
        return 0 <= index < self._size and not (place >= 0 and self._gone[place] == index)

    def get(self, index: int) -> bytes:
        """The row at `index`.

        Raises:
            IndexError: There is none, or it was deleted.
        """
        if index not in self:
            message = f"no row at index {index}"
            raise IndexError(message)
        return self._changed.get(index) or self._rows(index, index + 1)[0]

    @property
    def changed(self) -> dict[int, bytes]:
        """The rows that are not as computed, by index; deleted ones may be among them."""
        return self._changed

    def put(self, index: int, row: bytes) -> None:
        """Replace the row at `index`; raises as `get` does."""
        self.get(index)
        self._changed[index] = row

    def add(self, row: bytes) -> int:
        """Append a row; returns its index."""
        self._changed[self._size] = row
        self._size += 1
        return self._size - 1

    def remove(self, index: int) -> None:
        """Delete the row at `index`; raises as `get` does."""
        self.get(index)
        insort(self._gone, index)

    def _indexes(self, offset: int, limit: int) -> Iterator[int]:
        """The indexes of up to `limit` rows that are there, after the first `offset`."""
        index = offset
        for gone in self._gone:
            if gone > index:
                break
            index += 1
        while limit > 0 and index < self._size:
            if index in self:
                yield index
                limit -= 1
            index += 1
