"""The data of a sandbox: computed, and open to change."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contract import Choice, Found
from tap_analytics.sandbox.contracts import APIS
from tap_analytics.sandbox.data import moments, places
from tap_analytics.sandbox.data.catalog import Catalog
from tap_analytics.sandbox.data.parents import DayParents, EventParents, RowParents
from tap_analytics.sandbox.data.picks import Picks, pick
from tap_analytics.sandbox.data.rows import ServedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_analytics.sandbox.contract import Api, Params, Route
    from tap_analytics.sandbox.data.parents import Parents
    from tap_analytics.sandbox.paging import Window

    Row = dict[str, Any]
    Named = str | tuple[str, ...] | None


class Store:
    """Rows by stream, the same for the same arguments; what a test changes lies on top.

    A row is named by its stream, its index in its list, and for lists below others the parent:
    the id, event name or day (YYYY-MM-DD) that the request names, or all that it names, where
    those are several. Indexes stay as they are when rows are deleted, and appended rows go on
    counting.
    """

    def __init__(
        self,
        records: int = 100,
        sizes: Mapping[str, int] | None = None,
        apis: Sequence[Api] = APIS,
    ) -> None:
        """Lay out lists of `records` rows, or of their own size in `sizes` (by stream)."""
        self._catalog = Catalog(records, sizes or {}, apis)
        self._picks = Picks()
        self._listings: dict[tuple[str, int], ServedRows] = {}
        self._lock = RLock()
        self._days = 0
        self.revision = 0
        """Counts the changes."""

    def parent(self, route: Route, *names: str) -> int | None:
        """The place of the parent that a request names, with those above it; None if unknown."""
        with self._lock:
            place: int | None = 0
            if names[1:]:
                place = self.parent(self._catalog.routes[route.parent], *names[:-1])
            index = None if place is None else self._parents(route, place).find(names[-1])
            return None if place is None or index is None else places.below(place, index)

    def view(self, route: Route, text: str) -> str | None:
        """The name of the view that a request names; None for an unknown one."""
        with self._lock:
            listing = self._listing(route.parent, 0)
            index = RowParents(listing, self._index_of(route), None).find(text)
            if index is None:
                return None
            return str(msgspec.json.decode(listing.get(index))["name"])

    def find(
        self, route: Route, parent: int, window: Window, params: Params | None = None
    ) -> Found:
        """The rows of a window on those that `params` choose."""
        given = params or {}
        with self._lock:
            listing = self._listing(route.stream, parent)
            names = {*route.options, *route.dates}
            chosen = {name: value for name, value in given.items() if name in names}
            choice = self._choice(route, chosen)
            if choice is None:
                offset = window.offset if window.after is None else listing.until(window.after)
                part, total = listing.indexes(offset, window.limit), listing.total
            else:
                target = (route.stream, route.view, parent, tuple(sorted(chosen.items())))
                every = self._picks.find(self.revision, target, listing, choice)
                offset = window.offset if window.after is None else _place(every, window.after)
                part, total = every[offset : offset + window.limit], len(every)
            rows = self._shown(route, parent, part, listing)
            return Found(rows, total, parent, offset, part[-1] if part else -1, given)

    def rows(self, api: str, stream: str) -> Iterator[Row]:
        """The rows of `stream` as served, those below other lists parent by parent.

        Raises:
            KeyError: The API has no such stream.
        """
        if self._catalog.owners[stream] != api:
            raise KeyError(stream)
        for _, row in self._each(stream):
            yield row

    def expected(self, stream: str) -> list[Row]:
        """The rows of `stream` with what the request adds: the parent's id or name, the day.

        Where requests choose what they see, these are the rows of those that see most.
        """
        return [{**context, **row} for context, row in self._each(stream)]

    def update(
        self, stream: str, index: int, fields: Mapping[str, object], parent: Named = None
    ) -> None:
        """Change fields of a row.

        Raises:
            IndexError: There is no such row.
            KeyError: There is no such stream or parent.
        """
        with self._lock:
            listing = self._keep(stream, parent)
            row = {**msgspec.json.decode(listing.get(index)), **fields}
            listing.put(index, msgspec.json.encode(row))
            self.revision += 1

    def delete(self, stream: str, index: int, parent: Named = None) -> None:
        """Delete a row; raises as `update` does."""
        with self._lock:
            self._keep(stream, parent).remove(index)
            self.revision += 1

    def append(self, stream: str, row: Mapping[str, object], parent: Named = None) -> int:
        """Append a row.

        Returns:
            Its index.

        Raises:
            KeyError: There is no such stream or parent.
        """
        with self._lock:
            index = self._keep(stream, parent).add(msgspec.json.encode(row))
            self.revision += 1
            return index

    def advance(self, days: int) -> None:
        """Let the time go on: what the source forgets goes, what changes silently changes."""
        with self._lock:
            self._days += days
            self.revision += 1

    @property
    def now(self) -> datetime:
        """The time at the source, from which no row is newer unless a test made it so."""
        return moments.END + timedelta(days=self._days)

    def _choice(self, route: Route, params: Params) -> Choice | None:
        """What a request chooses of what the source still has."""
        choice = route.choose(params) if route.choose else None
        for name in route.sorts.keys() & params.keys():
            order, descending = partial(_time_of, route.sorts[name]), params[name] == "desc"
            choice = (choice or Choice())._replace(order=order, descending=descending)
        if route.keeps is None:
            return choice
        first = (self.now - timedelta(days=route.keeps)).timestamp()
        choice = choice or Choice()
        chosen = choice.keep

        def keep(row: Row) -> bool:
            return moments.when(row[route.stamp]) >= first and (chosen is None or chosen(row))

        return choice._replace(keep=keep)

    def _shown(
        self, route: Route, parent: int, indexes: Sequence[int], listing: ServedRows
    ) -> list[bytes]:
        """The rows at `indexes` as they are served today."""
        rows = listing.many(indexes)
        drift = route.drift if self._days else None
        if drift is None and route.change is None:
            return rows
        shown = []
        for index, json in zip(indexes, rows, strict=True):
            row = msgspec.json.decode(json)
            if drift is not None:
                drift(self._days, parent, index, row)
            if route.change is not None:
                route.change(index, row)
            shown.append(msgspec.json.encode(row))
        return shown

    def _each(self, stream: str) -> Iterator[tuple[Row, Row]]:
        """Each row with what the request for it says."""
        route = self._catalog.routes[stream]
        choice = self._choice(route, route.widest)
        for parent, context in self._contexts(route):
            listing = self._listing(stream, parent)
            indexes = pick(listing, choice) if choice else listing.indexes(0, listing.total)
            for row in self._shown(route, parent, indexes, listing):
                yield context, msgspec.json.decode(row)

    def _contexts(self, route: Route) -> list[tuple[int, Row]]:
        """The places of a stream's lists, each with what a request for it says."""
        if not route.contexts:
            return [(0, {})]
        higher: list[tuple[int, Row]] = [(0, {})]
        if route.contexts[1:]:
            higher = self._contexts(self._catalog.routes[route.parent])
        return [
            (places.below(place, index), {**context, route.context: text})
            for place, context in higher
            for index, text in self._parents(route, place)
        ]

    def _parents(self, route: Route, place: int = 0) -> Parents:
        """The rows that a stream's lists are below; those of one list where they have several."""
        if not route.parent:
            return DayParents(day for stream, day in self._listings if stream == route.stream)
        listing = self._listing(route.parent, place)
        if route.parent == "events":
            return EventParents(listing, self._catalog.size("events"))
        key = self._catalog.key_name(route.parent)
        return RowParents(listing, self._index_of(route), route.having, key)

    def _index_of(self, route: Route) -> Callable[[str], int]:
        return partial(self._catalog.index_of, route.parent)

    def _listing(self, stream: str, parent: int) -> ServedRows:
        kept = self._listings.get((stream, parent))
        if kept is not None:
            return kept
        catalog = self._catalog
        below = catalog.routes[stream].context
        size = catalog.children(stream, parent) if below else catalog.size(stream)
        return ServedRows(size, lambda start, stop: catalog.rows(stream, start, stop, parent))

    def _keep(self, stream: str, parent: Named) -> ServedRows:
        """The list that a change is about, kept from now on."""
        route = self._catalog.routes[stream]
        place = 0
        if route.context:
            names = (parent,) if isinstance(parent, str) else parent
            found = self.parent(route, *names) if names else None
            if found is None:
                raise KeyError(parent)
            place = found
        return self._listings.setdefault((stream, place), self._listing(stream, place))


def _time_of(field: str, row: Row) -> float:
    return moments.when(row[field])


def _place(indexes: Sequence[int], after: int) -> int:
    """Where the rows after the one at `after` begin; at the end if that one is not chosen."""
    return next((n + 1 for n, index in enumerate(indexes) if index == after), len(indexes))
