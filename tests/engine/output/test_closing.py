"""The last words of a run."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from singer_sdk import metrics

from tap_analytics.engine.output import closing
from tap_analytics.engine.output.report import DENIED, FAILED, Report, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOGGER = logging.getLogger("tap-analytics")
CONFIG: dict[str, Any] = {
    "sales_api_key": "secret-1",
    "sales_base_url": "https://user:word@host/",
    "accounts": [{"name": "acme", "sales_api_key": "secret-2", "sales_host": "acme.example"}],
    "max_wait": 5,
    "backoff_factor": Decimal("0.5"),
}


def a_run() -> Report:
    report = Report()
    good = report.tally("good", "api")
    good.request()
    good.records = 1234
    good.note("said")
    good.drifted("fields outside the schema", ["x (1)"])
    good.complete()
    bad = report.tally("bad", "api")
    bad.request()
    bad.fail(FAILED, "answered 500")
    bad.complete()
    return report


def document(report: Report, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return closing.document(
        report, version="1.2.3", status=1, config=config or {}, secrets=["sales_api_key"]
    )


def test_a_report_is_as_its_schema_says() -> None:
    schema = closing.report_schema()
    Draft202012Validator.check_schema(schema)
    content = json.loads(json.dumps(document(a_run(), CONFIG)))
    Draft202012Validator(schema).validate(content)
    content["streams"][0]["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        Draft202012Validator(schema).validate(content)


def test_every_field_of_the_schema_is_written() -> None:
    schema, content = closing.report_schema(), document(a_run())
    assert list(content) == list(schema["properties"])
    row = schema["properties"]["streams"]["items"]["properties"]
    assert set(content["streams"][0]) == set(row)
    assert set(content["totals"]) == set(schema["properties"]["totals"]["properties"])


def test_settings_are_told_without_secrets() -> None:
    content = document(a_run(), MappingProxyType(CONFIG))
    json.dumps(content)
    assert content["settings"] == {
        "sales_base_url": "https://***@host/",
        "accounts": [{"name": "acme", "sales_host": "acme.example"}],
        "max_wait": 5,
        "backoff_factor": 0.5,
    }
    assert content["account"] == ["acme"]
    assert document(a_run())["account"] is None


def test_a_report_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("from before", encoding="utf-8")
    content = document(a_run())
    assert closing.write(str(path), content, logging.getLogger("tap-analytics"))
    assert json.loads(path.read_text(encoding="utf-8")) == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_the_worst_and_the_sum_come_last(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    closing.say(a_run(), LOGGER)
    ours = [record for record in caplog.records if record.name == "tap-analytics"]
    assert [(record.levelname, record.getMessage()) for record in ours] == [
        ("INFO", "good: said"),
        ("WARNING", "good: fields outside the schema: x (1)"),
        (
            "ERROR",
            "bad: answered 500; its rows are missing; the next run reads them",
        ),
        ("WARNING", "1 of 2 streams complete, 1 failed, 1,234 records in 0 s"),
    ]
    fields = vars(ours[2])
    assert (fields["stream_name"], fields["status"], fields["requests"]) == ("bad", FAILED, 1)
    assert vars(ours[3])["totals"]["records"] == 1234


def test_the_sdks_metrics_are_there_and_few(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    closing.say(a_run(), LOGGER)
    points = [record.args[0] for record in caplog.records if record.name == metrics.__name__]  # type: ignore[index]
    told = [(p.metric.value, p.tags) for p in points if isinstance(p, metrics.Point)]
    assert told == [
        ("sync_duration", {"stream": "good", "status": "succeeded"}),
        ("sync_duration", {"stream": "bad", "status": "failed"}),
        ("http_request_count", {"endpoint": "api"}),
        ("http_request_duration", {"endpoint": "api"}),
    ]


def test_a_run_that_was_cut_short_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report = a_run()
    report.tallies.pop((None, "bad"))
    report.tally("rest", "api").note("n")
    closing.say(report, LOGGER)
    assert caplog.messages == [
        "What was not read is read by the next run, from the last STATE on",
        "1 of 2 streams complete, 1 not read to the end, 1,234 records in 0 s",
    ]


def failed(status: str = FAILED, **fields: Any) -> str:
    tally = Tally("experiments", "api")
    tally.fail(status, "why")
    after = fields.pop("bookmark_after", None)
    tally.follow(lambda: after)
    for name, value in fields.items():
        setattr(tally, name, value)
    return closing.epitaph(tally)


def test_what_a_failure_means_is_told() -> None:
    since = "rows since 2026-11-20 are missing and will be read next time"
    assert failed(bookmark_before="2026-11-20") == f"experiments: why; {since}"
    assert failed(bookmark_before="2026-11-01", bookmark_after="2026-11-20").endswith(since)
    assert failed(records=5000).endswith(
        "; rows beyond the 5,000 written are missing; the next run reads all"
    )
    assert failed().endswith("; its rows are missing; the next run reads them")
    assert failed(DENIED).endswith(
        "deselect it (meltano select tap-analytics --exclude experiments '*')"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (28, "28 s"), (61, "1 min 1 s"), (4350, "1 h 12 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert closing.duration(seconds) == text
