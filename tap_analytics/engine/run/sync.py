"""Writing one stream and all below it, in an order that does not depend on the threads."""

from __future__ import annotations

from collections import deque
from contextlib import closing, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from tap_analytics.engine.errors import ClosedOutput, Gone, ReadError, TooSlow
from tap_analytics.engine.run.bookmarks import Bookmark, ChildBookmark, Ties
from tap_analytics.engine.run.listing import Listing
from tap_analytics.engine.run.rows import Census
from tap_analytics.engine.run.spool import Fields, Row, Spool
from tap_analytics.engine.sdk import ABORTED
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from tap_analytics.engine.run.reading import Reading

_LISTS_AHEAD_PER_THREAD = 2
_KEYS_REMEMBERED = 100_000
_ROWS_IN_RUN = 32
"""Rows that may be sent again if the process is killed between them and their bookmark."""
_T = TypeVar("_T")


class Sync:
    """Reads a stream without parent, and with it every selected stream below."""

    def __init__(self, root: Reading, rank: int = 0) -> None:
        """Take the reading of the stream.

        Args:
            root: The reading.
            rank: Priority of its lists; smaller is read earlier.
        """
        self.root = root
        self._rank = rank
        self.outlet = root.outlet
        self._is_dry_run = root.stream.is_dry_run
        self._done: int | None = None
        self._lists: Iterator[Listing] | None = None
        self._too_long: int | None = None
        self._written: set[int] = set()

    def open(self) -> None:
        """Start to fetch the first list."""
        lists = self._root_lists()
        with suppress(Exception):  # it fails again when its turn comes, and is noted then
            first = next(lists, None)
            self._lists = chain(() if first is None else (first,), lists)

    def _root_lists(self) -> Iterator[Listing]:
        """Yield the lists of the stream itself, opened."""
        root = self.root
        slices = root.stream.slices(root.window, times.now())
        parts = chain.from_iterable(map(self._short_enough, slices))
        for number, context in enumerate(parts):
            rank = (self._rank, 1, number) if number else (self._rank,)
            yield Listing(root, context, rank)

    def _short_enough(
        self, context: Mapping[str, Any] | None
    ) -> Iterator[Mapping[str, Any] | None]:
        """Yield a slice, or parts of it that are shorter than what was too slow before."""
        halves = self.root.stream.halves(context)
        if halves and self._too_long and self.root.stream.extent(context) >= self._too_long:
            for half in halves:
                yield from self._short_enough(half)
        else:
            yield context

    def go(self) -> None:
        """Read and write everything; a failure is noted and ends this stream only."""
        root = self.root
        try:
            lists = self._lists or self._root_lists()
            with closing(self._ahead(lists, lambda part: [part])) as parts:
                for part, _ in parts:
                    self._write_slice(part)
        except (ClosedOutput, *ABORTED):
            raise
        except Exception as error:  # noqa: BLE001 - one failure is one failure
            root.fail(error)
        for one in root.family:
            one.finish()
        self.outlet.moved()

    def _write_slice(self, part: Listing) -> None:
        """Write a list of the stream, or its halves, one after the other, if it is too slow."""
        root = self.root
        try:
            self._write_list(part, root)
        except TooSlow as error:
            extent = root.stream.extent(part.context)
            self._too_long = min(extent, self._too_long or extent)
            root.tally.note(f"asked for in parts of less than {self._too_long} days: {error}")
            for number, context in enumerate(root.stream.halves(part.context)):
                self._write_slice(Listing(root, context, (*part.priority, number)))

    def _new(self, spool: Spool, *, overlaps: bool) -> Iterator[list[Fields]]:
        """Yield the rows that were not in the list before, where lists overlap."""
        if not overlaps:
            yield from spool.stretches()
            return
        before, now = self._written, set[int]()
        self._written = now
        for rows in spool.stretches():
            marks = [hash(key) for _, key, *_ in rows]
            now.update(islice(marks, _KEYS_REMEMBERED - len(now)))
            yield [row for row, mark in zip(rows, marks, strict=True) if mark not in before]

    def _ahead(
        self, items: Iterable[_T], start: Callable[[_T], list[Listing]]
    ) -> Generator[tuple[_T, list[Listing]], None, None]:
        """Yield items with the lists started for them, while those of later items are started."""
        per_thread = 0 if self._is_dry_run else _LISTS_AHEAD_PER_THREAD
        depth = per_thread * self.root.access.options.concurrency
        waiting: deque[tuple[_T, list[Listing]]] = deque()
        failure: ReadError | None = None
        source = iter(items)
        try:
            while failure is None:
                try:
                    item = next(source)
                except StopIteration:
                    break
                except ReadError as error:  # what came before is still good
                    failure = error
                    break
                waiting.append((item, start(item)))
                if len(waiting) > depth:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            for _, lists in waiting:
                for part in lists:
                    part.drop()
        if failure is not None:
            raise failure

    def _write_list(self, part: Listing, reading: Reading) -> None:
        """Write a list, from which lists below it may be read.

        Those take long, so that the list itself is read through before the first of them.
        """
        incremental = [child for child in reading.children if child.bookmark is not None]
        if self._is_dry_run and reading.bookmark is None:
            rows = chain.from_iterable(map(reading.row_maker.rows, part.batches(reading.window)))
            self._write_rows(rows, part, reading)
            return
        overlaps = reading is self.root and reading.stream.slices_overlap
        if reading.bookmark is None and not reading.children and not overlaps:
            self._write_batches(part, reading)
            return
        memory, mixed_keys = reading.access.memory // 2, reading.stream.has_mixed_keys
        with closing(Spool(mixed_keys=mixed_keys, memory=memory)) as spool:
            census = Census() if incremental and reading is self.root else None
            try:
                self._collect(part, reading, spool, census)
            except TooSlow:  # all of it is read again, in parts
                raise
            except ReadError:  # what was read is kept; it moves no bookmark
                self._write_stretches(self._new(spool, overlaps=overlaps), reading, None)
                raise
            if census is not None:
                for child in reading.children:
                    child.narrow(census.result())
            stretches = self._new(spool, overlaps=overlaps)
            if reading.children or self._is_dry_run:
                self._write_rows(chain.from_iterable(stretches), part, reading)
            else:
                self._write_stretches(stretches, reading, reading.bookmark)

    def _collect(
        self, part: Listing, reading: Reading, spool: Spool, census: Census | None
    ) -> None:
        """Put the rows of a list in order, and see whether those at the bookmark are the same."""
        bookmark = reading.bookmark if isinstance(reading.bookmark, Bookmark) else None
        ties = Ties()
        for batch in part.batches(reading.window, spool, census):
            rows = reading.row_maker.rows(batch)
            spool.extend(rows)
            if bookmark is not None and bookmark.since in batch.orders:
                for row in map(Row._make, rows):
                    if row.order == bookmark.since:
                        ties.add(row)
        if reading.bookmark is not None:
            reading.bookmark.bound(part.began)
        if bookmark is not None:
            if reading.row_maker.refused:
                bookmark.hold(reading.row_maker.refused_order)
            if not reading.is_full and bookmark.is_done(ties):
                self._done = bookmark.since

    def _write_batches(self, part: Listing, reading: Reading) -> None:
        """Write rows that have nothing below them and move no bookmark."""
        for batch in part.batches(reading.window):
            for lines, count in reading.row_maker.lines(batch):
                self.outlet.write(lines)
                reading.tally.records += count

    def _write_stretches(
        self,
        stretches: Iterable[list[Fields]],
        reading: Reading,
        bookmark: Bookmark | ChildBookmark | None,
    ) -> None:
        """Write rows that have nothing below them, many at a time, and move a bookmark, if any."""
        for rows in stretches:
            for start in range(0, len(rows), _ROWS_IN_RUN):
                run = rows[start : start + _ROWS_IN_RUN]
                lines = [row[3] for row in run]
                self.outlet.write(b"".join(lines))
                reading.tally.records += len(run) - lines.count(b"")
                if bookmark is not None:
                    bookmark.pass_over(run)
                if isinstance(bookmark, Bookmark):
                    self.outlet.moved()

    def _write_rows(self, rows: Iterable[Fields], part: Listing, reading: Reading) -> None:
        """Write rows one by one, each with the lists below it."""
        bookmark = reading.bookmark
        with closing(self._with_children(map(Row._make, rows), part, reading)) as family:
            for number, (row, lists) in enumerate(family):
                reading.stream.check_limit(number)
                if row.lines:
                    self.outlet.write(row.lines)
                    reading.tally.records += 1
                written = [self._write_child(child) for child in lists]
                if isinstance(bookmark, ChildBookmark):
                    bookmark.note(row)
                elif bookmark is not None:
                    bookmark.is_in_doubt = any(one.is_in_doubt for one in reading.family)
                    bookmark.advance(row, complete=all(written))
                    self.outlet.moved()

    def _with_children(
        self, rows: Iterable[Row], part: Listing, reading: Reading
    ) -> Generator[tuple[Row, list[Listing]], None, None]:
        seen: set[str] = set()
        number = 0

        def start(row: Row) -> list[Listing]:
            nonlocal number
            if row.context is None or (mark := repr(row.context)) in seen:
                return []
            if reading is self.root and row.order == self._done:
                return []
            if not reading.stream.has_unique_contexts:
                seen.add(mark)
            number += 1
            return [
                Listing(child, context, (*part.priority, 2, number, rank))
                for rank, child in enumerate(reading.children)
                if not child.is_closed
                and (context := child.stream.preprocess_context(row.context)) is not None
            ]

        if reading.children:
            yield from self._ahead(rows, start)
        else:
            for row in rows:
                yield row, []

    def _write_child(self, part: Listing) -> bool:
        """Write a child's list and tell whether the parent's bookmark may pass."""
        reading = part.reading
        reading.meet()
        if reading.is_closed:
            part.drop()
            return False
        refused = reading.row_maker.refused
        try:
            self._write_list(part, reading)
        except Gone as error:
            reading.miss(error)
            return True
        except ABORTED:
            part.drop()
        except ClosedOutput:
            raise
        except Exception as error:  # noqa: BLE001 - one failure is one failure
            reading.fail(error)
            return False
        reading.succeed()
        return reading.row_maker.refused == refused
