"""Writing one stream and all below it, in an order that does not depend on the threads."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from tap_analytics.engine.errors import ClosedOutput, Denied, Gone, ReadError
from tap_analytics.engine.output.report import DENIED, FAILED
from tap_analytics.engine.run.bookmarks import Bookmark, ChildBookmark, Ties
from tap_analytics.engine.run.listing import Listing
from tap_analytics.engine.run.rows import Census, Window
from tap_analytics.engine.run.spool import Spool
from tap_analytics.engine.sdk import ABORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from tap_analytics.engine.run.spool import Row
    from tap_analytics.engine.stream import AnalyticsStream

_LISTS_AHEAD_PER_THREAD = 2
_T = TypeVar("_T")


class Sync:
    """Reads a stream without parent, and with it every selected stream below."""

    def __init__(self, root: AnalyticsStream) -> None:
        """Take the stream."""
        self._root = root
        self._is_dry_run = root.ABORT_AT_RECORD_COUNT is not None
        self._run = root.run
        self._family = list(root.family)
        self._closed: set[str] = set()
        self._met: set[str] = set()
        self._done: int | None = None
        self._windows: dict[str, Window] = {}
        self._child_bookmarks = {
            stream.name: ChildBookmark(stream.entry, stream.bookmark)
            for stream in self._family[1:]
            if stream.bookmark is not None
        }

    def go(self) -> None:
        """Read and write everything; a failure is noted and ends this stream only."""
        root = self._root
        below = self._family[1:]
        for stream in below:
            if stream.selected:
                stream.write_schema()
        bookmark = root.bookmark
        if bookmark is not None and root.child_streams:
            bookmark.cover([stream.name for stream in self._family if stream.selected])
        if bookmark is not None and bookmark.trouble:
            root.tally.note(bookmark.trouble)
        try:
            self._read_root(bookmark)
        except (ClosedOutput, *ABORTED):
            raise
        except Exception as error:  # noqa: BLE001 - one failure is one failure
            self._fail(root, error)
            for stream in below:
                stream.tally.fail(FAILED, f"{root.name}, which it is read below, failed")
        for stream in self._family:
            self._finish(stream)
        self._run.states.moved()

    def _read_root(self, bookmark: Bookmark | None) -> None:
        root, rank = self._root, self._run.priority(self._root)
        opened = self._run.take_opened(root)

        def start(item: tuple[int, dict[str, Any] | None]) -> list[Listing]:
            number, context = item
            first = opened if number == 0 else None
            return [first or Listing(root, context, (*rank, 1, number) if number else rank)]

        window = root.bookmarked_window
        with closing(self._ahead(enumerate(root.slices()), start)) as parts:
            for _, (part,) in parts:
                self._write_list(part, window, bookmark)

    def _finish(self, stream: AnalyticsStream) -> None:
        tally = stream.tally
        refused = stream.row_maker.refused
        if refused:
            tally.fail(FAILED, f"{refused} rows without a key were refused")
        if stream.must_match and stream.name not in self._met:
            tally.fail(FAILED, f"its parent has nothing named {stream.must_match!r}")
        for what, counts in (
            ("fields outside the schema", stream.conformer.unknown),
            ("values of another type", stream.conformer.changed),
        ):
            if counts:
                tally.note(f"{what}: " + ", ".join(f"{n} ({c})" for n, c in counts.most_common(20)))
        tally.complete()
        with stream.get_record_counter() as counter:
            counter.increment(tally.records)
        if tally.is_complete and stream.name in self._child_bookmarks:
            self._child_bookmarks[stream.name].commit()
        if tally.is_complete and stream.version and stream.selected:
            self._activate(stream, stream.version)

    def _activate(self, stream: AnalyticsStream, version: int) -> None:
        """Let targets remove what is gone, unless suspiciously much of it is."""
        before, now = stream.entry.read().get("rows", 0), stream.tally.records
        now -= stream.tally.again
        if now < before * (1 - float(stream.config["max_lost_share"])) or (before and not now):
            stream.tally.note(f"ACTIVATE_VERSION withheld: {now} rows, {before} last time")
        else:
            stream.write_activate_version(version)
            stream.entry.write(rows=now)

    def _fail(self, stream: AnalyticsStream, error: Exception) -> None:
        if isinstance(error, ReadError):
            status = DENIED if isinstance(error, Denied) else FAILED
            stream.tally.fail(status, str(error))
        else:
            stream.logger.error("Unexpected failure of '%s'", stream.name, exc_info=error)
            stream.tally.fail(FAILED, f"unexpected {type(error).__name__}: {error}")

    def _ahead(
        self, items: Iterable[_T], start: Callable[[_T], list[Listing]]
    ) -> Generator[tuple[_T, list[Listing]], None, None]:
        """Yield items with the lists started for them, while those of later items are started."""
        depth = 0 if self._is_dry_run else _LISTS_AHEAD_PER_THREAD * self._run.options.concurrency
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
                self._drop(lists)
        if failure is not None:
            raise failure

    def _drop(self, lists: Iterable[Listing]) -> None:
        for part in lists:
            part.drop()

    def _write_list(
        self, part: Listing, window: Window, bookmark: Bookmark | ChildBookmark | None
    ) -> None:
        stream = part.stream
        incremental = [child.name for child in stream.children if child.window_key]
        if stream.window_key is None and not incremental:
            if stream.children or self._is_dry_run:
                self._write_rows(part, part.rows(window), bookmark)
            else:
                self._write_batches(part, window)
            return
        spool = Spool(mixed_keys=stream.has_mixed_keys)
        census = Census() if incremental and stream is self._root else None
        try:
            ties = Ties()
            for batch in part.batches(window, spool, census):
                for row in stream.row_maker.rows(batch):
                    spool.add(row)
                    if row.order == window.since:
                        ties.add(row)
            if census is not None:
                self._narrow(census.result())
            if isinstance(bookmark, Bookmark):
                if stream.row_maker.refused:
                    bookmark.hold(stream.row_maker.refused_order)
                if bookmark.since == window.since and bookmark.is_done(ties):
                    self._done = window.since
            self._write_rows(part, spool.rows(), bookmark)
        finally:
            spool.close()

    def _narrow(self, census: str | None) -> None:
        """Let children with a bookmark start there, if their parents are the same as then."""
        for child in self._root.children:
            if child.name in self._child_bookmarks:
                since = self._child_bookmarks[child.name].since(census)
                if since is not None:
                    window = child.window
                    self._windows[child.name] = window._replace(since=max(since, window.since))

    def _write_batches(self, part: Listing, window: Window) -> None:
        """Write rows that have nothing below them and move no bookmark."""
        stream = part.stream
        for batch in part.batches(window):
            for lines, count in stream.row_maker.lines(batch):
                self._run.writer.write(lines)
                stream.tally.records += count

    def _write_rows(
        self, part: Listing, rows: Iterable[Row], bookmark: Bookmark | ChildBookmark | None
    ) -> None:
        stream, writer, tally = part.stream, self._run.writer, part.stream.tally
        with closing(self._with_children(part, rows)) as family:
            for number, (row, lists) in enumerate(family):
                stream.check_limit(number)
                if row.lines:
                    writer.write(row.lines)
                    tally.records += 1
                written = [self._write_child(child) for child in lists]
                if isinstance(bookmark, ChildBookmark):
                    bookmark.note(row)
                elif bookmark is not None:
                    bookmark.advance(row, complete=all(written))
                    self._run.states.moved()

    def _with_children(
        self, part: Listing, rows: Iterable[Row]
    ) -> Generator[tuple[Row, list[Listing]], None, None]:
        stream = part.stream
        seen: set[str] = set()
        number = 0

        def start(row: Row) -> list[Listing]:
            nonlocal number
            if row.context is None or (mark := repr(row.context)) in seen:
                return []
            if row.order == self._done and stream is self._root:
                return []
            if not stream.has_unique_contexts:
                seen.add(mark)
            number += 1
            return [
                Listing(child, row.context, (*part.priority, 2, number, rank))
                for rank, child in enumerate(stream.children)
                if child.name not in self._closed and child.wants(row.context)
            ]

        if stream.children:
            yield from self._ahead(rows, start)
        else:
            for row in rows:
                yield row, []

    def _write_child(self, part: Listing) -> bool:
        """Write a child's list and tell whether it is complete."""
        stream = part.stream
        self._met.add(stream.name)
        if stream.name in self._closed:
            part.drop()
            return False
        window = self._windows.get(stream.name, stream.window)
        try:
            self._write_list(part, window, self._child_bookmarks.get(stream.name))
        except Gone as error:
            stream.tally.skip(str(error))
            if stream.name in self._child_bookmarks:
                self._child_bookmarks[stream.name].miss()
        except ABORTED:
            part.drop()
        except ClosedOutput:
            raise
        except Exception as error:  # noqa: BLE001 - one failure is one failure
            self._fail(stream, error)
            if isinstance(error, Denied):
                self._closed.add(stream.name)
            return False
        return True
