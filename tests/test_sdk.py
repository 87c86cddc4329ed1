"""The SDK's own suite over all streams, and what we rely on in it without it being promised."""

from __future__ import annotations

import inspect
import json
import sys
from functools import lru_cache
from itertools import cycle
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk import RESTStream, Stream, Tap
from singer_sdk.mapper import CustomStreamMap, PluginMapper, SameRecordTransform
from singer_sdk.plugin_base import PluginBase, SingerCommand
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_analytics.engine.http.answers import decode
from tap_analytics.engine.output.report import Tally
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import Signals
from tap_analytics.engine.run.ledger import KeyLedger
from tap_analytics.engine.run.rows import RowMaker
from tap_analytics.engine.sdk import SdkStream, SdkTap
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import Window
from tap_analytics.engine.values.encode import encode
from tap_analytics.sandbox import Sandbox
from tap_analytics.tap import TapAnalytics
from tests.helpers.contract import BY_NAME
from tests.helpers.support import catalog, entry_of, metadata_of, run_tap
from tests.helpers.support import settings as settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.engine.stream import AnalyticsStream
    from tests.helpers.support import Record

NOWHERE = "http://127.0.0.1:9"
CONFIG: Record = {
    f"{api}_{name}": value
    for api in ("workforce", "status_page", "experimentation", "sales", "esignature")
    for name, value in (
        ("base_url", NOWHERE),
        ("api_key_id" if api == "esignature" else "api_key", "a-key"),
    )
}
CONFIG["esignature_auth_token"] = "a-token"
SOME = ["tasks", "subscribers", "dynamic_configs", "gates_rules", "accounts", "crm_contacts"]


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[Sandbox]:
    """Serve all five APIs, and let the suite's settings lead there."""
    with Sandbox(records=10) as sandbox:
        CONFIG.update(sandbox.config())
        yield sandbox


Suite: Any = get_tap_test_class(
    TapAnalytics,
    config=CONFIG,
    suite_config=SuiteConfig(max_records_limit=1000),
    parse_env_config=False,
)


# the documents name optional fields that no generated row has
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning")
class TestTheSuiteOfTheSdk(Suite):  # type: ignore[misc]
    pass


def test_the_suite_sees_every_documented_stream() -> None:
    seen = {param.id for param in TestTheSuiteOfTheSdk.params["test_tap_stream_returns_record"]}
    assert seen == set(BY_NAME)


def calls(function: Callable[..., Any] | property) -> str:
    """Return the source of a function of the SDK."""
    plain: Any = function.fget if isinstance(function, property) else function
    return inspect.getsource(inspect.unwrap(plain))


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (Stream, "_sync_records", "(self, context, *, write_messages)"),
        (Stream, "get_replication_key_signpost", "(self, context)"),
        (Stream, "_generate_record_messages", "(self, record)"),
        (Stream, "_generate_schema_messages", "(self)"),
        (Stream, "_write_schema_message", "(self)"),
        (Stream, "_write_activate_version_message", "(self, full_table_version)"),
        (Stream, "_check_max_record_limit", "(self, current_record_index)"),
        (Tap, "_set_compatible_replication_methods", "(self)"),
        (Tap, "_handle_termination", "(self, signum, frame)"),
        (Tap, "_validate_config", "(self, *, raise_errors)"),
        (Tap, "append_builtin_config", "(config_jsonschema)"),
        (Tap, "setup_mapper", "(self)"),
        (Tap, "cb_discover", "(ctx, param, value)"),
        (Stream, "apply_catalog", "(self, catalog)"),
        (PluginBase, "setup_mapper", "(self)"),
        (
            PluginMapper,
            "register_raw_stream_schema",
            "(self, stream_name, schema, key_properties)",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_method_that_we_replace_or_call_is_there(owner: Any, name: str, parameters: str) -> None:
    found = inspect.signature(getattr(owner, name)).parameters.values()
    plain = [part.replace(annotation=part.empty, default=part.empty) for part in found]
    assert str(inspect.Signature(plain)) == parameters


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Stream, "emit_activate_version_messages"),
        (Stream, "state_partitioning_keys"),
        (Stream, "stream_maps"),
        (Stream, "mask"),
        (Stream, "effective_schema"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_property_that_we_replace_or_read_is_there(owner: type, name: str) -> None:
    assert isinstance(inspect.getattr_static(owner, name), property) or callable(
        getattr(inspect.getattr_static(owner, name), "__get__", None)
    )


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        (Stream.sync, "self._sync_records("),
        (Stream.sync, "self.get_replication_key_signpost("),
        (Stream.sync, "self.emit_activate_version_messages"),
        (Stream.sync, "self._write_schema_message()"),
        (Stream._write_schema_message, "self._generate_schema_messages()"),
        (Tap.sync_all, "self._set_compatible_replication_methods()"),
        (Tap.sync_all, "stream.sync()"),
        (Tap.run_sync_dry_run, "stream.sync()"),
        (Tap.__init__, "self.setup_mapper()"),
        (PluginBase.__init__, "self._env_var_config"),
        (PluginBase.__init__, "self._validate_config("),
        (PluginBase.__init__, "self._setup_signal_handlers()"),
        (PluginBase._setup_signal_handlers, "signal.SIGTERM, self._handle_termination"),
        (SingerCommand.invoke, "self.excepthook"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__qualname__,
)
def test_the_sdk_calls_what_we_replace(caller: Any, called: str) -> None:
    assert called in calls(caller)


def test_what_we_replace_is_what_is_watched_here() -> None:
    ours = {name for kind in (SdkStream, SdkTap) for name in vars(kind)}
    theirs = {name for kind in (Stream, Tap) for name in dir(kind)}
    private = {name for name in ours & theirs if name.startswith("_") and not name.startswith("__")}
    assert private == {
        "_env_var_config",
        "_generate_schema_messages",
        "_handle_termination",
        "_sync_records",
        "_validate_config",
    } | (private & {"_abc_impl"})


def test_a_stream_has_all_that_the_sdk_gives_one() -> None:
    """Ours leaves out what makes a session of `requests` for each."""
    kind = type(stream_of("tags"))
    tap = plain_tap(versions=False)
    ours, theirs = kind(tap), kind.__new__(kind)
    RESTStream.__init__(theirs, tap)
    given = vars(theirs)
    assert given.pop("_requests_session") is not None
    assert ours._requests_session is None
    assert {name: getattr(ours, name) for name in given} == given
    assert ours.requests_session is ours.requests_session
    assert ours.http_method == "GET"


def test_a_stream_takes_all_that_the_sdks_takes() -> None:
    kind = type(stream_of("tags"))
    tap = plain_tap(versions=False)
    given: dict[str, Any] = {"name": "gates", "path": "/other", "http_method": "POST"}
    ours, theirs = kind(tap, **given), kind.__new__(kind)
    RESTStream.__init__(theirs, tap, **given)
    for one in ours, theirs:
        assert (one.name, one.path, one.http_method) == ("gates", "/other", "POST")
        assert "isEnabled" in one.schema["properties"]


@pytest.mark.parametrize(
    ("level", "says"), [("DEBUG", True), ("INFO", False), ("WARNING", False), ("ERROR", False)]
)
def test_the_sdk_says_no_line_for_each_child(
    level: str, caplog: pytest.LogCaptureFixture, *, says: bool
) -> None:
    with caplog.at_level(level, "tap-analytics"):
        tap = tap_of(stream_maps={"__else__": None})
        assert "gates_rules" in tap.streams
        tap.logger.info("after that")
    found = [one.getMessage() for one in caplog.records if one.name == "tap-analytics"]
    assert ("Added 'gates_rules' as child stream to 'gates'" in found) == says
    assert any("child" in text for text in found) == says
    assert ("after that" in found) == (level in {"DEBUG", "INFO"})


def test_streams_without_maps_are_plain() -> None:
    stream = stream_of("tags")
    assert [type(part) for part in stream.stream_maps] == [SameRecordTransform]
    assert stream.stream_maps[0].flattening_enabled is False
    assert stream.is_plain
    assert stream.mapped_lines is None


def test_streams_with_maps_are_not() -> None:
    stream = mapped("tags")
    assert type(stream.stream_maps[0]) is CustomStreamMap
    assert not stream.is_plain
    flat = tap_of(flattening_enabled=True, flattening_max_depth=2).streams["tags"]
    assert not cast("AnalyticsStream", flat).is_plain


def tap_of(**more: Any) -> TapAnalytics:
    return TapAnalytics(config={**CONFIG, **more}, parse_env_config=False)


def test_a_stream_is_made_for_accounts_while_others_use_it() -> None:
    """Threads that read other accounts add to it what they compute."""
    stream = cast("AnalyticsStream", tap_of().streams["tasks"])
    done = Event()

    def use() -> None:
        names = cycle(f"computed_{number}" for number in range(50))
        while not done.is_set():
            name = next(names)
            vars(stream)[name] = None
            del vars(stream)[name]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    user = Thread(target=use, daemon=True)
    user.start()
    try:
        for number in range(3000):
            assert stream.for_account({"start_date": number}).config == {"start_date": number}
    finally:
        sys.setswitchinterval(before)
        done.set()
        user.join(10)


@lru_cache(maxsize=2)
def plain_tap(*, versions: bool) -> TapAnalytics:
    return tap_of(emit_activate_version_messages=versions)


def stream_of(name: str, *, versions: bool = False) -> AnalyticsStream:
    return cast("AnalyticsStream", plain_tap(versions=versions).streams[name])


def mapped(name: str) -> AnalyticsStream:
    tap = tap_of(stream_maps={name: {}}, stream_map_config={})
    return cast("AnalyticsStream", tap.streams[name])


def values(schema: Record, depth: int = 2) -> st.SearchStrategy[Any]:
    """Return what fits a schema, and sometimes what does not."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    times_ = st.integers(times._FIRST, times._LAST).map(times.iso)
    texts = times_ if schema.get("format") == "date-time" else st.text(max_size=6)
    inner = schema.get("properties", {}) if depth else {}
    items = schema.get("items") if depth else None
    by_kind: dict[str, st.SearchStrategy[Any]] = {
        "string": texts,
        "integer": st.integers(-(2**53), 2**60),
        "number": st.integers(-99, 99) | st.decimals(-99, 99, places=3),
        "boolean": st.booleans(),
        "null": st.none(),
        "object": st.fixed_dictionaries(
            {}, optional={name: values(part, depth - 1) for name, part in inner.items()}
        ),
        "array": st.lists(values(items, depth - 1), max_size=2) if items else st.just([]),
    }
    return st.one_of([by_kind[kind] for kind in kinds])


def rows_for(stream: AnalyticsStream) -> st.SearchStrategy[list[Record]]:
    properties = stream.schema["properties"]
    keys = {name: values(properties[name]) for name in stream.primary_keys}
    rest = {name: values(part) for name, part in properties.items() if name not in keys}
    row = st.fixed_dictionaries(keys, optional={**rest, "not in the schema": st.integers()})
    return st.lists(row, max_size=3)


def lines(maker: RowMaker, records: list[Record]) -> list[bytes]:
    page = Page(decode(encode(records)), Signals(), 0, 0, times.iso(0))
    batch = maker.batch(page, None, Window(), KeyLedger())
    found = [row[3] for row in maker.rows(batch)]
    pieces = list(maker.lines(batch))
    assert b"".join(piece for piece, _ in pieces) == b"".join(found)
    assert sum(count for _, count in pieces) == len(found)
    return found


@pytest.mark.parametrize("versions", [False, True], ids=["", "versions"])
@pytest.mark.parametrize("name", SOME)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_both_ways_to_write_a_record_write_the_same(
    name: str, data: st.DataObject, *, versions: bool
) -> None:
    """To the byte: version, time_extracted, types, nulls, the order of all of it."""
    stream = stream_of(name)
    version = 1_700_000_000 if versions else None
    rows = data.draw(rows_for(stream))
    fast = RowMaker(stream, Tally(name, "api"), version=version)
    slow = RowMaker(stream, Tally(name, "api"), version=version)
    assert fast._slow is None
    slow._slow = stream.record_lines
    found = lines(fast, rows)
    assert found == lines(slow, rows)
    assert {json.loads(line).get("version") for line in found} <= {version}


def written(result: Any) -> list[Record]:
    """Return the lines of a run without what differs from run to run."""
    kept = [line for line in result.lines if line["type"] != "STATE"]
    for line in kept:
        if line["type"] == "RECORD":
            assert line.pop("time_extracted").endswith("Z")
        if "version" in line:
            assert line["version"] > 1_600_000_000
            line["version"] = "of this run"
    return kept


@pytest.fixture(scope="module")
def plain_lines(sandbox: Sandbox) -> list[Record]:
    result = run_tap(settings_of(sandbox, emit_activate_version_messages=True), *SOME)
    assert result.status == 0
    return written(result)


def test_a_map_that_changes_nothing_changes_nothing(
    sandbox: Sandbox, plain_lines: list[Record]
) -> None:
    maps: Record = {"stream_maps": {name: {} for name in SOME}, "stream_map_config": {}}
    maps["emit_activate_version_messages"] = True
    result = run_tap(settings_of(sandbox, **maps), *SOME)
    assert result.status == 0
    assert written(result) == plain_lines
    assert {line["type"] for line in plain_lines} == {"SCHEMA", "RECORD", "ACTIVATE_VERSION"}
    assert sum("version" in line for line in plain_lines) > 10


def test_a_map_that_fails_on_a_row_says_where(sandbox: Sandbox) -> None:
    maps = {"tasks": {"content": "sha256(record['nothing'])"}}
    result = run_tap(settings_of(sandbox, stream_maps=maps), "tasks", "schedules")
    assert result.status == 1
    reason = result.report["tasks"]["reason"]
    assert reason.startswith("stream_maps: the map of 'tasks' fails on the row with {'id': ")
    assert result.report["schedules"]["status"] == "complete"


@pytest.mark.parametrize("stream", ["tasks", "subscribers", "gates", "gates_rules"])
def test_the_report_counts_what_a_filter_let_through(sandbox: Sandbox, stream: str) -> None:
    maps = {stream: {"__filter__": "str(record['id'])[-1] in '02468'"}}
    result = run_tap(settings_of(sandbox, stream_maps=maps), stream, "gates")
    assert result.status == 0
    assert result.report[stream]["records"] == len(result.records[stream])
    assert 0 < len(result.records[stream]) < len(sandbox.store.expected(stream))


def test_a_map_is_applied(sandbox: Sandbox, plain_lines: list[Record]) -> None:
    maps = {"subscribers": {"id": "record['id'].upper()", "more": "'x'"}}
    result = run_tap(settings_of(sandbox, stream_maps=maps), "subscribers")
    assert result.status == 0
    before = [
        line["record"]["id"]
        for line in plain_lines
        if (line["type"], line["stream"]) == ("RECORD", "subscribers")
    ]
    assert [row["id"] for row in result.records["subscribers"]] == [id_.upper() for id_ in before]
    assert {row["more"] for row in result.records["subscribers"]} == {"x"}


def test_nested_objects_are_flattened_where_wanted(sandbox: Sandbox) -> None:
    more = {"flattening_enabled": True, "flattening_max_depth": 1}
    result = run_tap(settings_of(sandbox, **more), "crm_contacts")
    assert result.status == 0
    rows = result.records["crm_contacts"]
    assert all("meta" not in row for row in rows)
    assert any(name.startswith("meta__") for row in rows for name in row)


def test_fields_that_are_deselected_are_left_out(sandbox: Sandbox) -> None:
    chosen = catalog("crm_contacts")
    entry = entry_of(chosen, "crm_contacts")
    names = [part["breadcrumb"][1] for part in entry["metadata"] if len(part["breadcrumb"]) == 2]
    dropped = next(name for name in names if name not in {"id", "updated", "meta"})
    metadata_of(entry, "properties", dropped)["selected"] = False
    result = run_tap(settings_of(sandbox), catalog_=chosen)
    assert result.status == 0
    assert result.records["crm_contacts"]
    assert all(dropped not in row for row in result.records["crm_contacts"])
    assert dropped not in result.schemas["crm_contacts"]["schema"]["properties"]
