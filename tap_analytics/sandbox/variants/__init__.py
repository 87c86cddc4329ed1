"""Ways in which a vendor may behave, where its facts leave open how it does.

A variant is a change of a route. Which routes it concerns follows from what they declare, so that
a route that is added has its variants without a word about them.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tap_analytics.sandbox.variants import bodies, paging, rows, signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_analytics.sandbox.contract import Api, Route
    from tap_analytics.sandbox.variants.variant import Variant

VARIANTS: tuple[Variant, ...] = (
    *paging.VARIANTS,
    *signals.VARIANTS,
    *bodies.VARIANTS,
    *rows.VARIANTS,
)
_BY_NAME = {variant.name: variant for variant in VARIANTS}


def vendor_of(api: Api) -> str:
    """The word that names an API in a variant: its vendor's, or its own where it has none."""
    return api.upstream or api.name


def _concerns(variant: Variant, api: Api, route: Route) -> bool:
    """Whether a list may behave so; what stands in the rows of another is no list of its own."""
    return not route.inside and variant.concerns(api, route)


def variants(apis: Sequence[Api]) -> dict[str, tuple[str, ...]]:
    """The names of the variants that concern each list, by `vendor.stream`."""
    found: dict[str, list[str]] = {}
    for api in apis:
        for route in api.routes:
            names = found.setdefault(f"{vendor_of(api)}.{route.stream}", [])
            names += [
                variant.name
                for variant in VARIANTS
                if variant.name not in names and _concerns(variant, api, route)
            ]
    return {name: tuple(names) for name, names in found.items()}


def vary(apis: Sequence[Api], chosen: Iterable[str]) -> tuple[Api, ...]:
    """The APIs with the variants `chosen`, each as `vendor.stream=variant`.

    `*` stands for every stream of the vendor that the variant concerns.

    Raises:
        ValueError: There is no such list, or no such variant of it.
    """
    varied = tuple(apis)
    for choice in chosen:
        place, _, name = choice.partition("=")
        vendor, _, stream = place.partition(".")
        streams = _meant(apis, vendor, stream, name)
        varied = tuple(
            _changed(api, _BY_NAME[name], streams) if vendor_of(api) == vendor else api
            for api in varied
        )
    return varied


def listing(apis: Sequence[Api]) -> str:
    """Every variant with one sentence, and the lists that it concerns."""
    by_list = variants(apis)
    lines = []
    for variant in VARIANTS:
        concerned = _folded(by_list, variant.name)
        lines += [f"{variant.name}: {variant.says}", *concerned, ""] if concerned else []
    return "\n".join(lines)


def _folded(by_list: Mapping[str, Iterable[str]], name: str) -> list[str]:
    """The lists of each vendor that a variant concerns, on a line."""
    streams: dict[str, list[str]] = {}
    others = set()
    for place, names in by_list.items():
        vendor, stream = place.split(".")
        if name in names:
            streams.setdefault(vendor, []).append(stream)
        else:
            others.add(vendor)
    return [
        f"  {vendor}.{f' {vendor}.'.join(found) if vendor in others else '*'}"
        for vendor, found in streams.items()
    ]


def _meant(apis: Sequence[Api], vendor: str, stream: str, name: str) -> set[str]:
    """The streams that a choice is about."""
    api = next((api for api in apis if vendor_of(api) == vendor), None)
    if api is None:
        raise ValueError(_unknown("API", vendor, map(vendor_of, apis)))
    streams = {route.stream for route in api.routes}
    if stream not in {*streams, "*"}:
        raise ValueError(_unknown(f"list of {vendor}", stream, streams))
    meant = streams if stream == "*" else {stream}
    routes = [route for route in api.routes if route.stream in meant]
    variant = _BY_NAME.get(name)
    if variant is None or not any(_concerns(variant, api, route) for route in routes):
        known = {v.name for v in VARIANTS for route in routes if _concerns(v, api, route)}
        raise ValueError(_unknown(f"variant of {vendor}.{stream}", name, known))
    return meant


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
    return f"no {what} is named {name!r}; {hint}"


def _changed(api: Api, variant: Variant, streams: set[str]) -> Api:
    routes = tuple(
        variant.change(api, route)
        if route.stream in streams and _concerns(variant, api, route)
        else route
        for route in api.routes
    )
    return replace(api, routes=routes)
