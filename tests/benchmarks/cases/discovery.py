"""Starting up: the tap beside the import that it cannot do without."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.process import measure
from tests.benchmarks.results import Check, Findings, Table

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_TURNS = 5
"""Runs of each in one round; they are short."""


def discover(bench: Bench) -> Findings:
    """Compare `--discover` with nothing but the import of the SDK."""
    commands = {
        "`--discover`": [sys.executable, "-m", "tap_analytics", "--discover"],
        "`import singer_sdk`": [sys.executable, "-c", "import singer_sdk"],
    }
    seconds: dict[str, list[float]] = {label: [] for label in commands}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(1 + _TURNS * bench.rounds):
            for label, command in commands.items():
                usage = measure(command, Path(folder), bench.ours.env)
                # The first turn writes the bytecode.
                if turn:
                    seconds[label].append(usage.ended - usage.started)
    medians = {label: median(taken) for label, taken in seconds.items()}
    one, two = medians.values()
    return Findings(
        Table(("", "s"), [(label, f"{taken:.3f}") for label, taken in medians.items()]),
        [Check("seconds, times those of the import", one / two, 1.4)],
    )
