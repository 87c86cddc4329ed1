"""What stands between a path and the rows below it: whose rows are they?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from tap_analytics.sandbox.data import moments
from tap_analytics.sandbox.data.catalog import DAYS
from tap_analytics.sandbox.data.slots import event_at
from tap_analytics.sandbox.data.text import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_analytics.sandbox.contract import Keep
    from tap_analytics.sandbox.data.rows import ServedRows

_LAST_DAY = (moments.END - timedelta(days=1)).date()


class Parents(Protocol):
    """The parents of a stream's lists."""

    def find(self, text: str) -> int | None:
        """The index of the parent that `text` names; None for an unknown one."""

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Each parent's index and name."""


class RowParents:
    """Parents that are the rows of another list, by their key."""

    def __init__(
        self,
        listing: ServedRows,
        index_of: Callable[[str], int],
        having: Keep | None,
        key: str = "id",
    ) -> None:
        """The parents in `listing`, or those of them that have what is below.

        Args:
            listing: The rows.
            index_of: Tells where a row with an id would be as generated.
            having: Tells whether a row has a list below it; every row has if it is None.
            key: The name of the key.
        """
        self._listing = listing
        self._index_of = index_of
        self._having = having
        self._key = key

    def find(self, text: str) -> int | None:
        """See `Parents`."""
        changed = self._listing.changed
        candidates = (self._index_of(text), *changed)
        return next((n for n in candidates if n in self._listing and self._id(n) == text), None)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """See `Parents`."""
        for index, _ in self._listing:
            text = self._id(index)
            if text is not None:
                yield index, text

    def _id(self, index: int) -> str | None:
        """The key of a row, unless it has nothing below it."""
        row = msgspec.json.decode(self._listing.get(index))
        return str(row[self._key]) if self._having is None or self._having(row) else None


class EventParents:
    """Parents that are the names in the list of events, each once.

    The list is a sample: a name stays known when its events are gone from it.
    """

    def __init__(self, listing: ServedRows, computed: int) -> None:
        """The names in `listing`, of which the first `computed` rows are as generated."""
        self._listing = listing
        self._computed = computed

    def find(self, text: str) -> int | None:
        """See `Parents`."""
        return next((index for index, name in self if name == text), None)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """See `Parents`."""
        known = {event_at(index) for index in range(min(self._computed, len(EVENTS)))}
        names = {EVENTS[place]: place for place in sorted(known)}
        for row in self._listing.changed:
            if row in self._listing:
                names.setdefault(_text(self._listing, row, "name"), len(EVENTS) + row)
        for name, index in names.items():
            yield index, name


class DayParents:
    """Parents that are days, counted back from the last one of the sandbox's time."""

    def __init__(self, more: Iterable[int]) -> None:
        """The days of the generated data, and `more` that a test gave rows."""
        self._days = sorted({*range(DAYS), *more})

    def find(self, text: str) -> int | None:
        """See `Parents`; every day is known, most have no rows."""
        return (_LAST_DAY - date.fromisoformat(text)).days

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """See `Parents`."""
        for days in self._days:
            yield days, (_LAST_DAY - timedelta(days=days)).isoformat()


def _text(listing: ServedRows, index: int, name: str) -> str:
    return str(msgspec.json.decode(listing.get(index))[name])
