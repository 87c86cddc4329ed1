"""The threads of one API: they fetch pages ahead, in the order they will be needed."""

from __future__ import annotations

import threading
import time
from bisect import insort
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.pages.reader import ListReader, PageSource, Stock
from tap_analytics.engine.threads import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_analytics.engine.http.client import Client
    from tap_analytics.engine.pages.judge import Outline
    from tap_analytics.engine.pages.page import Page

_MOST_BYTES_AHEAD = 6 * 1024 * 1024
_PAGES_AHEAD_PER_THREAD = 4
_IDLE_SECONDS = 2.0


class Job(NamedTuple):
    """A page to be fetched."""

    reader: ListReader
    epoch: int
    place: int
    token: Any


class Lane:
    """Readers of one API's lists, and up to ``concurrency`` threads that serve them.

    Threads only fetch and decode. Everything with meaning happens where pages are consumed.
    What was fetched and not consumed is bounded; only the list waited for may pass the bound,
    by as little as its consumer needs.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        concurrency: int,
        *,
        bytes_ahead: int | None = None,
    ) -> None:
        """Start without a thread; the first lists start them.

        Args:
            name: Name of the API, for the threads.
            client: Sends the requests.
            concurrency: Threads at most.
            bytes_ahead: Bytes that may be fetched and not consumed.
        """
        self._bytes_ahead = bytes_ahead or _MOST_BYTES_AHEAD
        self.client = client
        self.concurrency = concurrency
        self._name = name
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._arrival = threading.Condition(self._lock)
        self._readers: list[ListReader] = []
        self._stock = Stock()
        self._head: ListReader | None = None
        self._in_flight = 0
        self._largest = 0
        self._held_back = False
        self._idle = 0
        self._threads = 0
        self._closed = False

    def open(
        self,
        priority: tuple[int, ...],
        source: PageSource,
        *,
        speculate: bool = False,
        earlier: Outline | None = None,
    ) -> ListReader:
        """Start to read a list.

        Args:
            priority: Lists with smaller priorities are served first.
            source: Where its pages come from.
            speculate: Whether to ask for pages that may not exist.
            earlier: How the list looked when it was read before and did not add up.
        """
        window = self.concurrency - 1 if speculate else 0
        reader = ListReader(priority, source, window, earlier, self._stock)
        with self._lock:
            insort(self._readers, reader, key=lambda other: other.priority)
            self._wake()
        return reader

    def drop(self, reader: ListReader) -> None:
        """Forget a list; pages still under way are thrown away."""
        with self._lock:
            reader.abandon()
            self._forget(reader)

    def pages(self, reader: ListReader, pause: Callable[[], float | None]) -> Iterator[Page]:
        """Yield the pages of a list in order.

        Args:
            reader: The list, from `open`.
            pause: Called before waiting for a page, and again after as many seconds as it
                returns, if it returns any.

        Raises:
            ReadError: In the place of a page that could not be read.
        """
        try:
            with self._lock:
                reader.begin(time.monotonic())
            while not reader.is_drained():
                with self._lock:
                    page = reader.pop()
                if page is None:
                    page = self._wait(reader, pause)
                if page is None:
                    return
                with self._lock:
                    if reader.is_drained():
                        self._forget(reader)
                    if self._held_back:
                        self._wake()
                if isinstance(page, Exception):
                    raise page
                yield page
        finally:
            self.drop(reader)

    def _wait(
        self, reader: ListReader, pause: Callable[[], float | None]
    ) -> Page | Exception | None:
        """Wait for the next page of a list; None if the list has ended before it."""
        self._head = reader
        try:
            while True:
                seconds = pause()
                with self._lock:
                    self._wake()
                    page = self._due(reader)
                    if page is None and self._threads and not reader.is_drained():
                        self._arrival.wait(seconds)
                        page = self._due(reader)
                    if page is not None or reader.is_drained():
                        return page
                    if self._threads:
                        continue
                    job = self._next_job()  # there is no thread to be had
                if job is None:
                    return ReadError("no thread is left that could read the list")
                self._do(job)
        finally:
            self._head = None

    def _due(self, reader: ListReader) -> Page | Exception | None:
        """Return the next page of a list, or why there will never be one."""
        page = reader.pop()
        if page is None and self._closed:
            return ReadError("the run has ended")
        if page is None and reader.is_stuck:
            return ReadError("the list has not ended, but there is nothing left to wait for")
        return page

    def _forget(self, reader: ListReader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)

    def _wake(self) -> None:
        """Let one more thread work, if there is something to do."""
        if not any(reader.is_ready for reader in self._servable()):
            return
        if self._idle:
            self._work.notify()
        elif self._threads < self.concurrency and not self._closed:
            name = f"{self._name}-{self._threads + 1}"
            # Where none is to be had, those that there are have to do.
            self._threads += started(self._serve, name) is not None

    def _serve(self) -> None:
        try:
            while (job := self._await_job()) is not None:
                self._do(job)
        except BaseException:  # noqa: BLE001 - its consumer knows; a traceback tells strangers
            return
        finally:
            with self._lock:
                self._threads -= 1
                if not (self._threads or self._in_flight):  # a hundred accounts have other needs
                    self.client.rest()
                self._arrival.notify_all()

    def _await_job(self) -> Job | None:
        """Return something to do, as soon as there is; None after a while, or if closed."""
        is_needed = True
        with self._lock:
            while (job := self._next_job()) is None:
                if self._closed or not is_needed:
                    return None
                self._idle += 1
                try:
                    is_needed = self._work.wait(_IDLE_SECONDS)
                finally:
                    self._idle -= 1
        return job

    def _do(self, job: Job) -> None:
        """Fetch a page and deliver it, or whatever went wrong in its place."""
        result: Page | Exception = ReadError("nothing came")
        try:
            with self._lock:
                self._wake()
            result = job.reader.source.fetch(job.token)
        except ReadError as error:  # it is raised where the page is consumed
            error.__context__ = None  # how it came about holds the whole answer
            result = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - so is this
            result = error
        except BaseException as error:
            result = ReadError(f"the thread that read it has died of {type(error).__name__}")
            raise
        finally:
            with self._lock:
                self._in_flight -= 1
                if job.epoch == job.reader.epoch:
                    job.reader.deliver(job.place, result)
                    self._largest = max(self._largest, getattr(result, "size", 0))
                if job.reader is self._head:
                    self._arrival.notify_all()

    def _servable(self) -> Iterable[ListReader]:
        pages = self._stock.pages + self._in_flight
        size = self._stock.size + self._in_flight * self._largest
        is_large = size >= self._bytes_ahead
        self._held_back = is_large or pages >= _PAGES_AHEAD_PER_THREAD * self.concurrency
        if not self._held_back:
            return self._readers
        if self._head and self._may_pass(self._head):
            return [self._head]
        return () if is_large else (one for one in self._readers if one.is_nearly_through)

    def _may_pass(self, reader: ListReader) -> bool:
        """Tell whether the list that is waited for may pass the bound, which others reached."""
        is_short = reader.ahead * self._largest < self._bytes_ahead // 2
        return reader.is_starved or (is_short and reader.ahead < self.concurrency)

    def _next_job(self) -> Job | None:
        if self._closed:
            return None
        for reader in self._servable():
            if (taken := reader.take()) is not None:
                self._in_flight += 1
                return Job(reader, reader.epoch, *taken)
        return None

    def close(self) -> None:
        """Let all threads end; those waiting for an answer end after it."""
        with self._lock:
            self._closed = True
            self._work.notify_all()
            self._arrival.notify_all()
        self.client.close()
