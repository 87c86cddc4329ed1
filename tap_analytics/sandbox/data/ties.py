"""Columns that hold keys of other streams, as the tap declares them: every join finds its rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_analytics.apis import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.sandbox.contract import Api

    References = Mapping[str, Mapping[str, str]]


def references(api: Api) -> References:
    """By stream, its columns that point to others, each with the `stream.column` it points to.

    What points into a list that is not served by its name, such as one inside the rows of
    another, is left out.
    """
    served = {route.stream for route in api.routes}
    found = {}
    for family in PACKAGES:
        vendor = family.upstreams.get(api.upstream)
        if family.api.name == api.name and (vendor or not api.upstream):
            streams: tuple[Any, ...] = vendor.streams if vendor else family.documented
            found = {
                str(stream.name): {
                    column: target
                    for column, target in stream.references.items()
                    if target.partition(".")[0] in served
                }
                for stream in streams
            }
    return found


def tied(stream: str, fields: Mapping[str, Any], every: References) -> dict[str, Any]:
    """A stream's table of fields in which what points to another stream has a key of it.

    What others point to is never null. The first field, the key, has those of the other stream
    in their order, each once, unless its table has others of them (`=ref`). What follows from the
    row's own parent (`=up`) or children (`=first`) stays as it is. A column that the rows do not
    have is looked for in what they hold: the tap takes it out.
    """
    own = every.get(stream, {})
    wanted = {target for targets in every.values() for target in targets.values()}
    key, *_ = fields
    own_names = {name for names in fields for name in _names(names)}
    deeper = {name: target for name, target in own.items() if name not in own_names}
    table: dict[str, Any] = {}
    for names, kind in fields.items():
        word = "at" if names == key else "ref"
        for name in _names(names):
            shown = name if f"{stream}.{name}" in wanted else name + _mark(names)
            settled = ("=up", "=ref") if names == key else ("=up", "=first")
            pointing = name in own and not str(kind).startswith(settled)
            table[shown] = f"={word} {own[name]}" if pointing else _inside(kind, deeper)
    return table


def _inside(kind: Any, own: Mapping[str, str]) -> Any:
    """A kind in which fields of objects, by their names, point to other streams."""
    if isinstance(kind, list):
        inner, most = kind
        return [_inside(inner, own), most]
    if not isinstance(kind, dict) or not own:
        return kind
    return {
        name + _mark(names): f"=ref {own[name]}" if name in own else _inside(inner, own)
        for names, inner in kind.items()
        for name in _names(names)
    }


def _names(names: str) -> list[str]:
    return re.findall(r"[^ ?~]+", names)


def _mark(names: str) -> str:
    return names[-1] if names[-1] in "?~" else ""
