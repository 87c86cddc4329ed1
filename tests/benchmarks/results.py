"""What a case found, and the report that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_HOW = (
    "Written by `python -m tests.benchmarks`. All tools read the same lists from the same local "
    "server, a process of its own, one after the other in turns; each figure is the median of the "
    "rounds. Seconds of reading count from the first request that reaches the server to the end "
    "of the process, so that nobody is charged for its imports; seconds in all do count them. "
    "Records a second are those of the reading."
)


@dataclass(frozen=True)
class Check:
    """A target beside what was measured.

    Attributes:
        what: What was measured.
        value: The measurement; None if it could not be made.
        target: The limit.
        unit: Format of both, with a place for the number.
        at_least: Whether the limit is the least allowed, and not the most.
    """

    what: str
    value: float | None
    target: float
    unit: str = "{:.2f}"
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None if nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def cells(self) -> tuple[str, ...]:
        """What was measured, the target, the measurement, and whether it holds."""
        verdict = {True: "yes", False: "**no**", None: "not measured"}[self.holds]
        measured = "-" if self.value is None else self.unit.format(self.value)
        bound = "at least" if self.at_least else "at most"
        return (self.what, f"{bound} {self.unit.format(self.target)}", measured, verdict)


@dataclass(frozen=True)
class Table:
    """Rows of text under their headers.

    Attributes:
        headers: One for each column.
        rows: The cells.
        numbers: Whether all columns but the first are to be aligned as numbers.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = True

    def markdown(self) -> str:
        """Return the table."""
        ruler = ["---", *["---:" if self.numbers else "---"] * (len(self.headers) - 1)]
        lines = (self.headers, ruler, *self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Findings:
    """What a case found.

    Attributes:
        table: Its measurements.
        checks: Its targets.
        bars: Records a second by label, for the chart; empty where there is nothing to compare.
        notes: What a reader has to know of how it was measured.
    """

    table: Table
    checks: Sequence[Check] = ()
    bars: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """The findings of a case, under its name and title."""

    name: str
    title: str
    findings: Findings

    def markdown(self) -> str:
        """Return the case's section of the report."""
        notes = [f"- {note}" for note in self.findings.notes]
        parts = [f"## {self.title} (`{self.name}`)", self.findings.table.markdown()]
        parts += ["\n".join(notes)] if notes else []
        parts += [targets(self.findings.checks)] if self.findings.checks else []
        return "\n\n".join(parts)


_HEADERS = ("measured", "target", "result", "holds")


def targets(checks: Iterable[Check]) -> str:
    """Return checks as a table."""
    return Table(_HEADERS, [check.cells for check in checks]).markdown()


def report(results: Sequence[Result], facts: Mapping[str, str], chart: str) -> str:
    """Return the whole report as markdown.

    Args:
        results: The cases that were run.
        facts: What it ran on.
        chart: Path of the chart, as seen from the report.
    """
    machine = Table(("", ""), list(facts.items()), numbers=False).markdown()
    rows = [
        (f"`{result.name}`", *check.cells) for result in results for check in result.findings.checks
    ]
    return "\n\n".join(
        [
            "# Benchmarks",
            _HOW,
            f"![Records a second]({chart})",
            Table(("case", *_HEADERS), rows).markdown(),
            *(result.markdown() for result in results),
            "## Where it ran",
            machine + "\n",
        ]
    )
