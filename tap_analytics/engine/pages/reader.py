"""Reading one list page by page, ahead of whoever consumes it, and proving it complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tap_analytics.engine.errors import ListChanged, ReadError

if TYPE_CHECKING:
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.pages.pagination import Paginator

_SECOND_CHANCES = 1
_PAGES_PER_EXTRA = 7


class PageSource(Protocol):
    """Where the pages of one list come from."""

    @property
    def paginator(self) -> Paginator:
        """How pages are asked for."""

    def fetch(self, token: int) -> Page:
        """Ask for the page at a token; called on a worker thread."""


class ListReader:
    """The pages of one list: which to ask for next, and whether they add up.

    It knows nothing of threads: its lane calls it under the lane's lock. Pages are asked
    for one by one, all at once where the first answer tells how many there are, and else
    in a window that grows so slowly that at most every eighth request, and one, is wasted.
    """

    def __init__(self, priority: tuple[int, ...], source: PageSource, window: int) -> None:
        """Start before the first page.

        Args:
            priority: Smaller is needed earlier.
            source: Where pages come from.
            window: Pages to ask for at once, at most, beyond those known to exist.
        """
        self.priority = priority
        self.source = source
        self.fingerprints: dict[int, int] = {}
        self.epoch = 0
        self._window = 0 if source.paginator.newest_first else window
        self._paginator = source.paginator
        self._step = self._paginator.page_size
        self._base_index = 0
        self._base_token = self._paginator.first
        self._next = 0
        self._again: list[int] = []
        self._chances: dict[int, int] = {}
        self._arrived: dict[int, Page | Exception] = {}
        self._accepted = 0
        self._rows = 0
        self._total = 0
        self._promised = False
        self._expected: int | None = None
        self._last: int | None = None
        self._consumed = 0

    @property
    def is_ready(self) -> bool:
        """Whether there is a page to ask for."""
        return bool(self._again) or self._next <= self._horizon()

    @property
    def is_starved(self) -> bool:
        """Whether the next page in order can be asked for, and was not yet."""
        return self.is_ready and (bool(self._again) or self._next <= self._accepted)

    @property
    def ahead(self) -> int:
        """Pages that were asked for and not consumed."""
        return self._next - self._consumed

    def take(self) -> tuple[int, int] | None:
        """Return index and token of the next page to ask for, or None for now."""
        if self._again:
            index = self._again.pop()
        elif self._next <= self._horizon():
            index = self._next
            self._next += 1
        else:
            return None
        return index, self._token(index)

    def _token(self, index: int) -> int:
        return self._paginator.after(self._base_token, index - self._base_index, self._step)

    def _horizon(self) -> int:
        if self._last is not None:
            return -1
        if self._expected is not None and self._accepted < self._expected:
            return self._expected - 1
        if self._accepted == 0 or self._window == 0:
            return self._accepted
        ahead = min(self._window, 1 + self._accepted // _PAGES_PER_EXTRA)
        return self._accepted + ahead

    def deliver(self, index: int, result: Page | Exception) -> None:
        """Take in a page, or why there is none."""
        self._arrived[index] = result
        while self._last is None and self._accepted in self._arrived:
            if not self._accept(self._accepted):
                break

    def _accept(self, index: int) -> bool:
        """Judge the next page in order, and tell whether to go on with the one after it."""
        page = self._arrived[index]
        if isinstance(page, Exception):
            self._end(index)
            return False
        if page.records and page.fingerprint in self.fingerprints:
            return self._meet_again(index, page)
        rows = self._rows + len(page.records)
        ended = page.signals.ended(rows, index + 1)
        if ended is None and not page.records and (rows < self._total or self._promised):
            ended = False
        if self._has_moved(page, rows):
            told = f"{rows} rows read, {page.signals.total} announced, {self._total} before"
            self._arrived[index] = ListChanged(f"the list changed while it was read ({told})")
            self._end(index)
            return False
        if ended is False and (not page.records or self._paginator.single or _closed(page, index)):
            what = f"page {index + 1} ends the list after {rows} rows, but it announces more"
            return self._doubt(index, ListChanged(what))
        self._total = page.signals.total or self._total
        self._promised = ended is False
        self._rows = rows
        self._accepted += 1
        self.fingerprints[page.fingerprint] = index
        alone = self._paginator.single or (page.is_object and ended is None)
        if ended or alone or not page.records:
            self._end(index)
        else:
            self._plan(index, page)
        return self._last is None

    def _has_moved(self, page: Page, rows: int) -> bool:
        total = page.signals.total
        return total is not None and (total < self._total or rows > total)

    def _meet_again(self, index: int, page: Page) -> bool:
        if self._paginator.repeat_ends:
            self._end(index - 1)
            return False
        twin = self.fingerprints[page.fingerprint]
        return self._doubt(index, ReadError(f"page {index + 1} repeats page {twin + 1}"))

    def _plan(self, index: int, page: Page) -> None:
        size = len(page.records)
        signals = page.signals
        if self._paginator.newest_first:
            return
        if index == 0 and signals.pages is not None:
            self._expected = signals.pages
        elif index == 0 and signals.total is not None:
            self._expected = -(-signals.total // size)
        if size < self._paginator.page_size:
            self._window = 0
        if self._paginator.short_page_moves_next and size != self._step:
            self._base_token = self._token(index) + size
            self._base_index = index + 1
            self._step = size
            self._restart_from(index + 1)

    def _doubt(self, index: int, failure: ReadError) -> bool:
        """Ask once more for a page that cannot be right; the second time it fails."""
        if self._chances.get(index, 0) < _SECOND_CHANCES:
            self._chances[index] = self._chances.get(index, 0) + 1
            del self._arrived[index]
            self._again.append(index)
        else:
            self._arrived[index] = failure
            self._end(index)
        return False

    def _restart_from(self, index: int) -> None:
        self.epoch += 1
        self._arrived = {i: page for i, page in self._arrived.items() if i < index}
        self._again.clear()
        self._next = index

    def _end(self, index: int) -> None:
        self._last = index
        self._again.clear()
        self._arrived = {i: page for i, page in self._arrived.items() if i <= index}

    def pop(self) -> Page | Exception | None:
        """Return the next page in order or the failure in its place; None if not there yet."""
        failed = self._consumed == self._last == self._accepted
        if self._consumed < self._accepted or failed:
            result = self._arrived.pop(self._consumed)
            self._consumed += 1
            return result
        return None

    def is_drained(self) -> bool:
        """Whether every page of the list was consumed."""
        return self._last is not None and self._consumed > self._last

    @property
    def held_pages(self) -> int:
        """Pages that arrived and were not consumed."""
        return len(self._arrived)

    @property
    def held_bytes(self) -> int:
        """Bytes of the pages that arrived and were not consumed."""
        return sum(getattr(page, "size", 0) for page in self._arrived.values())


def _closed(page: Page, index: int) -> bool:
    signals = page.signals
    return signals.more is False or (signals.pages is not None and index + 1 >= signals.pages)
