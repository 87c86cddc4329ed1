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

_NULLS = 8
_GAP = "\ue000gap\ue001"
_GAP_JSON = msgspec.json.encode(_GAP)


class Pattern(NamedTuple):
    """JSON with gaps, and what fills them in order."""

    template: bytes
    slots: tuple[Slot, ...]


class Weaver:
    """Makes the patterns of one stream from its table of fields.

    A table maps names to kinds. A name that ends with `?` is null at times, one that ends with `~`
    left out at times; several names with blanks between them share a kind. A kind is a word of
    `values` with its arguments, `=` and a slot for what differs from row to row, `$` and the name
    of a shared table, a table, or `[kind, most]` for a list of up to that many.
    """

    def __init__(
        self, table: dict[str, Any], shared: dict[str, Any], slot: Callable[[str], Slot]
    ) -> None:
        """Keep the table, the shared tables it may name, and what turns slot kinds into slots."""
        self._table = table
        self._shared = shared
        self._slot = slot

    def weave(self, stream: str, number: int) -> Pattern:
        """Pattern `number` of `stream`; pattern 0 is full: no nulls, no empty lists."""
        slots: list[Slot] = []
        row = self._build(self._table, Draw(stream, number), slots, full=number == 0)
        json = msgspec.json.encode(row).replace(b"%", b"%%").replace(_GAP_JSON, b"%b")
        return Pattern(json, tuple(slots))

    def _build(self, kind: Any, draw: Draw, slots: list[Slot], *, full: bool) -> object:
        if isinstance(kind, dict):
            return self._object(kind, draw, slots, full=full)
        if isinstance(kind, list):
            inner, most = kind
            length = most if full else draw.below(most + 1)
            return [self._build(inner, draw, slots, full=full) for _ in range(length)]
        if kind.startswith("$"):
            return self._build(self._shared[kind[1:]], draw, slots, full=full)
        if kind.startswith("="):
            slots.append(self._slot(kind[1:]))
            return _GAP
        return value(kind, draw)

    def _object(
        self, table: dict[str, Any], draw: Draw, slots: list[Slot], *, full: bool
    ) -> dict[str, object]:
        fields: dict[str, object] = {}
        for names, kind in table.items():
            for name in re.findall(r"[^ ?~]+", names):
                fields.pop(name, None)  # gaps are filled in the order in which they were made
                if full or names[-1] not in "?~" or draw.below(_NULLS):
                    fields[name] = self._build(kind, draw, slots, full=full)
                elif names.endswith("?"):
                    fields[name] = None
        return fields
