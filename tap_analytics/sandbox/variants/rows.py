"""Variants of keys, of values and of what a source forgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contracts.tables import tables_of
from tap_analytics.sandbox.variants.variant import Variant, is_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Api, Route

    Row = dict[str, Any]
    Value = Callable[[Any], Any]

_EVERY = 5
_KEEPS = 180


def _fields(api: Api, route: Route) -> dict[str, Any]:
    """The kinds of a list's fields, each under its own name with what marks it."""
    return {
        name: kind
        for names, kind in tables_of(api)[0][route.stream].items()
        for name in (part + "?" * (names[-1] in "?~") for part in names.strip("?~").split())
    }


def _key(api: Api, route: Route) -> str:
    """The field that the table of fields begins with."""
    return next(iter(_fields(api, route)))


def _parents(api: Api) -> set[str]:
    return {route.parent for route in api.routes}


def _missing(api: Api, route: Route) -> Route:
    key = _key(api, route)

    def change(index: int, row: Row) -> None:
        if index % _EVERY == 2:  # noqa: PLR2004
            row.pop(key, None)

    return replace(route, change=change)


def _counted(api: Api, route: Route) -> Route:
    key = _key(api, route)

    def change(index: int, row: Row) -> None:
        row[key] = index + 1 if isinstance(row[key], int) else f"{index + 1:012x}"

    return replace(route, change=change)


def _in_place_of(concerned: Callable[[str, Any], bool], value: Value) -> Callable[..., Route]:
    """Another value in every fifth row, in the fields whose name and kind are concerned."""

    def make(api: Api, route: Route) -> Route:
        names = _concerned(api, route, concerned)

        def change(index: int, row: Row) -> None:
            if index % _EVERY == 2:  # noqa: PLR2004
                for name in names & row.keys():
                    row[name] = value(row[name])

        return replace(route, change=change)

    return make


def _concerned(api: Api, route: Route, test: Callable[[str, Any], bool]) -> frozenset[str]:
    return frozenset(
        name.rstrip("?") for name, kind in _fields(api, route).items() if test(name, kind)
    )


def _is_object(_: str, kind: Any) -> bool:
    return isinstance(kind, dict) or kind == "object"


def _is_integer(_: str, kind: Any) -> bool:
    return isinstance(kind, str) and kind.startswith("int ")


def _is_number(_: str, kind: Any) -> bool:
    return isinstance(kind, str) and kind.split(" ")[0] in ("int", "number")


def _is_optional(name: str, kind: Any) -> bool:
    return name.endswith("?") and not (isinstance(kind, str) and kind.startswith("="))


def _value(name: str, says: str, concerned: Callable[[str, Any], bool], value: Value) -> Variant:
    def has(api: Api, route: Route) -> bool:
        return bool(_concerned(api, route, concerned))

    return Variant(name, says, has, _in_place_of(concerned, value))


def _may_lack(api: Api, route: Route) -> bool:
    """Whether nothing else hangs on the key of a list."""
    return is_list(route) and route.stream not in _parents(api) and _key(api, route) == "id"


def _is_below(api: Api, route: Route) -> bool:
    is_asked = _may_lack(api, route) and bool(route.parent) and bool(route.context)
    return is_asked and not _stands_inside(api, route)


def _stands_inside(api: Api, route: Route) -> bool:
    """Whether the rows above show the rows of a list, so that nobody asks for it."""
    above = (one for one in api.routes if one.stream == route.parent)
    return any(f"=rows {route.stream}" in _fields(api, one).values() for one in above)


VARIANTS = (
    Variant("key-missing", "every fifth row has no key", _may_lack, _missing),
    Variant(
        "key-within-parent",
        "its keys count the rows of each parent, and come again below the next one",
        _is_below,
        _counted,
    ),
    _value(
        "scalars-for-objects",
        "a text stands where an object was documented",
        _is_object,
        lambda value: value if value is None else "a scalar",
    ),
    _value(
        "fractions",
        "a fraction stands where an integer was documented",
        _is_integer,
        lambda value: value if value is None else value + 0.5,
    ),
    _value(
        "texts-for-numbers",
        "a number is written as a text",
        _is_number,
        lambda value: value if value is None else str(value),
    ),
    _value(
        "blanks",
        "an empty text stands for none",
        _is_optional,
        lambda value: "" if value is None else value,
    ),
    Variant(
        "unsorted",
        "the order that is asked for is not the order of its changes",
        lambda _, route: bool(route.sorts),
        lambda _, route: replace(route, sorts={}),
    ),
    Variant(
        "forgets",
        f"rows older than {_KEEPS} days are gone from the source",
        lambda _, route: bool(route.stamp),
        lambda _, route: replace(route, keeps=_KEEPS),
    ),
)
