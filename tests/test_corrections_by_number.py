"""Each correction of the vendors' facts by its number: its test, its source, and its columns.

The numbers are those of `NOTES.md` of each API.
"""

from __future__ import annotations

import re
from functools import partial
from inspect import getattr_static
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.apis.esignature.signnow.history import DocumentHistory
from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import assert_equal, vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request
    from tests.helpers.support import Result

    Open = Callable[..., Sandbox]

ROOT = Path(__file__).parents[1]
NOTES = {
    range(1, 9): "workforce",
    range(9, 14): "status_page",
    range(14, 27): "experimentation",
    range(27, 35): "sales",
    range(35, 42): "esignature",
}
TESTS = {
    1: "test_corrections_by_number.py::test_cursors_lead_on_whatever_a_total_says",
    2: "test_corrections_by_number.py::test_what_changes_in_silence_comes_with_every_run",
    3: "test_corrections_by_number.py::test_what_changes_in_silence_comes_with_every_run",
    4: "test_absent_lists.py::test_what_an_account_lacks_is_denied_in_words_that_help",
    5: "engine/test_slices.py::test_windows_that_are_too_slow_become_shorter",
    6: "test_vendor_corrections.py::test_nothing_at_all_is_no_silent_success",
    7: "test_corrections_by_number.py::test_descriptions_say_what_names_do_not",
    8: "test_corrections_by_number.py::test_texts_of_factorial_may_be_anything",
    9: "test_corrections_by_number.py::test_the_first_page_of_subscribers_is_found",
    10: "test_corrections_by_number.py::test_what_changes_in_silence_comes_with_every_run",
    11: "test_vendor_corrections.py::test_fractions_of_metrics_are_kept",
    12: "test_corrections_by_number.py::test_a_component_without_uptime_has_no_row",
    13: "test_vendor_corrections.py::test_updates_of_incidents_cost_no_request",
    14: "test_corrections_by_number.py::test_a_rule_keeps_its_key_when_it_is_edited",
    15: "test_vendor_corrections.py::test_rules_are_found_in_every_wrapping",
    16: "test_vendor_corrections.py::test_audit_logs_go_on_where_they_were",
    17: "test_corrections_by_number.py::test_days_that_may_be_restated_are_read_again",
    18: "test_vendor_corrections.py::test_ids_are_read_again_where_their_segment_stands_still",
    19: "test_vendor_corrections.py::test_events_without_a_usable_name_are_skipped",
    20: "test_vendor_corrections.py::test_values_of_any_type_are_kept",
    21: "test_vendor_corrections.py::test_rules_are_found_in_every_wrapping",
    22: "test_vendor_behaviour.py::test_rates_are_at_most_those_of_the_vendor",
    23: "test_vendor_corrections.py::test_long_lists_of_ids_are_read_in_large_pages",
    24: "test_corrections_by_number.py::test_columns_are_there",
    25: "test_corrections_by_number.py::test_what_is_counted_every_night_comes_with_full_reads",
    26: "test_vendor_corrections.py::test_a_segment_without_ids_has_none",
    27: "test_corrections_by_number.py::test_views_are_read_with_what_fills_their_ids",
    28: "test_vendor_corrections.py::test_tokens_are_dropped_wherever_they_stand",
    29: "test_vendor_corrections.py::test_times_with_an_offset_leave_in_utc",
    30: "test_quotas.py::test_a_wait_that_is_too_long_is_known_and_said",
    31: "test_vendor_corrections.py::test_the_host_is_found_in_what_people_paste",
    32: "test_corrections_by_number.py::test_views_that_are_refused_are_the_only_reason",
    33: "test_moving_lists.py::test_a_total_of_one_page",
    34: "test_corrections_by_number.py::test_columns_are_there",
    35: "test_corrections_by_number.py::test_documents_are_read_to_their_end",
    36: "test_corrections_by_number.py::test_descriptions_say_what_names_do_not",
    37: "test_corrections_by_number.py::test_documents_are_read_to_their_end",
    38: "test_quotas.py::test_a_wait_that_is_too_long_is_known_and_said",
    39: "test_corrections_by_number.py::test_columns_are_there",
    40: "test_tokens.py::test_a_key_that_is_dead_is_renewed_once_for_all_streams",
    41: "test_corrections_by_number.py::test_an_event_without_an_id_has_a_key",
}
"""The test that fails if a correction is undone; others may cover it, too."""
COLUMNS = {
    24: {
        "experiments": "experimentType isStale inlineTargetingRules qualityScore externalEvents "
        "userBuckets defaultRollupWindow defaultChanceToBeatThreshold bayesianPriors "
        "scheduledReloadDays turboMode defaultSPRTPowerParam defaultSPRTMDE sprtBaselineMode "
        "sprtMDESettings preComputedUserDimensions cureCovariates enabledNonProdEnvironments "
        "scheduledStartTime sidecarEditorURL",
        "gates": "store0100Exposures archivedAt archivedByID archivedByName archivedByEmail "
        "archiveReason permalink",
        "dynamic_configs": "checksPerHour type typeReason permalink",
        "dynamic_configs_versions": "checksPerHour type typeReason permalink",
        "dynamic_configs_rules": "variants returnValueJson5",
        "autotunes": "inlineTargetingRules inlineTargetingRulesJSON",
        "events": "metadata",
    },
    34: {
        "open_tasks": "targetable",
        "sales_completed_tasks": "targetable",
        "contacts": "department lead_quality",
    },
    39: {
        "crm_contacts": "first_name last_name description",
        "user": "organization",
        "user_modified_documents": "origin_document_id parent_id hyperlinks",
        "esignature_user_documents": "origin_document_id parent_id hyperlinks",
    },
}
STREAMS: dict[str, Any] = {
    str(getattr_static(stream, "name")): stream
    for package in PACKAGES
    for vendor in package.upstreams.values()
    for stream in vendor.streams
}


def schema(stream: str) -> dict[str, Any]:
    kind = STREAMS[stream]
    found: dict[str, Any] = getattr_static(kind, "schema").get_stream_schema(kind, kind)
    properties: dict[str, Any] = found["properties"]
    return properties


@pytest.fixture
def open_vendors(open_sandbox: Open) -> Open:
    """Start a sandbox that speaks as the vendors do, for one test."""
    return lambda **arguments: open_sandbox(upstreams=True, **arguments)


def read(sandbox: Sandbox, *streams: str, state: Any = None, **more: Any) -> Result:
    config = settings(sandbox, all_streams=True, **more)
    return run_tap(config, catalog_=vendor_catalog(sandbox, *streams), state=state)


# That none is missing


@pytest.mark.parametrize("number", range(1, 42))
def test_every_correction_has_a_test_and_a_source(number: int) -> None:
    file, _, name = TESTS[number].partition("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")
    api = next(name for numbers, name in NOTES.items() if number in numbers)
    notes = (ROOT / "tap_analytics/apis" / api / "NOTES.md").read_text(encoding="utf-8")
    lines = [
        line
        for line in notes.splitlines()
        if (match := re.match(r"- ([\d, ]+): ", line)) and f"{number}" in match[1].split(", ")
    ]
    assert len(lines) == 1
    assert re.search(r"\[[MVPSI]\b.*\]", lines[0]), f"{number} names no source: {lines[0]}"


@pytest.mark.parametrize(
    ("stream", "columns"),
    [(stream, names) for streams in COLUMNS.values() for stream, names in streams.items()],
)
def test_columns_are_there(stream: str, columns: str) -> None:
    assert set(columns.split()) <= schema(stream).keys()


def test_descriptions_say_what_names_do_not() -> None:
    employees = schema("workforce_employees")
    assert "rivate" in employees["email"]["description"]
    assert "work" in employees["login_email"]["description"]
    for stream in ("workforce_contract_versions", "workforce_reference_contracts"):
        assert "undredths of an hour" in schema(stream)["working_hours"]["description"]
    assert "not changed yet" in STREAMS["esignature_user_documents"].__doc__
    assert "were changed" in STREAMS["user_modified_documents"].__doc__


# Factorial


def test_cursors_lead_on_whatever_a_total_says(open_vendors: Open) -> None:
    behaviors = {
        "tasks": "cursor-only",
        "workforce_teams": "only-more",
        "workforce_locations": "totals-of-others",
    }
    chosen = [f"factorial.{stream}={name}" for stream, name in behaviors.items()]
    sandbox = open_vendors(records=230, variants=chosen)
    result = read(sandbox, *behaviors)
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *behaviors)
    for request in sandbox.requests:
        assert request.params["limit"] == "100"
        assert "page" not in request.params


def test_what_changes_in_silence_comes_with_every_run(open_vendors: Open) -> None:
    sandbox = open_vendors(records=12, sizes={"pages": 1})
    store = sandbox.store
    page = str(next(store.rows("status_page", "pages"))["id"])
    store.append("status_page_metrics", {"id": "m", "updated_at": "2016-01-01T00:00:00Z"}, page)
    last = len([row for row in store.expected("status_page_metrics") if row["page_id"] == page])
    changes: dict[str, tuple[dict[str, object], int, tuple[str, ...]]] = {
        "workforce_employees": ({"age_number": 66, "is_terminating": True}, 3, ()),
        "schedules": ({"employee_ids": ["7"]}, 3, ()),
        "status_page_metrics": ({"last_fetched_at": "2022-02-02T00:00:00Z"}, last - 1, (page,)),
    }
    streams = ("pages", *changes)
    first = read(sandbox, *streams)
    assert first.status == 0, first.stderr[-2000:]
    for stream, (fields, index, below) in changes.items():
        store.update(stream, index, fields, *below)
    second = read(sandbox, *streams, state=first.state)
    assert second.status == 0, second.stderr[-2000:]
    assert_equal(second, store, *changes)


def test_texts_of_factorial_may_be_anything(open_vendors: Open) -> None:
    sandbox = open_vendors(records=3)
    for index, value in enumerate(({"a": 1}, [1, "b"], "text")):
        sandbox.store.update("workforce_teams", index, {"description": value})
    result = read(sandbox, "workforce_teams")
    assert result.status == 0, result.stderr[-2000:]
    found = [row["description"] for row in result.records["workforce_teams"]]
    assert found == ['{"a":1}', '[1,"b"]', "text"]


# Statuspage


@pytest.mark.parametrize("variant", ["zero-based", "one-based", "zero-is-one"])
def test_the_first_page_of_subscribers_is_found(open_vendors: Open, variant: str) -> None:
    chosen = [f"statuspage.subscribers={variant}"]
    sandbox = open_vendors(records=3, sizes={"pages": 1}, variants=chosen)
    page = str(next(sandbox.store.rows("status_page", "pages"))["id"])
    for number in range(230):
        row = {"id": f"{number}", "quarantined_at": None}
        sandbox.store.append("subscribers", row, parent=page)
    result = read(sandbox, "pages", "subscribers")
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, "subscribers")


def test_a_component_without_uptime_has_no_row(open_vendors: Open) -> None:
    sandbox = open_vendors(records=12, sizes={"pages": 4})
    stream = "status_page_component_uptimes"
    answers = iter([Answer(422, body=b'{"error": "no uptime for this component"}')])
    sandbox.faults.append(lambda one: next(answers, None) if one.stream == stream else None)
    result = read(sandbox, stream)
    assert result.status == 0, result.stderr[-2000:]
    assert result.outcome(stream) == "complete"
    assert next(answers, None) is None
    assert len(result.records[stream]) == len(sandbox.store.expected(stream)) - 1 > 0


# Statsig


def on_rules(answer: Answer, request: Request) -> Answer | None:
    return answer if request.stream == "gates_rules" else None


def test_a_rule_keeps_its_key_when_it_is_edited(open_vendors: Open) -> None:
    sandbox = open_vendors(records=1)
    gate = str(next(sandbox.store.rows("experimentation", "gates"))["id"])
    keys = set()
    for share, version in ((10, 1), (50, 2)):
        ours = {"id": f"abc:{share}.00:{version}", "passPercentage": share, "baseID": None}
        body = b'{"data": [%b]}' % repr(ours).replace("'", '"').replace("None", "null").encode()
        answer = Answer(body=body)
        sandbox.faults[:] = [partial(on_rules, answer)]
        (row,) = read(sandbox, "gates_rules").records["gates_rules"]
        assert row["id"] == ours["id"]
        keys.add((row["gate_id"], row["baseID"]))
    assert keys == {(gate, "abc")}


def test_days_that_may_be_restated_are_read_again(open_vendors: Open) -> None:
    sandbox = open_vendors(records=30)
    stream, until = "metrics_values", {"start_date": "2026-10-10", "end_date": "2026-10-20"}
    first = read(sandbox, stream, **until)
    assert first.status == 0, first.stderr[-2000:]
    last = first.bookmark(stream)
    sandbox.requests.clear()
    second = read(sandbox, stream, state=first.state, **until)
    assert second.status == 0, second.stderr[-2000:]
    asked = sorted(one.params["date"] for one in sandbox.requests)
    assert (last, asked[0]) == ("2026-10-20", "2026-10-16")


def test_what_is_counted_every_night_comes_with_full_reads(open_vendors: Open) -> None:
    sandbox = open_vendors(records=12)
    first = read(sandbox, "gates", full_read_every_days=7)
    sandbox.store.advance(1)
    early = read(sandbox, "gates", full_read_every_days=7, state=first.state)
    due = read(sandbox, "gates", full_read_every_days=0, state=early.state)
    assert [one.status for one in (first, early, due)] == [0, 0, 0]
    assert len(early.records["gates"]) < len(due.records["gates"])
    assert_equal(due, sandbox.store, "gates")


# Freshsales


def test_views_are_read_with_what_fills_their_ids(open_vendors: Open) -> None:
    sandbox = open_vendors(records=3)
    wanted = {
        "contacts": "owner territory",
        "accounts": "owner territory",
        "won_deals": "owner sales_account deal_stage campaign territory",
    }
    assert read(sandbox, *wanted).status == 0
    for stream, names in wanted.items():
        asked = [one.params["include"] for one in sandbox.requests if one.stream == stream]
        assert asked
        for include in asked:
            assert set(names.split()) <= set(include.split(","))


def test_deals_name_their_contacts(open_vendors: Open) -> None:
    """They are beside the list, as whole rows; which deal they belong to is in the deal alone."""
    result = read(open_vendors(records=12), "contacts", "sales_open_deals")
    named = {one for row in result.records["sales_open_deals"] for one in row["contact_ids"] or ()}
    assert named
    assert named <= {row["id"] for row in result.records["contacts"]}


@pytest.mark.parametrize("status", [403, 500])
def test_views_that_are_refused_are_the_only_reason(open_vendors: Open, status: int) -> None:
    sandbox = open_vendors(records=3)
    views = "sales_contact_views"
    sandbox.faults.append(lambda one: Answer(status) if one.stream == views else None)
    result = read(sandbox, "contacts", views, max_retries=0)
    assert result.status == 1
    assert result.outcome("contacts") != "complete"
    assert "named" not in result.report["contacts"]["reason"]
    assert str(status) in result.report[views]["reason"]


# SignNow


@pytest.mark.parametrize("ends", ["400", "404", "repeats"])
def test_documents_are_read_to_their_end(open_vendors: Open, ends: str) -> None:
    pages = "repeats" if ends == "repeats" else f"ends-with-{ends}"
    lists = ("user_modified_documents", "esignature_user_documents")
    chosen = [f"signnow.{stream}=paged-then-{ends}" for stream in lists]
    sandbox = open_vendors(records=130, variants=[*chosen, f"signnow.crm_contacts={pages}"])
    result = read(sandbox, *lists, "crm_contacts")
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *lists, "crm_contacts")


@pytest.mark.parametrize("stream", ["user_modified_documents", "crm_contacts"])
def test_a_token_that_dies_on_a_later_page_is_no_end(open_vendors: Open, stream: str) -> None:
    sandbox = open_vendors(records=230)
    body = b'{"error": "invalid_token", "code": 1537}'
    sandbox.faults.append(
        lambda one: Answer(400, body=body) if one.params.get("page") == "2" else None
    )
    result = read(sandbox, stream)
    assert (result.status, result.outcome(stream)) == (1, "denied")
    assert "token" in result.report[stream]["reason"]


def test_an_event_without_an_id_has_a_key(open_vendors: Open) -> None:
    assert DocumentHistory.primary_keys == ("document_id", "unique_id")
    sandbox = open_vendors(records=2)
    stream = "esignature_document_history"
    document = str(next(sandbox.store.rows("esignature", "user_modified_documents"))["id"])
    for event in ("created", "viewed"):
        sandbox.store.append(stream, {"unique_id": None, "event": event}, parent=document)
    runs = [read(sandbox, stream).records[stream] for _ in range(2)]
    keys = [{(row["document_id"], row["unique_id"]) for row in rows} for rows in runs]
    assert keys[0] == keys[1]
    assert len(keys[0]) == len(runs[0]) == len(sandbox.store.expected(stream))
