"""Variants of what a body wraps its rows in, and of lists that are not there at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.variants.variant import Variant, edited, is_list, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Api, Envelope, Found, Route
    from tap_analytics.sandbox.paging import Window


def _refused(status: int) -> Variant:
    return Variant(
        f"absent-{status}",
        f"the account does not have it: every request is answered with {status}",
        lambda _, __: True,
        lambda _, route: replace(route, refusal=status),
    )


def _wrapped(envelope: Envelope) -> Callable[[Api, Route], Route]:
    return lambda _, route: replace(route, envelope=envelope)


def _place(body: Any) -> tuple[Any, Any] | None:
    """What holds the rows in a body, and under which name; None where they are the body."""
    for name, inner in body.items() if isinstance(body, dict) else ():
        if isinstance(inner, list):
            return body, name
        found = _place(inner)
        if found:
            return found
    return None


def _rewritten(edit: Callable[[list[Any]], Any]) -> Callable[[Api, Route], Route]:
    """The list with something else in the place of its rows."""

    def changed(body: Any, _: Found, __: Window) -> Any:
        place = _place(body)
        if place is None:
            return edit(body) if isinstance(body, list) else body
        holder, name = place
        holder[name] = edit(holder[name])
        return body

    return lambda _, route: replace(route, envelope=edited(route.envelope, changed))


def _is_wrapped(_: Api, route: Route) -> bool:
    return is_list(route) and isinstance(sample(route), dict)


def _is_bare(_: Api, route: Route) -> bool:
    if not is_list(route):
        return False
    body = sample(route)
    return isinstance(body, list) or "data" not in body


def _has_rules(_: Api, route: Route) -> bool:
    return route.stream.endswith("_rules")


def _list(_: Api, route: Route) -> bool:
    return is_list(route) and not route.stream.endswith("_rules")


VARIANTS = (
    *(_refused(status) for status in (402, 403, 404, 422)),
    Variant(
        "bare",
        "its body is the array of rows, without a word about the list",
        _is_wrapped,
        _wrapped(lambda found, _, __: found.array),
    ),
    Variant(
        "under-data",
        "its rows are under `data`",
        _is_bare,
        _wrapped(lambda found, _, __: b'{"data":%b}' % found.array),
    ),
    Variant(
        "one-object",
        "a single row comes as an object, and not in an array",
        _list,
        _rewritten(lambda rows: rows[0] if len(rows) == 1 else rows),
    ),
    Variant(
        "null-if-empty",
        "an empty list is null",
        _list,
        _rewritten(lambda rows: rows or None),
    ),
    Variant(
        "rules-in-one-object",
        "its rules are under `data.rules`",
        _has_rules,
        _wrapped(lambda found, _, __: b'{"data":{"rules":%b}}' % found.array),
    ),
    Variant(
        "rules-flat",
        "its rules are under `data`, each for itself",
        _has_rules,
        _wrapped(lambda found, _, __: b'{"data":%b}' % found.array),
    ),
)
