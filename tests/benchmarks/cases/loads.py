"""From the API to rows in PostgreSQL: what a user waits for."""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.benchmarks.bench import say
from tests.benchmarks.environments import python_with
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.tools import Dlt, Floor, Ours, PlainSdk
from tests.benchmarks.work import CHILDREN, FAMILY, OPEN_TASKS, PARENTS, Work
from tests.targets.targets import MeltanoLabsPostgres, shipped

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.tools import Tool

_PEERS = Path(__file__).parents[1] / "peers"
_NO_METADATA = {"add_record_metadata": False, "activate_version": False}
"""What `meltano.yml` sets where the tap sends no ACTIVATE_VERSION."""
_SHIPPED = f"{Ours.label} and target-postgres as shipped"
_DEFAULTS = f"{Ours.label} and target-postgres by its defaults"
_PLAIN = f"{PlainSdk.label} and target-postgres as shipped"
_DLT = "dlt (merge)"
_COPY = "floor: `COPY` by hand"


class _Place(NamedTuple):
    """Where one run loads: the work, the server's settings, a folder, a database, a schema."""

    work: Work
    config: dict[str, Any]
    folder: Path
    postgres: ThrowawayPostgres
    schema: str


class _Seconds(NamedTuple):
    """What one run took: from its first request, in all, and of the processor."""

    loading: float
    wall: float
    cpu: float


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
    taken: dict[str, list[_Seconds]] = {}
    with Server(records=0, sizes=sizes) as server, ThrowawayPostgres() as postgres:
        rows = server.rows(work)
        say("  filling the server's cache")
        bench.run(server, bench.ours, work, rows)
        for turn in range(bench.rounds):
            for number, (label, loader) in enumerate(_loaders(bench, copied=copied).items()):
                say(f"  round {turn + 1}: {label}")
                with tempfile.TemporaryDirectory() as name:
                    schema = f"round_{turn}_{number}"
                    place = _Place(work, server.config, Path(name), postgres, schema)
                    taken.setdefault(label, []).append(_run(server, loader, place, rows))
    seconds = {
        label: _Seconds(*map(median, zip(*runs, strict=True))) for label, runs in taken.items()
    }
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


def _row(label: str, one: _Seconds, rows: int, baseline: _Seconds) -> tuple[str, ...]:
    parts = (f"{part:.2f}" for part in one)
    return (label, f"{rows / one.wall:,.0f}", *parts, f"{baseline.wall / one.wall:.2f}")


def _loaders(bench: Bench, *, copied: bool) -> dict[str, Any]:
    target = shipped("target-postgres") | _NO_METADATA
    loaders: dict[str, Any] = {
        _SHIPPED: _piped(bench.ours, target),
        _DEFAULTS: _piped(bench.ours, {}),
    }
    if PlainSdk.name in bench.tools:
        loaders[_PLAIN] = _piped(bench.tools[PlainSdk.name], target)
    if Dlt.name in bench.tools:
        loaders[_DLT] = _with_dlt(bench.tools[Dlt.name])
    if copied and Floor.name in bench.tools:
        loaders[_COPY] = _copied
    return loaders


def _piped(tap: Tool, settings: dict[str, Any]) -> Any:
    """Return what makes the command of a tap and the target."""

    def command(place: _Place) -> tuple[list[str], dict[str, str]]:
        python = python_with("target-postgres", MeltanoLabsPostgres.requirements)
        where = place.postgres.variables()
        own = {key.removeprefix("TARGET_POSTGRES_").lower(): where[key] for key in where}
        config = settings | own | {"port": int(own["port"]), "default_target_schema": place.schema}
        file = place.folder / "target.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        source = shlex.join(tap.command(place.work, place.config, place.folder))
        target = shlex.join([str(python.with_name("target-postgres")), "--config", str(file)])
        return ["bash", "-o", "pipefail", "-c", f"{source} | {target}"], tap.env

    return command


def _with_dlt(tool: Tool) -> Any:
    def command(place: _Place) -> tuple[list[str], dict[str, str]]:
        extracting = tool.command(place.work, place.config, place.folder)
        env = tool.env | {"NORMALIZE__WORKERS": "2"}
        return [*extracting, place.postgres.url, place.schema], env

    return command


def _copied(place: _Place) -> tuple[list[str], dict[str, str]]:
    python = python_with("copy", ("requests", "orjson", "psycopg[binary]"))
    job = place.folder / "job.json"
    job.write_text(json.dumps(place.work.job(place.config)), encoding="utf-8")
    script = str(_PEERS / "copied.py")
    return [str(python), script, str(job), place.postgres.url, place.schema], {}


def _run(server: Server, loader: Any, place: _Place, rows: int) -> _Seconds:
    """Load once; raises FailedError if rows are missing."""
    command, env = loader(place)
    server.requests()
    usage = measure(command, place.folder, env)
    first = server.requests().first
    with psycopg.connect(place.postgres.url) as connection:
        found = 0
        for name in place.work.names:
            table = sql.Identifier(place.schema, name)
            counted = connection.execute(sql.SQL("select count(*) from {}").format(table))
            found += counted.fetchall()[0][0]
    if found != rows:
        message = f"loaded {found:,} of {rows:,} rows"
        raise FailedError(message)
    return _Seconds(usage.ended - first, usage.ended - usage.started, usage.cpu)
