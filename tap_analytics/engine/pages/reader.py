"""Reading one list page by page, ahead of whoever consumes it, and proving it complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.pages.judge import Judge, Verdict
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import Totals

if TYPE_CHECKING:
    from tap_analytics.engine.pages.judge import Outline
    from tap_analytics.engine.pages.pagination import Paginator, Signals

_PAGES_PER_EXTRA = 7
_MOST_SECONDS_BETWEEN_PAGES = 3.0
_FEW_PAGES = 4
_JITTER = 0.005


class PageSource(Protocol):
    """Where the pages of one list come from."""

    @property
    def paginator(self) -> Paginator:
        """How pages are asked for."""

    def fetch(self, token: Any) -> Page:
        """Ask for the page at a token; called on a worker thread."""


class Stock:
    """What arrived of some lists and was not consumed.

    Attributes:
        pages: How many pages, or failures in their place.
        size: Bytes of all of them.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.pages = 0
        self.size = 0

    def put(self, result: Page | Exception) -> None:
        """Count what came."""
        self.pages += 1
        self.size += getattr(result, "size", 0)

    def take(self, result: Page | Exception) -> None:
        """Count what is gone."""
        self.pages -= 1
        self.size -= getattr(result, "size", 0)


class _Shelf(dict[int, "Page | Exception"]):
    """Pages that arrived, or why they did not, by their place in the list."""

    def __init__(self, stock: Stock) -> None:
        super().__init__()
        self._stock = stock

    def __setitem__(self, index: int, result: Page | Exception) -> None:
        if index in self:
            del self[index]
        self._stock.put(result)
        super().__setitem__(index, result)

    def __delitem__(self, index: int) -> None:
        self._stock.take(self[index])
        super().__delitem__(index)

    def cut(self, end: int) -> None:
        """Throw away what is in a place from an end on."""
        for index in [index for index in self if index >= end]:
            del self[index]


class ListReader:
    """The pages of one list: which to ask for next, and those that came and wait.

    It knows nothing of threads: its lane calls it under the lane's lock. Pages that can only
    be asked for with what the one before says are asked for one by one. The others are asked
    for all at once where the first answer tells how many there are, and else in a window
    that grows so slowly that at most every eighth request, and one, is wasted.
    """

    def __init__(
        self,
        priority: tuple[int, ...],
        source: PageSource,
        window: int,
        earlier: Outline | None = None,
        stock: Stock | None = None,
    ) -> None:
        """Start before the first page.

        Args:
            priority: Smaller is needed earlier.
            source: Where pages come from.
            window: Pages to ask for at once, at most, beyond those known to exist.
            earlier: How the list looked when it was read before and did not add up.
            stock: Counts what arrived and was not consumed, with that of other lists.
        """
        self.priority = priority
        self.source = source
        self.epoch = 0
        self._paginator = source.paginator
        self._widest = window
        self._earlier = earlier
        self._consumed = 0
        self._is_begun = False
        self._arrived = _Shelf(stock or Stock())
        self._start()

    def _start(self) -> None:
        self.judge = Judge(self._paginator, self._earlier)
        one_by_one = self._paginator.newest_first or not self._paginator.jumps
        self._window = 0 if one_by_one else self._widest
        self._step = self._paginator.page_size
        self._base_index = 0
        self._base_token = self._paginator.first
        self._next = 0
        self._under_way = 0
        self._again: list[int] = []
        self._arrived.cut(0)
        self._expected: int | None = None
        self._last: int | None = None
        self._read_until: float | None = None
        self._longest_gap = 0.0
        self._asked_at = 0.0

    @property
    def fingerprints(self) -> dict[int, int]:
        """The pages that were accepted, by what is on them."""
        return self.judge.fingerprints

    @property
    def is_ready(self) -> bool:
        """Whether there is a page to ask for."""
        return bool(self._again) or self._next <= self._horizon()

    @property
    def is_starved(self) -> bool:
        """Whether the next page in order can be asked for, and was not yet."""
        return self.is_ready and (bool(self._again) or self._next <= self.judge.accepted)

    @property
    def is_nearly_through(self) -> bool:
        """Whether it was begun and is likely to end within a few pages.

        Such a list is read through, so that its pages do not come from different times.
        """
        if self._next == 0 or self._last is not None:
            return False
        return self._next < _FEW_PAGES or 0 <= (self._expected or 0) - self._next <= _FEW_PAGES

    @property
    def is_stuck(self) -> bool:
        """Whether nothing can come any more, although the list has not ended."""
        return self._last is None and not self._under_way and not self.is_ready

    @property
    def ahead(self) -> int:
        """Pages that were asked for and not consumed."""
        return self._next - self._consumed

    def begin(self, now: float) -> None:
        """Let somebody consume it; read it from its start if its pages are too far apart.

        Args:
            now: Seconds of the monotonic clock.
        """
        if self._is_begun:
            return
        self._is_begun = True
        since = self._read_until
        waited = 0.0 if since is None or self._last is not None else now - since
        if max(waited, self._longest_gap) > _MOST_SECONDS_BETWEEN_PAGES:
            self.epoch += 1
            self._start()

    def take(self) -> tuple[int, Any] | None:
        """Return index and token of the next page to ask for, or None for now."""
        if self._again:
            index = self._again.pop()
        elif self._next <= self._horizon():
            index = self._next
            self._next += 1
        else:
            return None
        self._under_way += 1
        return index, self._token(index)

    def _token(self, index: int) -> Any:
        if not self._paginator.jumps:
            return self.judge.token
        return self._paginator.after(self._base_token, index - self._base_index, self._step)

    def _horizon(self) -> int:
        accepted = self.judge.accepted
        if self._last is not None:
            return -1
        if self._expected is not None and accepted < self._expected:
            return self._expected - 1
        if accepted == 0 or self._window == 0 or self.judge.is_probing:
            return accepted
        return accepted + min(self._window, 1 + accepted // _PAGES_PER_EXTRA)

    def deliver(self, index: int, result: Page | Exception) -> None:
        """Take in a page that was asked for, or why there is none."""
        self._under_way -= 1
        if self._last is None:  # else it was asked for beyond the end, and nobody takes it
            self._arrived[index] = result
        try:
            while self._last is None and self.judge.accepted in self._arrived:
                if not self._go_on():
                    break
        except Exception as error:  # noqa: BLE001 - whoever waits for the list has to know
            self._fail(error)

    def _go_on(self) -> bool:
        """Have the next page in order judged, and tell whether the one after it may follow."""
        index = self.judge.accepted
        if self._ask_again_for_older(index):
            return False
        page = self._arrived[index]
        if isinstance(page, Page):
            verdict = self.judge.page(page)
            if verdict in {Verdict.GOOD, Verdict.LAST}:
                self._note_time(page)
            if verdict is Verdict.GOOD:
                self._plan(index, page)
        else:
            verdict = self.judge.error(page)
        if verdict is Verdict.LAST:
            self._end(index)
        elif verdict is Verdict.BEYOND:
            self._end(index - 1)
        elif verdict is Verdict.SAME:
            self._base_token, self._base_index = self._token(index + 1), index
            self._restart_from(index)
        elif verdict is Verdict.AGAIN:
            del self._arrived[index]
            self._again.append(index)
        elif verdict is Verdict.WRONG:
            self._fail(self.judge.failure)
        return verdict is Verdict.GOOD

    def _note_time(self, page: Page) -> None:
        if self._read_until is not None:
            self._longest_gap = max(self._longest_gap, page.asked_at - self._read_until)
        self._read_until = page.answered_at or None
        self._asked_at = max(self._asked_at, page.asked_at)

    def _plan(self, index: int, page: Page) -> None:
        size = page.rows
        signals = page.signals
        if self._paginator.newest_first or not self._paginator.jumps:
            return
        if index == 0 and not self.judge.is_probing:
            self._expected = self._pages_expected(signals, size)
        if size < self._paginator.page_size:
            self._window = 0
        if self._paginator.short_page_moves_next and size != self._step:
            self._base_token = self._token(index) + size
            self._base_index = index + 1
            self._step = size
            self._restart_from(index + 1)

    def _pages_expected(self, signals: Signals, size: int) -> int | None:
        if signals.pages is not None:
            return signals.pages
        if signals.total is None or not size or self._paginator.totals is Totals.HINT:
            return None
        return -(-signals.total // size)

    def _ask_again_for_older(self, index: int) -> bool:
        """Ask again for what was asked for before a page in front of it was (once more).

        A row that came in between has moved another from the page in front on to the later
        one, where nobody has seen it. Where a total tells of that, it is not needed.
        """
        if self.judge.is_guarded or not self._paginator.jumps:
            return False
        oldest = self._asked_at - _JITTER
        older = [
            place
            for place, page in self._arrived.items()
            if place >= index and isinstance(page, Page) and page.asked_at < oldest
        ]
        for place in sorted(older, reverse=True):
            del self._arrived[place]
            self._again.append(place)
        return index in older

    def _restart_from(self, index: int) -> None:
        self.epoch += 1
        self._under_way = 0
        self._arrived.cut(index)
        self._again.clear()
        self._next = index

    def _fail(self, error: Exception | None) -> None:
        self._arrived[self.judge.accepted] = error or ReadError("the list is wrong")
        self._end(self.judge.accepted)

    def _end(self, index: int) -> None:
        self._last = index
        self._again.clear()
        self._arrived.cut(index + 1)

    def abandon(self) -> None:
        """Take nothing more, and have nothing more to give."""
        self.epoch += 1
        self._end(self._consumed - 1)

    def pop(self) -> Page | Exception | None:
        """Return the next page in order or the failure in its place; None if not there yet."""
        accepted = self.judge.accepted
        failed = self._consumed == self._last == accepted
        if self._consumed < accepted or failed:
            result = self._arrived[self._consumed]
            del self._arrived[self._consumed]
            self._consumed += 1
            return result
        return None

    def is_drained(self) -> bool:
        """Whether every page of the list was consumed."""
        return self._last is not None and self._consumed > self._last
