"""Every row there could be: computed from its stream and number, never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contracts import APIS
from tap_analytics.sandbox.contracts.tables import tables_of
from tap_analytics.sandbox.data import places
from tap_analytics.sandbox.data.draws import mix, seed
from tap_analytics.sandbox.data.patterns import PATTERNS, Weaver
from tap_analytics.sandbox.data.slots import choices, index_of, make
from tap_analytics.sandbox.data.text import EVENTS
from tap_analytics.sandbox.data.ties import references, tied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_analytics.sandbox.contract import Api, Route
    from tap_analytics.sandbox.data.patterns import Pattern, Slot

MOST_CHILDREN = 5
DAYS = 30
"""The metric values are those of so many days, spread evenly."""
ROUTES: dict[str, Route] = {route.stream: route for api in APIS for route in api.routes}
"""The way to each documented stream."""
OWNERS = {route.stream: api.name for api in APIS for route in api.routes}
"""The API of each documented stream."""


class Catalog:
    """The rows of all streams for one size of the sandbox."""

    def __init__(self, records: int, sizes: Mapping[str, int], apis: Sequence[Api] = APIS) -> None:
        """Lay out lists of `records` rows, or of their own size in `sizes` (by stream)."""
        self._records = records
        self._sizes = sizes
        self.routes: dict[str, Route] = {}
        """The way to each stream; where several lead to one, the first shows all of it."""
        self.owners: dict[str, str] = {}
        """The API of each stream."""
        self._drafts: dict[str, Drafts] = {}
        for api in apis:
            drafts = _drafts_of(api)
            for route in api.routes:
                self.routes.setdefault(route.stream, route)
                self.owners[route.stream] = api.name
                self._drafts[route.stream] = drafts
        self._patterns: dict[str, list[tuple[bytes, list[Slot]]]] = {}

    def size(self, stream: str) -> int:
        """How many rows a list without parents has."""
        route = self.routes[stream]
        if route.exactly is not None:
            return route.exactly
        if route.like:
            return self.size(route.like)
        size = self._sizes.get(stream, self._records)
        return size if route.most is None else min(size, route.most)

    def children(self, stream: str, parent: int) -> int:
        """How many rows of `stream` are below the row at place `parent`; appended ones have none.

        The first parent has as many as any, so that they show all of the first patterns. A list
        of keys of other rows has each of them once at most.
        """
        above = self.routes[stream].parent
        if not above:
            rest = self.size(stream) - parent
            return -(-rest // DAYS) if 0 <= parent < DAYS and rest > 0 else 0
        place, index = places.above(parent)
        if index >= self._rows_above(above, place):
            return 0
        if self.routes[stream].single:
            return 1
        drawn = mix(seed(stream, "children") + parent) % (MOST_CHILDREN + 1)
        number = self._sizes.get(stream, drawn if parent else MOST_CHILDREN)
        word, _, target = self._key_kind(stream).partition(" ")
        return (
            min(number, choices(self, stream, parent, target)) if word in ("at", "ref") else number
        )

    def _rows_above(self, stream: str, place: int) -> int:
        if stream == "events":
            return len(EVENTS)
        return self.children(stream, place) if self.is_below(stream) else self.size(stream)

    def row(self, stream: str, index: int, parent: int = 0) -> bytes:
        """The JSON of one row."""
        return self.rows(stream, index, index + 1, parent)[0]

    def rows(self, stream: str, start: int, stop: int, parent: int = 0) -> list[bytes]:
        """The JSON of the rows from index `start` up to, but not including, `stop`."""
        patterns = self._woven(stream)
        return [
            (pattern := patterns[(index + parent) % PATTERNS])[0]
            % tuple([slot(index, parent) for slot in pattern[1]])
            for index in range(start, stop)
        ]

    def slot(self, stream: str, column: str = "") -> Slot:
        """The slot that fills a column of `stream`, or its key: the first field of its table.

        Raises:
            ValueError: What fills the column does not differ from row to row.
        """
        kind = str(self._fields(stream)[column or self.key_name(stream)])
        if not kind.startswith("="):
            msg = f"{stream}.{column} is pointed to, and needs a slot in its table, not {kind!r}"
            raise ValueError(msg)
        return make(self, stream, kind[1:])

    def key_name(self, stream: str) -> str:
        """The name of the key of `stream`: the first field of its table."""
        return next(iter(self._fields(stream)))

    def index_of(self, stream: str, key: str) -> int:
        """The only row of `stream` that could have been made with this key; -1 if none could."""
        return index_of(stream, self._key_kind(stream), key)

    def _key_kind(self, stream: str) -> str:
        kind: str = next(iter(self._fields(stream).values()))
        return kind[1:]

    def parent(self, stream: str) -> str:
        """The stream whose keys stand in the path of `stream`."""
        return self.routes[stream].parent

    def is_below(self, stream: str) -> bool:
        """Whether `stream` has a list for each row of its parent."""
        route = self.routes[stream]
        return bool(route.parent and route.context)

    def _fields(self, stream: str) -> dict[str, Any]:
        return self._drafts[stream].fields[stream]

    def _woven(self, stream: str) -> list[tuple[bytes, list[Slot]]]:
        """The patterns of a stream, each with what fills its gaps here."""
        if stream not in self._patterns:
            drafts = self._drafts[stream].patterns(stream)
            kinds = {kind for pattern in drafts for kind in pattern.slots}
            slots = {kind: make(self, stream, kind) for kind in kinds}
            self._patterns[stream] = [
                (pattern.template, [slots[kind] for kind in pattern.slots]) for pattern in drafts
            ]
        return self._patterns[stream]


class Drafts:
    """The fields and patterns of an API's streams, which are the same in every sandbox."""

    def __init__(self, api: Api) -> None:
        """Read the tables of an API."""
        streams, self._shared = tables_of(api)
        pointing = references(api)
        self.fields = {
            route.stream: tied(route.stream, streams[route.stream], pointing)
            for route in api.routes
        }
        self._patterns: dict[str, list[Pattern]] = {}

    def patterns(self, stream: str) -> list[Pattern]:
        """The patterns of a stream, made when they are first wanted."""
        if stream not in self._patterns:
            weaver = Weaver(self.fields[stream], self._shared)
            self._patterns[stream] = [weaver.weave(stream, n) for n in range(PATTERNS)]
        return self._patterns[stream]


_known: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], Drafts] = {}


def _drafts_of(api: Api) -> Drafts:
    """What is made once for an API, however its routes vary."""
    streams = tuple(route.stream for route in api.routes)
    key = (api.name, api.upstream, api.tables, streams)
    if key not in _known:
        _known[key] = Drafts(api)
    return _known[key]
