"""The generated data: the same each time, and sound."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tap_analytics
from tap_analytics.sandbox import Store
from tap_analytics.sandbox.data import moments
from tap_analytics.sandbox.data.catalog import OWNERS
from tap_analytics.sandbox.data.text import EVENTS
from tap_analytics.sandbox.paging import Window

from .client import ROUTES, TOP

PACKAGE = Path(tap_analytics.__file__).parent
KEYS = {
    "dynamic_configs_versions": ("id", "version"),
    "dynamic_configs_rules": ("dynamic_config_id", "id"),
    "gates_rules": ("gate_id", "id"),
    "events": ("timestamp", "name", "source", "value", "userID"),
    "events_metrics": ("event_name", "id"),
    "ingestion_status": ("timestamp", "source_name", "message", "status", "rowCount"),
    "ingestion_runs": ("runID",),
    "metrics_values": ("date", "metricName", "metricType", "unitType"),
    "segments_ids": ("segment_id",),
    "users": ("email",),
}
TIMES = {
    "tasks": "updated_at",
    "schedules": "updated_at",
    "pages": "updated_at",
    "gates": "lastModifiedTime",
    "dynamic_configs_versions": "lastModifiedTime",
    "events_metrics": "createdTime",
    "ingestion_runs": "lastUpdatedAt",
    "ingestion_status": "timestamp",
    "contacts": "updated_at",
    "user_modified_documents": "updated",
    "signing_links": "created",
}


@pytest.fixture(scope="module")
def store() -> Store:
    """Enough rows for everything that is rare."""
    return Store(200)


@pytest.mark.parametrize("stream", ROUTES)
def test_the_same_rows_again(store: Store, stream: str) -> None:
    """Two stores of one size hold the same."""
    assert store.expected(stream) == Store(200).expected(stream)


def test_the_same_rows_in_another_process() -> None:
    """Nothing depends on the process, such as its hash seed."""
    code = (
        "from tap_analytics.sandbox import Store; import json;"
        "print(json.dumps(Store(3).expected('experiments')))"
    )
    runs = [
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            cwd=PACKAGE.parent,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert json.loads(runs[0]) == Store(3).expected("experiments")


@pytest.mark.parametrize("stream", ROUTES)
def test_keys(store: Store, stream: str) -> None:
    """They are never null and name one row."""
    rows = store.expected(stream)
    keys = [tuple(row[name] for name in KEYS.get(stream, ("id",))) for row in rows]
    assert len(set(keys)) == len(rows) > 0
    if stream not in ("events", "ingestion_status"):
        assert None not in {part for key in keys for part in key}


@pytest.mark.parametrize("stream", ROUTES)
def test_rows_fit_the_schemas_of_the_tap(store: Store, stream: str) -> None:
    """Both were written from the same documents, apart from each other."""
    schema = json.loads(
        (PACKAGE / "apis" / OWNERS[stream] / "schemas" / f"{stream}.json").read_text()
    )
    added = {"row_key": "", "updated": 0}
    validator = jsonschema.Draft7Validator(schema)
    for row in store.expected(stream):
        assert [e.message for e in validator.iter_errors({**added, **row})] == []


@pytest.mark.parametrize("stream", TOP)
def test_every_field_has_values(store: Store, stream: str) -> None:
    """The first row is full, so that even one row shows every field."""
    for row in store.expected(stream)[:1]:
        assert [name for name, value in row.items() if value is None] == []


@pytest.mark.parametrize("stream", ["tasks", "subscribers", "gates", "contacts", "crm_contacts"])
def test_nulls(store: Store, stream: str) -> None:
    """Fields that may be null are null now and then."""
    values = [value for row in store.expected(stream) for value in row.values()]
    assert 0.01 < values.count(None) / len(values) < 0.25


@pytest.mark.parametrize(("stream", "field"), TIMES.items())
def test_times(store: Store, stream: str, field: str) -> None:
    """Two years of changes, out of order, with ties, never after the end."""
    times = [_seconds(row[field]) for row in store.expected(stream) if row[field] is not None]
    end = moments.END.timestamp()
    assert end - moments.SPAN.total_seconds() - 86_400 < min(times)
    assert max(times) < end
    assert times != sorted(times)
    if len(times) > 100:
        assert max(times) - min(times) > 600 * 86_400
        assert len(set(times)) < len(times)


def test_times_are_written_in_several_ways(store: Store) -> None:
    """With Z, with an offset and with milliseconds."""
    for api, stream in (("workforce", "tasks"), ("sales", "contacts")):
        texts = [row["updated_at"] for row in store.rows(api, stream) if row["updated_at"]]
        assert {text[-6:] for text in texts} >= {"+02:00"}
        assert any(text.endswith("Z") and "." in text for text in texts)
        assert any(text.endswith("Z") and "." not in text for text in texts)


def test_awkward_text(store: Store) -> None:
    """Emoji, quotes, backslashes, line ends, other scripts, empty and long names."""
    names = [
        row["name"] for row in store.rows("experimentation", "gates") if row["name"] is not None
    ]
    text = "".join(names)
    for part in ("🎉", '"', "\\", "\n", "ẞ", "%"):
        assert part in text
    assert "" in names
    assert max(map(len, names)) > 500


def test_ids_that_floats_cannot_hold(store: Store) -> None:
    """Every id of the sales lists is above 2^53 and odd."""
    for row in store.rows("sales", "accounts"):
        assert row["id"] > 2**53
        assert int(float(row["id"])) != row["id"]


def test_rules_are_also_in_their_parents(store: Store) -> None:
    """A gate's row and a dynamic config's row hold the rules that their lists have."""
    for parent, child, name in (
        ("gates", "gates_rules", "gate_id"),
        ("dynamic_configs", "dynamic_configs_rules", "dynamic_config_id"),
    ):
        below: dict[str, list[Any]] = {}
        for rule in store.expected(child):
            below.setdefault(rule.pop(name), []).append(rule)
        rows = list(store.rows("experimentation", parent))
        assert [row["rules"] for row in rows] == [below.get(row["id"], []) for row in rows]
        assert {len(row["rules"]) for row in rows} == {0, 1, 2, 3, 4, 5}


def test_versions_lead_up_to_their_parent(store: Store) -> None:
    """The newest version is the parent's and bears its time."""
    newest: dict[str, tuple[int, int]] = {}
    for row in store.rows("experimentation", "dynamic_configs_versions"):
        entry = (row["version"], row["lastModifiedTime"])
        newest[row["id"]] = max(newest.get(row["id"], (0, 0)), entry)
    parents = list(store.rows("experimentation", "dynamic_configs"))
    assert any(row["version"] == 0 for row in parents)
    for row in parents:
        if row["version"]:
            assert newest[row["id"]] == (row["version"], row["lastModifiedTime"])


def test_id_lists_fit_their_segments(store: Store) -> None:
    """One list for each segment, under its name, with as many ids as it says."""
    names = {row["id"]: row["name"] for row in store.rows("experimentation", "segments")}
    lists = store.expected("segments_ids")
    assert [row["segment_id"] for row in lists] == list(names)
    for row in lists:
        assert row["name"] == names[row["segment_id"]]
        assert row["count"] == len(row["ids"])


def test_event_names(store: Store) -> None:
    """They repeat, and each one has its list of metrics, some of them empty."""
    names = [row["name"] for row in store.rows("experimentation", "events")]
    assert set(names) == set(EVENTS)
    assert len(EVENTS) == 12
    below = {row["event_name"] for row in store.expected("events_metrics")}
    assert 0 < len(below) < 12
    for row in store.expected("events_metrics"):
        assert row["name"].startswith(row["event_name"])


def test_references(store: Store) -> None:
    """Rows of other lists that a row names are there."""
    for stream, field, target in (
        ("overlap_periods", "schedule_id", "schedules"),
        ("contacts", "sales_account_id", "accounts"),
        ("won_deals", "sales_account_id", "accounts"),
        ("open_tasks", "targetable_id", "contacts"),
        ("holdouts", "targetingGateID", "gates"),
        ("user_modified_documents", "user_id", "user"),
    ):
        ids = {row["id"] for row in store.expected(target)}
        found = {row[field] for row in store.expected(stream)} - {None}
        assert found
        assert found <= ids


def test_metric_values_are_of_listed_metrics(store: Store) -> None:
    """Name and type of a value are those of a metric."""
    metrics = {(row["name"], row["type"]) for row in store.rows("experimentation", "metrics")}
    ids = {row["id"] for row in store.rows("experimentation", "metrics")}
    assert ids == {f"{name}::{kind}" for name, kind in metrics}
    values = store.rows("experimentation", "metrics_values")
    assert {(row["metricName"], row["metricType"]) for row in values} <= metrics


def test_a_thousand_million_rows_are_not_held() -> None:
    """Any page of any size of sandbox costs the same."""
    tracemalloc.start()
    found = Store(10**9).find(ROUTES["contacts"][1], 0, Window(10**9 - 3, 1000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.rows) == 3
    assert found.total == 10**9
    assert most < 20_000_000


def test_streams_belong_to_apis(store: Store) -> None:
    """Asking one API for another's stream is a mistake."""
    with pytest.raises(KeyError):
        next(store.rows("sales", "gates"))


def _seconds(value: str | int) -> float:
    if isinstance(value, int):
        return value / 1000 if value > 10**11 else value
    if value.isdecimal():
        return int(value)
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    assert moment.tzinfo is not None
    return moment.astimezone(timezone.utc).timestamp()


def test_lists_below_others_have_the_size_that_is_asked_for() -> None:
    sizes = {"dynamic_configs": 3, "dynamic_configs_versions": 50}
    store = Store(records=0, sizes=sizes)
    parents = Counter(
        row["dynamic_config_id"] for row in store.expected("dynamic_configs_versions")
    )
    assert list(parents.values()) == [50] * 3
