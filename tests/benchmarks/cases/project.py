"""The whole project with Meltano: what a user types, and waits for."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tap_analytics.sandbox.environment import variables
from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tests.benchmarks.bench import say
from tests.benchmarks.clock import Clock, Seconds, timed
from tests.benchmarks.loading import DEFAULTS, SHIPPED, compared, expect
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.results import Check, Findings
from tests.benchmarks.server import Server
from tests.helpers.contract import NAMES, STREAMS
from tests.helpers.project import QUIET, copy_project

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

_RUN = ("run", "--full-refresh", "tap-analytics", "target-postgres")
_DEFAULT_SETTINGS = {
    "TARGET_POSTGRES_USE_COPY": "false",
    "TARGET_POSTGRES_VALIDATE_RECORDS": "true",
    "TARGET_POSTGRES_ADD_RECORD_METADATA": "true",
    "TARGET_POSTGRES_ACTIVATE_VERSION": "true",
}
"""Those of the target's own settings that `meltano.yml` has otherwise."""
_SMALL_BATCHES = f"{SHIPPED}, 1,000 rows at a time"
_SETTINGS: dict[str, dict[str, str]] = {
    SHIPPED: {},
    _SMALL_BATCHES: {"TARGET_POSTGRES_BATCH_SIZE_ROWS": "1000"},
    DEFAULTS: _DEFAULT_SETTINGS,
}
"""How `meltano run` is tried."""


def project(bench: Bench) -> Findings:
    """Load every documented stream with `meltano run`, as shipped and by the target's defaults."""
    records = bench.pick(1_000, 20)
    meltano = Path(sys.executable).with_name("meltano")
    if not meltano.is_file():
        message = "Meltano is not installed"
        raise FailedError(message)
    taken: dict[str, list[Seconds]] = {label: [] for label in _SETTINGS}
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
        for program in ("tap-analytics", "target-postgres"):
            _watch(folder, program)
        rows = sum(server.rows_of(stream.api, stream.name) for stream in STREAMS)
        for turn in range(-1, bench.rounds):  # the first one fills the server's cache
            for number, label in enumerate(taken):
                if turn < 0 and number:
                    continue
                say(f"  round {turn + 1}: {label}")
                schema = f"round_{turn + 1}_{number}"
                more = {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema}
                server.requests()
                clock = Clock(server, postgres, folder)
                usage = measure([str(meltano), *_RUN], folder, env | more | _SETTINGS[label])
                programs = clock.programs()
                expect(postgres, schema, NAMES, rows)
                if turn >= 0:
                    started = server.requests().first
                    wall = usage.ended - usage.started
                    loading = usage.ended - started
                    taken[label].append(Seconds(loading, wall, usage.cpu, programs))
    seconds = {label: Seconds.medians(runs) for label, runs in taken.items()}
    return Findings(
        compared(seconds, rows),
        [
            Check(
                "rows/s, times those by the target's defaults",
                seconds[DEFAULTS].wall / seconds[SHIPPED].wall,
                2,
                at_least=True,
            )
        ],
        {label: rows / one.wall for label, one in seconds.items()},
        [
            f"{rows:,} rows of {len(NAMES)} streams, from the command to its end.",
            f"Lists have {records:,} rows, and up to five below each parent.",
            "Pages of workforce have 100 rows, all others as documented.",
            "The rest of the processor's time is Meltano's own; it starts the tap twice.",
            *(f"CPU of {label}: {one.shares}." for label, one in seconds.items()),
        ],
    )


def _watch(folder: Path, program: str) -> None:
    """Put a script in the place of a plugin's program that tells what it takes."""
    (found,) = folder.glob(f".meltano/*/*/venv/bin/{program}")
    real = found.rename(found.with_name(f"{program}.real"))
    line = timed(f'{real} "$@"', program, folder)
    found.write_text(f"#!/usr/bin/env bash\n{line}\n", encoding="utf-8")
    found.chmod(0o755)
