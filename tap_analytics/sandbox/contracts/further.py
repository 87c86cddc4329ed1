"""Routes that are data alone: `further/<vendor>.json`, from the facts of the vendor.

To add a route, write two entries there and nothing else. Under `routes`, by stream: `path`, in
which `.+` is anything that follows from what is in the path before it, and where they differ from
the vendor's usual ones

- `paging`: `"whole"` for a list that comes in one answer, `"offset"` or `"limit"` with the most
  rows of a page for `offset` and `limit`, or `page` and `limit`; `total` and `more`: the names
  that lead to how many rows there are, and to whether there is another page;
- `records`: the names that lead to the rows, `[]` for bare ones; or `envelope`: the vendor's own
  name for a shape of its own;
- `parent`: the stream whose key stands last in the path, and `having`: the field that a row of it
  needs for a list below, or fields with the values that they may have;
- `single`: one object, and not a list; `absent`: the status where there is no such object;
- `stamp`: the field with the time of a row, where the source forgets old ones;
- `inside`: the rows stand in those of `parent`; `like`: the stream with as many rows;
- `options`: the names of further parameters; `needs`: those that must be there, which
  with their values tell lists on one path apart; `where`: by
  parameter, the field that has to be equal; with `>=` or `<=` after it, a day that is not earlier
  or not later;
- `sorts`: by parameter, the field with the time that `asc` or `desc` sort by.

Under `streams`, its fields as in the tables beside the contracts (see `Weaver`); the first one is
the key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contract import Choice, Route
from tap_analytics.sandbox.contracts.tables import read
from tap_analytics.sandbox.paging import Offset, PageNumber, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_analytics.sandbox.contract import Api, Envelope, Found, Params
    from tap_analytics.sandbox.paging import Paging, Window


def with_further(api: Api) -> Api:
    """The vendor's API with the routes of its file."""
    name = f"further/{api.upstream}"
    further = tuple(
        _route(api, stream, **entry) for stream, entry in read(name).get("routes", {}).items()
    )
    return replace(api, routes=api.routes + further, tables=(*api.tables, name))


def under(
    names: Sequence[str],
    *,
    single: bool = False,
    total: Sequence[str] = (),
    more: Sequence[str] = (),
) -> Envelope:
    """An envelope with the rows, or the one object, where these names lead.

    Others may lead to how many rows there are, and to whether there is another page.
    """

    def envelope(found: Found, window: Window, _: str) -> bytes:
        inner = (b"".join(found.rows[:1]) or b"{}") if single else found.array
        left = found.total > window.offset + len(found.rows)
        signals = [(total, b"%d" % found.total), (more, b"true" if left else b"false")]
        said = [_nested(path, value)[1:-1] for path, value in signals if path]
        body = _nested(names, inner)
        return b"{%b}" % b",".join([body[1:-1], *said]) if said else body

    return envelope


def _nested(names: Sequence[str], inner: bytes) -> bytes:
    before = "".join(f'{{"{name}":' for name in names).encode()
    return before + inner + b"}" * len(names)


def _paging(kind: str, usual: Paging) -> Paging:
    """How a list is paged, from what its entry says; as usual where it says nothing."""
    name, _, most = kind.partition(" ")
    if name == "offset":
        return Offset(int(most), most=int(most), needed=True)
    if name == "limit":
        return PageNumber("limit", int(most), most=int(most))
    return Whole(usual.params) if name == "whole" else usual


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
    stamp: str = "",
    options: Sequence[str] = (),
    needs: Sequence[str] | Mapping[str, Sequence[str]] = (),
    total: Sequence[str] = (),
    more: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    sorts: Mapping[str, str] | None = None,
    having: str | Mapping[str, Sequence[Any]] = "",
    absent: int = 0,
    envelope: str = "",
) -> Route:
    paged = _paging("whole" if single else paging, api.paging)
    names = api.records if records is None else records
    body = under(names, single=single, total=total, more=more)
    if envelope:
        body = api.shapes[envelope]
    elif api.usual and paged is api.paging:
        body = api.usual(names)
    values = needs if isinstance(needs, dict) else dict.fromkeys(needs, ())
    others: dict[str, Any] = {}
    if having:
        others["having"] = partial(_has, having)
    if single:
        others |= {"single": True} if parent else {"most": 1}
    return Route(
        stream,
        path,
        paged,
        body,
        parent=parent,
        inside=inside,
        like=like,
        stamp=stamp,
        absent=absent,
        options={**dict.fromkeys(options, ()), **values},
        needs=tuple(needs),
        choose=partial(_choose, where) if where else None,
        sorts=sorts or {},
        **others,
    )


def _has(having: str | Mapping[str, Sequence[Any]], row: dict[str, Any]) -> bool:
    """Tell whether a row has what a list below it needs."""
    if isinstance(having, str):
        return bool(row[having])
    return all(row[name] in values for name, values in having.items())
