"""Loading into PostgreSQL: the ways to do it, and what one of them takes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from tests.benchmarks.clock import Clock, Seconds, timed
from tests.benchmarks.environments import python_with
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.results import Table
from tests.benchmarks.tools import Ours
from tests.targets.targets import MeltanoLabsPostgres

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.sandbox.postgres import ThrowawayPostgres
    from tests.benchmarks.server import Server
    from tests.benchmarks.tools import Tool
    from tests.benchmarks.work import Work

SHIPPED = f"{Ours.label} and target-postgres as shipped"
DEFAULTS = f"{Ours.label} and target-postgres by its defaults"
_PEERS = Path(__file__).parent / "peers"


class Place(NamedTuple):
    """Where one run loads: the work, the server's settings, a folder, a database, a schema."""

    work: Work
    config: dict[str, Any]
    folder: Path
    postgres: ThrowawayPostgres
    schema: str

    def resumed(self) -> Place:
        """Return the place for a run that goes on from the state that the target confirmed."""
        confirmed = (self.folder / "out").read_text(encoding="utf-8").splitlines()
        state = self.folder / "state.json"
        state.write_text(confirmed[-1], encoding="utf-8")
        return self._replace(work=replace(self.work, state=state))


Loader = Callable[[Place], "tuple[list[str], dict[str, str]]"]
"""Returns the command that loads, and its environment."""


def piped(tap: Tool, settings: dict[str, Any]) -> Loader:
    """Return what lets a tap and the target load, which has settings besides where to load."""

    def command(place: Place) -> tuple[list[str], dict[str, str]]:
        python = python_with("target-postgres", MeltanoLabsPostgres.requirements)
        where = place.postgres.variables()
        own = {key.removeprefix("TARGET_POSTGRES_").lower(): where[key] for key in where}
        config = settings | own | {"port": int(own["port"]), "default_target_schema": place.schema}
        file = place.folder / "target.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        source = shlex.join(tap.command(place.work, place.config, place.folder))
        target = shlex.join([str(python.with_name("target-postgres")), "--config", str(file)])
        source = timed(source, tap.label, place.folder)
        target = timed(target, "target-postgres", place.folder)
        return ["bash", "-o", "pipefail", "-c", f"{source} | {target}"], tap.env

    return command


def with_dlt(tool: Tool, *, incremental: bool = False) -> Loader:
    """Return what lets dlt load, and if it is told so, ask only for what is new.

    Args:
        tool: The tool.
        incremental: Whether lists with a cursor are read from the last value on.
    """

    def command(place: Place) -> tuple[list[str], dict[str, str]]:
        extracting = tool.command(place.work, place.config, place.folder)
        env = tool.env | {"NORMALIZE__WORKERS": "2"}
        how = ["incremental"] if incremental else []
        return [*extracting, place.postgres.url, place.schema, *how], env

    return command


def with_copy(place: Place) -> tuple[list[str], dict[str, str]]:
    """Load with `COPY` by hand."""
    python = python_with("copy", ("requests", "orjson", "psycopg[binary]"))
    job = place.folder / "job.json"
    job.write_text(json.dumps(place.work.job(place.config)), encoding="utf-8")
    script = str(_PEERS / "copied.py")
    return [str(python), script, str(job), place.postgres.url, place.schema], {}


def load(server: Server, loader: Loader, place: Place, rows: int) -> Seconds:
    """Load once; raises FailedError if there are not so many rows afterwards."""
    command, env = loader(place)
    server.requests()
    clock = Clock(server, place.postgres, place.folder)
    usage = measure(command, place.folder, env)
    programs = clock.programs()
    first = server.requests().first
    expect(place.postgres, place.schema, place.work.names, rows)
    return Seconds(usage.ended - first, usage.ended - usage.started, usage.cpu, programs)


def expect(postgres: ThrowawayPostgres, schema: str, names: Iterable[str], rows: int) -> None:
    """Count the rows of tables; raises FailedError if there are not so many."""
    found = 0
    with psycopg.connect(postgres.url) as connection:
        for name in names:
            counting = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
            found += connection.execute(counting).fetchall()[0][0]
    if found != rows:
        message = f"loaded {found:,} of {rows:,} rows"
        raise FailedError(message)


def compared(seconds: dict[str, Seconds], rows: int) -> Table:
    """Return loads of the same rows beside that by the target's defaults."""
    baseline = seconds[DEFAULTS].wall
    return Table(
        ("", "rows/s", "s loading", "s in all", "s CPU", f"x {DEFAULTS}"),
        [
            (label, f"{rows / one.wall:,.0f}", *one.cells, f"{baseline / one.wall:.2f}")
            for label, one in seconds.items()
        ],
    )
