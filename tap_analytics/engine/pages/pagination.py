"""Paginators: which parameters ask for a page, and what an answer says about the rest.

They are SDK paginators: each tells the next token from a page. Those that ``jump`` tell in
addition how to reach a page without walking there, so that pages can be read ahead.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import SplitResult, urljoin, urlsplit

from msgspec import Struct
from requests.utils import parse_header_links
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_analytics.engine.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = 18
_PORTS = {"http": 80, "https": 443}


class Totals(Enum):
    """What a total is worth.

    Attributes:
        EXACT: As many rows have to come.
        BOUND: It may count rows that the key may not see. Fewer rows are taken for all if
            they, and the total, are the same on a second read; more rows are never right.
        HINT: It may count something else. What disagrees with it is read a second time, and
            then taken as it is.
    """

    EXACT = "exact"
    BOUND = "bound"
    HINT = "hint"


class Signals(Struct, frozen=True):
    """What an answer says about its whole list; None where it says nothing.

    Attributes:
        total: How many rows there are.
        pages: How many pages there are.
        more: Whether there is a page after this one.
        next: What asks for it, where that cannot be reckoned.
    """

    total: int | None = None
    pages: int | None = None
    more: bool | None = None
    next: Any = None

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


class Paginator(BaseAPIPaginator[Any]):
    """Base of all paginators; one instance stands for one list.

    Attributes:
        size: Rows to ask for on each page.
        surely: A smaller number, where not every server allows ``size``: lists whose first
            page is refused are asked for by so many.
        page_param: Name of the parameter that asks for a page.
        size_param: Name of the parameter for the size; None if it cannot be asked for.
        first: Token of the first page.
        jumps: Whether pages can be asked for before the ones in front of them have come.
        single: Whether there is one page only.
        total_path: Where a number of rows stands.
        pages_path: Where a number of pages stands.
        more_path: Where a boolean says whether there are more pages.
        next_path: Where something stands that is null or empty on the last page.
        totals: What the number of rows is worth.
        past_end: Statuses that say, after the first page, that the list has ended before.
        whole_below: Where nothing else tells, a first page with fewer rows is the whole list.
        repeat_ends: Whether beyond the end the last or the first page comes again.
        zero_or_one: Whether it is unknown if pages count from 0 or from 1, or if both are
            the same page. ``first`` has to be 0.
        short_page_moves_next: Whether the place of a page follows from the rows of the one
            before.
        newest_first: Whether rows are added at the front even while the list is read, so
            that rows that moved on to the next page come twice.
    """

    size: ClassVar[int] = 100
    surely: ClassVar[int | None] = None
    page_param: ClassVar[str] = "page"
    size_param: ClassVar[str | None] = "limit"
    first: ClassVar[Any] = 1
    jumps: ClassVar[bool] = True
    single: ClassVar[bool] = False
    total_path: ClassVar[tuple[str, ...]] = ()
    pages_path: ClassVar[tuple[str, ...]] = ()
    more_path: ClassVar[tuple[str, ...]] = ()
    next_path: ClassVar[tuple[str, ...]] = ()
    totals: ClassVar[Totals] = Totals.BOUND
    past_end: ClassVar[frozenset[int]] = frozenset()
    whole_below: ClassVar[int] = 0
    repeat_ends: ClassVar[bool] = False
    zero_or_one: ClassVar[bool] = False
    short_page_moves_next: ClassVar[bool] = False
    newest_first: ClassVar[bool] = False

    def __init__(self, page_size: int | None = None) -> None:
        """Start at the first page.

        Args:
            page_size: Rows to ask for on each page, in place of the class's ``size``.
        """
        super().__init__(self.first)
        self.page_size = page_size or self.size

    def shrink(self) -> bool:
        """Ask for pages of the size that is surely allowed; tell whether they are smaller."""
        if self.surely is None or self.size_param is None or self.page_size <= self.surely:
            return False
        self.page_size = self.surely
        return True

    @property
    def least(self) -> int:
        """Return how many rows a page that is full may have: a server may cap its size."""
        return min(self.surely or self.page_size, self.page_size)

    def params(self, token: Any) -> dict[str, Any]:
        """Return the query parameters that ask for the page at a token."""
        sizes = {self.size_param: self.page_size} if self.size_param else {}
        return {self.page_param: token, **sizes}

    def place(self, url: str, params: dict[str, Any], token: Any) -> tuple[str, dict[str, Any]]:  # noqa: ARG002
        """Return URL and parameters of the request for a page.

        Args:
            url: URL of the list.
            params: All its parameters, those of the page included.
            token: Token of the page.

        Raises:
            ReadError: If the token leads away from the list's host.
        """
        return url, params

    def after(self, token: Any, pages: int, rows: int) -> Any:
        """Return the token of a page further on, if this paginator jumps.

        Args:
            token: The token to count from.
            pages: How many pages further.
            rows: How many rows a page holds.
        """
        raise NotImplementedError

    def following(self, token: Any, index: int, signals: Signals) -> Any | None:  # noqa: ARG002
        """Return the token of the page after another; None if there is none.

        Args:
            token: Token of that page.
            index: Its place, from 0.
            signals: What it says about the list.
        """
        return None if self.single else self.after(token, 1, self.page_size)

    def signals(self, body: Any, headers: Mapping[str, str] | None = None) -> Signals:  # noqa: ARG002
        """Return what an answer says about the whole list.

        Args:
            body: Its decoded body.
            headers: Its headers.
        """
        more = _at(body, self.more_path) if self.more_path else None
        if self.next_path:
            *parent, name = self.next_path
            holder = _at(body, tuple(parent))
            if isinstance(holder, dict) and name in holder:
                more = bool(holder[name])
        return Signals(
            total=_integer(_at(body, self.total_path)) if self.total_path else None,
            pages=_integer(_at(body, self.pages_path)) if self.pages_path else None,
            more=more if isinstance(more, bool) else None,
        )

    def counted(self, records: list[dict[str, Any]]) -> int:
        """Return how many things of a page its total counts; rows, mostly."""
        return len(records)

    def get_next(self, response: Any) -> Any | None:
        """Return the next token for the SDK's own page loop."""
        signals = self.signals(response.json(), getattr(response, "headers", None))
        if signals.more is False:
            return None
        return self.following(self.current_value, max(self.count - 1, 0), signals)


class SinglePage(Paginator):
    """Lists that come in one answer and take no paging parameters."""

    single = True

    @override
    def params(self, token: Any) -> dict[str, Any]:
        return {}

    @override
    def after(self, token: int, pages: int, rows: int) -> int:
        return token + pages


class PageNumbers(Paginator):
    """Lists asked for by the number of the page."""

    @override
    def after(self, token: int, pages: int, rows: int) -> int:
        return token + pages


class PerhapsPages(PageNumbers):
    """Lists that are believed to come in one answer, and asked for by pages all the same.

    Where it is so, the next page is the same one, or refused.
    """

    repeat_ends = True
    past_end = frozenset({400, 404})


class Unpaged(PerhapsPages):
    """Lists that are known to come in one answer, and asked for it without a word about pages.

    Should one have as many rows as servers put on a page by default, page 2 is asked for, too.
    """

    size_param = None
    whole_below = 10

    @override
    def params(self, token: Any) -> dict[str, Any]:
        return {} if token == self.first else super().params(token)


class Offsets(Paginator):
    """Lists asked for by the number of rows to skip."""

    page_param = "offset"
    first = 0
    short_page_moves_next = True

    @override
    def after(self, token: int, pages: int, rows: int) -> int:
        return token + pages * rows


class _Number(int):
    """The number of a page, where a token was expected."""


class NextToken(Paginator):
    """Lists whose pages tell in their body what asks for the next one.

    Attributes:
        token_path: Where it stands; null, empty or absent on the last page.
        number_param: Name of the parameter for the number of the page, by which to go on
            where a page without a token is not the last one; None if there is no such.
    """

    first = None
    jumps = False
    page_param = "cursor"
    token_path: ClassVar[tuple[str, ...]] = ("next_cursor",)
    number_param: ClassVar[str | None] = None

    @override
    def params(self, token: Any) -> dict[str, Any]:
        sizes = {self.size_param: self.page_size} if self.size_param else {}
        if token is None:
            return sizes
        if isinstance(token, _Number) and self.number_param:
            return {self.number_param: int(token), **sizes}
        return {self.page_param: token, **sizes}

    @override
    def following(self, token: Any, index: int, signals: Signals) -> Any | None:
        if signals.next is None and self.number_param:
            return _Number(index + 2)
        return signals.next

    @override
    def signals(self, body: Any, headers: Mapping[str, str] | None = None) -> Signals:
        said = super().signals(body)
        return Signals(said.total, said.pages, said.more, next=self.token(body, headers or {}))

    def token(self, body: Any, headers: Mapping[str, str]) -> Any | None:  # noqa: ARG002
        """Return what asks for the next page; None if there is nothing.

        Args:
            body: A decoded body.
            headers: The headers of the same answer.
        """
        token = _at(body, self.token_path)
        return token if token and isinstance(token, str | int) and token is not True else None


class NextLink(NextToken):
    """Lists whose pages hold, in their body, a link to the next one."""

    token_path: ClassVar[tuple[str, ...]] = ("next",)

    @override
    def params(self, token: Any) -> dict[str, Any]:
        return super().params(None) if token is None else {}

    @override
    def place(self, url: str, params: dict[str, Any], token: Any) -> tuple[str, dict[str, Any]]:
        if token is None:
            return url, params
        target = urljoin(url, str(token))
        if _origin(urlsplit(target)) != _origin(urlsplit(url)):
            msg = f"links to another host ({urlsplit(target).hostname}), which never gets our key"
            raise ReadError(msg)
        return target, {}


class LinkHeader(NextLink):
    """Lists whose answers link to the next page in their ``Link`` header."""

    @override
    def token(self, body: Any, headers: Mapping[str, str]) -> Any | None:
        links = parse_header_links(headers.get("Link", ""))
        return next(
            (link.get("url") for link in links if "next" in link.get("rel", "").split()), None
        )


def _origin(parts: SplitResult) -> tuple[str | None, ...]:
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, str(port), parts.username
