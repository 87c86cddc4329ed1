"""Bodies that were sent before, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_MOST = 64 * 1024 * 1024


class Bodies:
    """The bodies asked for last, for one revision of the data."""

    def __init__(self, most: int = _MOST) -> None:
        """Hold up to `most` bytes."""
        self._most = most
        self._held: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._revision = -1

    def get(self, revision: int, target: Hashable) -> bytes | None:
        """The body of `target` at that revision, if it is held."""
        if revision != self._revision:
            self._held.clear()
            self._size = 0
            self._revision = revision
        body = self._held.get(target)
        if body is not None:
            self._held.move_to_end(target)
        return body

    def put(self, target: Hashable, body: bytes) -> None:
        """Hold the body of `target` at the revision asked for last."""
        self._held[target] = body
        self._size += len(body)
        while self._size > self._most:
            self._size -= len(self._held.popitem(last=False)[1])
