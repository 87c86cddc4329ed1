"""A run of the tap: what keeps it from beginning, and how it ends."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from tap_analytics import collector, selection
from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.output import closing, pipe
from tap_analytics.engine.output.progress import Progress
from tap_analytics.engine.run.access import accesses
from tap_analytics.engine.run.run import Run

if TYPE_CHECKING:
    from tap_analytics.base import BaseTap
    from tap_analytics.engine.output.report import Report

INCOMPLETE = 1
"""Exit status where something was not read to its end."""


def obstacles(tap: BaseTap) -> list[str]:
    """Return what keeps the selected streams from being read at all."""
    every = accounts(tap.config)
    packages = tap.packages
    if not any(one.is_on(account.config) for one in packages for account in every):
        names = [way[0] for one in packages for way in one.ways_on if len(way) == 1]
        hint = f"; {tap.overlooked}" if tap.overlooked else ""
        return [f"no API is turned on: set at least one of {', '.join(names)}{hint}"]
    absent = list(selection.missing(tap.input_catalog, tap.streams, packages))
    if not any(True for _ in tap.roots):
        return absent or ["the catalog selects no stream, so there is nothing to read"]
    for text in absent:
        tap.logger.warning("%s", text)
    maps = tap.config.get("stream_maps") or {}
    if misnamed := list(selection.mapped_nowhere(maps, tap.streams, packages)):
        return misnamed
    path = tap.config.get("report_path")
    obstacle = closing.find_obstacle(path) if path else None
    if obstacle:
        return [f"setting 'report_path': '{path}' {obstacle}"]
    return [
        f"setting '{stream.api.name}_{stream.api.credential}' is needed by the selected "
        f"stream '{stream.name}'{account.of}: set it, or deselect the stream"
        for root in tap.roots
        for stream in root.family
        for account in every
        if account.has(stream.api) and not stream.api.has_credential(account.config)
    ]


def new_run(tap: BaseTap) -> Run:
    """Return a run over a tap's accounts, from its state on."""
    return Run(accesses(tap.config), cast("dict[str, Any]", tap.state), tap.message_writer)


def execute(tap: BaseTap) -> int:
    """Read everything that is selected and return the exit status."""
    status = INCOMPLETE
    run = new_run(tap)
    with Progress(run.report, is_on=tap.config.get("progress", True)):
        try:
            collector.spare()
            pipe.widen()
            tap.settle_replication_methods()
            run.read(list(tap.roots))
            run.close()
            status = 0 if run.report.sound else INCOMPLETE
        except ClosedOutput as end:
            tap.logger.error("%s", end)  # noqa: TRY400
            status = end.status
        except Terminated as end:
            tap.logger.warning("Told to end: writing state")
            status = end.status
        finally:
            with contextlib.suppress(ClosedOutput):
                run.close()
    return _conclude(tap, run.report, status)


def _conclude(tap: BaseTap, report: Report, status: int) -> int:
    """Write what happened where the user wants it, say it, and return the exit status."""
    is_written = True
    if path := tap.config.get("report_path"):
        properties = tap.config_jsonschema["properties"]
        content = closing.document(
            report,
            version=tap.plugin_version,
            status=status,
            config=tap.config,
            secrets=[name for name, part in properties.items() if part.get("secret")],
        )
        is_written = closing.write(path, content, tap.logger)
    closing.say(report, tap.logger)
    return status if is_written else status or INCOMPLETE
