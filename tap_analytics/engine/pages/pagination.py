"""Paginators: which parameters ask for a page, and what an answer says about the rest.

They are SDK paginators, and tell in addition how to reach a page without walking there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from singer_sdk.pagination import BaseAPIPaginator

_DIGITS = 18


@dataclass(frozen=True)
class Signals:
    """What an answer says about its whole list; None where it says nothing."""

    total: int | None = None
    pages: int | None = None
    more: bool | None = None

    def ended(self, rows: int, page: int) -> bool | None:
        """Tell whether the list ends after so many rows and pages.

        Returns:
            None if the answer has no word on it. Where it says several things, all of
            them have to agree on the end.
        """
        words = [
            word
            for word in (
                None if self.total is None else rows >= self.total,
                None if self.pages is None else page >= self.pages,
                None if self.more is None else not self.more,
            )
            if word is not None
        ]
        return all(words) if words else None


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value.adjusted() < _DIGITS:
        return int(value)
    return value if type(value) is int and value >= 0 else None


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


class Paginator(BaseAPIPaginator[int]):
    """Base of all paginators; one instance stands for one list.

    ``total_path`` and ``pages_path`` lead to numbers, ``more_path`` to a boolean and
    ``next_path`` to something that is null on the last page. A dialect sets those that
    its answers have. ``single`` lists have one page; ``short_page_moves_next`` says that the
    place of a page follows from the rows of the one before; ``repeat_ends`` that an API
    answers beyond the end with the last page again; ``newest_first`` that rows are added at
    the front even while the list is read, so that pages are asked for one by one, and rows
    that moved on to the next page come twice.
    """

    size: ClassVar[int] = 100
    page_param: ClassVar[str] = "page"
    size_param: ClassVar[str | None] = "limit"
    first: ClassVar[int] = 1
    total_path: ClassVar[tuple[str, ...]] = ()
    pages_path: ClassVar[tuple[str, ...]] = ()
    more_path: ClassVar[tuple[str, ...]] = ()
    next_path: ClassVar[tuple[str, ...]] = ()
    single: ClassVar[bool] = False
    short_page_moves_next: ClassVar[bool] = False
    repeat_ends: ClassVar[bool] = False
    newest_first: ClassVar[bool] = False

    def __init__(self, page_size: int | None = None) -> None:
        """Start at the first page.

        Args:
            page_size: Rows to ask for on each page, in place of the class's ``size``.
        """
        super().__init__(self.first)
        self.page_size = page_size or self.size

    def params(self, token: int) -> dict[str, int]:
        """Return the query parameters that ask for the page at a token."""
        sizes = {self.size_param: self.page_size} if self.size_param else {}
        return {self.page_param: token, **sizes}

    def after(self, token: int, pages: int, rows: int) -> int:
        """Return the token of a page further on.

        Args:
            token: The token to count from.
            pages: How many pages further.
            rows: How many rows a page holds.
        """
        raise NotImplementedError

    def signals(self, body: Any) -> Signals:
        """Return what a decoded body says about the whole list."""
        more = _at(body, self.more_path) if self.more_path else None
        if self.next_path:
            *parent, name = self.next_path
            holder = _at(body, tuple(parent))
            if isinstance(holder, dict) and name in holder:
                more = holder[name] is not None
        return Signals(
            total=_integer(_at(body, self.total_path)) if self.total_path else None,
            pages=_integer(_at(body, self.pages_path)) if self.pages_path else None,
            more=more if isinstance(more, bool) else None,
        )

    def get_next(self, response: Any) -> int | None:
        """Return the next token for the SDK's own page loop."""
        if self.single or self.signals(response.json()).more is False:
            return None
        return self.after(self.current_value, 1, self.page_size)


class SinglePage(Paginator):
    """Lists that come in one answer and take no paging parameters."""

    single = True

    def params(self, token: int) -> dict[str, int]:  # noqa: ARG002, D102
        return {}

    def after(self, token: int, pages: int, rows: int) -> int:  # noqa: ARG002, D102
        return token + pages


class PageNumbers(Paginator):
    """Lists asked for by the number of the page."""

    def after(self, token: int, pages: int, rows: int) -> int:  # noqa: ARG002, D102
        return token + pages


class Offsets(Paginator):
    """Lists asked for by the number of rows to skip."""

    page_param = "offset"
    first = 0
    short_page_moves_next = True

    def after(self, token: int, pages: int, rows: int) -> int:  # noqa: D102
        return token + pages * rows
