"""What `python -m tap_analytics.dbt` says of the selected streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_analytics.apis import PACKAGES
from tap_analytics.dbt import main
from tests.helpers.support import catalog, entry_of, metadata_of

if TYPE_CHECKING:
    from pathlib import Path

VENDORS = {
    f"{package.api.name}_{setting}": value
    for package in PACKAGES
    for setting, value in (
        (package.api.key_setting, "key"),
        ("upstream", next(iter(package.upstreams))),
    )
} | {"sales_host": "acme.myfreshworks.com"}


def written(folder: Path, catalog: dict[str, Any], *options: str) -> dict[str, Any]:
    """Return the tables that are written for a catalog, by name."""
    file, output = folder / "catalog.json", folder / "sources.yml"
    file.write_text(json.dumps(catalog), encoding="utf-8")
    assert main(["--catalog", str(file), "--output", str(output), *options]) == 0
    (source,) = yaml.safe_load(output.read_text(encoding="utf-8"))["sources"]
    return {table["name"]: table for table in source["tables"]}


def column(table: dict[str, Any], name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [part for part in table["columns"] if part["name"] == name]
    return found[0]


def test_only_what_is_selected_is_a_table_or_a_column(tmp_path: Path) -> None:
    chosen = catalog("gates", "tasks")
    metadata_of(entry_of(chosen, "tasks"), "properties", "name")["selected"] = False
    tables = written(tmp_path, chosen)
    assert set(tables) == {"gates", "tasks"}
    properties = set(entry_of(chosen, "tasks")["schema"]["properties"])
    assert {part["name"] for part in tables["tasks"]["columns"]} == properties - {"name"}
    assert tables["tasks"]["description"]


def test_one_key_is_unique_and_several_are_together(tmp_path: Path) -> None:
    tables = written(tmp_path, catalog("gates", "gates_rules"))
    assert column(tables["gates"], "id")["data_tests"] == ["not_null", "unique"]
    assert "data_tests" not in tables["gates"]
    assert column(tables["gates_rules"], "id")["data_tests"] == ["not_null"]
    (test,) = tables["gates_rules"]["data_tests"]
    assert test["unique"]["arguments"]["column_name"] == (
        'cast("gate_id" as varchar) || chr(31) || cast("id" as varchar)'
    )


def test_a_reference_is_tested_if_both_ends_are_there(tmp_path: Path) -> None:
    both = column(written(tmp_path, catalog("gates", "gates_rules"))["gates_rules"], "gate_id")
    not_null, pointing = both["data_tests"]
    assert both["description"].startswith("Key of `gates`.")
    assert not_null == "not_null"
    assert pointing["relationships"]["arguments"] == {
        "to": "source('tap_analytics', 'gates')",
        "field": '"id"',
    }
    alone = column(written(tmp_path, catalog("gates_rules"))["gates_rules"], "gate_id")
    assert alone["data_tests"] == ["not_null"]


def test_a_vendor_s_stream_is_not_taken_for_the_documented_one(tmp_path: Path) -> None:
    documented = written(tmp_path, catalog("pages", "subscribers"))["subscribers"]
    assert "relationships" not in json.dumps(documented)
    vendor = catalog("pages", "subscribers", config=VENDORS)
    tests = column(written(tmp_path, vendor)["subscribers"], "page_id")["data_tests"]
    assert [test for test in tests if "relationships" in test]


@pytest.mark.parametrize(
    ("stream", "moment"),
    [
        ("tasks", 'cast("updated_at" as timestamp)'),
        ("gates", 'to_timestamp(cast("lastModifiedTime" as bigint) / 1000)'),
        ("crm_contacts", 'to_timestamp(cast("updated" as bigint) / 1)'),
    ],
)
def test_freshness_comes_from_the_replication_key(stream: str, moment: str, tmp_path: Path) -> None:
    config = written(tmp_path, catalog(stream), "--warn-after", "3")[stream]["config"]
    assert config["loaded_at_field"] == moment
    assert config["freshness"] == {"warn_after": {"count": 3, "period": "day"}}


def test_a_stream_that_is_read_in_full_has_no_freshness(tmp_path: Path) -> None:
    chosen = catalog("accounts", "tasks")
    metadata_of(entry_of(chosen, "tasks"))["forced-replication-method"] = "FULL_TABLE"
    entry_of(chosen, "tasks")["replication_method"] = "FULL_TABLE"
    tables = written(tmp_path, chosen)
    assert "config" not in tables["accounts"]
    assert "config" not in tables["tasks"]


def test_names_are_spelled_as_the_target_spells_them(tmp_path: Path) -> None:
    table = written(tmp_path, catalog("gates"), "--no-quote")["gates"]
    assert "quote" not in column(table, "lastModifiedTime")
    assert table["config"]["loaded_at_field"] == (
        "to_timestamp(cast(lastModifiedTime as bigint) / 1000)"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "is no catalog"),
        ("{", "is no catalog"),
        ('{"streams": [{}]}', "is no catalog"),
        ('{"streams": []}', "selects no stream"),
    ],
)
def test_what_is_no_catalog_is_said_in_one_line(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(text, encoding="utf-8")
    assert main(["--catalog", str(file), "--output", str(tmp_path / "sources.yml")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "sources.yml").exists()
