"""Results, exposures and versions of Statsig, and what stands below two parents elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import vendor_catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.support import Record, Result

PULSE = "experimentation_experiments_pulse_results"
EXPOSURES = "experimentation_experiments_cumulative_exposures"
VERSIONS = "experimentation_experiments_versions"
COUNTS = "experimentation_experiments_exposure_counts"


@pytest.fixture
def vendors(open_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return open_sandbox(upstreams=True, records=12, sizes={"pages": 3})


def read(sandbox: Sandbox, *streams: str, **more: Any) -> Result:
    selected = vendor_catalog(sandbox, *streams)
    return run_tap(settings(sandbox, all_streams=True), catalog_=selected, **more)


def answer(sandbox: Sandbox, stream: str, data: object, status: int = 200) -> None:
    """Let every list of a stream be this."""
    body = json.dumps({"message": "", "data": data} if status == 200 else data).encode()
    sandbox.faults.append(
        lambda request: Answer(status=status, body=body) if request.stream == stream else None
    )


def test_results_are_read_again_though_their_experiments_stand_still(vendors: Sandbox) -> None:
    streams = ("experiments", EXPOSURES, VERSIONS)
    first = read(vendors, *streams)
    assert first.status == 0, first.stderr[-2000:]
    vendors.requests.clear()
    second = read(vendors, *streams, state=first.state)
    assert second.status == 0, second.stderr[-2000:]
    assert Counter(request.stream for request in vendors.requests)[EXPOSURES] == 12
    assert second.records[EXPOSURES] == first.records[EXPOSURES]
    assert len(second.records["experiments"]) == 12


def test_without_such_streams_only_what_changed_is_asked_for(vendors: Sandbox) -> None:
    first = read(vendors, "experiments", VERSIONS)
    vendors.requests.clear()
    second = read(vendors, "experiments", VERSIONS, state=first.state)
    assert Counter(request.stream for request in vendors.requests)[VERSIONS] <= 1
    assert len(second.records["experiments"]) <= 1


def test_each_other_group_is_compared_with_the_control_group(vendors: Sandbox) -> None:
    result = read(vendors, PULSE, "experimentation_experiments_groups")
    assert result.status == 0, result.stderr[-2000:]
    groups = result.records["experimentation_experiments_groups"]
    arms = {
        (row["experiment_id"], row["control_group_id"], row["id"])
        for row in groups
        if row["control_group_id"] not in (None, row["id"])
    }
    asked = [request for request in vendors.requests if request.stream == PULSE]
    assert Counter((one.params["control"], one.params["test"]) for one in asked) == Counter(
        (control, test) for _, control, test in arms
    )
    compared = ("experiment_id", "control_group_id", "test_group_id")
    rows = result.records[PULSE]
    assert {tuple(row[name] for name in compared) for row in rows} <= arms
    assert rows


METRIC = {"metricID": "m::sum", "controlMean": 1.5, "pValue": 0.01}
SPELT = {"metric_id": "m::sum", "control_mean": 1.5, "p_value": 0.01}


@pytest.mark.parametrize(
    "data",
    [
        {"ds": "2026-10-01", "primaryMetrics": [METRIC]},
        {"ds": "2026-10-01", "primary_metrics": [SPELT], "otherMetrics": None},
        [{"ds": "2026-10-01", "primaryMetrics": [METRIC], "secondaryMetrics": []}],
    ],
    ids=["camel case", "snake case", "array of one"],
)
def test_results_are_read_however_they_are_spelt(vendors: Sandbox, data: object) -> None:
    answer(vendors, PULSE, data)
    rows = read(vendors, PULSE).records[PULSE]
    assert rows
    for row in rows:
        found = {name: row[name] for name in ("ds", "metric_list", "metricID", "pValue")}
        wanted = {"ds": "2026-10-01", "metric_list": "primary", "metricID": "m::sum"}
        assert found == {**wanted, "pValue": 0.01}


def test_a_metric_without_numbers_says_why(vendors: Sandbox) -> None:
    metric = {"metricID": "m::sum", "error": "not enough data"}
    answer(
        vendors,
        PULSE,
        {"ds": "2026-10-01", "primaryMetrics": [metric, {**METRIC, "metricID": "n"}]},
    )
    result = read(vendors, PULSE)
    assert result.status == 0, result.stderr[-2000:]
    errors = {row["metricID"]: row.get("error") for row in result.records[PULSE]}
    assert errors == {"m::sum": "not enough data", "n": None}


@pytest.mark.parametrize(
    ("status", "message", "is_nothing"),
    [
        (404, "Experiment has no results", True),
        (400, "There are no results for this experiment", True),
        (400, "control is not a group", False),
        (403, "Forbidden", False),
    ],
)
def test_no_results_are_no_failure(
    vendors: Sandbox, status: int, message: str, *, is_nothing: bool
) -> None:
    answer(vendors, PULSE, {"status": status, "message": message}, status)
    result = read(vendors, PULSE)
    assert result.status == (0 if is_nothing else 1), result.stderr[-2000:]
    assert result.records[PULSE] == []


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ([{"id": "x", "pastDay": 3, "past7Days": 9}], {"x": 9}),
        ([{"id": "x", "pastDay": "not available", "past7Days": "not available"}], {}),
        ([{"id": "x", "pastDay": None, "past7Days": 9}, "not available"], {"x": 9}),
        ("not available", {}),
        (None, {}),
    ],
)
def test_counts_that_are_not_available_are_no_rows(
    vendors: Sandbox, rows: object, counted: Record
) -> None:
    answer(vendors, COUNTS, {} if rows is None else {"experiments": rows})
    result = read(vendors, COUNTS)
    assert result.status == 0, result.stderr[-2000:]
    assert {row["id"]: row["past7Days"] for row in result.records[COUNTS]} == counted
    assert all(row["date"] for row in result.records[COUNTS])


def test_a_version_without_a_number_is_known_by_its_time(vendors: Sandbox) -> None:
    rows = [{"id": "e", "lastModifiedTime": 1_790_000_000_000}, {"id": "e", "version": 2}]
    answer(vendors, VERSIONS, rows)
    found = read(vendors, VERSIONS).records[VERSIONS]
    assert {row["version"] for row in found} == {1_790_000_000_000, 2}


def test_rows_below_two_parents_carry_both(vendors: Sandbox) -> None:
    stream = "status_page_page_access_user_components"
    result = read(vendors, stream)
    assert result.status == 0, result.stderr[-2000:]
    wanted = {
        (row["page_id"], row["page_access_user_id"], row["id"])
        for row in vendors.store.expected(stream)
    }
    rows = result.records[stream]
    assert {(row["page_id"], row["page_access_user_id"], row["id"]) for row in rows} == wanted
    assert len(rows) == len(wanted) > 0
