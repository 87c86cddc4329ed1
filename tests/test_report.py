"""What a run says about itself: report, exit status, and which rows are gone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from tap_analytics.engine.output.closing import report_schema
from tap_analytics.sandbox import Answer, Request, Sandbox
from tests.helpers.support import run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    OpenSandbox = Callable[..., Sandbox]


def test_report_and_exit_status(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=4)
    sandbox.faults.append(
        lambda request: Answer(500, body=b"{}") if request.stream == "contacts" else None
    )
    config = settings(sandbox, "sales", max_retries=1)
    result = run_tap(config, "accounts", "contacts")
    assert result.status == 1
    assert set(result.report) == {"accounts", "contacts"}
    good, bad = result.report["accounts"], result.report["contacts"]
    assert (good["records"], good["requests"], good["retries"], good["reason"]) == (4, 1, 0, None)
    assert (bad["records"], bad["requests"], bad["retries"]) == (0, 2, 1)
    assert "500" in bad["reason"]
    assert bad["api"] == "sales"
    *_, failed, last = [line for line in result.stderr.splitlines() if "METRIC" not in line]
    assert "contacts: GET /v1/contacts" in failed
    assert failed.endswith("its rows are missing; the next run reads them")
    assert re.search(r"1 of 2 streams complete, 1 failed, 4 records in \d+ s$", last)
    assert "accounts" not in failed + last


def test_the_report_is_as_its_schema_says(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    sandbox = open_sandbox(records=4)
    path = tmp_path / "report.json"
    result = run_tap(settings(sandbox, "sales", report_path=str(path)), "accounts")
    assert result.status == 0
    told = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(report_schema()).validate(told)
    assert (told["exit_status"], told["account"]) == (0, None)
    assert told["totals"]["records"] == 4
    assert told["streams"][0]["bytes"] > 100
    assert told["start"] < told["end"]
    assert told["settings"]["report_path"] == str(path)
    assert "sales_base_url" in told["settings"]
    assert "sales_api_key" not in told["settings"]


def test_a_report_that_cannot_be_written_in_the_end_is_said(
    open_sandbox: OpenSandbox, tmp_path: Path
) -> None:
    """Its folder went while the run read, as a disk that got full would do."""
    sandbox = open_sandbox(records=4)
    folder = tmp_path / "reports"
    folder.mkdir()

    def clear(_: Request) -> None:
        if folder.exists():
            folder.rmdir()

    sandbox.faults.append(clear)
    config = settings(sandbox, "sales", report_path=str(folder / "report.json"))
    result = run_tap(config, "accounts")
    assert (result.status, len(result.records["accounts"])) == (1, 4)
    (error,) = [line for line in result.stderr.splitlines() if "ERROR" in line]
    assert error.endswith("report.json' cannot be written: No such file or directory")
    assert "Traceback" not in result.stderr
    assert "1 of 1 streams complete" in result.stderr.splitlines()[-1]


def test_under_a_pipe_there_are_few_lines(open_sandbox: OpenSandbox) -> None:
    result = run_tap(settings(open_sandbox(records=4), "sales"), "accounts", "contacts")
    ours = [line for line in result.stderr.splitlines() if "| tap-analytics " in line]
    assert "2 of 2 streams complete, 8 records in" in ours[-1]
    assert not [line for line in ours if "requests" in line]


def test_activate_version_only_after_a_complete_list(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=20)
    config = settings(sandbox, "sales", "workforce", emit_activate_version_messages=True)
    config["max_retries"] = 0
    sandbox.faults.append(
        lambda request: (
            Answer(500, body=b"{}")
            if request.stream == "contacts" and request.params["page"] == "2"
            else None
        )
    )
    config["sales_page_size"] = 5
    result = run_tap(config, "accounts", "contacts", "tasks")
    activated = {line["stream"]: line["version"] for line in result.of("ACTIVATE_VERSION")}
    assert set(activated) == {"accounts"}
    versions = {r.get("version") for r in result.of("RECORD") if r["stream"] == "accounts"}
    assert versions == {activated["accounts"]}
    place = [line["type"] for line in result.lines if line.get("stream") == "accounts"]
    assert place[-1] == "ACTIVATE_VERSION"


def test_activate_version_is_withheld_after_a_great_loss(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=20)
    config = settings(sandbox, "sales", emit_activate_version_messages=True)
    before = run_tap(config, "accounts", "contacts")
    assert len(before.of("ACTIVATE_VERSION")) == 2
    for index in range(20):
        sandbox.store.delete("accounts", index)
    sandbox.store.delete("contacts", 3)
    after = run_tap(config, "accounts", "contacts", state=before.state)
    assert after.status == 0
    assert {line["stream"] for line in after.of("ACTIVATE_VERSION")} == {"contacts"}
    assert "ACTIVATE_VERSION" in " ".join(after.report["accounts"]["notes"])


def test_bookmarks_before_and_after_are_reported(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=6)
    config = settings(sandbox, "workforce")
    first = run_tap(config, "tasks")
    assert first.report["tasks"]["bookmark_before"] is None
    assert first.report["tasks"]["bookmark_after"] == first.bookmark("tasks")
    sandbox.faults.append(
        lambda request: Answer(500, body=b"{}") if request.stream == "tasks" else None
    )
    second = run_tap({**config, "max_retries": 0}, "tasks", state=first.state)
    row = second.report["tasks"]
    assert row["bookmark_before"] == row["bookmark_after"] == first.bookmark("tasks")
    missing = f"rows since {first.bookmark('tasks')} are missing and will be read next time"
    assert missing in second.stderr
