"""What a fleet says: a line now and then, a table at the end, a report for programs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from tap_analytics.fleet.unit import BUSY, COMPLETE, FAILED, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_analytics.fleet.unit import Outcome

_SECONDS_BETWEEN_LINES = 30.0
_WIDTH = 1000
"""Of what is no terminal, such as a log: there a line is best left whole."""
_COLORS = {COMPLETE: "green", FAILED: "red", BUSY: "yellow", INTERRUPTED: "yellow"}


class Show:
    """Tells on standard error how a run goes."""

    def __init__(self, accounts: int) -> None:
        """Take how many accounts there are."""
        self._console = Console(stderr=True, highlight=False)
        if not self._console.is_terminal:
            self._console.width = _WIDTH
        self._accounts = accounts
        self._ended = 0
        self._records = 0
        self._said_at = time.monotonic()

    def say(self, text: str) -> None:
        """Say something."""
        self._console.print(f"tap-analytics-fleet: {text}", markup=False, soft_wrap=True)
        self._said_at = time.monotonic()

    def outcome(self, outcome: Outcome) -> None:
        """Say what became of an account."""
        self._ended += 1
        self._records += outcome.records
        reason = f": {outcome.reason}" if outcome.reason else ""
        self.say(
            f"{outcome.account}: {outcome.status}, {outcome.records:,} records in "
            f"{outcome.seconds:.0f} s ({self._ended} of {self._accounts}){reason}"
        )

    def tick(self, opened: int) -> None:
        """Say where the run is, if nothing was said for a while."""
        if time.monotonic() - self._said_at > _SECONDS_BETWEEN_LINES:
            self.say(
                f"{self._ended} of {self._accounts} accounts, {self._records:,} records; "
                f"{opened} at work or waiting for a worker"
            )

    def table(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Print the results, those that are not complete last."""
        table = Table("account", "status", box=None, pad_edge=False)
        for name in ("records", "seconds", "attempts"):
            table.add_column(name, justify="right")
        table.add_column("reason", overflow="fold")
        for outcome in sorted(outcomes, key=lambda outcome: outcome.status != COMPLETE):
            table.add_row(
                outcome.account,
                f"[{_COLORS[outcome.status]}]{outcome.status}[/]",
                f"{outcome.records:,}",
                f"{outcome.seconds:.1f}",
                str(outcome.attempts),
                # A reason is not ours, and may look like markup.
                (outcome.reason or "").replace("[", r"\["),
            )
        self._console.print(table)
        self.say(summary(outcomes, seconds))


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the last line."""
    counts = Counter(outcome.status for outcome in outcomes)
    parts = [f"{counts[COMPLETE]} of {len(outcomes)} accounts complete"]
    parts += [f"{counts[what]} {what}" for what in (FAILED, BUSY, INTERRUPTED) if counts[what]]
    records = sum(outcome.records for outcome in outcomes)
    return f"{', '.join(parts)}, {records:,} records in {seconds:.0f} s"


def document(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the report, ready for JSON."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {
        **facts,
        "totals": {
            "accounts": len(outcomes),
            **{status: counts[status] for status in _COLORS},
            "records": sum(outcome.records for outcome in outcomes),
        },
        "accounts": [asdict(outcome) for outcome in outcomes],
    }
