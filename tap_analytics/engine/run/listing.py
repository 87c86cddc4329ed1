"""One list of a stream: its rows, and the proof that they are all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.streams.rest import PageContext

from tap_analytics.engine.errors import ListChanged, ReadError
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.http.client import Slow
from tap_analytics.engine.pages.judge import Outline
from tap_analytics.engine.pages.pagination import Paginator
from tap_analytics.engine.run.front import Front
from tap_analytics.engine.run.ledger import KeyLedger

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from singer_sdk.streams.rest import HTTPRequest

    from tap_analytics.engine.pages.judge import Judge
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.pages.reader import ListReader
    from tap_analytics.engine.run.reading import Reading
    from tap_analytics.engine.run.rows import Batch, Census
    from tap_analytics.engine.run.spool import Spool
    from tap_analytics.engine.stream import AnalyticsStream
    from tap_analytics.engine.values.cursors import Window

_BYTES_HELD_BACK = 1024 * 1024


class Listing:
    """A list that is being read; its first pages are on their way from the start."""

    def __init__(
        self,
        reading: Reading,
        context: Mapping[str, Any] | None = None,
        priority: tuple[int, ...] = (),
    ) -> None:
        """Start to read.

        Args:
            reading: Whose list it is.
            context: What it is asked with, None if the stream has one list only.
            priority: Lists with smaller priorities are read first.
        """
        self.reading = reading
        self.stream = reading.stream
        self.context = context
        self.priority = priority
        self.began: int | None = None
        self._lane = reading.lane
        self._reader = self._open()

    def _open(self, earlier: Outline | None = None) -> ListReader:
        source = ListSource(self.reading, self.context)
        speculate = self.reading.parent is None and earlier is None
        return self._lane.open(self.priority, source, speculate=speculate, earlier=earlier)

    def drop(self) -> None:
        """Give it up."""
        self._lane.drop(self._reader)

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
        earlier: Outline | None = None
        while True:
            held = _HeldBack(_BYTES_HELD_BACK if spool is None else -1)
            check = Check(self.stream, earlier)
            change: ListChanged | None = None
            try:
                for page in self._pages(window.since, is_whole=census is not None):
                    if self.began is None:
                        self.began = page.served_at
                    self.reading.carried.see(page.records)
                    batch = self.reading.row_maker.batch(
                        page, self.context, window, check.ledger, census
                    )
                    check.see(page)
                    yield from held.pass_on(batch, page.size)
            except ListChanged as error:
                change = error
            except ReadError:  # what was read is not thrown away
                yield from held.rest()
                raise
            judge = self._reader.judge
            change = change or check.result(judge)
            if change is None:
                yield from held.rest()
                self._note(judge.note, check.note)
                return
            if earlier is not None:
                yield from held.rest()
                raise change
            self._note(f"read again: {change}")
            if spool is not None:
                spool.close()
            else:
                self.reading.tally.again += held.passed_on
            if census is not None:
                census.clear()
            earlier = judge.outline or Outline(tuple(judge.fingerprints), judge.total)
            self.drop()
            self._reader = self._open(earlier)

    def _pages(self, since: int, *, is_whole: bool) -> Iterator[Page]:
        """Yield the pages, and leave those that are proven to be older than what is wanted.

        Args:
            since: The oldest replication key that is wanted.
            is_whole: Whether all rows are, for what is below them.
        """
        pages = self.stream.merge(self._lane.pages(self._reader, self.reading.outlet.pause))
        if not self.stream.newest_change_first:
            yield from pages
            return
        front = Front(self.stream)
        for page in pages:
            yield page
            if front.see(page.records, since) and self.reading.is_proven and not is_whole:
                self.drop()
                break
        self.reading.prove_order(in_order=front.in_order)

    def _note(self, *notes: str | None) -> None:
        for note in filter(None, notes):
            self.reading.tally.note(note)


class _HeldBack:
    """The first batches of a list, until it is read or has become too long to be kept.

    Attributes:
        passed_on: How many records are not kept any more.
    """

    def __init__(self, most: int) -> None:
        """Start empty.

        Args:
            most: Bytes to keep at most; less than 0 to keep nothing.
        """
        self.passed_on = 0
        self._most = most
        self._size = 0
        self._batches: list[Batch] = []

    def pass_on(self, batch: Batch, size: int) -> list[Batch]:
        """Take a batch, and return those that are not kept.

        Args:
            batch: The batch.
            size: Bytes of its page.
        """
        self._size += size
        self._batches.append(batch)
        if self._size <= self._most:
            return []
        self.passed_on += sum(len(batch.records) for batch in self._batches)
        return self.rest()

    def rest(self) -> list[Batch]:
        """Return what is kept, and keep it no more."""
        batches, self._batches = self._batches, []
        return batches


class Check:
    """Looks, after a list was read, at keys that came more than once in it.

    Where a total speaks for the list, each of them stands in the place of a row that did
    not come. Where none does, a list may be like that, which a second read shows; or rows
    were added in front of it while it was read, so that those at the end of one page are the
    first of the next one, which loses nothing.

    Attributes:
        ledger: Takes the keys.
        note: What the reader of a report should know.
    """

    def __init__(self, stream: AnalyticsStream, earlier: Outline | None) -> None:
        """Start before the first page.

        Args:
            stream: Whose list it is.
            earlier: How the list looked when it was read before.
        """
        self.ledger = KeyLedger()
        self.note: str | None = None
        self._stream = stream
        self._earlier = earlier
        self._before: list[Any] = []
        self._moved_on = 0

    def see(self, page: Page) -> None:
        """Count the rows of a page that were the last of the one before it."""
        if self._earlier is None:
            return
        keys = [tuple(map(row.get, self._stream.primary_keys)) for row in page.records]
        longest = min(len(keys), len(self._before))
        self._moved_on += next(
            (n for n in range(longest, 0, -1) if self._before[-n:] == keys[:n]), 0
        )
        self._before = keys

    def result(self, judge: Judge) -> ListChanged | None:
        """Return what is wrong with the list; ends the check."""
        repeats = 0 if self._stream.may_repeat else self.ledger.repeats()
        path = self._stream.path
        if not repeats:
            return None
        if judge.is_guarded:
            what = f"{repeats} rows came twice, and so many of {judge.total} did not come"
            return ListChanged(f"{path}: {what}")
        pages = tuple(judge.fingerprints)
        if self._earlier is not None and pages == self._earlier.fingerprints:
            return None
        if repeats == self._moved_on:
            self.note = f"{repeats} rows came twice, for the list grew in front while it was read"
            return None
        return ListChanged(f"{path}: {repeats} keys are on more than one page")


class ListSource:
    """The pages of one list, for the threads that fetch them."""

    def __init__(self, reading: Reading, context: Mapping[str, Any] | None) -> None:
        """Take whose list it is, and what it is asked with."""
        self._stream = reading.stream
        self._tally = reading.tally
        self._context = context
        self._client = reading.lane.client
        paginator: object = reading.stream.get_new_paginator()  # overrides may return anything
        if not isinstance(paginator, Paginator):
            msg = f"get_new_paginator returned a {type(paginator).__name__}: it has to be a "
            msg += "Paginator of tap_analytics.engine.pages.pagination, such as NextToken"
            raise ReadError(msg)
        self.paginator = paginator

    def fetch(self, token: Any) -> Page:
        """Ask for a page; called on a worker thread.

        Raises:
            ReadError: With the path in its message.
        """
        stream = self._stream
        path = stream.path
        if (answer := stream.answer_at_hand(self._context)) is not None:
            return stream.read_page(answer)
        try:
            request = self._request(token)
            path = request.url.removeprefix(stream.url_base)
            page = self._client.fetch(
                request,
                stream.read_page,
                self._tally,
                auth=stream.authenticator,
                validate=stream.validate_response,
                slow=Slow(stream.patience, may_be_split=bool(stream.halves(self._context))),
            )
        except ReadError as error:
            is_first = token == self.paginator.first
            if is_first and stream.settle_for_less(self.paginator, error):
                return self.fetch(token)
            if stream.is_nothing(error):
                return stream.read_page(Answer(200, {}, b"[]"))
            msg = f"{stream.http_method} {path} {error}"
            failure = type(error)(msg)
            failure.status = error.status
            raise failure from None
        self._tally.read(len(page.records), None if self._context else page.signals.total)
        return page

    def _request(self, token: Any) -> HTTPRequest:
        """Return the request for a page; a list that has begun keeps the size it began with."""
        request = self._stream.get_http_request(page=PageContext(self._context, token))
        name = self.paginator.size_param
        if self.paginator.surely is not None and name in request.params:
            request.params = {**request.params, name: self.paginator.page_size}
        return request
