"""What `NOTES.md` says of the vendors against their own descriptions, in small.

Which test holds which correction stands in `test_corrections_by_number.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tap_analytics.apis.experimentation.statsig.days import read_day
from tap_analytics.apis.sales.freshsales.client import FreshsalesApi
from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request


@pytest.fixture
def open_vendors(open_sandbox: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """Start a sandbox that speaks as the vendors do, for one test."""
    return lambda **arguments: open_sandbox(upstreams=True, **arguments)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("acme", "https://acme.myfreshworks.com"),
        ("acme.myfreshworks.com", "https://acme.myfreshworks.com"),
        ("Acme.myfreshworks.com/crm/sales", "https://acme.myfreshworks.com"),
        ("https://acme.myfreshworks.com/crm/sales/", "https://acme.myfreshworks.com"),
        ("acme.freshsales.io", "https://acme.freshsales.io"),
    ],
)
def test_the_host_is_found_in_what_people_paste(given: str, origin: str) -> None:
    config = {"sales_host": given}
    assert FreshsalesApi.default_origin(config) == origin
    prefix = "/api" if origin.endswith(".freshsales.io") else "/crm/sales/api"
    assert FreshsalesApi.base_url(config) == origin + prefix


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Wed Nov 05 2025", "2025-11-05"),
        ("Wednesday, November 5, 2025", "2025-11-05"),
        ("Sept. 1st 2025, 10:00 AM PST", "2025-09-01"),
        ("5 November 2025", "2025-11-05"),
        ("2025-11-05T10:00:00Z", "2025-11-05"),
        ("05/11/2025", None),
        ("Nov 31 2025", None),
        ("today", None),
        (None, None),
        (1_794_300_000, None),
    ],
)
def test_days_written_for_people(text: object, day: str | None) -> None:
    assert read_day(text) == day


RULE = {"id": "abc:10.00:1", "name": "all", "passPercentage": 10}


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"rules": [RULE]}]},
        {"data": {"rules": [RULE]}},
        {"data": [RULE]},
        [RULE],
        [{"rules": [RULE]}],
        {"data": [{"rules": []}, {"rules": [RULE]}], "pagination": {"nextPage": ""}},
    ],
)
def test_rules_are_found_in_every_wrapping(
    open_vendors: Callable[..., Sandbox], body: object
) -> None:
    sandbox = open_vendors(records=1)
    gate = next(sandbox.store.rows("experimentation", "gates"))
    sandbox.faults.append(
        lambda request: (
            Answer(body=json.dumps(body).encode()) if request.stream == "gates_rules" else None
        )
    )
    result = run_tap(settings(sandbox), catalog_=vendor_catalog(sandbox, "gates_rules"))
    assert result.status == 0, result.stderr[-2000:]
    (row,) = result.records["gates_rules"]
    assert row["baseID"] == "abc"
    assert row["id"] == RULE["id"]
    assert row["lastModifiedTime"] == gate["lastModifiedTime"]


@pytest.mark.parametrize("data", ['{"name": "s", "count": 0}', '{"ids": null}', "null", "[]", "{}"])
def test_a_segment_without_ids_has_none(open_vendors: Callable[..., Sandbox], data: str) -> None:
    sandbox = open_vendors(records=12)
    body = b'{"message": "", "data": %b}' % data.encode()
    sandbox.faults.append(
        lambda request: Answer(body=body) if request.path.endswith("/id_list") else None
    )
    wanted = ("segments_ids", "experimentation_segment_members")
    config = settings(sandbox, all_streams=True)
    result = run_tap(config, catalog_=vendor_catalog(sandbox, *wanted))
    assert result.status == 0, result.stderr[-2000:]
    assert result.records["experimentation_segment_members"] == []
    assert not [row for row in result.records["segments_ids"] if row.get("ids")]


def test_members_of_segments_are_rows(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=40)
    config = settings(sandbox, all_streams=True)
    selected = vendor_catalog(sandbox, "experimentation_segment_members")
    result = run_tap(config, catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    rows = [(r["segment_id"], r["id"]) for r in result.records["experimentation_segment_members"]]
    lists = sandbox.store.expected("segments_ids")
    assert sorted(rows) == sorted((one["segment_id"], i) for one in lists for i in one["ids"])
    assert rows
    kinds = {row["id"]: row["type"] for row in sandbox.store.rows("experimentation", "segments")}
    assert {kinds[segment] for segment, _ in rows} <= {None, "id_list"}


LISTS_OF_IDS = ("segments_ids", "experimentation_segment_members")


@pytest.mark.parametrize("told", ["of the list", "of the page", None])
@pytest.mark.parametrize(
    ("most", "is_capped"), [(1000, False), (100, False), (100, True)], ids=["long", "400", "capped"]
)
@pytest.mark.parametrize("count", [100, 2050])
def test_long_lists_of_ids_are_read_in_large_pages(
    open_vendors: Callable[..., Sandbox],
    count: int,
    told: str | None,
    most: int,
    *,
    is_capped: bool,
) -> None:
    """Pages of 1,000 where the server takes them, of 100 where it refuses or cuts them."""
    sandbox = open_vendors(records=40)
    ids = [f"user {number}" for number in range(count)]
    segments = [row["id"] for row in sandbox.store.expected("segments")]
    first = sandbox.store.expected("segments_ids")[0]["segment_id"]

    def serve(request: Request) -> Answer | None:
        if not request.path.endswith("/id_list"):
            return None
        size, page = (int(request.params[name]) for name in ("limit", "page"))
        if size > most and not is_capped:
            return Answer(status=400, body=b'{"status": 400, "message": "limit is too large"}')
        size = min(size, most)
        found = ids[size * (page - 1) : size * page] if f"/{first}/" in request.path else []
        data: dict[str, object] = {"name": "s", "ids": found}
        if told:
            data["count"] = len(found if told == "of the page" else ids)
        return Answer(body=json.dumps({"message": "", "data": data}).encode())

    sandbox.faults.append(serve)
    for index, segment in enumerate(segments):
        kind = "id_list" if segment == first else "rule_based"
        sandbox.store.update("segments", index, {"type": kind})
    selected = vendor_catalog(sandbox, *LISTS_OF_IDS)
    result = run_tap(settings(sandbox, all_streams=True), catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    whole, members = (result.records[name] for name in LISTS_OF_IDS)
    assert [row["ids"] or [] for row in whole] == [ids]
    assert [row["id"] for row in members] == ids
    asked = [request for request in sandbox.requests if request.path.endswith("/id_list")]
    assert len(asked) <= 2 * (3 + count // most)


def test_ids_are_read_again_where_their_segment_stands_still(
    open_vendors: Callable[..., Sandbox],
) -> None:
    sandbox = open_vendors(records=40)
    selected = vendor_catalog(sandbox, *LISTS_OF_IDS)
    config = settings(sandbox, all_streams=True)
    first = run_tap(config, catalog_=selected)
    assert first.status == 0, first.stderr[-2000:]
    changed = sandbox.store.expected("segments_ids")[0]["segment_id"]
    more = {"ids": ["one", "another"], "count": 2}
    sandbox.store.update("segments_ids", 0, more, parent=changed)
    second = run_tap(config, catalog_=selected, state=first.state)
    assert second.status == 0, second.stderr[-2000:]
    whole, members = (second.records[name] for name in LISTS_OF_IDS)
    assert [row["ids"] for row in whole if row["segment_id"] == changed] == [more["ids"]]
    assert [row["id"] for row in members if row["segment_id"] == changed] == more["ids"]


def test_events_without_a_usable_name_are_skipped(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=3)
    event = next(sandbox.store.rows("experimentation", "events"))
    for odd in (".", "..", "", None):
        sandbox.store.append("events", {**event, "name": odd})
    selected = vendor_catalog(sandbox, "events", "events_metrics")
    result = run_tap(settings(sandbox), catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    assert result.report["events_metrics"]["skipped"] == 3
    assert len(result.records["events"]) == 7


def test_audit_logs_go_on_where_they_were(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=30)
    selected = vendor_catalog(sandbox, "audit_logs")
    first = run_tap(settings(sandbox, start_date=None), catalog_=selected)
    assert first.status == 0, first.stderr[-2000:]
    assert len(first.records["audit_logs"]) == 30
    assert not [request for request in sandbox.requests if "startDate" in request.params]
    second = run_tap(settings(sandbox, start_date=None), catalog_=selected, state=first.state)
    assert second.status == 0, second.stderr[-2000:]
    days = [row["day"] for row in first.records["audit_logs"] if row["day"]]
    assert sandbox.requests[-1].params["startDate"] <= max(days)
    assert len(second.records["audit_logs"]) < 30


@pytest.mark.parametrize("stream", ["won_deals", "sales_lost_deals"])
def test_tokens_are_dropped_wherever_they_stand(
    open_vendors: Callable[..., Sandbox], stream: str
) -> None:
    sandbox = open_vendors(records=3)
    sandbox.store.update(stream, 0, {"collaboration": {"convo_token": "secret", "channel_id": 1}})
    result = run_tap(settings(sandbox), catalog_=vendor_catalog(sandbox, stream))
    assert result.status == 0, result.stderr[-2000:]
    assert "convo_token" not in str(result.lines)
    assert {"channel_id": 1} in [row["collaboration"] for row in result.records[stream]]


def test_times_with_an_offset_leave_in_utc(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=1)
    given = "2023-05-12T18:00:00+02:00"
    sandbox.store.update("open_tasks", 0, {"due_date": given, "completed_date": given})
    sandbox.store.update("past_appointments", 0, {"from_date": given, "end_date": given})
    streams = ("open_tasks", "past_appointments")
    result = run_tap(settings(sandbox), catalog_=vendor_catalog(sandbox, *streams))
    assert result.status == 0, result.stderr[-2000:]
    (task,), (appointment,) = (result.records[name] for name in streams)
    found = {task[n] for n in ("due_date", "completed_date")}
    found |= {appointment[n] for n in ("from_date", "end_date")}
    assert found == {"2023-05-12T16:00:00Z"}


def test_fractions_of_metrics_are_kept(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=1, sizes={"pages": 1})
    page = str(next(sandbox.store.rows("status_page", "pages"))["id"])
    metric = {"id": "m", "backfill_percentage": 0.5, "decimal_places": 1.0}
    sandbox.store.append("status_page_metrics", metric, parent=page)
    selected = vendor_catalog(sandbox, "status_page_metrics")
    result = run_tap(settings(sandbox), catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    rows = {row["id"]: row for row in result.records["status_page_metrics"]}
    assert rows["m"]["backfill_percentage"] == 0.5


def test_values_of_any_type_are_kept(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=3)
    gate = str(next(sandbox.store.rows("experimentation", "gates"))["id"])
    for number, value in enumerate((True, "text", 2.5, {"a": 1}, [1])):
        rule = {"id": f"r{number}", "baseID": f"r{number}", "returnValue": value}
        sandbox.store.append("gates_rules", rule, parent=gate)
    sandbox.store.update("dynamic_configs", 0, {"defaultValue": "on"})
    selected = vendor_catalog(sandbox, "gates_rules", "dynamic_configs")
    result = run_tap(settings(sandbox), catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    rows = {row["baseID"]: row.get("returnValue") for row in result.records["gates_rules"]}
    assert [rows[f"r{n}"] for n in range(5)] == ["true", "text", "2.5", '{"a":1}', "[1]"]
    assert "on" in [row.get("defaultValue") for row in result.records["dynamic_configs"]]


def test_updates_of_incidents_cost_no_request(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=30, sizes={"pages": 2})
    streams = ("status_page_incidents", "status_page_incident_updates")
    selected = vendor_catalog(sandbox, *streams)
    result = run_tap(settings(sandbox, all_streams=True), catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    incidents, updates = (result.records[name] for name in streams)
    wanted = [
        (incident["page_id"], incident["id"], update["id"])
        for incident in incidents
        for update in incident["incident_updates"] or ()
    ]
    found = [(row["page_id"], row["incident_id"], row["id"]) for row in updates]
    assert sorted(found) == sorted(wanted)
    assert found
    assert {request.stream for request in sandbox.requests} == {"pages", "status_page_incidents"}
    assert result.report["status_page_incident_updates"]["requests"] == 0


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(("message", "is_empty"), [("No data for this date", True), ("odd", False)])
def test_a_day_without_data_is_empty(
    open_vendors: Callable[..., Sandbox], status: int, message: str, *, is_empty: bool
) -> None:
    sandbox = open_vendors(records=3)
    body = json.dumps({"status": status, "message": message}).encode()
    sandbox.faults.append(
        lambda request: (
            Answer(status=status, body=body) if request.stream == "metrics_values" else None
        )
    )
    config = settings(sandbox, start_date="2026-10-30", end_date="2026-10-31")
    result = run_tap(config, catalog_=vendor_catalog(sandbox, "metrics_values"))
    assert result.status == (0 if is_empty else 1), result.stderr[-2000:]
    assert result.records["metrics_values"] == []


def test_nothing_at_all_is_no_silent_success(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=0)
    streams = ("workforce_teams", "workforce_locations", "workforce_employees")
    config = settings(sandbox, "workforce", emit_activate_version_messages=True)
    for chosen, is_odd in ((streams, True), (streams[:1], False)):
        result = run_tap(config, catalog_=vendor_catalog(sandbox, *chosen))
        assert result.status == 0, result.stderr[-2000:]
        assert ("came back empty" in result.stderr) == is_odd
        assert bool(result.of("ACTIVATE_VERSION")) != is_odd
        for name in chosen:
            assert any("came back empty" in n for n in result.report[name]["notes"]) == is_odd


def test_one_row_is_proof_of_the_key(open_vendors: Callable[..., Sandbox]) -> None:
    sandbox = open_vendors(records=2, sizes={"workforce_teams": 0})
    config = settings(sandbox, "workforce", emit_activate_version_messages=True)
    selected = vendor_catalog(sandbox, "workforce_teams", "workforce_locations")
    result = run_tap(config, catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    assert len(result.of("ACTIVATE_VERSION")) == 2
    assert "came back empty" not in result.stderr


def test_an_account_without_anything_keeps_what_the_others_would_delete(
    open_vendors: Callable[..., Sandbox],
) -> None:
    """The rows of the one account do not stand for those of the other."""
    full, empty = open_vendors(records=2), open_vendors(records=0)
    config = {
        **settings(full, "workforce", emit_activate_version_messages=True),
        "accounts": [
            {"name": name, "workforce_base_url": sandbox.config()["workforce_base_url"]}
            for name, sandbox in (("full", full), ("empty", empty))
        ],
    }
    selected = vendor_catalog(full, "workforce_teams", "workforce_locations")
    result = run_tap(config, catalog_=selected)
    assert result.status == 0, result.stderr[-2000:]
    assert "workforce of empty" in result.stderr
    assert not result.of("ACTIVATE_VERSION")
