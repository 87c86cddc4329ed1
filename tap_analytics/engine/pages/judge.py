"""Judging the pages of one list: whether they add up, and where the list ends."""

from __future__ import annotations

from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from tap_analytics.engine.errors import Denied, Gone, ListChanged, ReadError
from tap_analytics.engine.pages.pagination import Totals

if TYPE_CHECKING:
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.pages.pagination import Paginator, Signals

_SECOND_CHANCES = 1
_MOST_GAPS = 2
_MOST_EMPTY_PAGES = 1000
_NO_SUCH_PAGE = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Verdict(Enum):
    """What becomes of a page.

    Attributes:
        GOOD: It is the next part of the list.
        LAST: It is the last part of the list.
        BEYOND: It is no part of the list, which ended before it.
        SAME: It is no part of the list, but a page further on may be.
        AGAIN: It cannot be right and is to be asked for once more.
        WRONG: It stays wrong; `Judge.failure` says why.
    """

    GOOD = auto()
    LAST = auto()
    BEYOND = auto()
    SAME = auto()
    AGAIN = auto()
    WRONG = auto()


class Outline(NamedTuple):
    """What a list looked like when it did not add up, to be compared with a second read."""

    fingerprints: tuple[int, ...]
    total: int


class Judge:
    """Takes the pages of one list in order, and says of each what becomes of it.

    It is pure: no threads, no requests, no clock.

    Attributes:
        accepted: How many pages are part of the list so far.
        rows: How many rows they hold, as a total counts them.
        total: How many rows were announced; 0 if nothing sound was said.
        fingerprints: The pages so far by what is on them.
        token: What asks for the next page, where the paginator does not jump.
        failure: Why the list is wrong.
        outline: What it looked like then, if it may look the same on a second read.
        note: What the reader of a report should know about a list that is taken for whole.
    """

    def __init__(self, paginator: Paginator, earlier: Outline | None = None) -> None:
        """Start before the first page.

        Args:
            paginator: What is known about lists of this kind.
            earlier: How the list looked when it did not add up before.
        """
        self.accepted = 0
        self.rows = 0
        self.total = 0
        self.fingerprints: dict[int, int] = {}
        self.token: Any = paginator.first
        self.failure: Exception | None = None
        self.outline: Outline | None = None
        self.note: str | None = None
        self._paginator = paginator
        self._earlier = earlier
        self._listens = earlier is None or paginator.totals is not Totals.HINT
        self._tokens = {self.token}
        self._promised = False
        self._is_probing = False
        self._passed_zero = not paginator.zero_or_one
        self._doubts = 0
        self._is_behind = False
        self._gaps = 0
        self._empty = 0

    @property
    def is_guarded(self) -> bool:
        """Whether a total speaks for the list, so that rows that move are noticed."""
        return self.total > 0 and self._listens and not self._is_probing

    @property
    def is_probing(self) -> bool:
        """Whether the next page is expected not to exist."""
        return self._is_probing

    def page(self, page: Page) -> Verdict:
        """Judge the next page in order."""
        if not page.is_empty and page.fingerprint in self.fingerprints:
            return self._meet_again(page)
        if not self._passed_zero and page.is_empty and self.accepted == 0:
            return self._pass_zero()
        signals = self._heard(page)
        rows = self.rows + page.rows
        if page.rows and self._gaps:
            return self._wrong(
                ReadError(f"page {self.accepted} ends the list, but another one has rows")
            )
        if signals.total is not None and (signals.total < self.total or rows > signals.total):
            told = f"{rows} rows read, {signals.total} announced, {self.total} before"
            return self._wrong(ListChanged(f"the list changed while it was read ({told})"))
        ended = signals.ended(rows, self.accepted + 1)
        if ended is None and page.is_empty and (rows < self.total or self._promised):
            ended = False
        if ended and self._proves_nothing(page, signals):
            ended = None
        if ended is None and self.accepted == 0 and page.rows < self._paginator.whole_below:
            ended = True
        if self._paginator.jumps:
            return self._ends_here(page, signals, ended=ended)
        return self._walk(page, signals, ended=ended)

    def _heard(self, page: Page) -> Signals:
        """Return what a page says, without a total that counts something else."""
        signals = page.signals
        if signals.total is None:
            return signals
        is_of_page = self._is_probing and signals.total in (page.rows, self.total)
        if is_of_page and signals.total < self.rows + page.rows:
            self._listens = False
            self.total = 0
            self.note = "its total counts the rows of one page only, and was not listened to"
        return signals if self._listens else replace(signals, total=None, pages=None)

    def _proves_nothing(self, page: Page, signals: Signals) -> bool:
        """Tell whether the only word on the end is a total, and it equals one full page.

        A number of pages that was reckoned from that total says nothing more.
        """
        size = self._paginator.least if self._paginator.size_param else 1
        reckoned = signals.pages is None or (signals.pages, signals.total) == (1, page.rows)
        alone = reckoned and signals.more is None and not self._paginator.single
        is_list = not page.is_object or page.rows > 1
        self._is_probing = self.accepted == 0 and alone and page.rows >= size and is_list
        return self._is_probing

    def _ends_here(self, page: Page, signals: Signals, *, ended: bool | None) -> Verdict:
        single = self._paginator.single
        if ended is False and (page.is_empty or single or self._is_closed(signals)):
            return self._doubt(page, signals)
        alone = single or (page.is_object and page.rows <= 1 and ended is None)
        return self._accept(page, signals, last=bool(ended or alone or page.is_empty))

    def _walk(self, page: Page, signals: Signals, *, ended: bool | None) -> Verdict:
        """Judge a page of a list that tells from page to page where it goes on."""
        token = self._paginator.following(self.token, self.accepted, signals)
        comes_back = token in self._tokens
        if ended is False and (token is None or (comes_back and page.is_empty)):
            return self._doubt(page, signals)
        says_nothing = page.is_empty and ended is None and signals.next is None
        if ended or token is None or says_nothing or (comes_back and page.is_empty):
            return self._accept(page, signals, last=True)
        self._empty = self._empty + 1 if page.is_empty else 0
        if comes_back or self._empty > _MOST_EMPTY_PAGES:
            what = (
                "leads back to an earlier page" if comes_back else "is one of too many without rows"
            )
            return self._wrong(ReadError(f"page {self.accepted + 1} {what}"))
        verdict = self._accept(page, signals, last=False)
        self.token = token
        self._tokens.add(token)
        return verdict

    def _accept(self, page: Page, signals: Signals, *, last: bool) -> Verdict:
        self.fingerprints[page.fingerprint] = self.accepted
        self.total = signals.total or self.total
        self.rows += page.rows
        self.accepted += 1
        self._promised = signals.ended(self.rows, self.accepted) is False
        self._is_probing = self._is_probing and self.accepted == 1
        self._doubts = 0
        self._is_behind = False
        return Verdict.LAST if last else Verdict.GOOD

    def _is_closed(self, signals: Signals) -> bool:
        has_all = signals.pages is not None and self.accepted + 1 >= signals.pages
        return signals.more is False or has_all

    def _doubt(self, page: Page, signals: Signals) -> Verdict:
        """Decide on a page that ends the list before its time."""
        rows = self.rows + page.rows
        total = signals.total or self.total
        if not self._gaps and self._may_doubt():
            return Verdict.AGAIN
        is_closed = self._is_closed(signals) or self._paginator.single
        short = rows < total
        may_go_on = short and not self._paginator.single and self._paginator.jumps
        if may_go_on and self._gaps < _MOST_GAPS and self._paginator.totals is not Totals.EXACT:
            self._gaps += 1
            return self._accept(page, signals, last=False)
        what = f"page {self.accepted + 1} ends the list after {rows} rows, but it announces more"
        if short and (is_closed or (signals.more is not True and signals.pages is None)):
            return self._fall_short(ListChanged(what), page)
        return self._wrong(ListChanged(what))

    def _fall_short(self, failure: ListChanged, page: Page | None = None) -> Verdict:
        """Refuse a list that announces more than can be seen, unless it did so before, alike."""
        marks, total, rows = tuple(self.fingerprints), self.total, self.rows
        if page is not None:
            marks, total = (*marks, page.fingerprint), page.signals.total or total
            rows += page.rows
        self.outline = Outline(marks, total)
        if self._paginator.totals is Totals.EXACT or self.outline != self._earlier:
            return self._wrong(failure)
        self.note = f"it announces {total} rows, but only {rows} can be seen, twice alike"
        verdict = Verdict.BEYOND if page is None else self._accept(page, page.signals, last=True)
        self.total = 0
        return verdict

    def _may_doubt(self) -> bool:
        self._doubts += 1
        return self._doubts <= _SECOND_CHANCES

    def _meet_again(self, page: Page) -> Verdict:
        twin = self.fingerprints[page.fingerprint]
        if not self._passed_zero and (self.accepted, twin) == (1, 0):
            return self._pass_zero()
        ends = self._paginator.repeat_ends or self._is_probing
        is_whole = self.rows >= self.total and not self._promised
        if ends and is_whole and twin in (0, self.accepted - 1):
            if self.total or self._is_behind:
                return Verdict.BEYOND
            self._is_behind = True  # or as many rows came in front as a page holds
            return Verdict.SAME
        if self._may_doubt():
            return Verdict.AGAIN
        what = f"page {self.accepted + 1} repeats page {twin + 1}"
        if ends and not is_whole:
            return self._wrong(
                ListChanged(f"{what} after {self.rows} rows, but more are announced")
            )
        return self._wrong(ReadError(what))

    def _pass_zero(self) -> Verdict:
        self._passed_zero = True
        return Verdict.SAME

    def error(self, error: Exception) -> Verdict:
        """Judge a failure in the place of the next page in order."""
        status = getattr(error, "status", None)
        if self.accepted == 0:
            if not self._passed_zero and status in _NO_SUCH_PAGE:
                return self._pass_zero()
            return self._wrong(error)
        statuses = _NO_SUCH_PAGE if self._is_probing else self._paginator.past_end
        ends = status in statuses and not isinstance(error, Denied)  # the key is no page
        if ends and self.rows < self.total:
            what = f"{error}: the list ends after {self.rows} rows, but it announces {self.total}"
            return self._fall_short(ListChanged(what))
        if ends and not self._promised:
            return Verdict.BEYOND
        if isinstance(error, Gone):  # the list is there, or its first page would not be
            error = ReadError(f"{error} on page {self.accepted + 1}")
        return self._wrong(error)

    def _wrong(self, failure: Exception) -> Verdict:
        self.failure = failure
        return Verdict.WRONG
