"""What an API promises, as data: its paths, and how it pages, wraps, refuses and authorizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.paging import Paging, Window


class Found(NamedTuple):
    """The rows of one page."""

    rows: list[bytes]
    """Each as JSON."""
    total: int
    """Rows in the whole list."""
    parent: int
    """The index of the parent they belong to; 0 without one."""

    @property
    def array(self) -> bytes:
        """The rows as a JSON array."""
        return b"[%b]" % b",".join(self.rows)


@dataclass(frozen=True)
class Route:
    """One path of an API."""

    stream: str
    path: str
    """May have one `{placeholder}` that stands for the key of a row of `parent`."""
    paging: Paging
    envelope: Callable[[Found, Window, str], bytes]
    """`(rows, part asked for, path)` to the body."""
    parent: str = ""
    single: bool = False
    """Each parent has exactly one row."""
    dates: tuple[str, ...] = ()
    """Required parameters that are days (YYYY-MM-DD)."""
    most: int | None = None
    """The most rows the list may have, whatever the size of the sandbox."""
    authorization: tuple[str, str] | None = None
    """Header and value, where they are not the API's own."""

    @property
    def context(self) -> str:
        """The name under which a request says whose rows it wants; empty if it need not."""
        placeholder = re.search(r"{(\w+)}", self.path)
        if placeholder:
            return placeholder[1]
        return self.dates[0] if len(self.dates) == 1 else ""


@dataclass(frozen=True)
class Api:
    """One of the five APIs."""

    name: str
    routes: tuple[Route, ...]
    error: Callable[[int, str], object]
    """`(status, message)` to the body of a refusal."""
    settings: dict[str, str]
    """The secrets, by the names of the tap's settings without the API's own name."""
    authorization: tuple[str, str]
    """Header (lower case) and value that every request must bring."""


def json(value: object) -> bytes:
    """JSON, as every body has it."""
    return msgspec.json.encode(value)
