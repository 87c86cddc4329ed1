"""Variants of how a list is cut into pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.paging import AfterId, PageNumber, Whole
from tap_analytics.sandbox.variants.variant import Variant, edited, is_list, numbered, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Api, Found, Route
    from tap_analytics.sandbox.paging import Window

_BY_DEFAULT = 15
_MOST = 100


def _unpaged(_: Api, route: Route) -> bool:
    return is_list(route) and isinstance(route.paging, Whole) and not route.dates


def _by_default(**more: Any) -> Callable[[Api, Route], Route]:
    """Pages of 15 rows, unless another size is asked for by the API's usual parameter."""

    def change(api: Api, route: Route) -> Route:
        usual = numbered(api.paging)
        pages = PageNumber(
            usual.size_param if usual else "per_page", _BY_DEFAULT, most=100, capped=True
        )
        return replace(route, paging=pages, **more)

    return change


def _first(**how: Any) -> Callable[[Api, Route], Route]:
    def change(_: Api, route: Route) -> Route:
        pages = numbered(route.paging)
        return replace(route, paging=replace(pages, **how)) if pages else route

    return change


def _cursor_only(_: Api, route: Route) -> Route:
    paging = route.paging
    if isinstance(paging, AfterId):
        paging = replace(paging, numbers=False)
    return replace(route, paging=paging)


def _both(_: Api, route: Route) -> bool:
    return isinstance(route.paging, AfterId) and route.paging.numbers


def _with_total(api: Api, route: Route) -> Route:
    """Pages of 15 rows, with the total where the API's other lists have it."""

    def edit(body: Any, found: Found, _: Window) -> Any:
        *places, name = api.signals.total
        holder = body
        for place in places:
            holder = holder.setdefault(place, {})
        holder[name] = found.total
        return body

    return replace(_by_default()(api, route), envelope=edited(route.envelope, edit))


def _counts(api: Api, route: Route) -> bool:
    return _unpaged(api, route) and bool(api.signals.total) and isinstance(sample(route), dict)


def _sized(**how: Any) -> Callable[[Api, Route], Route]:
    """Pages as the API's other lists have them, whatever this one is said to allow."""

    def change(api: Api, route: Route) -> Route:
        pages = numbered(route.paging)
        how_many = {"most": _usual_most(api), **how}
        return replace(route, paging=replace(pages, **how_many)) if pages else route

    return change


def _usual_most(api: Api) -> int:
    usual = numbered(api.paging)
    return usual.most if usual else _MOST


def _is_larger(api: Api, route: Route) -> bool:
    pages = route.paging
    return (
        isinstance(pages, PageNumber) and bool(pages.size_param) and pages.most > _usual_most(api)
    )


def _unsure(_: Api, route: Route) -> bool:
    return route.unsure_first


VARIANTS = (
    Variant(
        "paged",
        "believed to come whole, it has 15 rows a page unless asked for more, up to 100",
        _unpaged,
        _by_default(),
    ),
    Variant(
        "paged-with-total",
        "like paged, and it says how many rows there are",
        _counts,
        _with_total,
    ),
    Variant(
        "paged-then-400",
        "like paged, and a page past the end is a bad request",
        _unpaged,
        _by_default(past_end=400),
    ),
    Variant(
        "paged-then-404",
        "like paged, and a page past the end is not found",
        _unpaged,
        _by_default(past_end=404),
    ),
    Variant(
        "paged-then-repeats",
        "like paged, and past the end comes the last page again",
        _unpaged,
        _by_default(repeats=True),
    ),
    Variant(
        "large-pages-refused",
        "a page of more rows than other lists allow is a bad request",
        _is_larger,
        _sized(),
    ),
    Variant(
        "large-pages-capped",
        "a page has no more rows than those of other lists, however many are asked for",
        _is_larger,
        _sized(capped=True),
    ),
    Variant(
        "zero-based",
        "the first page is page 0",
        _unsure,
        _first(first=0, twice=False),
    ),
    Variant(
        "one-based",
        "the first page is page 1, and page 0 is a bad request",
        _unsure,
        _first(first=1, twice=False),
    ),
    Variant(
        "zero-is-one",
        "the first page is page 1, and page 0 is the same page",
        _unsure,
        _first(first=1, twice=True),
    ),
    Variant(
        "cursor-only",
        "the number of the page is ignored; only the cursor leads on",
        _both,
        _cursor_only,
    ),
)
