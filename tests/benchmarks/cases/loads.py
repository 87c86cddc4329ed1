"""From the API to rows in PostgreSQL: what a user waits for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.benchmarks.bench import say
from tests.benchmarks.clock import Seconds
from tests.benchmarks.loading import (
    DEFAULTS,
    SHIPPED,
    Place,
    compared,
    load,
    piped,
    with_copy,
    with_dlt,
)
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Dlt, Floor, PlainSdk
from tests.benchmarks.work import CHILDREN, FAMILY, OPEN_TASKS, PARENTS, Work
from tests.targets.targets import shipped

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.loading import Loader

_NO_METADATA = {"add_record_metadata": False, "activate_version": False}
"""What `meltano.yml` sets where the tap sends no ACTIVATE_VERSION."""
_PLAIN = f"{PlainSdk.label} and target-postgres as shipped"
_DLT = "dlt (merge)"
_DLT_INCREMENTAL = "dlt (merge, parents incremental)"
_COPY = "floor: `COPY` by hand"


def one_list(bench: Bench) -> Findings:
    """Load one list."""
    rows = bench.pick(50_000, 1_000)
    sizes = {OPEN_TASKS.name: rows}
    return _compared(bench, Work((OPEN_TASKS,)), sizes, (1.5, 3), copied=True)


def family(bench: Bench) -> Findings:
    """Load parents with their children."""
    count = bench.pick(500, 20)
    return _compared(bench, Work(FAMILY), {PARENTS.name: count, CHILDREN.name: 50}, (2, 1))


def _compared(
    bench: Bench,
    work: Work,
    sizes: dict[str, int],
    least: tuple[float, float],
    *,
    copied: bool = False,
) -> Findings:
    """Let all load in turns; `least` is how many times dlt and the target's defaults to be."""
    taken: dict[str, list[Seconds]] = {}
    with Server(records=0, sizes=sizes) as server, ThrowawayPostgres() as postgres:
        rows = server.rows(work)
        say("  filling the server's cache")
        bench.run(server, bench.ours, work, rows)
        for turn in range(bench.rounds):
            for number, (label, loader) in enumerate(_loaders(bench, copied=copied).items()):
                say(f"  round {turn + 1}: {label}")
                with tempfile.TemporaryDirectory() as name:
                    schema = f"round_{turn}_{number}"
                    place = Place(work, server.config, Path(name), postgres, schema)
                    taken.setdefault(label, []).append(load(server, loader, place, rows))
    seconds = {label: Seconds.medians(runs) for label, runs in taken.items()}
    best = seconds[SHIPPED].wall
    return Findings(
        compared(seconds, rows),
        [
            Check(
                f"rows/s, times those of {other}",
                seconds[other].wall / best if other in seconds else None,
                target,
                at_least=True,
            )
            for other, target in zip((_DLT, DEFAULTS), least, strict=True)
        ],
        {label: rows / one.wall for label, one in seconds.items()},
        [
            f"{rows:,} rows, counted in PostgreSQL afterwards; CPU without that of the servers.",
            "Rows a second are those of all seconds, imports included: a user waits for them, too.",
            "All bodies come from the server's cache.",
            "dlt keeps arrays and objects in a column, like the others, and takes two processes.",
            *(f"CPU of {label}: {one.shares}." for label, one in seconds.items()),
        ],
    )


def _loaders(bench: Bench, *, copied: bool) -> dict[str, Any]:
    target = shipped("target-postgres") | _NO_METADATA
    loaders: dict[str, Any] = {
        SHIPPED: piped(bench.ours, target),
        DEFAULTS: piped(bench.ours, {}),
    }
    if PlainSdk.name in bench.tools:
        loaders[_PLAIN] = piped(bench.tools[PlainSdk.name], target)
    if Dlt.name in bench.tools:
        loaders[_DLT] = with_dlt(bench.tools[Dlt.name])
    if copied and Floor.name in bench.tools:
        loaders[_COPY] = with_copy
    return loaders


def again(bench: Bench) -> Findings:
    """Load a second time, when one parent in a hundred has changed and has a further child."""
    parents = bench.pick(500, 20)
    changed = max(1, parents // 100)
    work = Work(FAMILY)
    loaders: dict[str, Loader] = {
        SHIPPED: piped(bench.ours, shipped("target-postgres") | _NO_METADATA)
    }
    if Dlt.name in bench.tools:
        dlt = bench.tools[Dlt.name]
        loaders |= {_DLT: with_dlt(dlt), _DLT_INCREMENTAL: with_dlt(dlt, incremental=True)}
    taken: dict[str, list[Seconds]] = {label: [] for label in loaders}
    with (
        Server(records=0, sizes={PARENTS.name: parents, CHILDREN.name: 50}) as server,
        ThrowawayPostgres() as postgres,
        tempfile.TemporaryDirectory() as name,
    ):
        places: dict[str, Place] = {}
        for number, (label, loader) in enumerate(loaders.items()):
            say(f"  first run: {label}")
            folder = Path(name, str(number))
            folder.mkdir()
            places[label] = Place(work, server.config, folder, postgres, f"schema_{number}")
            load(server, loader, places[label], server.rows(work))
        for turn in range(bench.rounds):
            server.change(work, changed)
            rows = server.rows(work)
            bench.run(server, bench.ours, work, rows)  # fills the server's cache
            for label, loader in loaders.items():
                say(f"  round {turn + 1}: {label}")
                place = places[label].resumed() if label == SHIPPED else places[label]
                taken[label].append(load(server, loader, place, rows))
    seconds = {label: Seconds.medians(runs) for label, runs in taken.items()}
    best = seconds[SHIPPED].wall
    return Findings(
        Table(
            ("", "s loading", "s in all", "s CPU"),
            [(label, *one.cells) for label, one in seconds.items()],
        ),
        [
            Check(
                f"seconds of {_DLT}, times ours",
                seconds[_DLT].wall / best if _DLT in seconds else None,
                3,
                at_least=True,
            )
        ],
        {},
        [
            f"{parents:,} parents with 50 children each.",
            f"Before each round {changed} parents change, and each of them gets one child more.",
            "dlt asks for all children again, unless its parents are read from a cursor on.",
            "What is left is starting two programs, or dlt's three steps.",
        ],
    )
