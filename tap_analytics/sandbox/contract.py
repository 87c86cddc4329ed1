"""What an API promises, as data: its paths, and how it pages, wraps, refuses and authorizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from tap_analytics.sandbox.paging import Paging, Window


Params = Mapping[str, str]
Keep = Callable[[dict[str, Any]], bool]
"""Tells whether a row is among those that are asked for."""


class Choice(NamedTuple):
    """Which rows of a list a request wants, and in which order."""

    keep: Keep | None = None
    order: Callable[[dict[str, Any]], Any] | None = None
    descending: bool = False


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
    exactly: int | None = None
    """How many rows the list has, whatever the size of the sandbox."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further parameters, with the values they take; any value if there are none."""
    needs: tuple[str, ...] = ()
    """Those of `options` that must be there. Where routes share a path, they tell them apart."""
    view: str = ""
    """The name of the parent through which the list is seen; it is nobody's child for that."""
    having: Keep | None = None
    """Which rows of `parent` have a list below them; unless given, all."""
    choose: Callable[[Params], Choice | None] | None = None
    """What the parameters choose; None for all rows as they are."""
    widest: Params = field(default_factory=dict)
    """Parameters that choose all there is to see."""
    authorization: tuple[str, str] | None = None
    """Header and value, where they are not the API's own."""

    @property
    def context(self) -> str:
        """The name under which a request says whose rows it wants; empty if it need not."""
        if self.view:
            return ""
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
    unauthorized: int = 401
    """The status of what `error` is asked about as 401: a missing or wrong header."""
    upstream: str = ""
    """The vendor whose API it is as it really is; empty for the documented one."""
    prefixes: tuple[str, ...] = ("",)
    """What the paths of all routes may begin with."""
    tables: tuple[str, ...] = ()
    """Files with the fields of the streams; later ones add to earlier ones."""


def json(value: object) -> bytes:
    """JSON, as every body has it."""
    return msgspec.json.encode(value)
