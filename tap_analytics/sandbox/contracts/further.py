"""Routes that are data alone: `further/<vendor>.json`, from the facts of the vendor.

To add a route, write two entries there and nothing else. Under `routes`, by stream: `path`, and
where they differ from the vendor's usual ones

- `paging`: `"whole"` for a list that comes in one answer;
- `records`: the names that lead to the rows, `[]` for bare ones; or `envelope`: the vendor's own
  name for a shape of its own;
- `parent`: the stream whose key stands last in the path, and `having`: the field that a row of it
  needs for a list below, or fields with the values that they may have;
- `single`: one object, and not a list; `absent`: the status where there is no such object;
- `inside`: the rows stand in those of `parent`; `like`: the stream with as many rows;
- `options`: the names of further parameters; `needs`: those that must be there; `where`: by
  parameter, the field that has to be equal; with `>=` or `<=` after it, a day that is not earlier
  or not later.

Under `streams`, its fields as in the tables beside the contracts (see `Weaver`); the first one is
the key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contract import Choice, Route
from tap_analytics.sandbox.contracts.tables import read
from tap_analytics.sandbox.paging import Whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_analytics.sandbox.contract import Api, Envelope, Found, Params
    from tap_analytics.sandbox.paging import Window


def with_further(api: Api) -> Api:
    """The vendor's API with the routes of its file."""
    name = f"further/{api.upstream}"
    further = tuple(
        _route(api, stream, **entry) for stream, entry in read(name).get("routes", {}).items()
    )
    return replace(api, routes=api.routes + further, tables=(*api.tables, name))


def under(names: Sequence[str], *, single: bool = False) -> Envelope:
    """An envelope with the rows, or the one object, where these names lead."""
    before = "".join(f'{{"{name}":' for name in names).encode()
    after = b"}" * len(names)

    def envelope(found: Found, _: Window, __: str) -> bytes:
        inner = (b"".join(found.rows[:1]) or b"{}") if single else found.array
        return before + inner + after

    return envelope


def _holds(row: Mapping[str, Any], field: str, wanted: str) -> bool:
    name, sign = field.rstrip("<>="), field[-2:]
    value = str(row[name])
    if sign in ("<=", ">="):
        day = value[:10]
        return row[name] is None or (day <= wanted if sign == "<=" else day >= wanted)
    return value == wanted


def _choose(where: Mapping[str, str], params: Params) -> Choice | None:
    """The rows for which every parameter that is given holds."""
    asked = [(field, params[name]) for name, field in where.items() if name in params]
    return Choice(lambda row: all(_holds(row, *one) for one in asked)) if asked else None


def _route(  # noqa: PLR0913
    api: Api,
    stream: str,
    *,
    path: str,
    paging: str = "",
    records: Sequence[str] | None = None,
    parent: str = "",
    single: bool = False,
    inside: bool = False,
    like: str = "",
    options: Sequence[str] = (),
    needs: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    having: str | Mapping[str, Sequence[Any]] = "",
    absent: int = 0,
    envelope: str = "",
) -> Route:
    whole = paging == "whole" or single
    names = api.records if records is None else records
    body = under(names, single=single)
    if envelope:
        body = api.shapes[envelope]
    elif api.usual and not whole:
        body = api.usual(names)
    more: dict[str, Any] = {}
    if having:
        more["having"] = partial(_has, having)
    if single:
        more |= {"single": True} if parent else {"most": 1}
    return Route(
        stream,
        path,
        Whole(api.paging.params) if whole else api.paging,
        body,
        parent=parent,
        inside=inside,
        like=like,
        absent=absent,
        options=dict.fromkeys((*options, *needs), ()),
        needs=tuple(needs),
        choose=partial(_choose, where) if where else None,
        **more,
    )


def _has(having: str | Mapping[str, Sequence[Any]], row: dict[str, Any]) -> bool:
    """Tell whether a row has what a list below it needs."""
    if isinstance(having, str):
        return bool(row[having])
    return all(row[name] in values for name, values in having.items())
