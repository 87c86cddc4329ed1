"""Rows as patterns: JSON with gaps for what differs from row to row.

A stream has a few dozen patterns, each drawn once from its table of fields. A row is then one
`bytes % tuple`, so a million rows cost neither memory nor much time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_analytics.sandbox.data.draws import Draw
from tap_analytics.sandbox.data.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

    Slot = Callable[[int, int], bytes]
    """Fills a gap: `(index, parent index)` to JSON."""

PATTERNS = 31
"""Patterns per stream."""

LEVELS = 6
"""More than the levels of objects inside each other that any table has."""
_NULLS = 8
_GAP = "\ue000gap\ue001"
_GAP_JSON = msgspec.json.encode(_GAP)


class Pattern(NamedTuple):
    """JSON with gaps, and the kinds of slots that fill them, in order."""

    template: bytes
    slots: tuple[str, ...]


class Weaver:
    """Makes the patterns of one stream from its table of fields.

    A table maps names to kinds. A name that ends with `?` is null at times, one that ends with `~`
    left out at times: in the patterns after the first one by design (see `weave`), in the others
    as it is drawn. Several names with blanks between them share a kind. A kind is a word of
    `values` with its arguments, `=` and a slot for what differs from row to row, `$` and the name
    of a shared table, a table, or `[kind, most]` for a list of up to that many.
    """

    def __init__(self, table: dict[str, Any], shared: dict[str, Any]) -> None:
        """Keep the table, and the shared tables it may name."""
        self._table = table
        self._shared = shared

    def weave(self, stream: str, number: int) -> Pattern:
        """Pattern `number` of `stream`.

        Pattern 0 is full: no nulls, no empty lists. Pattern 1 lacks every field that may be
        lacking, pattern 2 those inside the objects of the row, pattern 3 those inside the objects
        in these, and so on. So a few rows show every field with and without a value.
        """
        slots: list[str] = []
        full_levels = (LEVELS, *range(LEVELS))[number] if number <= LEVELS else None
        row = self._build(self._table, Draw(stream, number), slots, full_levels)
        json = msgspec.json.encode(row).replace(b"%", b"%%").replace(_GAP_JSON, b"%b")
        return Pattern(json, tuple(slots))

    def _build(self, kind: Any, draw: Draw, slots: list[str], full: int | None) -> object:
        """Return a value; below so many full levels of objects it lacks all that may be lacking."""
        if isinstance(kind, dict):
            return self._object(kind, draw, slots, full)
        if isinstance(kind, list):
            inner, most = kind
            length = draw.below(most + 1) if full is None else most
            return [self._build(inner, draw, slots, full) for _ in range(length)]
        if kind.startswith("$"):
            return self._build(self._shared[kind[1:]], draw, slots, full)
        if kind.startswith("="):
            slots.append(kind[1:])
            return _GAP
        return value(kind, draw)

    def _object(
        self, table: dict[str, Any], draw: Draw, slots: list[str], full: int | None
    ) -> dict[str, object]:
        fields: dict[str, object] = {}
        below = full - 1 if full else full
        for names, kind in table.items():
            for name in re.findall(r"[^ ?~]+", names):
                fields.pop(name, None)  # gaps are filled in the order in which they were made
                may_lack = names[-1] in "?~"
                if not may_lack or (draw.below(_NULLS) if full is None else full):
                    fields[name] = self._build(kind, draw, slots, below)
                elif names.endswith("?"):
                    fields[name] = None
        return fields
