"""The last words of a run: what a tired person needs first, and all of it as JSON."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import metrics

from tap_analytics.engine.output.report import COMPLETE, DENIED, FAILED, INTERRUPTED
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from tap_analytics.engine.output.report import Report, Tally

_OUTCOMES = {FAILED: "failed", DENIED: "denied", INTERRUPTED: "not read to the end"}


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    file = resources.files("tap_analytics.engine.output").joinpath("report.schema.json")
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def document(
    report: Report, *, version: str, status: int, config: Mapping[str, Any], secrets: Iterable[str]
) -> dict[str, Any]:
    """Return the report as `report_schema` describes it.

    Args:
        report: What happened.
        version: The tap's version.
        status: The exit status.
        config: The settings.
        secrets: Names of those that are secret, and left out.
    """
    accounts = [str(account.get("name")) for account in config.get("accounts") or ()]
    return {
        "version": version,
        "start": times.iso(report.started_at),
        "end": times.iso(times.now()),
        "exit_status": status,
        "account": accounts or None,
        "settings": _public(config, frozenset(secrets)),
        "totals": report.totals(),
        "streams": [tally.row() for tally in report.tallies.values()],
    }


def _public(value: Any, secrets: frozenset[str]) -> Any:
    """Return a setting without what is secret in it."""
    if isinstance(value, Mapping):
        return {
            redactor.clean(str(name)): _public(part, secrets)
            for name, part in value.items()
            if name not in secrets
        }
    if isinstance(value, (list, tuple)):
        return [_public(part, secrets) for part in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return float(value) if isinstance(value, Decimal) else redactor.clean(str(value))


def write(path: str, content: Mapping[str, Any], logger: logging.Logger) -> bool:
    """Write a report, whole or not at all; log why it cannot be, and tell whether it was."""
    draft = _draft_of(path)
    try:
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        logger.error("the report '%s' cannot be written: %s", path, error.strerror)  # noqa: TRY400
        with contextlib.suppress(OSError):
            draft.unlink()
        return False
    return True


def find_obstacle(path: str) -> str | None:
    """Return why no report can be written to a path; None if one can."""
    try:
        if Path(path).is_dir():
            return "is a folder"
        draft = _draft_of(path)
        draft.touch()
        draft.unlink()
    except FileNotFoundError:
        return "is in a folder that does not exist"
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    except ValueError:
        return "is no path"
    return None


def _draft_of(path: str) -> Path:
    target = Path(path)
    return target.with_name(f".{target.name}.{os.getpid()}")


def say(report: Report, logger: logging.Logger) -> None:
    """Log what happened, the worst and the sum last.

    Streams that are complete are seen at level DEBUG only, unless there is something to say
    of them; a run that was cut short says nothing of that. Every message carries its numbers
    as fields.
    """
    tallies = list(report.tallies.values())
    if not any(tally.status == INTERRUPTED for tally in tallies):
        _measure(tallies)
        for tally in tallies:
            _remark(tally, logger)
    for tally in report.troubles:
        logger.error("%s", epitaph(tally), extra=_fields(tally))
    totals = report.totals()
    if totals[INTERRUPTED]:
        logger.info("What was not read is read by the next run, from the last STATE on")
    log = logger.info if report.sound else logger.warning
    log("%s", summary(totals), extra={"totals": totals})


def _remark(tally: Tally, logger: logging.Logger) -> None:
    fields = _fields(tally)
    logger.debug("%s", tally.line(), extra=fields)
    for note in tally.notes:
        logger.info("%s: %s", tally.name, note, extra=fields)
    for change in tally.drift:
        logger.warning("%s: %s", tally.name, change, extra=fields)


def _fields(tally: Tally) -> dict[str, Any]:
    return {"stream_name": tally.stream, **tally.row()}


def epitaph(tally: Tally) -> str:
    """Return what became of a stream that failed, what that means, and what to do."""
    reason = "; ".join(tally.reasons)
    if tally.status == DENIED and not tally.may_be_left_out:
        return f"{tally.name}: {reason}; its rows are missing"
    if tally.status == DENIED:
        return (
            f"{tally.name}: {reason}; its rows are missing: give the key access to it, or "
            f"deselect it (meltano select tap-analytics --exclude {tally.stream} '*')"
        )
    if since := tally.bookmark_after or tally.bookmark_before:
        missing = f"rows since {since} are missing and will be read next time"
    elif tally.records:
        missing = f"rows beyond the {tally.records:,} written are missing; the next run reads all"
    else:
        missing = "its rows are missing; the next run reads them"
    return f"{tally.name}: {reason}; {missing}"


def summary(totals: Mapping[str, Any]) -> str:
    """Return the last line."""
    parts = [f"{totals[COMPLETE]} of {totals['streams']} streams complete"]
    parts += [f"{totals[what]} {words}" for what, words in _OUTCOMES.items() if totals[what]]
    parts.append(f"{totals['records']:,} records in {duration(totals['seconds'])}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a duration for people, such as ``28 s`` or ``1 h 12 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _measure(tallies: Iterable[Tally]) -> None:
    """Log the SDK's metrics: the time of each stream that asked for something, requests by API."""
    asked = [tally for tally in tallies if tally.requests]
    points = [
        metrics.Point(
            "timer",
            metrics.Metric.SYNC_DURATION,
            tally.seconds,
            {
                metrics.Tag.STREAM: tally.stream,
                metrics.Tag.STATUS: metrics.Status.SUCCEEDED
                if tally.is_complete
                else metrics.Status.FAILED,
            },
        )
        for tally in asked
    ]
    for api in dict.fromkeys(tally.api for tally in asked):
        of_api = [tally for tally in asked if tally.api == api]
        tags: dict[str, Any] = {metrics.Tag.ENDPOINT: api}
        count = sum(tally.requests for tally in of_api)
        seconds = sum(tally.seconds_asked for tally in of_api)
        points += [
            metrics.Point("counter", metrics.Metric.HTTP_REQUEST_COUNT, count, tags),
            metrics.Point("timer", metrics.Metric.HTTP_REQUEST_DURATION, seconds, tags),
        ]
    for point in points:
        metrics.log(metrics.get_metrics_logger(), point)
