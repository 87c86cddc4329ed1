"""Starting up: the tap beside the import that it cannot do without."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tap_analytics.apis import PACKAGES
from tests.benchmarks.process import measure
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.work import PARENTS, Work

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.process import Usage

_TURNS = 5
"""Runs of each in one round; they are short."""
_IMPORT = "`import singer_sdk`"
_MOST = {
    "`--discover`": 1.35,
    "`--discover`, every stream of all vendors": 1.35,
    "a run that changes nothing": 1.5,
}


def discover(bench: Bench) -> Findings:
    """Compare `--discover`, and a run that finds nothing new, with the import of the SDK."""
    with tempfile.TemporaryDirectory() as name, Server(records=10) as server:
        folder = Path(name)
        commands = dict(zip((_IMPORT, *_MOST), _commands(bench, server, folder), strict=True))
        runs: dict[str, list[Usage]] = {label: [] for label in commands}
        for turn in range(1 + bench.pick(_TURNS * bench.rounds, 1)):
            for label, command in commands.items():
                usage = measure(command, folder, bench.ours.env)
                # The first turn writes the bytecode.
                if turn:
                    runs[label].append(usage)
    cpu = {label: median(one.cpu for one in taken) for label, taken in runs.items()}
    wall = {
        label: median(one.ended - one.started for one in taken) for label, taken in runs.items()
    }
    times = {label: seconds / cpu[_IMPORT] for label, seconds in cpu.items()}
    return Findings(
        Table(
            ("", "s in all", "s CPU", f"x {_IMPORT}"),
            [
                (label, f"{wall[label]:.3f}", f"{cpu[label]:.3f}", f"{times[label]:.2f}")
                for label in commands
            ],
        ),
        [
            Check(f"{label}: seconds of CPU, times those of the import", times[label], most)
            for label, most in _MOST.items()
        ],
        notes=["The run asks for one page of a list that the state of a run before it covers."],
    )


def _commands(bench: Bench, server: Server, folder: Path) -> list[list[str]]:
    """Return what is measured, with the files it needs put in a folder."""
    vendors = {f"{one.api.name}_upstream": name for one in PACKAGES for name in one.upstreams}
    every = folder / "every.json"
    every.write_text(json.dumps({**vendors, "all_streams": True}), encoding="utf-8")
    state = folder / "state.json"
    work = Work((PARENTS,))
    read = bench.run(server, bench.ours, work, server.rows(work))
    state.write_text(json.dumps(read.output.state), encoding="utf-8")
    discovery = [sys.executable, "-m", "tap_analytics", "--discover"]
    return [
        [sys.executable, "-c", "import singer_sdk"],
        discovery,
        [*discovery, "--config", str(every)],
        bench.ours.command(replace(work, state=state), server.config, folder),
    ]
