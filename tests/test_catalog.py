"""The structure of every stream, documented or of a vendor, and of the package around them."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from inspect import getattr_static
from itertools import product
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Tap

import tap_analytics.apis
import tap_analytics.engine
from tap_analytics.apis import PACKAGES
from tap_analytics.engine.pages.selector import Selector
from tap_analytics.engine.registry import references
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.tap import TapAnalytics
from tests.helpers.contract import BY_NAME, NAMES, PAGING, RETRIES, SINGLE, STREAMS, Documented
from tests.helpers.forks import run_command
from tests.helpers.support import catalog, environment, metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.engine.registry import ApiPackage
    from tap_analytics.sandbox import Sandbox

Stream = Any
"""A stream's class; the SDK types what classes declare as if only instances had it."""

APIS = Path(tap_analytics.apis.__file__).parent
ENGINE = Path(tap_analytics.engine.__file__).parent
VENDORS = {
    "workforce": "factorial",
    "status_page": "statuspage",
    "experimentation": "statsig",
    "sales": "freshsales",
    "esignature": "signnow",
}


def documented() -> list[Stream]:
    """Return the documented stream classes."""
    return [stream for package in PACKAGES for stream in package.documented]


def variants(package: ApiPackage) -> Iterator[tuple[Stream, ...]]:
    """Yield the streams of an API as documented, and as each vendor has them."""
    yield package.documented
    yield from (vendor.streams for vendor in package.upstreams.values())


def registered() -> list[Stream]:
    """Return every registered stream class, each once."""
    every = (stream for package in PACKAGES for streams in variants(package) for stream in streams)
    return list(dict.fromkeys(every))


def label(stream: Stream) -> str:
    return f"{stream.__module__.removeprefix('tap_analytics.apis.')}:{stream.__qualname__}"


def folder(stream: Stream) -> Path:
    return APIS.joinpath(stream.__module__.split(".")[2])


def replication_key_of(stream: Stream) -> str | None:
    """Return the declared replication key; the SDK has a property where none is."""
    return stream.replication_key if isinstance(stream.replication_key, str) else None


def schema_of(stream: Stream) -> dict[str, Any]:
    source = getattr_static(stream, "schema")
    schema: dict[str, Any] = source.get_stream_schema(stream, stream)
    return schema


def keys_of(stream: Stream) -> tuple[str, ...]:
    return tuple(stream.primary_keys)


def parts(schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every place of a schema below the top, with its path."""
    for name, part in schema.get("properties", {}).items():
        yield f"{path}.{name}", part
        yield from parts(part, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield f"{path}[]", schema["items"]
        yield from parts(schema["items"], f"{path}[]")


every_stream = pytest.mark.parametrize("stream", registered(), ids=label)


@pytest.mark.parametrize("more", [{}, {f"{api}_upstream": VENDORS[api] for api in VENDORS}])
def test_the_catalog_is_the_one_that_the_sdk_makes(more: dict[str, Any]) -> None:
    config = {"all_streams": True, "accounts": [{"name": "acme"}], **more}
    tap = TapAnalytics(config=config, validate_config=False, setup_mapper=False)
    theirs: property = Tap.__dict__["catalog_dict"]
    ours = tap.catalog_dict
    assert len(ours["streams"]) >= len(NAMES)
    assert ours == theirs.__get__(tap)


def test_a_command_ends_without_a_search_for_cycles() -> None:
    code = (
        "import atexit, gc, sys; from tap_analytics.__main__ import main; sys.argv += ['--about'];"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000)); main()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == b"False True"


def imported_with(modules: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys, {modules}; print(*sys.modules)"]
    ran = subprocess.run(command, env=environment(), check=True, capture_output=True)  # noqa: S603
    return set(ran.stdout.decode().split())


def test_the_catalog_imports_nothing_that_only_a_run_needs() -> None:
    imported = imported_with("tap_analytics.tap")
    assert "tap_analytics.engine.stream" in imported
    assert not imported & {
        f"tap_analytics.{part}"
        for part in ("engine.http.client", "engine.output.report", "engine.pages.lane", "execution")
    }
    vendors = [vendor for package in PACKAGES for vendor in package.upstreams.values()]
    further = {f"{one.package}.{name}" for one in vendors for name in one.subjects}
    assert len(further) > 30
    assert not imported & further


def test_a_run_imports_nothing_that_only_others_need() -> None:
    imported = imported_with("tap_analytics.tap, tap_analytics.execution")
    assert "tap_analytics.engine.run.run" in imported
    parts = {f"tap_analytics.{part}" for part in ("check", "dbt", "fleet", "sandbox")}
    extras = {"dask", "distributed", "meltano", "psycopg", "rich", "uvicorn"}
    assert not imported & (parts | extras)


def test_every_stream_class_is_registered() -> None:
    for module in pkgutil.walk_packages([str(APIS)], "tap_analytics.apis."):
        importlib.import_module(module.name)
    pending, concrete = [AnalyticsStream], set()
    while pending:
        stream = pending.pop()
        pending += stream.__subclasses__()
        if all(isinstance(getattr(stream, name, None), str) for name in ("path", "name")):
            concrete.add(stream)
    ours = {stream for stream in concrete if stream.__module__.startswith("tap_analytics.apis.")}
    assert {label(stream) for stream in ours - set(registered())} == set()


def test_every_api_is_in_the_map_once() -> None:
    assert [package.api.name for package in PACKAGES] == list(PAGING)
    packages = {path.parent.name for path in APIS.glob("*/__init__.py")}
    assert packages == set(PAGING)


def test_every_api_speaks_to_its_vendor() -> None:
    assert {package.api.name: tuple(package.upstreams) for package in PACKAGES} == {
        api: (vendor,) for api, vendor in VENDORS.items()
    }


def test_names_are_unique_whatever_is_configured() -> None:
    for choice in product(*(tuple(variants(package)) for package in PACKAGES)):
        chosen: list[Stream] = [stream for streams in choice for stream in streams]
        names = [str(stream.name) for stream in chosen]
        assert sorted(names) == sorted(set(names))


@every_stream
def test_names_fit_everywhere(stream: Stream) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", str(stream.name))


@every_stream
def test_further_streams_are_named_after_their_api(stream: Stream) -> None:
    if stream.name not in BY_NAME:
        assert str(stream.name).startswith(f"{stream.api.name}_")


@every_stream
def test_schemas_are_there(stream: Stream) -> None:
    path = folder(stream) / "schemas" / f"{stream.name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["type"] == "object"
    assert schema["properties"]


def test_no_schema_is_an_orphan() -> None:
    """Those beside a vendor's streams are of documented ones that it has in another shape."""
    wanted = {folder(stream) / f"schemas/{stream.name}.json" for stream in registered()}
    own = {
        folder(stream) / vendor / f"schemas/{stream.name}.json"
        for stream in documented()
        for vendor in VENDORS.values()
    }
    found = {path for path in APIS.rglob("*") if path.parent.name == "schemas"}
    assert sorted(found - wanted - own) == []
    for path in found & own:
        shared = path.parents[2] / "schemas" / path.name
        before, after = (json.loads(file.read_text("utf-8")) for file in (shared, path))
        assert set(after) == {"properties"}
        for name, part in after["properties"].items():
            assert part != before["properties"].get(name), f"{path}: {name} is as documented"


@every_stream
def test_keys_are_in_the_schema_and_never_null(stream: Stream) -> None:
    assert keys_of(stream)
    properties = schema_of(stream)["properties"]
    for name in keys_of(stream):
        types = properties[name]["type"]
        assert "null" not in ([types] if isinstance(types, str) else types), name


@every_stream
def test_everything_else_may_be_null(stream: Stream) -> None:
    properties = schema_of(stream)["properties"]
    assert not [
        name
        for name, part in properties.items()
        if name not in keys_of(stream) and "null" not in part["type"]
    ]


@every_stream
def test_only_the_key_is_required(stream: Stream) -> None:
    assert sorted(schema_of(stream)["required"]) == sorted(keys_of(stream))


@every_stream
def test_every_property_has_a_type(stream: Stream) -> None:
    assert not [path for path, part in parts(schema_of(stream)) if not part.get("type")]


ANYTHING = {"string", "integer", "number", "boolean", "object", "array"}


def misshapen(schema: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Yield the places of a schema that have no single shape.

    Everything has one type beside null, for it may be a column, in some target or with
    flattening. Only what is inside an array, which never is one, may be anything at all. What
    holds mixed things has no `items`: a typed array is a typed column.
    """
    for place, part in parts(schema, path):
        kinds = set(one_or_more(part["type"])) - {"null"}
        free = kinds == ANYTHING and "[]." in place and not {"items", "properties"} & set(part)
        if len(kinds) != 1 and not free:
            yield f"{place}: {sorted(kinds)}"
        if kinds == {"array"} and place.endswith("[]"):
            yield f"{place}: an array in an array"
        for inside, kind in (("properties", "object"), ("items", "array")):
            if inside in part and kinds != {kind}:
                yield f"{place}: {inside} in {sorted(kinds)}"


def one_or_more(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else types


@every_stream
def test_every_column_has_one_shape(stream: Stream) -> None:
    assert list(misshapen(schema_of(stream))) == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": ["string", "array", "null"]},
        {"type": ["integer", "string"]},
        {"type": ["number", "string", "null"]},
        {"type": sorted(ANYTHING)},
        {"type": ["array", "null"], "items": {"type": ["integer", "string", "null"]}},
        {"type": ["array", "null"], "items": {"type": sorted(ANYTHING)}},
        {"type": ["array", "null"], "items": {"type": ["array", "null"]}},
        {"type": ["object", "null"], "properties": {"a": {"type": sorted(ANYTHING)}}},
        {"type": ["string", "null"], "items": {"type": "string"}},
    ],
    ids=str,
)
def test_what_has_no_single_shape_is_found(part: dict[str, Any]) -> None:
    assert list(misshapen({"properties": {"column": part}}))


@every_stream
def test_fields_have_names_of_their_own(stream: Stream) -> None:
    """Columns differ in more than the case of their letters, which databases may ignore."""
    names = [name.lower() for name in schema_of(stream)["properties"]]
    assert sorted(names) == sorted(set(names))


@every_stream
def test_replication_keys_are_in_the_schema_and_can_be_read(stream: Stream) -> None:
    key = replication_key_of(stream)
    if key is None:
        return
    part = schema_of(stream)["properties"][key]
    cursor = stream.cursor
    assert cursor is not None
    moment = 1_790_000_000_000_000
    value = cursor.value(moment)
    types = [part["type"]] if isinstance(part["type"], str) else part["type"]
    assert ("integer" if isinstance(value, int) else "string") in types
    assert moment - 86_400_000_000 < cursor.order(value) <= moment


@every_stream
def test_dialects_are_declared(stream: Stream) -> None:
    declared = {
        name
        for base in stream.__mro__[: stream.__mro__.index(AnalyticsStream)]
        for name in vars(base)
    }
    assert {"paginator_class", "records_jsonpath", "primary_keys", "api"} <= declared
    assert Selector(stream.records_jsonpath).path == stream.records_jsonpath


@every_stream
def test_parents_fill_the_placeholders(stream: Stream) -> None:
    asked = {name for _, name, _, _ in Formatter().parse(stream.path) if name}
    parent = stream.parent_stream_type
    if parent is None:
        assert not asked
        return
    assert issubclass(parent, AnalyticsStream)
    assert asked | set(stream.context_params.values()) <= set(parent.child_keys)
    assert set(parent.child_keys.values()) <= set(schema_of(parent)["properties"])
    assert set(stream.parent_fields.values()) <= set(schema_of(parent)["properties"])
    assert set(stream.parent_fields) <= set(schema_of(stream)["properties"])
    together = [
        streams for package in PACKAGES for streams in variants(package) if stream in streams
    ]
    for streams in together:
        assert streams.index(parent) < streams.index(stream)


def type_of(stream: Stream, column: str) -> set[str]:
    kinds = schema_of(stream)["properties"][column]["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds) - {"null"}


@every_stream
def test_references_point_to_columns_of_the_same_type(stream: Stream) -> None:
    together = [
        streams for package in PACKAGES for streams in variants(package) if stream in streams
    ]
    for streams in together:
        by_name = {str(other.name): other for other in streams}
        for column, target in references(stream).items():
            name, _, field = target.partition(".")
            assert type_of(stream, column) == type_of(by_name[name], field), (column, target)


def test_the_documented_streams_are_those_of_the_contract() -> None:
    assert sorted(str(stream.name) for stream in documented()) == sorted(NAMES)


@pytest.mark.parametrize("expected", STREAMS, ids=NAMES)
def test_a_documented_stream_is_as_in_the_contract(expected: Documented) -> None:
    stream = next(stream for stream in documented() if stream.name == expected.name)
    parent = stream.parent_stream_type
    assert (
        stream.api.name,
        stream.path,
        stream.records_jsonpath,
        keys_of(stream),
        replication_key_of(stream),
        parent.name if parent else None,
    ) == (
        expected.api,
        expected.path,
        expected.selector,
        expected.keys,
        expected.replication_key,
        expected.parent,
    )
    paginator = stream.paginator_class()
    assert paginator.single == (expected.name in SINGLE)
    if not paginator.single:
        paging = PAGING[expected.api]
        assert paginator.params(paginator.first) == {
            paging.token: paging.first,
            paging.size: paging.rows,
        }


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.api.name))
def test_retries_are_as_documented(package: ApiPackage) -> None:
    policy = package.api.policy
    statuses, retries, factor, constant = RETRIES[package.api.name]
    assert set(policy.statuses) == statuses
    assert policy.max_retries == retries
    assert policy.constant == constant
    if factor is not None:
        assert policy.factor == factor
    assert package.api.key_header == "api_key"
    assert package.api.origin is None


def test_discovery_needs_no_configuration() -> None:
    found = catalog()
    assert sorted(entry["tap_stream_id"] for entry in found["streams"]) == sorted(NAMES)


@pytest.mark.parametrize("expected", STREAMS, ids=NAMES)
def test_the_catalog_says_what_the_contract_says(expected: Documented) -> None:
    entries = {entry["tap_stream_id"]: entry for entry in catalog()["streams"]}
    entry = entries[expected.name]
    metadata = metadata_of(entry)
    assert metadata["table-key-properties"] == list(expected.keys)
    replicated = [expected.replication_key] if expected.replication_key else []
    assert metadata.get("valid-replication-keys", []) == replicated
    assert entry.get("replication_key") == expected.replication_key
    needed = {*expected.keys, *replicated}
    for part in entry["metadata"]:
        if len(part["breadcrumb"]) == 2 and part["breadcrumb"][1] in needed:
            assert part["metadata"]["inclusion"] == "automatic"


def test_discovery_lists_the_apis_that_are_on() -> None:
    config = {"sales_api_key": "some-key", "sales_base_url": "http://127.0.0.1:9"}
    found = {entry["tap_stream_id"] for entry in catalog(config=config)["streams"]}
    assert found == {stream.name for stream in STREAMS if stream.api == "sales"}


@pytest.mark.parametrize("arguments", [["--discover"], ["--about", "--format=json"], ["--version"]])
def test_nothing_is_asked_before_a_run(
    open_sandbox: Callable[..., Sandbox], tmp_path: Path, arguments: list[str]
) -> None:
    sandbox = open_sandbox(records=1)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(sandbox.config()), encoding="utf-8")
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), sandbox.base_url)
    for options in ([], ["--config", str(config)]):
        done = run_command([*arguments, *options], env=environment(**proxies, NO_PROXY=""))
        done.check_returncode()
        assert done.stdout
    assert list(sandbox.requests) == []


def modules(place: Path) -> list[Path]:
    return sorted(place.glob("*.py"))


@pytest.mark.parametrize("path", modules(ENGINE), ids=lambda path: str(path.stem))
def test_the_engine_knows_no_api(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not [name for name in imported if name.startswith("tap_analytics.apis")]
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not words & ({*VENDORS, *VENDORS.values()} - {"sales"})
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not named & {stream.__name__ for stream in registered()}
