"""Every reference that a stream declares leads to a row that the sandbox has."""

from __future__ import annotations

from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.registry import references
from tap_analytics.sandbox import Store
from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tap_analytics.sandbox.data.ties import tied

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 30
STORES = (Store(ROWS), Store(ROWS, apis=UPSTREAMS))
SERVED = [{route.stream for api in apis for route in api.routes} for apis in (APIS, UPSTREAMS)]
"""Where two streams come from one list, one of them."""
POINTING = {"workforce_time": dict.fromkeys(("id", "pages", "worker", "up", "first"), "x.id")}


def declared() -> Iterator[tuple[Store, str, str, str]]:
    """Yield every reference with the store that both its streams are in."""
    for package in PACKAGES:
        vendors = [vendor.streams for vendor in package.upstreams.values()]
        for store, served, lists in zip(
            STORES, SERVED, ([package.documented], vendors), strict=True
        ):
            every: list[Any] = [stream for streams in lists for stream in streams]
            for stream in (one for one in every if one.name in served):
                parent = stream.parent_stream_type
                asked = {*parent.child_keys} - {*placeholders(stream)} if parent else set()
                for column, target in references(stream).items():
                    known = column not in asked  # the others only the tap knows of a list
                    if known and target.partition(".")[0] in served:
                        yield store, str(stream.name), column, target


def placeholders(stream: Any) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(stream.path) if name]


@cache
def values(store: Store, stream: str, column: str) -> set[str]:
    found = (row.get(column) for row in store.expected(stream))
    return {str(value) for value in found if value is not None}


def test_what_points_to_a_row_finds_it() -> None:
    every = list(declared())
    assert len(every) > 100
    lost = {
        (stream, column): sorted(missing)
        for store, stream, column, target in every
        if (missing := values(store, stream, column) - values(store, *target.split(".")))
    }
    assert lost == {}
    served = [
        (store, stream, column)
        for store, stream, column, _ in every
        if any(column in row for row in store.expected(stream))
    ]
    assert [place[1:] for place in served if not values(*place)] == []


def test_both_kinds_of_api_are_looked_at() -> None:
    assert {len(APIS), len(UPSTREAMS)} == {len(PACKAGES)}


def test_a_table_is_tied_as_declared() -> None:
    """Marks stay, keys come once, what follows from parent or children stays, as what is named."""
    of_its_own = {"up": "=up id", "first": "=first y"}
    fields = {"id": "=digits 1", "pages worker note?": "digits", **of_its_own}
    assert tied("workforce_time", fields, POINTING) == {
        "id": "=at x.id",
        "pages?": "=ref x.id",
        "worker?": "=ref x.id",
        "note?": "digits",
        **of_its_own,
    }
    inside = {"ids": [{"pages worker?": "wide", "up": "digits"}, 2]}
    assert tied("workforce_time", {"id": "=digits 1", **inside}, POINTING)["ids"] == [
        {"pages?": "=ref x.id", "worker?": "=ref x.id", "up": "=ref x.id"},
        2,
    ]
    assert tied("x", {"no": "=serial 1", "id?": "=hex 4"}, POINTING)["id"] == "=hex 4"
