"""Variants of what says that a list has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.variants.variant import Variant, at, edited, is_paged, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Api, Found, Route
    from tap_analytics.sandbox.paging import Window

    Count = Callable[[Found, Window], int]


def _says(api: Api, route: Route, *names: str) -> bool:
    """Whether the bodies of a paged list have one of these signals."""
    if not is_paged(route):
        return False
    body = sample(route)
    return any(at(body, getattr(api.signals, name)) for name in names)


def _without(*names: str, **more: Any) -> Callable[[Api, Route], Route]:
    """The list without these signals."""

    def change(api: Api, route: Route) -> Route:
        def edit(body: Any, _: Found, __: Window) -> Any:
            for name in names:
                place = at(body, getattr(api.signals, name))
                if place:
                    del place[0][place[1]]
            return body

        return replace(route, envelope=edited(route.envelope, edit), **more)

    return change


def _counting(count: Count) -> Callable[[Api, Route], Route]:
    """The list with a total, and a number of pages, of something else."""

    def change(api: Api, route: Route) -> Route:
        def edit(body: Any, found: Found, window: Window) -> Any:
            total = count(found, window)
            for path, number in (
                (api.signals.total, total),
                (api.signals.pages, -(-total // window.limit)),
            ):
                place = at(body, path)
                if place:
                    place[0][place[1]] = number
            return body

        return replace(route, envelope=edited(route.envelope, edit))

    return change


def _blank(api: Api, route: Route) -> Route:
    def edit(body: Any, _: Found, __: Window) -> Any:
        place = at(body, api.signals.following)
        if place and place[0][place[1]] is None:
            place[0][place[1]] = ""
        return body

    return replace(route, envelope=edited(route.envelope, edit))


def _totals(api: Api, route: Route) -> bool:
    return _says(api, route, "total", "pages")


def _any_signal(api: Api, route: Route) -> bool:
    return _says(api, route, *api.signals._fields)


def _paged(_: Api, route: Route) -> bool:
    return is_paged(route)


def _more(api: Api, route: Route) -> bool:
    return _says(api, route, "more") and _says(api, route, "total", "pages", "following")


def _following(api: Api, route: Route) -> bool:
    return _says(api, route, "following")


_ALL = ("total", "pages", "more", "following")

VARIANTS = (
    Variant(
        "no-totals",
        "it does not say how many rows there are",
        _totals,
        _without("total", "pages"),
    ),
    Variant(
        "totals-of-the-page",
        "its total counts the rows of this page alone",
        _totals,
        _counting(lambda found, _: len(found.rows)),
    ),
    Variant(
        "totals-of-others",
        "its total counts something else, fewer than the rows",
        _totals,
        _counting(lambda found, _: found.total // 2),
    ),
    Variant(
        "only-more",
        "nothing but whether there is another page tells its end",
        _more,
        _without("total", "pages", "following"),
    ),
    Variant(
        "only-empty",
        "nothing but an empty page tells its end",
        _any_signal,
        _without(*_ALL),
    ),
    Variant(
        "repeats",
        "nothing tells its end, and past it comes the last page again",
        _paged,
        _without(*_ALL, repeats=True),
    ),
    Variant(
        "ends-with-400",
        "nothing tells its end, and a page past it is a bad request",
        _paged,
        _without(*_ALL, past_end=400),
    ),
    Variant(
        "ends-with-404",
        "nothing tells its end, and a page past it is not found",
        _paged,
        _without(*_ALL, past_end=404),
    ),
    Variant(
        "blank-link",
        "its link to the next page is an empty text at the end, and not null",
        _following,
        _blank,
    ),
)
