"""Which fields the rows of a stream carry, to tell those that no row carries any more.

A field is carried by a row that has it as the API sends it, with whatever value, null too:
this is about the shape of answers, and not about what is in them.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import repeat
from operator import contains
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.values.typed import names_in_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_analytics.engine.run.bookmarks import Entry
    from tap_analytics.engine.stream import AnalyticsStream

_ROWS_LOOKED_AT = 1000
_DIGITS = 8


class Carried:
    """The fields of the rows of one reading.

    What all rows carry is told by the first thousand of them, and by the first and the last of
    every later page; what none carries, by all of them.

    Attributes:
        missing: Of the fields that all rows carried before, those that none carried so far.
        always: Those that all rows carried so far; None before the first row.
    """

    def __init__(self, before: Iterable[str] = ()) -> None:
        """Start before the first row.

        Args:
            before: The fields that all rows carried when they were last read.
        """
        self.missing = sorted(before)
        self.always: set[str] | None = None
        self._left = _ROWS_LOOKED_AT

    def see(self, records: Sequence[dict[str, Any]]) -> None:
        """Look at the rows of a page, as the API sent them."""
        if not records:
            return
        looked_at = records[: self._left] or (records[0], records[-1])
        self._left = max(self._left - len(records), 0)
        carried = names_in_all(looked_at)
        self.always = set(carried) if self.always is None else self.always.intersection(carried)
        if self.missing:
            self.missing = [
                name for name in self.missing if not any(map(contains, records, repeat(name)))
            ]


def recall(stream: AnalyticsStream, entry: Entry) -> frozenset[str]:
    """Return the fields that all rows carried when they were last read.

    Args:
        stream: The stream; if it had other columns then, nothing is known.
        entry: What the state has of it, for all accounts together.
    """
    text, names = entry.read().get("carried"), sorted(stream.schema["properties"])
    if not isinstance(text, str) or text[:_DIGITS] != _digest(names):
        return frozenset()
    try:
        bits = int(text[_DIGITS:], 16)
    except ValueError:
        return frozenset()
    return frozenset(name for place, name in enumerate(names) if bits >> place & 1)


def noted(stream: AnalyticsStream, fields: Collection[str]) -> str:
    """Return what the state keeps of the fields that all rows of a stream carry.

    That is a digest of the stream's columns and a bit for each, in hexadecimal: a few dozen
    characters, whatever the names are.
    """
    names = sorted(stream.schema["properties"])
    bits = sum(1 << place for place, name in enumerate(names) if name in fields)
    return f"{_digest(names)}{bits:x}"


def _digest(names: Iterable[str]) -> str:
    return blake2b("\0".join(names).encode(), digest_size=_DIGITS // 2).hexdigest()


def compare(
    stream: AnalyticsStream, entry: Entry, rows: Sequence[Carried], *, saw_all: bool
) -> list[str]:
    """Note which fields all rows of a stream carry, and return those that none does any more.

    What no row carries stays noted, so that every run says so until rows have it again, or the
    column is deselected.

    Args:
        stream: The stream.
        entry: Its part of the state, for all accounts together.
        rows: What was seen of its rows, for each account that has any.
        saw_all: Whether these were all rows that there are. What changed since the last run
            alone can but show that some rows lack a field.
    """
    missing = set.intersection(*(set(one.missing) for one in rows))
    always = set.intersection(*(one.always or set() for one in rows))
    if not saw_all:
        always &= recall(stream, entry)
    entry.write(carried=noted(stream, always | missing))
    return sorted(missing.difference(stream.deselected_fields, stream.left_out))
