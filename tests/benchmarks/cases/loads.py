"""From the API to rows in PostgreSQL: what a user waits for."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.environment import variables
from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.benchmarks.bench import say
from tests.benchmarks.loading import Place, Seconds, expect, load, piped, with_copy, with_dlt
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Dlt, Floor, Ours, PlainSdk
from tests.benchmarks.work import CHILDREN, FAMILY, OPEN_TASKS, PARENTS, Work
from tests.helpers.contract import NAMES, STREAMS
from tests.helpers.project import QUIET, copy_project
from tests.targets.targets import shipped

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.loading import Loader

_NO_METADATA = {"add_record_metadata": False, "activate_version": False}
"""What `meltano.yml` sets where the tap sends no ACTIVATE_VERSION."""
_DEFAULT_SETTINGS = {
    "TARGET_POSTGRES_USE_COPY": "false",
    "TARGET_POSTGRES_VALIDATE_RECORDS": "true",
    "TARGET_POSTGRES_ADD_RECORD_METADATA": "true",
    "TARGET_POSTGRES_ACTIVATE_VERSION": "true",
}
"""Those of the target's own settings that `meltano.yml` has otherwise."""
_RUN = ("run", "--full-refresh", "tap-analytics", "target-postgres")
_SHIPPED = f"{Ours.label} and target-postgres as shipped"
_DEFAULTS = f"{Ours.label} and target-postgres by its defaults"
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
    seconds = _medians(taken)
    best = seconds[_SHIPPED].wall
    return Findings(
        Table(
            ("", "rows/s", "s loading", "s in all", "s CPU", f"x {_DEFAULTS}"),
            [_row(label, one, rows, seconds[_DEFAULTS]) for label, one in seconds.items()],
        ),
        [
            Check(
                f"rows/s, times those of {other}",
                seconds[other].wall / best if other in seconds else None,
                target,
                at_least=True,
            )
            for other, target in zip((_DLT, _DEFAULTS), least, strict=True)
        ],
        {label: rows / one.wall for label, one in seconds.items()},
        [
            f"{rows:,} rows, counted in PostgreSQL afterwards; CPU without that of the servers.",
            "Rows a second are those of all seconds, imports included: a user waits for them, too.",
            "All bodies come from the server's cache.",
            "dlt keeps arrays and objects in a column, like the others, and takes two processes.",
        ],
    )


def _row(label: str, one: Seconds, rows: int, baseline: Seconds) -> tuple[str, ...]:
    parts = (f"{part:.2f}" for part in one)
    return (label, f"{rows / one.wall:,.0f}", *parts, f"{baseline.wall / one.wall:.2f}")


def _loaders(bench: Bench, *, copied: bool) -> dict[str, Any]:
    target = shipped("target-postgres") | _NO_METADATA
    loaders: dict[str, Any] = {
        _SHIPPED: piped(bench.ours, target),
        _DEFAULTS: piped(bench.ours, {}),
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
        _SHIPPED: piped(bench.ours, shipped("target-postgres") | _NO_METADATA)
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
                place = places[label].resumed() if label == _SHIPPED else places[label]
                taken[label].append(load(server, loader, place, rows))
    seconds = _medians(taken)
    best = seconds[_SHIPPED].wall
    return Findings(
        Table(
            ("", "s loading", "s in all", "s CPU"),
            [(label, *(f"{part:.2f}" for part in one)) for label, one in seconds.items()],
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


def project(bench: Bench) -> Findings:
    """Load every documented stream with `meltano run`, as shipped and by the target's defaults."""
    records = bench.pick(1_000, 20)
    meltano = Path(sys.executable).with_name("meltano")
    if not meltano.is_file():
        message = "Meltano is not installed"
        raise FailedError(message)
    taken: dict[str, list[Seconds]] = {_SHIPPED: [], _DEFAULTS: []}
    with (
        Server(records=records) as server,
        ThrowawayPostgres() as postgres,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name, "project")
        copy_project(folder)
        path = os.pathsep.join([str(meltano.parent), os.environ["PATH"]])
        paged = {"workforce_page_size": 100}  # the documented 2 would measure requests
        env = {**QUIET, **variables({**server.config, **paged}), **postgres.variables()}
        env["PATH"] = path
        say("  installing the project")
        measure([str(meltano), "install"], folder, env)
        rows = sum(server.rows_of(stream.api, stream.name) for stream in STREAMS)
        for turn in range(-1, bench.rounds):  # the first one fills the server's cache
            for number, label in enumerate(taken):
                if turn < 0 and number:
                    continue
                say(f"  round {turn + 1}: {label}")
                schema = f"round_{turn + 1}_{number}"
                more = {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema}
                more |= _DEFAULT_SETTINGS if label == _DEFAULTS else {}
                server.requests()
                usage = measure([str(meltano), *_RUN], folder, env | more)
                expect(postgres, schema, NAMES, rows)
                if turn >= 0:
                    started = server.requests().first
                    wall = usage.ended - usage.started
                    taken[label].append(Seconds(usage.ended - started, wall, usage.cpu))
    seconds = _medians(taken)
    return Findings(
        Table(
            ("", "rows/s", "s loading", "s in all", "s CPU", f"x {_DEFAULTS}"),
            [_row(label, one, rows, seconds[_DEFAULTS]) for label, one in seconds.items()],
        ),
        [
            Check(
                "rows/s, times those by the target's defaults",
                seconds[_DEFAULTS].wall / seconds[_SHIPPED].wall,
                2,
                at_least=True,
            )
        ],
        {label: rows / one.wall for label, one in seconds.items()},
        [
            f"{rows:,} rows of {len(NAMES)} streams, from the command to its end.",
            f"Lists have {records:,} rows, and up to five below each parent.",
            "Pages of workforce have 100 rows, all others as documented.",
        ],
    )


def _medians(taken: dict[str, list[Seconds]]) -> dict[str, Seconds]:
    return {label: Seconds(*map(median, zip(*runs, strict=True))) for label, runs in taken.items()}
