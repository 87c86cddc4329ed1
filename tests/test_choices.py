"""The user's catalog is honoured: keys, replication, selection, of any age; or it is said."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Sandbox
from tests.helpers.forks import run_command
from tests.helpers.support import (
    Result,
    catalog,
    entry_of,
    environment,
    metadata_of,
    run_tap,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.helpers.support import Record

ROWS = 12


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=ROWS) as sandbox:
        yield sandbox


def chosen(selected: str, **changes: Any) -> tuple[Record, Record, Record]:
    """Return a catalog with one stream selected and its entry changed, the entry, its metadata."""
    found = catalog(selected)
    entry = entry_of(found, selected)
    entry.update(changes)
    return found, entry, metadata_of(entry)


def run(sandbox: Sandbox, chosen: Record, **config: Any) -> Result:
    return run_tap(settings(sandbox, "workforce", **config), catalog_=chosen)


def without_keys(_: Record, entry: Record) -> None:
    entry["key_properties"] = []


def without_keys_in_metadata(root: Record, entry: Record) -> None:
    del entry["key_properties"]
    root["table-key-properties"] = []


def other_keys_in_metadata(root: Record, _: Record) -> None:
    root["table-key-properties"] = ["id", "updated_at"]


def keys_in_metadata_alone(_: Record, entry: Record) -> None:
    del entry["key_properties"]


def no_such_key(_: Record, entry: Record) -> None:
    entry["key_properties"] = ["nope"]


@pytest.mark.parametrize(
    ("change", "keys", "said"),
    [
        (without_keys, [], None),
        (without_keys_in_metadata, [], None),
        (other_keys_in_metadata, ["id", "updated_at"], None),
        (keys_in_metadata_alone, ["id"], None),
        (no_such_key, ["id"], "its key 'nope' is no field of it, so it keeps 'id'"),
    ],
)
def test_keys(
    sandbox: Sandbox, change: Callable[[Record, Record], None], keys: list[str], said: str | None
) -> None:
    found, entry, root = chosen("tasks")
    change(root, entry)
    result = run(sandbox, found)
    assert result.status == 0
    assert len(result.records["tasks"]) == ROWS
    assert result.schemas["tasks"]["key_properties"] == keys
    warnings = [line for line in result.stderr.splitlines() if "WARNING" in line]
    assert [said in line for line in warnings] == [True] if said else not warnings


@pytest.mark.parametrize("place", ["entry", "metadata", "meltano"])
def test_an_incremental_stream_is_read_in_full_on_demand(sandbox: Sandbox, place: str) -> None:
    found, entry, root = chosen("tasks")
    if place == "entry":
        entry["replication_method"] = "FULL_TABLE"
    else:
        root["forced-" * (place == "metadata") + "replication-method"] = "FULL_TABLE"
    state = {
        "bookmarks": {
            "tasks": {
                "replication_key": "updated_at",
                "replication_key_value": "2026-09-30T00:00:00Z",
            }
        }
    }
    result = run_tap(settings(sandbox, "workforce"), catalog_=found, state=state)
    assert (result.status, len(result.records["tasks"])) == (0, ROWS)


def test_another_replication_key_is_taken(sandbox: Sandbox) -> None:
    found, *_ = chosen("schedules", replication_key="created_at")
    result = run(sandbox, found, start_date="2000-01-01")
    created = [row["created_at"] for row in result.records["schedules"] if row["created_at"]]
    assert created == sorted(created)
    assert result.bookmark("schedules") == created[-1]
    assert result.schemas["schedules"]["bookmark_properties"] == ["created_at"]
    again = run_tap(settings(sandbox, "workforce"), catalog_=found, state=result.state)
    assert {row["created_at"] for row in again.records["schedules"]} <= {created[-1], None}


@pytest.mark.parametrize(
    ("stream", "changes", "said"),
    [
        (
            "overlap_periods",
            {"replication_method": "INCREMENTAL", "replication_key": "id"},
            "its replication key 'id' is no date-time of it, so it is read as declared",
        ),
        (
            "overlap_periods",
            {"replication_method": "INCREMENTAL"},
            "nothing in it tells when a row changed, so it is read in full",
        ),
        ("tasks", {"replication_method": "LOG_BASED"}, "method 'LOG_BASED' is none there is"),
    ],
)
def test_what_cannot_be_honoured_is_said(
    sandbox: Sandbox, stream: str, changes: Record, said: str
) -> None:
    found, *_ = chosen(stream, **changes)
    result = run(sandbox, found)
    assert (result.status, len(result.records[stream])) == (0, ROWS)
    (warning,) = [line for line in result.stderr.splitlines() if "WARNING" in line]
    assert said in warning


def test_old_catalogs_select_beside_the_schema(sandbox: Sandbox) -> None:
    found = catalog("tasks")
    for entry in found["streams"]:
        del metadata_of(entry)["selected"]
        entry["selected"] = entry["tap_stream_id"] == "schedules"
        entry["schema"]["properties"].get("name", {})["selected"] = False
    result = run(sandbox, found)
    assert set(result.records) == {"schedules"}
    assert len(result.records["schedules"]) == ROWS
    assert not any("name" in row for row in result.records["schedules"])


def test_a_catalog_without_schema_and_metadata_is_enough(sandbox: Sandbox) -> None:
    result = run(sandbox, {"streams": [{"tap_stream_id": "tasks", "selected": True}]})
    assert (result.status, len(result.records["tasks"])) == (0, ROWS)
    assert result.schemas["tasks"]["key_properties"] == ["id"]
    assert all(row["id"] for row in result.records["tasks"])


def test_a_stream_that_is_not_there_is_said_and_the_others_are_read(sandbox: Sandbox) -> None:
    found, entry, _ = chosen("tasks")
    for name in ("taskz", "contacts"):
        found["streams"].append({**copy.deepcopy(entry), "tap_stream_id": name, "stream": name})
    result = run(sandbox, found)
    assert (result.status, len(result.records["tasks"])) == (0, ROWS)
    assert "'taskz' is selected, but there is none of this name: did you mean 'tasks'?" in (
        result.stderr
    )
    assert "'contacts' is selected, but not part of this run: set sales_api_key" in result.stderr


def misspelt() -> Record:
    found, *_ = chosen("tasks", tap_stream_id="taskz", stream="taskz")
    return found


def shaped(part: Any) -> Record:
    """Return a catalog in whose schema something stands in the place of a field's."""
    found = catalog("tasks")
    entry_of(found, "tasks")["schema"]["properties"]["name"] = part
    return found


def of_no_fields() -> Record:
    found = catalog("tasks")
    entry_of(found, "tasks")["schema"]["properties"] = None
    return found


def perhaps(selected: Any) -> Record:
    found = catalog("tasks")
    metadata_of(entry_of(found, "tasks"))["selected"] = selected
    return found


@pytest.mark.parametrize(
    ("found", "config", "said"),
    [
        (of_no_fields, {}, "'schema.properties' of 'tasks' is not what JSON Schema has there"),
        *[
            (lambda part=part: shaped(part), {}, f"'schema.properties.name{at}' of 'tasks' is not")
            for part, at in (
                (None, ""),
                (True, ""),
                ({"type": "blob"}, ".type"),
                ({"type": []}, ".type"),
                ({"type": ["string", {}]}, ".type"),
                ({"type": "object", "properties": {"a": 5}}, ".properties.a"),
                ({"type": "array", "items": {"type": "text"}}, ".items.type"),
            )
        ],
        (lambda: perhaps("false"), {}, "'selected' in the metadata of 'tasks' is 'false', and may"),
        (lambda: perhaps(1), {}, "'selected' in the metadata of 'tasks' is 1, and may be true"),
        (catalog, {}, "the catalog selects no stream, so there is nothing to read"),
        (misspelt, {}, "there is none of this name: did you mean 'tasks'?"),
        (lambda: catalog("contacts"), {}, "'contacts' is selected, but not part of this run"),
        (lambda: {"streams": [{"a": 1}]}, {}, "no catalog: its stream 1 has no 'tap_stream_id'"),
        (lambda: {"bookmarks": {}}, {}, "no catalog: it has no list of 'streams'"),
        (
            lambda: {"streams": [{"tap_stream_id": "tasks", "metadata": [5]}]},
            {},
            "the 'metadata' of 'tasks' is not a list of",
        ),
        (
            lambda: catalog("tasks"),
            {"stream_maps": {"tasks": {"x": "foo("}}},
            "setting 'stream_maps': the map of 'tasks' cannot be used: Failed to parse",
        ),
        (
            lambda: catalog("tasks"),
            {"stream_maps": {"tasks": {"x": "str(shar256(name) + str(1))"}}},
            "'x' calls 'shar256', and there is no such function: did you mean 'sha256'?",
        ),
        (
            lambda: catalog("tasks"),
            {"stream_maps": {"tasks": {"__filter__": "is_open(name)"}}},
            "the map of 'tasks' cannot be used: '__filter__' calls 'is_open', and there is no",
        ),
        (
            lambda: catalog("tasks"),
            {"stream_maps": {"taskz": {"x": "name"}}},
            "setting 'stream_maps': there is no stream 'taskz': did you mean 'tasks'?",
        ),
        (
            lambda: catalog("tasks"),
            {"stream_maps": {"tasks": 5}},
            "setting 'stream_maps.tasks' is not of the form",
        ),
    ],
)
def test_a_run_that_would_read_nothing_or_wrong_is_refused(
    sandbox: Sandbox, found: Callable[[], Record], config: Record, said: str
) -> None:
    result = run(sandbox, found(), **config)
    assert (result.status, result.lines) == (2, [])
    (error,) = [line for line in result.stderr.splitlines() if "ERROR" in line]
    assert said in error
    assert "Traceback" not in result.stderr


def test_the_map_of_a_deselected_stream_does_no_harm(sandbox: Sandbox) -> None:
    maps = {"schedules": {"x": "foo("}, "contacts": {"email": "sha256(email)"}}
    result = run(sandbox, catalog("tasks"), stream_maps=maps)
    assert (result.status, len(result.records["tasks"])) == (0, ROWS)


def test_stream_maps_come_from_the_environment(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {
        f"TAP_ANALYTICS_{name.upper()}": str(value)
        for name, value in settings(sandbox, "workforce").items()
    }
    config["TAP_ANALYTICS_STREAM_MAPS"] = '{"tasks": {"name": "md5(config[\'salt\'])"}}'
    config["TAP_ANALYTICS_STREAM_MAP_CONFIG"] = '{"salt": "pepper"}'
    config["TAP_ANALYTICS_FLATTENING_ENABLED"] = "true"
    config["TAP_ANALYTICS_FLATTENING_MAX_DEPTH"] = "1"
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog("tasks")), encoding="utf-8")
    done = run_command(["--config=ENV", "--catalog", str(path)], env=environment(**config))
    done.check_returncode()
    result = Result(0, [json.loads(line) for line in done.stdout.splitlines()], "")
    assert {row["name"] for row in result.records["tasks"]} == {
        hashlib.md5(b"pepper", usedforsecurity=False).hexdigest()
    }


@pytest.mark.parametrize("form", ["plain", "message", "meltano", "completed"])
def test_a_state_is_taken_in_every_form(sandbox: Sandbox, form: str) -> None:
    plain = run_tap(settings(sandbox, "workforce"), "tasks").state
    state = {
        "plain": plain,
        "message": {"type": "STATE", "value": plain},
        "meltano": {"singer_state": plain},
        "completed": {"completed": {"singer_state": plain}, "partial": {}},
    }[form]
    again = run_tap(settings(sandbox, "workforce"), "tasks", state=state)
    assert len(again.records["tasks"]) < ROWS
    assert again.bookmark("tasks") == plain["bookmarks"]["tasks"]["replication_key_value"]


@pytest.mark.parametrize(
    "entry",
    [
        {"covers": 5},
        {"covers": [{}]},
        {"covers": ["tasks", None]},
        {"rows": "abc"},
        {"rows": -1},
        {"version": 1 << 63},
        {"version": True},
        {"done": []},
        {"replication_key_value": {}},
        {"replication_key_value": True},
        {"parents": 1},
        {"since": 5},
        {"full_read": []},
        {"accounts": [1]},
    ],
    ids=str,
)
def test_a_malformed_bookmark_is_no_bookmark(sandbox: Sandbox, entry: Record) -> None:
    good = run_tap(settings(sandbox, "workforce"), "tasks").state["bookmarks"]["tasks"]
    state = {"bookmarks": {"tasks": {**good, **entry}, "schedules": None}}
    result = run_tap(settings(sandbox, "workforce"), "tasks", state=state)
    assert (result.status, len(result.records["tasks"])) == (0, ROWS)
    assert f"malformed at '{next(iter(entry))}': it is read from the start" in result.stderr


@pytest.mark.parametrize(
    "state", [{}, {"bookmarks": None}, {"bookmarks": {"tasks": {"rows": None}}}]
)
def test_a_state_may_say_nothing(sandbox: Sandbox, state: Record) -> None:
    result = run_tap(settings(sandbox, "workforce"), "public_credentials", state=state)
    assert result.status == 0
    assert result.lines[-1] == {"type": "STATE", "value": result.state}
    assert set(result.state["bookmarks"].get("public_credentials", {})) <= {"carried"}
