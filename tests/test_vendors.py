"""Every stream of the five vendors, read by the real tap from servers that speak as they do."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tap_analytics.sandbox import Sandbox
from tests.helpers.everything import Everything
from tests.helpers.vendors import (
    BELOW_PAGES,
    BY_NAME,
    CROWDED,
    NAMES,
    UPSTREAMS,
    Upstream,
    assert_equal,
    crowd,
    vendor_catalog,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


MAY_BE_NOTHING = {
    "experimentation_experiments_cumulative_exposures",
    "experimentation_experiments_pulse_results",
    "status_page_component_uptimes",
    "status_page_incidents_postmortems",
}
"""A refusal says that there are no results, exposures, uptimes or postmortem of one row."""
MOST = 100
"""Rows that every vendor allows a page to have."""
LONG = {"segments_ids": 1000, "experimentation_segment_members": 1000}
"""Lists that may be so long that larger pages are tried."""


@pytest.fixture(scope="module")
def everything() -> Iterator[Everything]:
    sizes = {"pages": 12, "esignature_teams": 40, "events": 205}
    with Sandbox(records=130, sizes=sizes, upstreams=True, log=20_000) as sandbox:
        crowd(sandbox)
        yield Everything.read(
            sandbox,
            NAMES,
            vendor_catalog(sandbox, *NAMES),
            all_streams=True,
            sales_requests_per_second=1000,
        )


def test_the_run_is_complete(everything: Everything) -> None:
    everything.assert_complete()


def test_nothing_was_refused(everything: Everything) -> None:
    """But for second pages of lists that come whole, where there are many rows."""
    refused = [
        (request.path, request.params)
        for request in everything.sandbox.refused
        if request.stream not in MAY_BE_NOTHING
        and not (BY_NAME[request.stream].pages is None and "page" in request.params)
    ]
    assert refused == []
    assert {row["retries"] for row in everything.result.report.values()} == {0}


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_of_the_server(everything: Everything, name: str) -> None:
    store = everything.sandbox.store
    assert_equal(everything.result, store, name, schema=everything.schema(name))


@pytest.mark.parametrize("stream", UPSTREAMS, ids=NAMES)
def test_keys_are_there_and_unique(everything: Everything, stream: Upstream) -> None:
    rows = everything.rows(stream.name, stream.keys)
    assert rows


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_valid(everything: Everything, name: str) -> None:
    everything.assert_valid(name)


@pytest.mark.parametrize("stream", UPSTREAMS, ids=NAMES)
def test_requests_are_as_the_vendor_wants_them(everything: Everything, stream: Upstream) -> None:
    pattern = re.sub(r"{\w+}", "[^/]+", stream.path)
    paging = {stream.pages.token, stream.pages.size} - {None} if stream.pages else set()
    assert everything.requests[stream.name]
    for request in everything.requests[stream.name]:
        assert request.method == "GET"
        assert re.fullmatch(pattern, request.path)
        cursor = {stream.pages.token} if stream.pages and stream.pages.first is None else set()
        params = dict(request.params)
        if stream.pages is None:  # with many rows it is not sure that they are all
            assert int(params.pop("page", 2)) > 1
        assert set(params) | cursor == {*stream.sends, *paging}
        for name, value in stream.sends.items():
            assert value in (None, request.params[name])
        if stream.takes is not None:
            assert set(params) <= stream.takes | set(stream.sends)


@pytest.mark.parametrize("stream", [s for s in UPSTREAMS if s.pages], ids=lambda s: s.name)
def test_pages_are_asked_for_one_after_the_other(everything: Everything, stream: Upstream) -> None:
    assert stream.pages
    token, first, size = stream.pages
    lists: dict[tuple[str, str | None], list[int]] = {}
    step = 1
    for request in everything.requests[stream.name]:
        if token == "offset" and size:
            step = int(request.params[size])
        if size:
            assert 1 <= int(request.params[size]) <= LONG.get(stream.name, MOST)
        place = (request.path, request.params.get("date"))
        if first is not None:
            lists.setdefault(place, []).append(int(request.params[token]))
    for asked in map(set, lists.values()):  # a list whose turn comes late is read anew
        assert sorted(asked) == [(first or 0) + step * number for number in range(len(asked))]


def test_long_lists_below_a_status_page_are_read_to_their_end(everything: Everything) -> None:
    for name in BELOW_PAGES:
        pages = Counter(request.path for request in everything.requests[name])
        assert max(pages.values()) == math.ceil((CROWDED + 1) / MOST) + 1


HEADERS = {
    "workforce": {"x-api-key": "sandbox-factorial-key"},
    "status_page": {"authorization": "OAuth sandbox-statuspage-key"},
    "experimentation": {
        "statsig-api-key": "sandbox-statsig-key",
        "statsig-api-version": "20240601",
    },
    "sales": {"authorization": "Token token=sandbox-freshsales-key"},
    "esignature": {"authorization": "Bearer sandbox-signnow-key"},
}


def test_headers(everything: Everything) -> None:
    for name, requests in everything.requests.items():
        wanted = HEADERS[BY_NAME[name].api]
        if name == "signing_links":
            wanted = {"authorization": "Basic sandbox-signnow-token"}
        for request in requests:
            assert request.headers.items() >= wanted.items()
            assert "api_key" not in request.headers


def test_views_are_looked_up_once(everything: Everything) -> None:
    for name in ("sales_contact_views", "sales_account_views", "sales_deal_views"):
        pages = [request.params["page"] for request in everything.requests[name]]
        assert len(pages) == len(set(pages)) <= 3, "that no page follows, and that none is missing"
    paths = {
        name: {request.path for request in everything.requests[name]}
        for name in ("contacts", "accounts", "won_deals", "sales_open_deals", "sales_lost_deals")
    }
    assert {len(found) for found in paths.values()} == {1}
    assert len(set().union(*paths.values())) == 5


def test_secrets_stay_at_the_vendor(everything: Everything) -> None:
    records = everything.result.records
    for name in ("won_deals", "sales_open_deals", "sales_lost_deals"):
        assert not [row for row in records[name] if "fc_widget_collaboration" in row]
        assert {tuple(row["collaboration"] or ()) for row in records[name]} == {(), ("channel_id",)}
    for row in records["esignature_logs"]:
        assert "headers" not in (row["request"] or {})
        assert "headers" not in (row["response"] or {})


def test_ids_are_exact(everything: Everything) -> None:
    ids = [row["id"] for row in everything.result.records["tasks"]]
    assert {type(number) for number in ids} == {str}
    assert min(int(number) for number in ids) > 2**53
    deals = [row["id"] for row in everything.result.records["sales_lost_deals"]]
    assert {type(number) for number in deals} == {int}
    assert min(deals) > 2**53


def test_event_names_are_one_segment_each(everything: Everything) -> None:
    names = [
        unquote(request.path.split("/")[4])
        for request in everything.requests["events_metrics"]
        if request.params["page"] == "1"
    ]
    events = {row["name"] for row in everything.result.records["events"]}
    assert sorted(names) == sorted(events)
