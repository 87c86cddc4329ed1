"""One list of a stream: its rows, and the proof that they are all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.streams.rest import PageContext

from tap_analytics.engine.errors import ListChanged, ReadError
from tap_analytics.engine.run.spool import KeyLedger

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_analytics.engine.http.client import Client
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.pages.reader import ListReader
    from tap_analytics.engine.run.rows import Batch, Census, Window
    from tap_analytics.engine.run.spool import Row, Spool
    from tap_analytics.engine.stream import AnalyticsStream

_BYTES_HELD_BACK = 1024 * 1024


class Listing:
    """A list that is being read; its first pages are on their way from the start."""

    def __init__(
        self,
        stream: AnalyticsStream,
        context: dict[str, Any] | None = None,
        priority: tuple[int, ...] = (),
    ) -> None:
        """Start to read.

        Args:
            stream: Whose list it is.
            context: What it is asked with, None if the stream has one list only.
            priority: Lists with smaller priorities are read first.
        """
        self.stream = stream
        self.context = context
        self.priority = priority
        self._run = stream.run
        self._lane = self._run.lane(stream)
        self._reader = self._open()

    def _open(self) -> ListReader:
        source = ListSource(self.stream, self.context, self._lane.client)
        speculate = self.stream.parent is None
        return self._lane.open(self.priority, source, speculate=speculate)

    def drop(self) -> None:
        """Give it up."""
        self._lane.drop(self._reader)

    def rows(self, window: Window) -> Generator[Row, None, None]:
        """Yield the rows one by one, like `batches`."""
        for batch in self.batches(window):
            yield from self.stream.row_maker.rows(batch)

    def batches(
        self, window: Window, spool: Spool | None = None, census: Census | None = None
    ) -> Generator[Batch, None, None]:
        """Yield the records as pages come, and make sure at the end that they are all.

        A list that changed while it was read is read once more from its start, and what was
        held back or spooled of it is forgotten. Of a list too long to be held back, the first
        rows may come twice.

        Args:
            window: Which replication keys are wanted.
            spool: Where the rows go, if they are all wanted before the first is used.
            census: Takes what the children of all rows are asked with.

        Raises:
            ReadError: If the list cannot be read, or changed again.
        """
        first_pages: list[int] | None = None
        while True:
            held: list[Batch] | None = [] if spool is None else None
            ledger = KeyLedger()
            change: ListChanged | None = None
            size = 0
            try:
                for page in self.stream.merge(self._lane.pages(self._reader, self._run.pause)):
                    batch = self.stream.row_maker.batch(page, self.context, window, ledger, census)
                    size += page.size
                    if held is not None and size <= _BYTES_HELD_BACK:
                        held.append(batch)
                        continue
                    yield from held or ()
                    held = None
                    yield batch
            except ListChanged as error:
                change = error
            pages = list(self._reader.fingerprints)
            change = change or self._repeats(ledger, is_stable=pages == first_pages)
            if change is None:
                yield from held or ()
                return
            if first_pages is not None:
                raise change
            self.stream.tally.note(f"read again: {change}")
            first_pages = pages
            self.drop()
            self._reader = self._open()
            if spool is not None:
                spool.close()
            if census is not None:
                census.clear()

    def _repeats(self, ledger: KeyLedger, *, is_stable: bool) -> ListChanged | None:
        """Return what is wrong if keys came twice, except in a list that stays like that."""
        if self.stream.may_repeat:
            return None
        repeats = ledger.repeats()
        if not repeats or is_stable:
            return None
        return ListChanged(f"{self.stream.path}: {repeats} keys are on more than one page")


class ListSource:
    """The pages of one list, for the threads that fetch them."""

    def __init__(
        self, stream: AnalyticsStream, context: dict[str, Any] | None, client: Client
    ) -> None:
        """Take the stream, what its list is asked with, and the way to its API."""
        self._stream = stream
        self._context = context
        self._client = client
        self.paginator: Paginator = stream.get_new_paginator()

    def fetch(self, token: int) -> Page:
        """Ask for a page; called on a worker thread.

        Raises:
            ReadError: With the path in its message.
        """
        stream = self._stream
        path = stream.path
        try:
            request = stream.get_http_request(page=PageContext(self._context, token))
            path = request.url.removeprefix(stream.url_base)
            return self._client.fetch(request, stream.read_page, stream.tally)
        except ReadError as error:
            msg = f"GET {path} {error}"
            raise type(error)(msg) from None
