"""The state: small, rare, never ahead of its records, and taken from others with care."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tests.helpers.changing import instant
from tests.helpers.comparing import assert_equal, ids, moment
from tests.helpers.contract import BY_NAME
from tests.helpers.forks import run_text
from tests.helpers.support import (
    Record,
    environment,
    run_tap,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_analytics.sandbox import Sandbox

    OpenSandbox = Callable[..., Sandbox]

EXPERIMENTATION = "experimentation"


def test_state_lines_are_rare_and_never_ahead(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=60, latency=0.05)
    began = time.monotonic()
    result = run_tap(settings(sandbox, "workforce", max_concurrency=1), "schedules", "tasks")
    took = time.monotonic() - began
    assert result.status == 0
    assert 1 <= len(result.states) <= took + 2
    rows: dict[str, list[Record]] = {"schedules": [], "tasks": []}
    for line in result.lines:
        if line["type"] == "RECORD":
            rows[line["stream"]].append(line["record"])
        elif line["type"] == "STATE":
            for stream, entry in line["value"]["bookmarks"].items():
                since = moment(entry["replication_key_value"])
                older = [
                    row["id"]
                    for row in sandbox.store.rows("workforce", stream)
                    if row["updated_at"] and moment(row["updated_at"]) < since
                ]
                assert set(older) <= set(ids(rows[stream]))


def test_state_does_not_grow_with_parents(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=150)
    streams = ("gates", "gates_rules", "dynamic_configs", "dynamic_configs_versions")
    result = run_tap(settings(sandbox, EXPERIMENTATION), *streams)
    assert result.status == 0
    assert max(len(json.dumps(state)) for state in result.states) < 2_000


@pytest.mark.parametrize(
    "text",
    ['{"bookmarks": {"tasks": {"repl', "", "[]", '"state"', "{}{}", '{"bookmarks": []}', "\x00"],
)
def test_files_that_are_no_state_are_refused(open_sandbox: OpenSandbox, text: str) -> None:
    sandbox = open_sandbox(records=1)
    result = run_tap(settings(sandbox, "workforce"), "tasks", state=text)
    assert result.status == 2
    assert not result.lines
    assert "state" in result.stderr
    assert "Traceback" not in result.stderr
    assert not sandbox.requests


@pytest.mark.parametrize("option", ["--state", "--catalog", "--config"])
def test_files_that_are_not_there_are_refused(
    tmp_path: Path, open_sandbox: OpenSandbox, option: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings(open_sandbox(records=1), "workforce")), encoding="utf-8")
    arguments = ["--config", str(config), option, str(tmp_path / "missing.json")]
    done = run_text(arguments, env=environment())
    assert done.returncode == 2
    assert "missing.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


FOREIGN = [
    [{"replication_key_value": value} for value in ("not a time", {"a": 1}, True)],
    [
        {"replication_key_value": "2099-01-01T00:00:00Z"},
        {"replication_key": "created_at", "replication_key_value": "2026-10-31T00:00:00Z"},
        {"replication_key_value": None},
    ],
    [
        {
            "partitions": [{"context": {"a": 1}}, {"context": {"a": 1}}],
            "progress_markers": {"replication_key_value": "2026-10-31T00:00:00Z"},
            "starting_replication_value": "2026-10-31T00:00:00Z",
        },
        {"covers": 5, "parents": [], "rows": "many"},
        {},
    ],
]


@pytest.mark.parametrize("entries", FOREIGN, ids=["values", "keys", "shapes"])
def test_bookmarks_of_others_lose_nothing(open_sandbox: OpenSandbox, entries: list[Record]) -> None:
    sandbox = open_sandbox(records=5)
    streams = ("tasks", "schedules", "ingestion_runs")
    bookmarks: Record = {"no_such_stream": {"replication_key_value": 3}}
    for stream, entry in zip(streams, entries, strict=True):
        known = {"replication_key": BY_NAME[stream].replication_key}
        bookmarks[stream] = {**known, **entry} if "replication_key_value" in entry else entry
    result = run_tap(settings(sandbox), *streams, state={"bookmarks": bookmarks})
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *streams)
    for stream in streams:
        key = str(BY_NAME[stream].replication_key)
        latest = max(moment(row[key]) for row in result.records[stream] if row[key])
        assert moment(result.bookmark(stream)) == latest


@pytest.mark.parametrize("value", ["2026-05-01", "2026-05-01T02:00:00+02:00", 1777593600000])
def test_bookmarks_in_other_spellings_count(open_sandbox: OpenSandbox, value: object) -> None:
    sandbox = open_sandbox(records=20)
    stream = "layers" if isinstance(value, int) else "ingestion_runs"
    key = str(BY_NAME[stream].replication_key)
    state = {"bookmarks": {stream: {"replication_key": key, "replication_key_value": value}}}
    result = run_tap(settings(sandbox, EXPERIMENTATION), stream, state=state)
    since = datetime(2026, 5, 1, tzinfo=timezone.utc)
    name = BY_NAME[stream].keys[0]
    wanted = [
        row
        for row in sandbox.store.rows(EXPERIMENTATION, stream)
        if row[key] is None or instant(row[key]) >= since
    ]
    assert 0 < len(wanted) < 20
    assert ids(result.records[stream], name) == ids(wanted, name)


def test_an_iso_bookmark_of_epoch_streams_counts(open_sandbox: OpenSandbox) -> None:
    """An older version, or another tap, may have written times another way."""
    sandbox = open_sandbox(records=20)
    entry = {
        "replication_key": "lastModifiedTime",
        "replication_key_value": "2026-05-01T00:00:00Z",
    }
    state = {"bookmarks": {"layers": entry}}
    result = run_tap(settings(sandbox, EXPERIMENTATION), "layers", state=state)
    assert result.status == 0
    assert all(
        instant(row["lastModifiedTime"]) >= datetime(2026, 5, 1, tzinfo=timezone.utc)
        for row in result.records["layers"]
    )
