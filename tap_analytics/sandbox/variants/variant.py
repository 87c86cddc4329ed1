"""What a variant is, and what a route's bodies look like without asking a server for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tap_analytics.sandbox.contract import Api, Found, Route
from tap_analytics.sandbox.paging import PageNumber, Whole, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Envelope

_ROWS = [b'{"id":"1"}', b'{"id":"2"}']
_SAMPLE = Found(_ROWS, 6, 1, last=1)
_PATH = "/api/2026-10-01/resources"


@dataclass(frozen=True)
class Variant:
    """One way in which a list may behave."""

    name: str
    says: str
    """What it does, in one sentence."""
    concerns: Callable[[Api, Route], bool]
    """Whether a list of an API may behave so, by what is declared of it."""
    change: Callable[[Api, Route], Route]
    """The list, behaving so."""


def is_list(route: Route) -> bool:
    """Whether a path gives rows, and not one object."""
    return not route.single and route.most != 1


def is_paged(route: Route) -> bool:
    """Whether a request can ask for a page that has not all rows."""
    return is_list(route) and not isinstance(route.paging, Whole)


def numbered(paging: Any) -> PageNumber | None:
    """The numbers of pages that a dialect has; None if it has none."""
    paging = getattr(paging, "pages", paging)
    return paging if isinstance(paging, PageNumber) else None


def sample(route: Route) -> Any:
    """A decoded body of the route: the first two of six rows."""
    return msgspec.json.decode(route.envelope(_SAMPLE, Window(0, 2), _PATH))


def edited(envelope: Envelope, edit: Callable[[Any, Found, Window], Any]) -> Envelope:
    """An envelope whose decoded bodies go through `edit`, which gives the body to send."""

    def changed(found: Found, window: Window, path: str) -> bytes:
        body = msgspec.json.decode(envelope(found, window, path))
        return msgspec.json.encode(edit(body, found, window))

    return changed


def at(body: Any, path: tuple[str, ...]) -> tuple[dict[str, Any], str] | None:
    """The object that has the last name of a path, and that name; None if there is none."""
    for name in path[:-1]:
        body = body.get(name) if isinstance(body, dict) else None
    if not path or not isinstance(body, dict) or path[-1] not in body:
        return None
    return body, path[-1]
