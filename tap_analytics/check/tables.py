"""What was found, as tables for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_analytics.check.findings import Finding

_COLUMNS = ("stream", "answer", "rows", "what to do")
_ESTIMATES = ("stream", "requests", "records", "minutes", "")


def table(findings: Sequence[Finding]) -> str:
    """Return what was found, and how to deselect what the account does not have."""
    rows = [(f.name, f.answer, str(f.rows or ""), f.advice) for f in findings]
    absent = list(dict.fromkeys(f.stream.name for f in findings if f.is_absent))
    parts = [_aligned([_COLUMNS, *rows])]
    if absent:
        lines = " && ".join(f"meltano select tap-analytics --exclude {name} '*'" for name in absent)
        parts += [
            f"To leave out what was refused: {lines}",
            f'or in the catalog {{"selected": false}} in the metadata of: {", ".join(absent)}',
        ]
    good = sum(finding.is_good for finding in findings)
    parts.append(f"{good} of {len(findings)} streams can be read.")
    return "\n".join(parts)


def estimate(findings: Sequence[Finding], concurrency: int) -> str:
    """Return how much a first run asks for, and how long it takes.

    Time is what the API's limits make of it, or if that is more, what its answers took here.
    A stream below another is asked for once for each row above.
    """
    above = {
        (finding.account, child.name): finding
        for finding in findings
        for child in finding.stream.children
    }
    lists: dict[str, int] = {}
    rows, requests, seconds = [], 0, 0.0
    for finding in findings:
        stream, parent = finding.stream, above.get((finding.account, finding.stream.name))
        if parent is None:
            lists[finding.name] = finding.lists
        else:
            lists[finding.name] = lists[parent.name] * (parent.total or parent.rows)
        pages = math.ceil(finding.total / max(finding.rows, 1)) if finding.total else 1
        asked = 0 if finding.at_hand else lists[finding.name] * pages
        limits = stream.api.limits(stream.config)
        takes = max(
            [asked * finding.seconds / concurrency]
            + [asked / number * period for number, period in limits]
        )
        requests, seconds = requests + asked, seconds + takes
        is_open = finding.total is None and not stream.get_new_paginator().single and finding.rows
        records = lists[finding.name] * (finding.total or finding.rows)
        told = f"{records} or more" if is_open else str(records)
        costs = f"asks for each row of {parent.stream.name}" if parent and asked else ""
        rows.append((finding.name, str(asked), told, f"{takes / 60:.1f}", costs))
    rows.append(("all", str(requests), "", f"{seconds / 60:.1f}", ""))
    return _aligned([_ESTIMATES, *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
