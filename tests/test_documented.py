"""Every documented stream, read by the real tap from a real server, compared with its data."""

from __future__ import annotations

import json
import math
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from jsonschema import Draft7Validator
from msgspec import Raw
from msgspec.json import encode

from tap_analytics.sandbox import Answer, Sandbox
from tap_analytics.sandbox.data.catalog import ROUTES
from tap_analytics.sandbox.paging import Window
from tests.helpers.comparing import assert_equal, by_key, expected_rows
from tests.helpers.contract import BY_NAME, NAMES, PAGING, SINGLE, STREAMS, Documented
from tests.helpers.everything import Everything
from tests.helpers.support import run_tap, settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.sandbox import Request

    OpenSandbox = Callable[..., Sandbox]

ODD = (
    "a/b",
    "a?b=c",
    "a#b",
    "a&b=c",
    "100%",
    "%2F",
    "a b",
    "a+b",
    "..a",
    "...",
    "é",
    "日本/🚀",
    "q\"uo'te\\",
    "semi;colon,comma",
    "~tilde",
    "\ttab",
)
"""Ids and names that mean something else in a URL unless they are encoded."""


@pytest.fixture(scope="module")
def everything() -> Iterator[Everything]:
    with Sandbox(records=250) as sandbox:
        yield Everything.read(sandbox, NAMES)


def test_the_run_is_complete(everything: Everything) -> None:
    everything.assert_complete()


def test_messages_are_the_singer_ones(everything: Everything) -> None:
    kinds = {line["type"] for line in everything.result.lines}
    assert kinds == {"SCHEMA", "RECORD", "STATE"}
    schemas = Counter(line["stream"] for line in everything.result.of("SCHEMA"))
    assert set(schemas.values()) == {1}
    known: set[str] = set()
    for line in everything.result.lines:
        if line["type"] == "SCHEMA":
            known.add(line["stream"])
        elif line["type"] == "RECORD":
            assert line["stream"] in known
    assert everything.result.lines[-1]["type"] == "STATE"
    replicated = {stream.name for stream in STREAMS if stream.replication_key}
    entries = everything.result.state["bookmarks"]
    assert {name for name, entry in entries.items() if "replication_key" in entry} == replicated


def test_targets_are_told_of_objects_in_arrays_as_of_one_document(everything: Everything) -> None:
    """Of `items` with objects target-postgres makes an array of documents, slow to fill."""
    said = set()
    for name, message in everything.result.schemas.items():
        inside = everything.schema(name)["properties"]
        for column, part in message["schema"]["properties"].items():
            kinds = set(inside[column].get("items", {}).get("type", ()))
            if kinds & {"object", "array"}:
                assert part == {
                    key: inside[column][key] for key in inside[column] if key != "items"
                }
                said.add(name)
            else:
                assert part == inside[column]
    assert {"dynamic_configs_versions", "gates", "metrics"} <= said


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_those_of_the_server(everything: Everything, name: str) -> None:
    assert_equal(everything.result, everything.sandbox.store, name)


@pytest.mark.parametrize("stream", STREAMS, ids=NAMES)
def test_keys_are_there_and_unique(everything: Everything, stream: Documented) -> None:
    rows = everything.rows(stream.name, stream.keys)
    assert len(rows) >= (1 if stream.name == "user" else 25)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_valid(everything: Everything, name: str) -> None:
    everything.assert_valid(name)


@pytest.mark.parametrize("stream", STREAMS, ids=NAMES)
def test_requests_are_as_documented(everything: Everything, stream: Documented) -> None:
    requests = everything.requests[stream.name]
    paging = PAGING[stream.api]
    assert requests
    tokens: set[int] = set()
    for request in requests:
        assert request.method == "GET"
        asked = dict(request.params)
        days = [asked.pop(name, None) for name in ("startDate", "endDate", "date")]
        if stream.name == "ingestion_status":
            assert all(days[:2])
        assert bool(days[2]) == (stream.name == "metrics_values")
        assert set(asked) == (set() if stream.name in SINGLE else {paging.token, paging.size})
        if stream.name not in SINGLE:
            assert asked[paging.size] == str(paging.rows)
            tokens.add(int(asked[paging.token]))
    if paging.token == "offset":
        assert tokens >= {0, 100, 200, 250}
        assert all(token % paging.rows == 0 or token == 250 for token in tokens)
    elif stream.name not in SINGLE and stream.parent is None:
        rows = 250 if stream.name != "metrics_values" else 1
        assert tokens >= set(range(1, math.ceil(rows / paging.rows) + 1))


@pytest.mark.parametrize("stream", STREAMS, ids=NAMES)
def test_paths_are_as_documented(everything: Everything, stream: Documented) -> None:
    paths = {request.path for request in everything.requests[stream.name]}
    if stream.parent is None:
        assert paths == {stream.path}
        return
    field = "name" if stream.parent == "events" else "id"
    before, after = stream.path.split("{")[0], stream.path.split("}")[1]
    parents = everything.result.records[stream.parent]
    assert paths == {before + quote(str(row[field]), safe="") + after for row in parents}


@pytest.mark.parametrize("stream", STREAMS, ids=NAMES)
def test_keys_travel_as_documented(everything: Everything, stream: Documented) -> None:
    config = everything.sandbox.config()
    for request in everything.requests[stream.name]:
        if stream.name == "signing_links":
            token = config["esignature_auth_token"]
            assert request.headers["authorization"] == f"Basic {token}"
            assert "api_key" not in request.headers
        else:
            key = "esignature_api_key_id" if stream.api == "esignature" else f"{stream.api}_api_key"
            assert request.headers["api_key"] == config[key]
            assert "authorization" not in request.headers
        assert request.headers["user-agent"].startswith("tap-analytics/")


def test_children_are_asked_for_once(everything: Everything) -> None:
    for stream in STREAMS:
        if stream.parent:
            asked = Counter(
                (request.path, request.params["page"])
                for request in everything.requests[stream.name]
            )
            assert set(asked.values()) == {1}, stream.name


def test_days_are_asked_for_once_each(everything: Everything) -> None:
    days = Counter(
        request.params["date"]
        for request in everything.requests["metrics_values"]
        if request.params["page"] == "1"
    )
    assert set(days.values()) == {1}
    assert min(days) == "2024-10-31"


def test_rows_carry_their_parent(everything: Everything) -> None:
    rows = everything.result.records["dynamic_configs_versions"]
    store = everything.sandbox.store
    assert {row["dynamic_config_id"] for row in rows} <= {
        row["id"] for row in store.rows("experimentation", "dynamic_configs")
    }


REPRESENTATIVES = {
    "tasks": (2, "totals and whether there is more"),
    "subscribers": (100, "no signal"),
    "autotunes": (100, "totals and a link"),
    "tags": (100, "no signal"),
    "users": (100, "totals and a link"),
    "accounts": (50, "numbers of rows and pages"),
    "crm_contacts": (20, "numbers of rows and pages"),
}
SILENT = {"subscribers", "tags"}
"""Streams whose answers say nothing about the whole list."""
COUNTED = {"accounts", "crm_contacts"}
"""Streams whose answers say nothing but a total, which proves nothing of one full page."""


@pytest.mark.parametrize(
    "pages, more, concurrency",  # noqa: PT006
    [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1), (0, 0, 8), (2, 1, 8)],
)
def test_sizes(open_sandbox: OpenSandbox, pages: int, more: int, concurrency: int) -> None:
    sizes = {name: pages * size + more for name, (size, _) in REPRESENTATIVES.items()}
    sandbox = open_sandbox(records=1, sizes={**sizes, "user_modified_documents": pages + more})
    streams = (*REPRESENTATIVES, "user_modified_documents")
    result = run_tap(settings(sandbox, max_concurrency=concurrency), *streams)
    assert result.status == 0
    assert_equal(result, sandbox.store, *streams)
    asked = Counter(request.stream for request in sandbox.requests)
    for name, (size, _) in REPRESENTATIVES.items():
        full = math.ceil(sizes[name] / size)
        needed = full + 1 if name in SILENT else max(full, 1)
        if sizes[name] == size and name in COUNTED:
            needed += 1
        assert asked[name] >= needed
        most = needed if concurrency == 1 else needed + needed // 8 + 1
        assert asked[name] <= most, name


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_page_sizes_can_be_set(open_sandbox: OpenSandbox, size: int) -> None:
    sandbox = open_sandbox(records=7)
    streams = ("tasks", "subscribers", "autotunes", "gates_rules", "accounts", "crm_contacts")
    names = [f"{name}_page_size" for name in PAGING]
    result = run_tap(settings(sandbox, **dict.fromkeys(names, size)), *streams, "gates")
    assert result.status == 0
    assert_equal(result, sandbox.store, *streams)
    assert {request.params[PAGING[request.api].size] for request in sandbox.requests} == {str(size)}


def test_odd_ids_and_names(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=2)
    store = sandbox.store
    below = {"gates": "gates_rules", "dynamic_configs": "dynamic_configs_versions"}
    for parent, child in below.items():
        template = next(store.rows("experimentation", parent))
        row = store.expected(child)[0]
        context = BY_NAME[child].path.split("{")[1].split("}")[0]
        del row[context]
        for number, odd in enumerate(ODD):
            store.append(parent, {**template, "id": odd})
            store.append(child, {**row, "id": f"odd {number}"}, parent=odd)
    segment = next(store.rows("experimentation", "segments"))
    for odd in ODD:
        store.append("segments", {**segment, "id": odd})
        store.append("segments_ids", {"name": odd, "count": 1, "ids": [odd]}, parent=odd)
    event = next(store.rows("experimentation", "events"))
    metric = {k: v for k, v in store.expected("events_metrics")[0].items() if k != "event_name"}
    for number, odd in enumerate(ODD):
        store.append("events", {**event, "name": odd, "value": str(number)})
        store.append("events_metrics", metric, parent=odd)
    streams = (*below, *below.values(), "segments", "segments_ids", "events", "events_metrics")
    result = run_tap(settings(sandbox, "experimentation"), *streams)
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, store, *streams)
    names = [
        unquote(request.path.split("/")[3])
        for request in sandbox.requests
        if request.stream == "events_metrics"
    ]
    assert sorted(names) == sorted(set(names))
    assert set(ODD) <= set(names)


def test_ids_that_no_path_can_hold_are_skipped_and_counted(open_sandbox: OpenSandbox) -> None:
    """Each of them in a list of its own, for one of them is enough."""
    sandbox = open_sandbox(records=3)
    families = {".": "gates", "..": "segments", "": "dynamic_configs"}
    children = {"gates_rules", "segments_ids", "dynamic_configs_rules"}
    for odd, parent in families.items():
        row = next(sandbox.store.rows("experimentation", parent))
        sandbox.store.append(parent, {**row, "id": odd})
    streams = (*families.values(), *children, "tags")
    result = run_tap(settings(sandbox, "experimentation"), *streams)
    assert result.status == 0
    assert {name for name in streams if result.report[name]["skipped"] == 1} == children
    assert not [request.path for request in sandbox.requests if not request.stream]
    assert_equal(result, sandbox.store, "tags", *families.values())


def test_lists_of_ids_come_whole(open_sandbox: OpenSandbox) -> None:
    """The documented path is paged; an API that pages the ids inside is read to the end."""
    sandbox = open_sandbox(records=4)
    result = run_tap(settings(sandbox, "experimentation"), "segments_ids")
    assert result.status == 0
    assert "segments" not in result.records
    rows = expected_rows(sandbox.store, "segments_ids")
    schema = result.schemas["segments_ids"]["schema"]
    found = by_key(result.records["segments_ids"], schema, ("segment_id",))
    assert found == by_key(rows, schema, ("segment_id",))


def test_values_from_the_wild(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=3)
    store = sandbox.store
    wild = {
        "name": "nul\x00 and half \ud83d a pair",
        "lead_score": Raw(b"3.0"),
        "annual_revenue": Raw(b"12345678901234567.10"),
        "number_of_employees": 2**53 + 1,
        "last_seen": "2026-01-31T10:00:00+02:00",
        "last_assigned_at": "2026-01-31 10:00:00",
        "last_contacted": "0001-01-01T00:00:00+14:00",
        "created_at": "9999-12-31T23:59:59-12:00",
        "updated_at": "2026-01-31",
    }
    body = {name: value for name, value in wild.items() if name != "name"}
    store.update("accounts", 0, body)
    half = encode(store.expected("accounts")[0]["name"])
    text = b'"nul\\u0000 and half \\ud83d a pair"'

    def spoil(request: Request) -> Answer | None:
        if request.stream != "accounts":
            return None
        row = store.find(ROUTES["accounts"], 0, Window(0, 9)).rows
        whole = b",".join(row).replace(b'"name":' + half, b'"name":' + text, 1)
        return Answer(body=b'{"sales_accounts":[%b],"meta":{"total":3,"total_pages":1}}' % whole)

    sandbox.faults.append(spoil)
    config = settings(sandbox, "sales")
    with started_tap(config, "accounts") as (tap, _):
        out, _ = tap.communicate(timeout=60)
    first = next(line for line in out.split(b"\n") if b'"RECORD"' in line)
    assert tap.returncode == 0
    assert b"\\u0000" not in out
    assert b'"lead_score":3,' in first
    assert b'"annual_revenue":12345678901234567.10' in first
    assert b'"number_of_employees":9007199254740993' in first
    record = json.loads(first)["record"]
    assert record["name"] == "nul and half \ufffd a pair"
    assert record["last_seen"] == "2026-01-31T08:00:00Z"
    assert record["last_assigned_at"] == "2026-01-31T10:00:00Z"
    assert record["last_contacted"] == "0001-01-01T00:00:00Z"
    assert record["created_at"].startswith("9999-12-31T23:59:59")
    assert record["updated_at"] == "2026-01-31T00:00:00Z"


CHANGED = [
    ("annual_revenue", Raw(b"1e400"), None),
    ("annual_revenue", "not a number", None),
    ("annual_revenue", "12.50", 12.5),
    ("lead_score", Raw(b"3.5"), None),
    ("lead_score", Raw(b"1e30"), None),
    ("name", {"first": "Ada"}, '{"first":"Ada"}'),
    ("is_deleted", "true", True),
    ("is_deleted", "perhaps", None),
    ("created_at", "yesterday", None),
    ("created_at", 17, None),
    ("tags", "one", ["one"]),
]
"""A field, what comes in it, and what leaves."""


def test_changed_types_are_reported_and_still_fit(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=len(CHANGED))
    names = [row["id"] for row in sandbox.store.rows("sales", "accounts")]
    for index, (field, value, _) in enumerate(CHANGED):
        sandbox.store.update("accounts", index, {field: value})
    result = run_tap(settings(sandbox, "sales"), "accounts")
    assert result.status == 0
    rows = {row["id"]: row for row in result.records["accounts"]}
    schema = result.schemas["accounts"]["schema"]
    notes = " ".join(result.report["accounts"]["drift"])
    for name, (field, value, seen) in zip(names, CHANGED, strict=True):
        assert rows[name][field] == seen, (field, value)
        assert Draft7Validator(schema).is_valid(rows[name])
        assert field in notes


def test_new_fields_are_left_out_and_reported_once(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=5)
    for index in range(5):
        sandbox.store.update("accounts", index, {"brand_new": index})
    result = run_tap(settings(sandbox, "sales"), "accounts")
    assert result.status == 0
    assert not [row for row in result.records["accounts"] if "brand_new" in row]
    notes = [note for note in result.report["accounts"]["drift"] if "brand_new" in note]
    assert len(notes) == 1


def test_rows_without_a_key_are_refused(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=3)
    row = next(sandbox.store.rows("sales", "accounts"))
    del row["id"]
    sandbox.store.append("accounts", row)
    sandbox.store.append("accounts", {**row, "id": None})
    result = run_tap(settings(sandbox, "sales"), "accounts", "contacts")
    assert result.status == 1
    assert len(result.records["accounts"]) == 3
    assert result.outcome("accounts") == "failed"
    assert "2 rows" in result.report["accounts"]["reason"]
    assert "key" in result.report["accounts"]["reason"]
    assert result.outcome("contacts") == "complete"


def test_row_keys_are_digests_of_the_row(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=30)
    twin = next(sandbox.store.rows("experimentation", "events"))
    sandbox.store.append("events", twin)
    config = settings(sandbox, "experimentation")
    runs = [run_tap(config, "events", "ingestion_status") for _ in range(2)]
    assert [run.status for run in runs] == [0, 0]
    assert runs[0].records == runs[1].records
    rows = runs[0].records["events"]
    assert len(rows) == len({row["row_key"] for row in rows}) == 30
    for row in rows:
        content = {name: value for name, value in row.items() if name != "row_key"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert row["row_key"] == sha256(text.encode()).hexdigest()
