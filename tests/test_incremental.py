"""Reading again: only what changed, from bookmarks that are right."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from msgspec import Raw

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.changing import LAST, instant, like, touch
from tests.helpers.comparing import assert_equal, assert_union, ids, moment, union
from tests.helpers.contract import BY_NAME, STREAMS
from tests.helpers.support import (
    Result,
    catalog,
    entry_of,
    metadata_of,
    run_tap,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.sandbox import Request

    OpenSandbox = Callable[..., Sandbox]

EXPERIMENTATION = "experimentation"
ROOTS = [stream.name for stream in STREAMS if stream.replication_key and not stream.parent]


def parents_asked(sandbox: Sandbox, stream: str) -> set[str]:
    """Return the parents whose rows of a stream were asked for."""
    paths = {request.path for request in sandbox.requests if request.stream == stream}
    return {unquote(path.split("/")[3]) for path in paths}


@pytest.fixture(scope="module")
def first() -> Iterator[tuple[Sandbox, Result]]:
    """A sandbox that stays as it is, and a first run over all of its incremental streams."""
    with Sandbox(records=25) as sandbox:
        yield sandbox, run_tap(settings(sandbox), *ROOTS)


@pytest.mark.parametrize("stream", ROOTS)
def test_the_bookmark_is_the_latest_replication_key(
    first: tuple[Sandbox, Result], stream: str
) -> None:
    _, result = first
    key = str(BY_NAME[stream].replication_key)
    latest = max((row[key] for row in result.records[stream] if row[key] is not None), key=instant)
    assert result.bookmark(stream) == latest
    assert result.state["bookmarks"][stream]["replication_key"] == key


@pytest.mark.parametrize("stream", ROOTS)
def test_rows_come_oldest_first(first: tuple[Sandbox, Result], stream: str) -> None:
    _, result = first
    key = str(BY_NAME[stream].replication_key)
    times = [row[key] for row in result.records[stream]]
    known = [instant(value) for value in times if value is not None]
    assert known == sorted(known)
    assert times[: len(times) - len(known)] == [None] * (len(times) - len(known))


def test_a_run_with_nothing_new_is_small(first: tuple[Sandbox, Result]) -> None:
    sandbox, result = first
    again = run_tap(settings(sandbox), *ROOTS, state=result.state)
    assert again.status == 0
    assert again.state == result.state
    for stream in ROOTS:
        key = str(BY_NAME[stream].replication_key)
        since = instant(result.bookmark(stream))
        assert {instant(row[key]) for row in again.records[stream] if row[key] is not None} == {
            since
        }, stream


def test_state_is_bookmarks_only(first: tuple[Sandbox, Result]) -> None:
    _, result = first
    assert set(result.state) == {"bookmarks"}
    assert set(result.state["bookmarks"]) == set(ROOTS)
    assert "partitions" not in json.dumps(result.state)
    assert "context" not in json.dumps(result.state)


def test_changed_rows_come_again(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=12)
    streams = [name for name in ROOTS if name not in ("metrics_values", "ingestion_status")]
    config = settings(sandbox)
    before = run_tap(config, *streams)
    for number, stream in enumerate(streams):
        touch(sandbox, stream, 3, LAST + timedelta(days=1, seconds=number))
    after = run_tap(config, *streams, state=before.state)
    assert (before.status, after.status) == (0, 0)
    for number, stream in enumerate(streams):
        assert instant(after.bookmark(stream)) == LAST + timedelta(days=1, seconds=number)
        assert len(after.records[stream]) < 12
    assert_union(sandbox, [before, after], *streams)


def test_only_children_of_changed_parents_are_asked_for(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=30)
    streams = ("gates", "gates_rules", "segments", "segments_ids")
    config = settings(sandbox, EXPERIMENTATION)
    before = run_tap(config, *streams)
    gates = list(sandbox.store.rows(EXPERIMENTATION, "gates"))
    at_bookmark = {
        gate["id"] for gate in gates if gate["lastModifiedTime"] == before.bookmark("gates")
    }
    sandbox.requests.clear()
    idle = run_tap(config, *streams, state=before.state)
    assert {request.stream for request in sandbox.requests} == {"gates", "segments"}
    assert idle.state == before.state

    touch(sandbox, "gates", 4, LAST + timedelta(hours=1))
    rule = next(sandbox.store.rows(EXPERIMENTATION, "gates_rules"))
    sandbox.store.append("gates_rules", {**rule, "id": "new rule"}, parent=gates[4]["id"])
    sandbox.requests.clear()
    after = run_tap(config, *streams, state=idle.state)
    asked = parents_asked(sandbox, "gates_rules")
    assert {gates[4]["id"]} <= asked <= {gates[4]["id"], *at_bookmark}
    assert len(parents_asked(sandbox, "segments_ids")) <= 2
    assert "new rule" in ids(after.records["gates_rules"])
    assert_union(sandbox, [before, idle, after], "gates", "gates_rules")


def test_new_parents_bring_their_old_children(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=6)
    streams = ("dynamic_configs", "dynamic_configs_versions", "events", "events_metrics")
    config = settings(sandbox, EXPERIMENTATION)
    before = run_tap(config, *streams)
    row = next(sandbox.store.rows(EXPERIMENTATION, "dynamic_configs"))
    version = next(sandbox.store.rows(EXPERIMENTATION, "dynamic_configs_versions"))
    row |= {"id": "brand new", "lastModifiedTime": like("dynamic_configs", LAST)}
    sandbox.store.append("dynamic_configs", row)
    version |= {"id": "brand new", "version": 1, "lastModifiedTime": 1_000_000_000_000}
    sandbox.store.append(
        "dynamic_configs_versions",
        {**version, "lastModifiedTime": like("dynamic_configs", LAST - timedelta(days=500))},
        parent="brand new",
    )
    event = next(sandbox.store.rows(EXPERIMENTATION, "events"))
    metric = next(sandbox.store.rows(EXPERIMENTATION, "events_metrics"))
    sandbox.store.append("events", {**event, "name": "brand new"})
    metric |= {
        "id": "old metric",
        "createdTime": like("events_metrics", LAST - timedelta(days=500)),
    }
    sandbox.store.append("events_metrics", metric, parent="brand new")
    after = run_tap(config, *streams, state=before.state)
    assert after.status == 0
    assert "brand new" in ids(after.records["dynamic_configs_versions"], "dynamic_config_id")
    assert "old metric" in ids(after.records["events_metrics"])
    assert_union(sandbox, [before, after], *streams[:2], "events_metrics")


def test_children_that_were_gone_come_whole_when_they_are_back(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=12)
    streams = ("events", "events_metrics")
    config = settings(sandbox, EXPERIMENTATION)

    def gone(request: Request) -> Answer | None:
        is_first = request.path.startswith("/v1/events/checkout/")
        return Answer(404, body=b'{"message":"not found"}') if is_first else None

    sandbox.store.append(
        "events_metrics",
        {
            **next(sandbox.store.rows(EXPERIMENTATION, "events_metrics")),
            "id": "old metric",
            "createdTime": like("events_metrics", LAST - timedelta(days=500)),
        },
        parent="checkout",
    )
    sandbox.faults.append(gone)
    before = run_tap(config, *streams)
    assert before.status == 0
    assert before.report["events_metrics"]["skipped"] == 1
    sandbox.faults.clear()
    after = run_tap(config, *streams, state=before.state)
    assert_union(sandbox, [before, after], "events_metrics")


def test_a_failed_child_is_read_again(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=12)
    streams = ("gates", "gates_rules", "events", "events_metrics")
    config = settings(sandbox, EXPERIMENTATION, max_retries=0)
    gates = sorted(
        sandbox.store.rows(EXPERIMENTATION, "gates"), key=lambda row: int(row["lastModifiedTime"])
    )
    broken = {gates[5]["id"], "checkout"}

    def fail(request: Request) -> Answer | None:
        is_broken = request.stream in ("gates_rules", "events_metrics") and (
            unquote(request.path.split("/")[3]) in broken
        )
        return Answer(500, body=b"{}") if is_broken else None

    sandbox.faults.append(fail)
    before = run_tap(config, *streams)
    assert before.status == 1
    assert before.outcome("gates") == "complete"
    assert before.outcome("gates_rules") == "failed"
    assert before.bookmark("gates") <= gates[5]["lastModifiedTime"]
    assert "events_metrics" not in before.state["bookmarks"]
    assert_equal(before, sandbox.store, "gates", "events")
    sandbox.faults.clear()
    after = run_tap(config, *streams, state=before.state)
    assert after.status == 0
    assert after.bookmark("gates") == gates[-1]["lastModifiedTime"]
    assert_union(sandbox, [before, after], "gates", "gates_rules", "events_metrics")


@pytest.mark.parametrize("stream", ["tasks", "ingestion_runs"])
def test_start_and_end(open_sandbox: OpenSandbox, stream: str) -> None:
    """Both ends belong to it; a date as end is that whole day, offsets are looked at."""
    sandbox = open_sandbox(records=6)
    key = str(BY_NAME[stream].replication_key)
    times = [
        "2026-02-28T23:59:59.999Z",
        "2026-03-01T01:00:00+02:00",
        "2026-03-01T00:00:00Z",
        "2026-03-31T23:59:59.999999Z",
        "2026-04-01T01:30:00+02:00",
        "2026-04-01T00:00:00Z",
    ]
    for index, text in enumerate(times):
        sandbox.store.update(stream, index, {key: text})
    names = BY_NAME[stream].keys[0]
    rows = list(sandbox.store.rows(BY_NAME[stream].api, stream))
    config = settings(sandbox, start_date="2026-03-01", end_date="2026-03-31")
    result = run_tap(config, stream)
    assert ids(result.records[stream], names) == ids((rows[i] for i in (2, 3, 4)), names)
    assert result.status == 0
    exact = run_tap({**config, "end_date": "2026-03-31T23:30:00Z"}, stream)
    assert ids(exact.records[stream], names) == ids((rows[i] for i in (2, 4)), names)
    later = run_tap(settings(sandbox), stream, state=result.state)
    assert ids(later.records[stream], names) == ids((rows[i] for i in (3, 5)), names)


def test_an_end_date_loses_nothing_below_parents(open_sandbox: OpenSandbox) -> None:
    """Old rows of a parent that an end date kept back come with that parent."""
    sandbox = open_sandbox(records=2, sizes={"events": 12, "dynamic_configs_versions": 1})
    store = sandbox.store
    streams = ("dynamic_configs", "dynamic_configs_versions", "events", "events_metrics")
    config = settings(sandbox, EXPERIMENTATION)
    early, late = (row["id"] for row in store.rows(EXPERIMENTATION, "dynamic_configs"))
    version = next(store.rows(EXPERIMENTATION, "dynamic_configs_versions"))
    store.delete("dynamic_configs_versions", 0, parent=early)  # it is newer than its config will be
    for index, when in enumerate(("2025-03-01T00:00:00Z", "2026-10-01T00:00:00Z")):
        touch(sandbox, "dynamic_configs", index, moment(when))
    for parent, when in ((early, "2025-02-01"), (late, "2025-01-01"), (late, "2026-09-01")):
        when_modified = like("dynamic_configs_versions", moment(f"{when}T00:00:00Z"))
        changed = {**version, "id": f"{parent} {when}", "lastModifiedTime": when_modified}
        store.append("dynamic_configs_versions", changed, parent=parent)
    part = run_tap({**config, "end_date": "2025-06-30"}, *streams)
    rest = run_tap(config, *streams, state=part.state)
    assert (part.status, rest.status) == (0, 0)
    assert_union(sandbox, [part, rest], *streams[:2], "events_metrics")


def test_the_later_of_start_and_bookmark_wins(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=10)
    config = settings(sandbox, EXPERIMENTATION)
    state = {
        "bookmarks": {
            "layers": {
                "replication_key": "lastModifiedTime",
                "replication_key_value": like("layers", LAST - timedelta(days=365)),
            }
        }
    }
    early = run_tap({**config, "start_date": "2024-01-01"}, "layers", state=state)
    limit = LAST - timedelta(days=365)
    assert early.records["layers"]
    assert all(instant(row["lastModifiedTime"]) >= limit for row in early.records["layers"])
    late = run_tap({**config, "start_date": "2026-06-01"}, "layers", state=state)
    wanted = [
        row
        for row in sandbox.store.rows(EXPERIMENTATION, "layers")
        if instant(row["lastModifiedTime"]) >= datetime(2026, 6, 1, tzinfo=timezone.utc)
    ]
    assert ids(late.records["layers"]) == ids(wanted)


@pytest.mark.parametrize("stream", ["tasks", "layers", "signing_links", "user_modified_documents"])
def test_the_future_does_not_move_a_bookmark(open_sandbox: OpenSandbox, stream: str) -> None:
    sandbox = open_sandbox(records=4)
    config = settings(sandbox)
    touch(sandbox, stream, 1, datetime(2099, 1, 1, tzinfo=timezone.utc))
    results = [run_tap(config, stream)]
    bookmark = results[0].bookmark(stream)
    key = str(BY_NAME[stream].replication_key)
    stamps = [instant(row[key]) for row in results[0].records[stream]]
    assert instant(bookmark) == sorted(stamps)[-2]
    touch(sandbox, stream, 2, datetime.now(timezone.utc) + timedelta(seconds=5))
    results.append(run_tap(config, stream, state=results[0].state))
    assert_union(sandbox, results, stream)
    kinds = {type(row[key]) for row in results[0].records[stream]}
    assert kinds == {type(bookmark)}


def test_rows_without_a_replication_key_come_every_time(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=8)
    wild = [None, "soon", True, {"at": 1}, [1], ""]
    for index, value in enumerate(wild):
        sandbox.store.update("layers", index, {"lastModifiedTime": value})
    config = settings(sandbox, EXPERIMENTATION)
    before = run_tap(config, "layers")
    assert before.status == 0
    assert len(before.records["layers"]) == 8
    after = run_tap(config, "layers", state=before.state)
    assert after.status == 0
    assert len(after.records["layers"]) == 7
    assert after.state == before.state
    assert "lastModifiedTime" in " ".join(after.report["layers"]["drift"])


STRANGE = {
    "autotunes": 1_780_000_000_000_000_000,
    "dynamic_configs": 10**30,
    "experiments": -(10**30),
    "gates": Raw(b"1e400"),
    "holdouts": Raw(b"1780000000000.5"),
    "layers": "1780000000000",
    "segments": Raw(b"1.78e12"),
}
"""Nanoseconds, sizes beyond all clocks, fractions, numbers as text: one for each stream."""


def test_strange_replication_keys_lose_no_row(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=5)
    names = {stream: ids(sandbox.store.rows(EXPERIMENTATION, stream)) for stream in STRANGE}
    for stream, value in STRANGE.items():
        sandbox.store.update(stream, 2, {"lastModifiedTime": value})
    config = settings(sandbox, EXPERIMENTATION)
    del config["start_date"]
    before = run_tap(config, *STRANGE)
    assert before.status == 0
    for stream in STRANGE:
        assert ids(before.records[stream]) == names[stream]
        bookmark = before.bookmark(stream)
        assert isinstance(bookmark, int)
        assert instant(bookmark) <= datetime.now(timezone.utc)
        touch(sandbox, stream, 4, LAST + timedelta(days=1))
    after = run_tap(config, *STRANGE, state=before.state)
    assert after.status == 0
    for stream in STRANGE:
        assert names[stream][4] in ids(after.records[stream])


@pytest.mark.parametrize(
    "steps",
    [
        [("gates",), ("gates", "gates_rules")],
        [("gates_rules",), ("gates", "gates_rules")],
        [("gates", "gates_rules"), ("gates",), ("gates", "gates_rules")],
        [("gates", "gates_rules"), ("gates_rules",), ("gates", "gates_rules")],
    ],
    ids=str,
)
def test_newly_selected_streams_come_whole(
    open_sandbox: OpenSandbox, steps: list[tuple[str, ...]]
) -> None:
    """What was not selected while it changed is read as soon as it is selected again."""
    sandbox = open_sandbox(records=8)
    config = settings(sandbox, EXPERIMENTATION)
    results: list[Result] = []
    state = None
    rule = next(sandbox.store.rows(EXPERIMENTATION, "gates_rules"))
    for number, streams in enumerate(steps):
        results.append(run_tap(config, *streams, state=state))
        assert results[-1].status == 0
        state = results[-1].state
        if number + 2 < len(steps):
            touch(sandbox, "gates", number, LAST + timedelta(hours=number))
            touch(sandbox, "gates", 5, LAST + timedelta(days=1, hours=number))
            gate = list(sandbox.store.rows(EXPERIMENTATION, "gates"))[number]["id"]
            sandbox.store.append("gates_rules", {**rule, "id": f"late {number}"}, parent=gate)
    assert_union(sandbox, results, "gates", "gates_rules")


def test_full_table_by_choice(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=6)
    config = settings(sandbox, EXPERIMENTATION)
    chosen = catalog("layers")
    metadata_of(entry_of(chosen, "layers"))["forced-replication-method"] = "FULL_TABLE"
    entry_of(chosen, "layers")["replication_method"] = "FULL_TABLE"
    state = run_tap(config, "layers").state
    again = run_tap(config, catalog_=chosen, state=state)
    assert again.status == 0
    assert_equal(again, sandbox.store, "layers")


def test_days_are_read_from_the_bookmark_on(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=60)
    config = settings(sandbox, EXPERIMENTATION, start_date="2026-10-20")
    before = run_tap({**config, "end_date": "2026-10-25"}, "metrics_values", "ingestion_status")
    asked = [r.params["date"] for r in sandbox.requests if r.stream == "metrics_values"]
    assert sorted(asked) == [f"2026-10-{day}" for day in range(20, 26)]
    window = next(r.params for r in sandbox.requests if r.stream == "ingestion_status")
    assert window == {"startDate": "2026-10-20", "endDate": "2026-10-25"}
    assert before.bookmark("metrics_values") == "2026-10-25"
    assert {row["date"] for row in before.records["metrics_values"]} == set(asked)
    sandbox.requests.clear()
    after = run_tap(config, "metrics_values", "ingestion_status", state=before.state)
    asked = [r.params["date"] for r in sandbox.requests if r.stream == "metrics_values"]
    today = datetime.now(timezone.utc).date().isoformat()
    assert (min(asked), max(asked)) == ("2026-10-25", today)
    assert after.bookmark("metrics_values") == "2026-10-31"
    wanted = [
        row for row in sandbox.store.expected("metrics_values") if row["date"] >= "2026-10-20"
    ]
    assert len(union([before, after], "metrics_values")) == len(wanted)
