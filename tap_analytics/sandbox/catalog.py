"""Every row there could be: computed from its stream and number, never stored."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contracts import APIS
from tap_analytics.sandbox.draws import mix, seed
from tap_analytics.sandbox.patterns import PATTERNS, Weaver
from tap_analytics.sandbox.slots import make
from tap_analytics.sandbox.text import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.sandbox.contract import Route
    from tap_analytics.sandbox.patterns import Pattern, Slot

MOST_CHILDREN = 5
DAYS = 30
"""The metric values are those of so many days, spread evenly."""
ROUTES: dict[str, Route] = {route.stream: route for api in APIS for route in api.routes}
OWNERS = {route.stream: api.name for api in APIS for route in api.routes}
"""The API of each stream."""


def _tables(api: str) -> dict[str, Any]:
    """The fields of an API's streams: kinds by stream, and under `shared` what they share."""
    text = resources.files("tap_analytics.sandbox.contracts").joinpath(f"{api}.json").read_bytes()
    tables: dict[str, Any] = msgspec.json.decode(text)
    return tables


class Catalog:
    """The rows of all streams for one size of the sandbox."""

    def __init__(self, records: int, sizes: Mapping[str, int]) -> None:
        """Lay out lists of `records` rows, or of their own size in `sizes` (by stream)."""
        self._records = records
        self._sizes = sizes
        self._shared: dict[str, dict[str, Any]] = {}
        self._fields: dict[str, dict[str, Any]] = {}
        for api in APIS:
            tables = _tables(api.name)
            for stream, fields in tables["streams"].items():
                self._fields[stream] = fields
                self._shared[stream] = tables.get("shared", {})
        self._patterns: dict[str, list[Pattern]] = {}

    def size(self, stream: str) -> int:
        """How many rows a list without parents has."""
        size = self._sizes.get(stream, self._records)
        most = ROUTES[stream].most
        return size if most is None else min(size, most)

    def children(self, stream: str, parent: int) -> int:
        """How many rows of `stream` the parent at index `parent` has; appended ones have none."""
        above = ROUTES[stream].parent
        if not above:
            rest = self.size(stream) - parent
            return -(-rest // DAYS) if 0 <= parent < DAYS and rest > 0 else 0
        if parent >= (len(EVENTS) if above == "events" else self.size(above)):
            return 0
        if ROUTES[stream].single:
            return 1
        return mix(seed(stream, "children") + parent) % (MOST_CHILDREN + 1)

    def row(self, stream: str, index: int, parent: int = 0) -> bytes:
        """The JSON of one row."""
        return self.rows(stream, index, index + 1, parent)[0]

    def rows(self, stream: str, start: int, stop: int, parent: int = 0) -> list[bytes]:
        """The JSON of the rows from index `start` up to, but not including, `stop`."""
        patterns = self._woven(stream)
        turn = parent * 7
        return [
            (pattern := patterns[(index + turn) % PATTERNS]).template
            % tuple([slot(index, parent) for slot in pattern.slots])
            for index in range(start, stop)
        ]

    def key(self, stream: str) -> Slot:
        """The slot that fills the key of `stream`: the first field of its table."""
        kind = next(iter(self._fields[stream].values()))
        return make(self, stream, kind[1:])

    def parent(self, stream: str) -> str:
        """The stream whose keys stand in the path of `stream`."""
        return ROUTES[stream].parent

    def _woven(self, stream: str) -> list[Pattern]:
        if stream not in self._patterns:
            weaver = Weaver(
                self._fields[stream], self._shared[stream], lambda kind: make(self, stream, kind)
            )
            self._patterns[stream] = [weaver.weave(stream, n) for n in range(PATTERNS)]
        return self._patterns[stream]
