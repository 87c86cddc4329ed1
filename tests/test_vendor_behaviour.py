"""The vendors on bad days and at their edges, through the real tap."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import BY_NAME, assert_equal, crowd, expected_rows, vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request

PROBES = {
    "workforce": "tasks",
    "status_page": "pages",
    "experimentation": "tags",
    "sales": "open_tasks",
    "esignature": "user",
}
"""A stream of each API that needs no other."""


@pytest.fixture
def open_vendors(open_sandbox: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """Start a sandbox that speaks as the vendors do, for one test."""
    return lambda **arguments: open_sandbox(upstreams=True, **arguments)


def test_a_second_run_brings_what_changed(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=20, sizes={"pages": 3})
    store = sandbox.store
    page = str(next(store.rows("status_page", "pages"))["id"])
    store.append("status_page_incidents", {"id": "first", "updated_at": None}, parent=page)
    changes: dict[str, dict[str, object]] = {
        "workforce_leaves": {"updated_at": "2026-11-10T08:00:00Z"},
        "gates": {"lastModifiedTime": 1_794_300_000_000},
        "esignature_logs": {"created": 1_794_300_000},
        "esignature_user_documents": {"updated": "1794300000"},
        "crm_contacts": {"meta": {"updated_at": 1_794_300_000}},
    }
    selected = vendor_catalog(sandbox, *changes, "gates_rules", "status_page_incidents")
    first = run_tap(settings(sandbox), catalog_=selected)
    assert first.status == 0, first.stderr[-2000:]
    for stream, fields in changes.items():
        store.update(stream, 7, fields)
    store.update("status_page_incidents", 0, {"updated_at": "2026-11-10T08:00:00Z"}, parent=page)
    second = run_tap(settings(sandbox), catalog_=selected, state=first.state)
    assert second.status == 0, second.stderr[-2000:]
    for stream in changes:
        changed = expected_rows(store, stream)[7]
        key = BY_NAME[stream].keys[0]
        assert second.records[stream][-1][key] == changed[key]
        # The row at the bookmark comes again: others may bear the same time.
        assert len(second.records[stream]) < 5
    assert second.records["status_page_incidents"][-1]["page_id"] == page
    gates = {row["id"] for row in second.records["gates"]}
    assert {row["gate_id"] for row in second.records["gates_rules"]} <= gates


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 201])
def test_lists_of_every_length(open_vendors: Callable[..., Sandbox], count: int) -> None:
    sandbox = open_vendors(records=count, sizes={"pages": 1, "user": 1})
    store = sandbox.store
    page = str(next(store.rows("status_page", "pages"))["id"])
    for index in range(len(store.expected("subscribers"))):
        store.delete("subscribers", index, parent=page)
    for number in range(count):
        row = {"id": f"{number}", "quarantined_at": None}
        store.append("subscribers", row, parent=page)
    streams = (
        *("workforce_teams", "workforce_blocked_periods", "workforce_policies", "subscribers"),
        *("tags", "metrics", "ingestion_runs", "contacts", "past_appointments"),
        *("sales_completed_tasks", "crm_contacts", "esignature_logs"),
    )
    result = run_tap(settings(sandbox), catalog_=vendor_catalog(sandbox, *streams))
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, store, *streams)
    assert {len(result.records[stream]) for stream in streams} == {count}
    assert not sandbox.refused


def test_a_vendor_that_gives_fewer_rows_than_asked(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=250, sizes={"pages": 2})
    crowd(sandbox)
    more = {f"{name}_page_size": 150 for name in ("workforce", "status_page", "sales")}
    streams = (
        *("workforce_teams", "subscribers", "status_page_incidents"),
        *("accounts", "past_appointments"),
    )
    result = run_tap(settings(sandbox, **more), catalog_=vendor_catalog(sandbox, *streams))
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *streams)


def test_ids_are_texts_in_every_version_of_factorial(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=30)
    more = {"workforce_api_version": "2026-04-01"}
    streams = ("workforce_employees", "workforce_memberships")
    result = run_tap(settings(sandbox, **more), catalog_=vendor_catalog(sandbox, *streams))
    assert result.status == 0, result.stderr[-2000:]
    for stream in streams:
        served = [row["id"] for row in sandbox.store.expected(stream)]
        assert sorted(row["id"] for row in result.records[stream]) == served
    assert {request.path.split("/")[2] for request in sandbox.requests} == {"2026-04-01"}


@pytest.mark.parametrize("host", ["acme.freshsales.io", "acme.myfreshworks.com"])
def test_freshsales_hosts_have_prefixes(open_vendors: Callable[..., Sandbox], host: str) -> None:
    sandbox = open_vendors(records=3)
    chosen = vendor_catalog(sandbox, "accounts")
    result = run_tap(settings(sandbox, sales_host=host), catalog_=chosen)
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, "accounts")
    prefix = "/api/" if host.endswith("freshsales.io") else "/crm/sales/api/"
    assert {request.path.startswith(prefix) for request in sandbox.requests} == {True}


def test_a_view_that_is_missing(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=5)
    place = [row["name"] for row in sandbox.store.rows("sales", "sales_deal_views")]
    sandbox.store.delete("sales_deal_views", place.index("Won Deals"))
    streams = ("won_deals", "sales_open_deals", "sales_deal_views", "contacts")
    result = run_tap(settings(sandbox), catalog_=vendor_catalog(sandbox, *streams))
    assert result.status == 1
    assert result.outcome("won_deals") == "failed"
    assert "Won Deals" in str(result.report["won_deals"])
    assert result.records["won_deals"] == []
    assert_equal(result, sandbox.store, *streams[1:])


@pytest.mark.parametrize("api", PROBES)
def test_a_wrong_key(open_vendors: Callable[..., Sandbox], api: str) -> None:
    sandbox = open_vendors(records=2)
    name = "esignature_api_key_id" if api == "esignature" else f"{api}_api_key"
    chosen = vendor_catalog(sandbox, *PROBES.values(), "signing_links")
    result = run_tap(settings(sandbox, **{name: "not the right one"}), catalog_=chosen)
    assert result.status == 1
    outcomes = {probe: result.outcome(stream) for probe, stream in PROBES.items()}
    assert outcomes == {**dict.fromkeys(PROBES, "complete"), api: "denied"}
    assert result.outcome("signing_links") == "complete"
    assert Counter(request.stream for request in sandbox.refused) == {PROBES[api]: 1}


@pytest.mark.parametrize("status", [None, 401])
def test_a_token_that_has_expired_is_said_clearly(
    open_vendors: Callable[..., Sandbox], status: int | None
) -> None:
    sandbox = open_vendors(records=2)
    sandbox.faults.append(lambda _: Answer(status=status))
    chosen = vendor_catalog(sandbox, "user")
    result = run_tap(settings(sandbox, esignature_api_key_id="old-key"), catalog_=chosen)
    assert result.outcome("user") == "denied"
    assert "the token is invalid or has expired" in result.stderr
    assert "the token is invalid or has expired" in str(result.report["user"])


def test_signing_links_alone_need_the_token(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=2)
    chosen = vendor_catalog(sandbox, "user", "esignature_teams")
    without = {k: v for k, v in settings(sandbox).items() if k != "esignature_auth_token"}
    result = run_tap(without, catalog_=chosen)
    assert result.status == 0, result.stderr[-2000:]


def test_a_parent_that_goes_while_it_is_read(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=6)
    going = [3]

    def delete(request: Request) -> Answer | None:
        if request.stream == "subscribers" and going:
            sandbox.store.delete("pages", going.pop())
        return None

    sandbox.faults.append(delete)
    chosen = vendor_catalog(sandbox, "pages", "subscribers")
    result = run_tap(settings(sandbox, max_concurrency=1), catalog_=chosen)
    assert result.status == 0, result.stderr[-2000:]
    assert len(result.records["pages"]) == 6
    assert_equal(result, sandbox.store, "subscribers")
    assert result.report["subscribers"]["skipped"] == 1


RATES = {
    "statuspage": ({}, ((60, 60),)),
    "statsig": ({}, ((100, 10),)),
    "freshsales": ({"sales_plan": "pro"}, ((400, 60), (2000, 3600))),
}
"""Settings, and what the vendor allows: requests in so many seconds."""


@pytest.mark.parametrize("vendor", RATES)
def test_rates_are_at_most_those_of_the_vendor(vendor: str) -> None:
    config, allowed = RATES[vendor]
    apis = [f.upstreams[vendor].api for f in PACKAGES if vendor in f.upstreams]
    declared = apis[0].limits(config)
    for requests, seconds in allowed:
        assert any(most <= requests and span >= seconds for most, span in declared)
