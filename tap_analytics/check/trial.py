"""What `--test` does in place of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from tap_analytics.check.findings import examine
from tap_analytics.check.shape import Shapes
from tap_analytics.check.tables import estimate, table
from tap_analytics.check.words import vocabulary
from tap_analytics.engine.run.access import accesses
from tap_analytics.execution import INCOMPLETE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.base import BaseTap
    from tap_analytics.engine.stream import AnalyticsStream


def try_out(tap: BaseTap, test: str) -> int:
    """Try the selected streams without reading them, and return the exit status."""
    roots = list(tap.roots)
    if test == "schema":
        for stream in (stream for root in roots for stream in root.family):
            if stream.selected:
                stream.write_schema()
        tap.message_writer.flush()
        return 0
    every = accesses(tap.config)
    if test == "shape":
        words = vocabulary(cast("Iterable[AnalyticsStream]", tap.streams.values()))
        shapes = Shapes([access.name for access in every], words)
        findings = examine(roots, every, shapes)
        tap.message_writer.write(shapes.report(tap.plugin_version).encode())
        tap.message_writer.flush()
    else:
        findings = examine(roots, every)
        print(table(findings), file=sys.stderr)  # noqa: T201
        if test == "estimate":
            print(f"\n{estimate(findings, tap.config['max_concurrency'])}", file=sys.stderr)  # noqa: T201
    return 0 if all(finding.is_good for finding in findings) else INCOMPLETE
