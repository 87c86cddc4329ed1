"""How a request names the part of a list it wants."""

from __future__ import annotations

import sys
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

    @property
    def params(self) -> tuple[str, ...]:
        """See `Paging`."""
        return ("page", self.size_param) if self.size_param else ("page",)

    def window(self, params: Mapping[str, str]) -> Window:
        """See `Paging`."""
        most = sys.maxsize if self.capped else self.most
        size = min(_number(params, self.size_param, self.size, least=1, most=most), self.most)
        page = _number(params, "page", self.first, least=self.first) - self.first
        return Window(page * size, size)


@dataclass(frozen=True)
class Offset:
    """`offset`, from 0, and `limit`."""

    size: int

    params = ("offset", "limit")

    def window(self, params: Mapping[str, str]) -> Window:
        """See `Paging`."""
        return Window(
            _number(params, "offset", 0, least=0),
            _number(params, "limit", self.size, least=1, most=MOST),
        )


@dataclass(frozen=True)
class Whole:
    """The whole list in one answer."""

    params: tuple[str, ...] = ()
    """Parameters that change nothing; unless given, none is taken."""

    def window(self, params: Mapping[str, str]) -> Window:  # noqa: ARG002
        """See `Paging`."""
        return Window(0, sys.maxsize)


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
