"""An API of one's own runs through the tap, without a line of the package changed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.support import ROOT, environment, read_result
from tests.sixth import BooksTap
from tests.sixth.server import Books
from tests.sixth.streams import DOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.support import Result

LISTS = {
    "books_invoices": "/v1/invoices",
    "books_customers": "/v1/customers",
    "books_payments": "/v1/payments/search",
}


def read(folder: Path, *more: str, **config: Any) -> Result:
    """Run the tap in a process of its own."""
    path, report = folder / "config.json", folder / "report.json"
    given = {"backoff_factor": 0.01, "report_path": str(report), **config}
    path.write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, "-m", "tests.sixth", "--config", str(path), *more]
    with (folder / "stderr").open("wb") as stderr:
        ran = subprocess.run(  # noqa: S603
            command,
            cwd=ROOT,
            env=environment(),
            check=False,
            stdout=subprocess.PIPE,
            stderr=stderr,
            timeout=60,
        )
    result = read_result(ran.returncode, ran.stdout, report)
    written = ran.stdout.decode() + result.stderr + json.dumps(result.report)
    assert not [word for word in ("renewer-", "token-", "its-secret") if word in written]
    return result


@pytest.fixture
def books() -> Iterator[Books]:
    with Books("anna", "bert").open() as books:
        yield books


def test_everything_is_read(tmp_path: Path, books: Books) -> None:
    result = read(tmp_path, **books.settings("anna"))
    assert result.status == 0, result.stderr
    kept = books.owners["anna"]
    for stream, path in LISTS.items():
        rows = [dict(row) for row in result.records[stream]]
        assert sorted(rows, key=lambda row: row["id"]) == kept[path]
    for line in result.records["books_invoice_lines"]:
        same = {name: line[name] for name in ("number", "text")}
        kept[f"/v1/invoices/{line['invoice_id']}/lines"].remove(same)
    assert [path for path in kept if path.endswith("/lines") and kept[path]] == []
    assert books.asked.count(("POST", "/oauth/token")) == 1


def test_a_second_run_asks_for_what_changed(tmp_path: Path, books: Books) -> None:
    state = tmp_path / "state.json"
    first = read(tmp_path, **books.settings("anna"))
    state.write_text(json.dumps(first.state), encoding="utf-8")
    books.owners["anna"]["/v1/invoices"][2]["changed_at"] = "2026-04-01T00:00:00Z"
    books.asked.clear()
    second = read(tmp_path, "--state", str(state), **books.settings("anna"))
    assert second.status == 0
    assert [row["id"] for row in second.records["books_invoices"]] == ["i7", "i2"]
    lines = {path for _, path in books.asked if path.endswith("/lines")}
    assert lines == {"/v1/invoices/i2/lines"}


def test_two_accounts_are_told_apart(tmp_path: Path, books: Books) -> None:
    accounts = [{"name": name, **books.settings(name)} for name in ("anna", "bert")]
    result = read(tmp_path, accounts=accounts)
    assert result.status == 0, result.stderr
    for name in ("anna", "bert"):
        rows = [row for row in result.records["books_customers"] if row["account"] == name]
        assert [row["name"] for row in rows] == [f"{name}'s {n}" for n in range(4)]
    assert result.schemas["books_customers"]["key_properties"] == ["account", "id"]
    assert books.asked.count(("POST", "/oauth/token")) == 2


def test_a_refused_grant_says_what_to_check(tmp_path: Path, books: Books) -> None:
    config = {**books.settings("anna"), "books_client_secret": "its-secret-of-yesterday"}
    result = read(tmp_path, **config)
    assert result.status == 1
    assert {result.outcome(stream) for stream in LISTS} == {"denied"}
    assert "check the settings 'books_refresh_token'" in result.stderr


def test_its_settings_are_checked_and_only_those(tmp_path: Path, books: Books) -> None:
    settings = books.settings("anna")
    wrong = {"books_refresh_tokn": settings.pop("books_refresh_token")}
    result = read(tmp_path, **settings, **wrong)
    assert result.status == 2
    assert "did you mean 'books_refresh_token'" in result.stderr
    assert [name for name in BooksTap.config_jsonschema["properties"] if "sales" in name] == []


def test_its_catalog_has_its_streams(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}", encoding="utf-8")
    command = [sys.executable, "-m", "tests.sixth", "--discover", "--config", str(path)]
    found = subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)  # noqa: S603
    entries = json.loads(found.stdout)["streams"]
    names: list[Any] = [stream.name for stream in DOCUMENTED]
    assert {entry["tap_stream_id"] for entry in entries} == set(names)
