"""Pages, totals and the ends of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .client import PAGED, ROUTES, TOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client

SIZES = {"workforce": 2, "status_page": 100, "experimentation": 100, "sales": 50, "esignature": 20}
ONE_EACH = ["tasks", "pages", "gates", "accounts", "crm_contacts"]
"""A paged list of each API."""


def test_documented_sizes(open_client: Callable[..., Client]) -> None:
    """A page has the documented size unless the request asks for another."""
    client = open_client(records=101)
    for stream in PAGED:
        if stream in TOP:
            assert len(client.page(stream)) == SIZES[ROUTES[stream][0].name], stream


@pytest.mark.parametrize("records", [0, 1, 4, 5, 6, 9, 10, 11])
def test_lists_that_end_at_and_around_a_page(
    open_client: Callable[..., Client], records: int
) -> None:
    """All rows come, whatever the last page holds."""
    client = open_client(records=records)
    for stream in ONE_EACH:
        rows = client.walk(stream, 5)
        assert len(rows) == records
        assert rows == list(client.sandbox.store.rows(ROUTES[stream][0].name, stream))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(1, 60), stream=st.sampled_from([s for s in PAGED if s in TOP]))
def test_the_size_of_pages_changes_nothing(shared: Client, size: int, stream: str) -> None:
    """The rows of all pages together are the rows of the store."""
    assert shared.walk(stream, size) == list(
        shared.sandbox.store.rows(ROUTES[stream][0].name, stream)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("stream", [s for s, (_, route) in ROUTES.items() if route.context])
def test_lists_below_others(shared: Client, stream: str, size: int) -> None:
    """They page like the others, each under its parent."""
    context = ROUTES[stream][1].context
    expected: dict[str, list[dict[str, Any]]] = {}
    for row in shared.sandbox.store.expected(stream):
        expected.setdefault(row.pop(context), []).append(row)
    assert expected
    for parent, rows in expected.items():
        if stream == "dynamic_configs_versions":
            assert {row["id"] for row in rows} == {parent}
        assert shared.walk(stream, size, parent) == rows


def test_workforce_meta(shared: Client) -> None:
    """The meta object says where the page lies."""
    first = shared.get("tasks", limit=50).json()["meta"]
    assert (first["limit"], first["total"]) == (50, 53)
    assert (first["has_next_page"], first["has_previous_page"]) == (True, False)
    last = shared.get("tasks", limit=50, page=2).json()["meta"]
    assert (last["has_next_page"], last["has_previous_page"]) == (False, True)
    assert last["start_cursor"] != last["end_cursor"] != first["end_cursor"]
    past = shared.get("tasks", limit=50, page=3).json()
    assert past["data"] == []
    assert past["meta"]["total"] == 53
    assert not past["meta"]["has_next_page"]
    assert past["meta"]["end_cursor"] is None


def test_status_page_has_no_totals(shared: Client) -> None:
    """Only an empty page tells the end."""
    assert list(shared.get("pages").json()) == ["data"]
    assert shared.page("pages", offset=53) == []
    assert len(shared.page("pages", offset=52)) == 1


def test_experimentation_links(shared: Client) -> None:
    """The next page is a link, null on the last page and past it."""
    first = shared.get("gates", limit=50).json()["pagination"]
    assert first == {
        "itemsPerPage": 50,
        "pageNumber": 1,
        "nextPage": "/v1/gates?limit=50&page=2",
        "previousPage": None,
        "totalItems": 53,
    }
    key = shared.sandbox.config()["experimentation_api_key"]
    second = shared.raw(first["nextPage"], api_key=key).json()
    assert len(second["data"]) == 3
    assert second["pagination"]["nextPage"] is None
    assert second["pagination"]["previousPage"] == "/v1/gates?limit=50&page=1"
    past = shared.get("gates", limit=50, page=9).json()
    assert past["data"] == []
    assert past["pagination"]["nextPage"] is None


def test_some_lists_come_without_pagination(shared: Client) -> None:
    """As published, tags and id lists say nothing about pages."""
    assert "pagination" not in shared.get("tags").json()
    parent = next(shared.sandbox.store.rows("experimentation", "segments"))["id"]
    body = shared.get("segments_ids", parent).json()
    assert "pagination" not in body
    assert set(body["data"]) == {"name", "count", "ids"}
    assert shared.get("segments_ids", parent, page=2).json()["data"] == []


def test_rules_come_in_both_shapes(shared: Client) -> None:
    """An array of objects under some parents, one object under others."""
    shapes = {
        type(shared.get("gates_rules", row["id"]).json()["data"])
        for row in shared.sandbox.store.rows("experimentation", "gates")
    }
    assert shapes == {list, dict}


def test_sales_meta(shared: Client) -> None:
    """Pages and rows are counted."""
    body = shared.get("won_deals", per_page=20).json()
    assert list(body) == ["deals", "meta"]
    assert body["meta"] == {"total_pages": 3, "total": 53}
    assert shared.page("won_deals", per_page=20, page=4) == []


def test_esignature_meta(shared: Client) -> None:
    """The newer lists count, the older ones are whole."""
    assert shared.get("crm_contacts", page=3).json()["meta"]["pagination"] == {
        "total": 53,
        "count": 13,
        "per_page": 20,
        "current_page": 3,
        "total_pages": 3,
    }
    assert isinstance(shared.get("user").json()["data"], dict)
    assert len(shared.page("user_modified_documents")) == 53


def test_an_empty_sandbox(open_client: Callable[..., Client]) -> None:
    """Without rows every list answers, and is empty."""
    client = open_client(records=0)
    for stream in TOP:
        assert client.page(stream) == ([{}] if stream == "user" else [])
        assert list(client.sandbox.store.rows(ROUTES[stream][0].name, stream)) == []


def test_lists_without_pages_end_at_1000(open_client: Callable[..., Client]) -> None:
    """One body must fit in memory."""
    client = open_client(records=2000)
    assert len(client.page("user_modified_documents")) == 1000
    assert len(client.page("ingestion_status")) == 1000
