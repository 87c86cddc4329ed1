"""Routes that are declared as data alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contracts.tables import tables_of

from .vendors import FURTHER

if TYPE_CHECKING:
    from .vendors import Vendors


def rows_in(body: Any, number: int) -> bool:
    """Whether a body has a list of so many rows somewhere, or is one row."""
    if isinstance(body, list):
        return len(body) == number
    return any(rows_in(inner, number) for inner in body.values() if isinstance(inner, dict | list))


def test_each_serves_its_rows_under_unique_keys(vendors: Vendors) -> None:
    store = vendors.sandbox.store
    assert len(FURTHER) > 200
    for stream, (api, route) in FURTHER.items():
        expected = store.expected(stream)
        assert expected, stream
        key, kind = next(iter(tables_of(api)[0][stream].items()))
        if str(kind).startswith(("=digits", "=hex", "=serial", "=uuid", "=code")):
            keys = {(*map(row.get, route.contexts), str(row[key])) for row in expected}
            assert len(keys) == len(expected), stream
        if route.inside:
            continue
        path = vendors.first(stream)
        body = vendors.body(api.name, path, **vendors.needed(stream))
        if route.single or route.most == 1:
            assert isinstance(body, dict), stream
            continue
        if route.needs or route.envelope in api.shapes.values():
            continue
        whose = [expected[0].get(name) for name in route.contexts]
        under = [row for row in expected if [row.get(name) for name in route.contexts] == whose]
        usual = 100 if api.name in ("workforce", "status_page", "experimentation") else 50
        most = len(under) if not route.paging.params else usual
        sizes = {min(len(under), most), min(len(under), 15), len(under)}
        assert any(rows_in(body, size) for size in sizes), (stream, sizes)
