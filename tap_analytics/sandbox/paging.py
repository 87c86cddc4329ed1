"""How a request names the part of a list it wants."""

from __future__ import annotations

import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1000
"""Rows a page may have; the documents name no limit of their own."""
UNPAGED = 1000
"""Rows a list without pages may have: it is one body, built in memory."""


class BadRequestError(Exception):
    """The request breaks the contract: status 400."""


class Window(NamedTuple):
    """A part of a list."""

    offset: int
    limit: int
    after: int | None = None
    """The index of the row after which it begins, in place of the offset."""

    @property
    def page(self) -> int:
        """The page's number, from 1."""
        return self.offset // self.limit + 1


class Paging(Protocol):
    """A dialect of paging."""

    @property
    def params(self) -> tuple[str, ...]:
        """The query parameters that belong to the dialect."""

    def window(self, params: Mapping[str, str]) -> Window:
        """The part of the list that `params` ask for.

        Raises:
            BadRequestError: A parameter is not a whole number within its limits.
        """


@dataclass(frozen=True)
class PageNumber:
    """`page`, and a size under the name `size_param`; without a name the size is fixed."""

    size_param: str
    size: int
    first: int = 1
    """The number of the first page."""
    most: int = MOST
    """Rows a page may have."""
    capped: bool = False
    """Whether a larger size is taken for the largest one, and not refused."""
    twice: bool = False
    """Whether the page before the first one is the first one, too."""

    @property
    def params(self) -> tuple[str, ...]:
        """See `Paging`."""
        return ("page", self.size_param) if self.size_param else ("page",)

    def window(self, params: Mapping[str, str]) -> Window:
        """See `Paging`."""
        size = self.rows(params)
        page = _number(params, "page", self.first, least=self.first - self.twice) - self.first
        return Window(max(page, 0) * size, size)

    def rows(self, params: Mapping[str, str]) -> int:
        """How many rows the page has that `params` ask for; raises as `window` does."""
        most = sys.maxsize if self.capped else self.most
        return min(_number(params, self.size_param, self.size, least=1, most=most), self.most)


def cursor(index: int) -> str:
    """The opaque word for the row at `index`, after which a page may begin."""
    return urlsafe_b64encode(b"row:%d" % index).decode()


@dataclass(frozen=True)
class AfterId:
    """The cursor `after_id`, beside the numbers of pages or instead of them."""

    pages: PageNumber
    numbers: bool = True
    """Whether `page` is obeyed, too; else it is taken and means nothing."""

    @property
    def params(self) -> tuple[str, ...]:
        """See `Paging`."""
        return (*self.pages.params, "after_id")

    def window(self, params: Mapping[str, str]) -> Window:
        """See `Paging`."""
        if "after_id" in params:
            return Window(0, self.pages.rows(params), _index(params["after_id"]))
        if self.numbers:
            return self.pages.window(params)
        return Window(0, self.pages.rows(params))


@dataclass(frozen=True)
class Offset:
    """`offset`, from 0, and `limit`."""

    size: int
    most: int = MOST
    """Rows a page may have."""
    needed: bool = False
    """Whether both have to be there."""

    params = ("offset", "limit")

    def window(self, params: Mapping[str, str]) -> Window:
        """See `Paging`."""
        if self.needed and not params.keys() >= set(self.params):
            message = f"{' and '.join(self.params)} are required"
            raise BadRequestError(message)
        return Window(
            _number(params, "offset", 0, least=0),
            _number(params, "limit", self.size, least=1, most=self.most),
        )


@dataclass(frozen=True)
class Whole:
    """The whole list in one answer."""

    params: tuple[str, ...] = ()
    """Parameters that change nothing; unless given, none is taken."""

    def window(self, params: Mapping[str, str]) -> Window:  # noqa: ARG002
        """See `Paging`."""
        return Window(0, sys.maxsize)


def _index(text: str) -> int:
    """The index in an opaque word."""
    try:
        name, _, number = urlsafe_b64decode(text).partition(b":")
        if name == b"row":
            return int(number)
    except ValueError:
        pass
    message = f"after_id must be a cursor that a page gave, not {text!r}"
    raise BadRequestError(message)


def _number(
    params: Mapping[str, str], name: str, default: int, *, least: int, most: int = sys.maxsize
) -> int:
    text = params.get(name)
    if text is None:
        return default
    # No list is longer than 18 digits can count.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1  # noqa: PLR2004
    if not least <= number <= most:
        limits = f"from {least} to {most}" if most < sys.maxsize else f"not below {least}"
        message = f"{name} must be a whole number {limits}, not {text!r}"
        raise BadRequestError(message)
    return number
