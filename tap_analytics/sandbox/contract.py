"""What an API promises, as data: its paths, and how it pages, wraps, refuses and authorizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_analytics.sandbox.paging import Whole

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


Envelope = Callable[["Found", "Window", str], bytes]
"""`(rows, part asked for, path)` to the body."""
Change = Callable[[int, dict[str, Any]], None]
"""Changes a row, of which the index is given, on its way out."""


Drift = Callable[[int, int, int, dict[str, Any]], None]
"""`(days, index of the parent, index, row)`: changes the row as so many days do."""


class Found(NamedTuple):
    """The rows of one page."""

    rows: list[bytes]
    """Each as JSON."""
    total: int
    """Rows in the whole list."""
    parent: int
    """The index of the parent they belong to; 0 without one."""
    offset: int = 0
    """Rows of the list before them."""
    last: int = -1
    """The index of the last of them, which stays when others are deleted."""
    params: Params = MappingProxyType({})
    """What the request asked for."""

    @property
    def array(self) -> bytes:
        """The rows as a JSON array."""
        return b"[%b]" % b",".join(self.rows)


@dataclass(frozen=True)
class Route:
    """One path of an API."""

    stream: str
    path: str
    """May have a `{placeholder}` for the key of a row of `parent`, after one for each above it."""
    paging: Paging
    envelope: Envelope
    parent: str = ""
    single: bool = False
    """Each parent has exactly one row."""
    inside: bool = False
    """Whether the rows stand in those of `parent`, so that no request asks for them."""
    like: str = ""
    """The stream with as many rows, where it has a row for each of another's."""
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
    sorts: Params = field(default_factory=dict)
    """Parameters that ask for an order, `asc` or `desc`, each with the field that has its time."""
    widest: Params = field(default_factory=dict)
    """Parameters that choose all there is to see."""
    authorization: tuple[str, str] | None = None
    """Header and value, where they are not the API's own."""
    unsure_first: bool = False
    """Whether the vendor's facts leave open what number the first page has."""
    stamp: str = ""
    """The field with the time of a row, in a list whose source forgets old rows."""
    keeps: int | None = None
    """How many days a row with `stamp` is kept; None for all days."""
    drift: Drift | None = None
    """What changes in a row, silently, in the days that the store's clock went on."""
    change: Change | None = None
    """What is other in the rows than in those that the tables of fields make."""
    refusal: int = 0
    """The status that answers every request; 0 if there is none."""
    absent: int = 0
    """The status that answers where there is no such single object; 0 for an empty one."""
    past_end: int = 0
    """The status that answers a page past the end; 0 for an empty page."""
    repeats: bool = False
    """Whether the last page is what comes past the end."""

    @property
    def contexts(self) -> tuple[str, ...]:
        """The names under which a request says whose rows it wants; none if it need not."""
        if self.view:
            return ()
        placeholders = re.findall(r"{(\w+)}", self.path)
        return tuple(placeholders) or (self.dates if len(self.dates) == 1 else ())

    @property
    def context(self) -> str:
        """The last of them; empty if there is none."""
        return "".join(self.contexts[-1:])


class Signals(NamedTuple):
    """Where the bodies of an API speak of the whole list, as paths; empty for nowhere."""

    total: tuple[str, ...] = ()
    """How many rows there are."""
    pages: tuple[str, ...] = ()
    """How many pages there are."""
    more: tuple[str, ...] = ()
    """Whether there is another page."""
    following: tuple[str, ...] = ()
    """A link to the next page; null at the end."""


class Grant(NamedTuple):
    """Who may have a token renewed, and where (OAuth 2, refresh grant)."""

    path: str
    client_id: str
    client_secret: str
    refresh_token: str
    days: int
    """How long a token lives."""


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
    paging: Paging = Whole()  # noqa: RUF009 - it never changes
    """How lists are paged unless they say otherwise."""
    signals: Signals = Signals()  # noqa: RUF009
    announces: bool = False
    """Whether headers tell how much of the quota is left."""
    retry_after: int | None = None
    """Seconds that a refusal by the quota tells to wait."""
    grant: Grant | None = None
    """How the token of `authorization` is renewed; None for one that lives for ever."""
    records: tuple[str, ...] = ()
    """The names that lead to the rows, unless a further route says others."""
    usual: Callable[[Sequence[str]], Envelope] | None = None
    """The envelope of its paged lists with the rows where these names lead."""
    shapes: Mapping[str, Envelope] = field(default_factory=dict)
    """Envelopes of lists in a shape of their own, by the names that further routes use."""
    tables: tuple[str, ...] = ()
    """Files with the fields of the streams; later ones add to earlier ones."""


def json(value: object) -> bytes:
    """JSON, as every body has it."""
    return msgspec.json.encode(value)
