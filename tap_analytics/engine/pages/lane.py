"""The threads of one API: they fetch pages ahead, in the order they will be needed."""

from __future__ import annotations

import threading
from bisect import insort
from typing import TYPE_CHECKING

from tap_analytics.engine.pages.reader import ListReader, PageSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.engine.http.client import Client
    from tap_analytics.engine.pages.page import Page

_MOST_BYTES_AHEAD = 6 * 1024 * 1024
_PAGES_AHEAD_PER_THREAD = 4


class Lane:
    """Readers of one API's lists, and up to ``concurrency`` threads that serve them.

    Threads only fetch and decode. Everything with meaning happens where pages are consumed.
    What was fetched and not consumed is bounded; only the list waited for may pass the bound,
    by as little as its consumer needs.
    """

    def __init__(self, name: str, client: Client, concurrency: int) -> None:
        """Start without a thread; the first lists start them.

        Args:
            name: Name of the API, for the threads.
            client: Sends the requests.
            concurrency: Threads at most.
        """
        self.client = client
        self.concurrency = concurrency
        self._name = name
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._arrival = threading.Condition(self._lock)
        self._readers: list[ListReader] = []
        self._head: ListReader | None = None
        self._in_flight = 0
        self._largest = 0
        self._held_back = False
        self._idle = 0
        self._threads = 0
        self._closed = False

    def open(
        self, priority: tuple[int, ...], source: PageSource, *, speculate: bool = False
    ) -> ListReader:
        """Start to read a list.

        Args:
            priority: Lists with smaller priorities are served first.
            source: Where its pages come from.
            speculate: Whether to ask for pages that may not exist.
        """
        window = self.concurrency - 1 if speculate else 0
        reader = ListReader(priority, source, window)
        with self._lock:
            insort(self._readers, reader, key=lambda other: other.priority)
            self._wake()
        return reader

    def drop(self, reader: ListReader) -> None:
        """Forget a list; pages still under way are thrown away."""
        with self._lock:
            reader.epoch += 1
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
        while not reader.is_drained():
            with self._lock:
                page = reader.pop()
            if page is None:
                page = self._wait(reader, pause)
            with self._lock:
                if reader.is_drained():
                    self._forget(reader)
                if self._held_back:
                    self._wake()
            if isinstance(page, Exception):
                raise page
            yield page

    def _wait(self, reader: ListReader, pause: Callable[[], float | None]) -> Page | Exception:
        self._head = reader
        try:
            while True:
                seconds = pause()
                with self._lock:
                    self._wake()
                    if (page := reader.pop()) is None:
                        self._arrival.wait(seconds)
                        page = reader.pop()
                if page is not None:
                    return page
        finally:
            self._head = None

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
            self._threads += 1
            name = f"{self._name}-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                while (job := self._next_job()) is None:
                    if self._closed:
                        return
                    self._idle += 1
                    self._work.wait()
                    self._idle -= 1
                self._in_flight += 1
                self._wake()
            reader, epoch, index, token = job
            result: Page | Exception
            try:
                result = reader.source.fetch(token)
            except Exception as error:  # noqa: BLE001 - it is raised where the page is consumed
                result = error
            with self._lock:
                self._in_flight -= 1
                if epoch == reader.epoch:
                    reader.deliver(index, result)
                    self._largest = max(self._largest, getattr(result, "size", 0))
                    self._arrival.notify()

    def _servable(self) -> list[ListReader]:
        pages = self._in_flight + sum(reader.held_pages for reader in self._readers)
        size = sum(reader.held_bytes for reader in self._readers)
        size += self._in_flight * self._largest
        self._held_back = (
            pages >= _PAGES_AHEAD_PER_THREAD * self.concurrency or size >= _MOST_BYTES_AHEAD
        )
        if not self._held_back:
            return self._readers
        return [self._head] if self._head and self._may_pass(self._head) else []

    def _may_pass(self, reader: ListReader) -> bool:
        """Tell whether the list that is waited for may pass the bound, which others reached."""
        is_short = reader.ahead * self._largest < _MOST_BYTES_AHEAD // 2
        return reader.is_starved or (is_short and reader.ahead < self.concurrency)

    def _next_job(self) -> tuple[ListReader, int, int, int] | None:
        if self._closed:
            return None
        for reader in self._servable():
            if (taken := reader.take()) is not None:
                return reader, reader.epoch, *taken
        return None

    def close(self) -> None:
        """Let all threads end; those waiting for an answer end after it."""
        with self._lock:
            self._closed = True
            self._work.notify_all()
        self.client.close()
