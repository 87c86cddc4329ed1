"""``--test``: every selected stream is asked for one page, and the truth is told of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.forks import run_text
from tests.helpers.support import catalog, environment, settings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.support import Record

ROWS = 30
OF_SALES = ("accounts", "contacts", "open_tasks", "past_appointments", "won_deals")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=ROWS) as sandbox:
        yield sandbox


def run(
    folder: Path, config: Record, *streams: str, test: str = "--test"
) -> subprocess.CompletedProcess[str]:
    args = ["--config", str(folder / "config.json"), test]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if streams:
        (folder / "catalog.json").write_text(json.dumps(catalog(*streams)), encoding="utf-8")
        args += ["--catalog", str(folder / "catalog.json")]
    return run_text(args, env=environment())


def told(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """Return the rows of the table, by stream: answer, then the rest."""
    lines = done.stderr.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("stream "))
    rows: dict[str, list[str]] = {}
    for line in lines[start + 1 :]:
        name, _, rest = line.partition(" ")
        if not rest.startswith(" "):
            break
        rows[name] = [part.strip() for part in rest.strip().split("  ") if part]
    return rows


def answers(sandbox: Sandbox, by_stream: dict[str, Any]) -> None:
    sandbox.faults.append(lambda request: by_stream.get(request.stream))


def test_every_stream_that_can_be_read_is_said_to_be(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(tmp_path, settings(sandbox, "sales", "experimentation"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "ERROR" not in done.stderr
    found = told(done)
    assert found["contacts"] == ["ok", "30"]
    assert found["gates_rules"][0] == "ok"
    assert {row[0] for row in found.values()} <= {"ok", "empty"}
    assert done.stderr.endswith(f"{len(found)} of {len(found)} streams can be read.\n")


def test_only_what_is_selected_is_asked_for_one_page(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(tmp_path, settings(sandbox, "sales", "workforce"), "contacts", "tasks")
    assert done.returncode == 0
    assert set(told(done)) == {"contacts", "tasks"}
    assert sorted(request.stream for request in sandbox.requests) == ["contacts", "tasks"]


def test_what_the_account_lacks_is_named_with_the_way_to_leave_it_out(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    answers(
        sandbox,
        {
            "contacts": Answer(status=403),
            "won_deals": Answer(status=404),
            "open_tasks": Answer(200),
        },
    )
    sandbox.faults.append(
        lambda request: Answer(body=b"<html>") if request.stream == "accounts" else None
    )
    done = run(tmp_path, settings(sandbox, "sales"))
    assert (done.returncode, done.stdout) == (1, "")
    found = told(done)
    assert {name: row[0] for name, row in found.items()} == {
        "accounts": "wrong shape",
        "contacts": "403",
        "open_tasks": "ok",
        "past_appointments": "ok",
        "won_deals": "404",
    }
    assert "meltano select tap-analytics --exclude contacts '*' && " in done.stderr
    assert "metadata of: contacts, won_deals\n" in done.stderr
    assert done.stderr.endswith("2 of 5 streams can be read.\n")
    assert "ERROR" not in done.stderr


def test_a_bad_key_names_its_setting(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(tmp_path, settings(sandbox, "sales", sales_api_key="wrong-k3y-of-ours"))
    assert done.returncode == 1
    found = told(done)
    assert set(found) == set(OF_SALES)
    assert {tuple(row) for row in found.values()} == {
        ("401", "the key was refused: check setting 'sales_api_key'")
    }
    assert "--exclude" not in done.stderr
    assert "wrong-k3y" not in done.stderr


def test_nobody_there_names_the_address(sandbox: Sandbox, tmp_path: Path) -> None:
    config = settings(sandbox, "sales", sales_base_url="http://127.0.0.1:9", max_retries=0)
    done = run(tmp_path, config, "contacts")
    assert done.returncode == 1
    assert told(done)["contacts"][0] == "no answer"
    assert "check setting 'sales_base_url' and the network" in done.stderr


def test_a_child_whose_parent_is_empty_is_not_asked(tmp_path: Path) -> None:
    with Sandbox(records=0) as empty:
        done = run(tmp_path, settings(empty, "experimentation"), "gates", "gates_rules")
    assert done.returncode == 0
    assert told(done) == {
        "gates": ["empty"],
        "gates_rules": ["not asked", "gates has no row to ask it with"],
    }


def test_an_estimate_counts_what_a_run_asks_for(sandbox: Sandbox, tmp_path: Path) -> None:
    config = settings(sandbox, "experimentation", "workforce", experimentation_page_size=10)
    streams = ("gates", "gates_rules", "tasks")
    done = run(tmp_path, config, *streams, test="--test=estimate")
    assert done.returncode == 0
    rows = {
        line.split()[0]: line.split()[1:]
        for line in done.stderr.rsplit("\n\n", 1)[1].splitlines()[1:]
    }
    assert rows["gates"][:2] == ["3", "30"]
    assert rows["gates_rules"][0] == "30"
    assert rows["tasks"][:2] == ["15", "30"]
    assert rows["all"][0] == "48"


def test_the_schemas_are_written_without_a_request(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(tmp_path, settings(sandbox, "sales"), test="--test=schema")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["type"] for line in lines} == {"SCHEMA"}
    assert sorted(line["stream"] for line in lines) == sorted(OF_SALES)
    assert not sandbox.requests


def test_another_test_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(tmp_path, settings(sandbox, "sales"), test="--test=everything")
    assert done.returncode == 2
    assert "option --test must be one of: all, schema, estimate, shape" in done.stderr
