"""The whole project with Meltano: what a user types, and waits for."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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
from tests.helpers.support import ROOT

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
_REVISION = "91483c4"
_BEFORE = f"the same as shipped at {_REVISION}"
"""The project as it was when its targets were set, before any work on its speed."""


class _Way(NamedTuple):
    """How `meltano run` is tried: in which project, and with which settings."""

    folder: str
    settings: dict[str, str]


_WAYS = {
    SHIPPED: _Way("project", {}),
    _SMALL_BATCHES: _Way("project", {"TARGET_POSTGRES_BATCH_SIZE_ROWS": "1000"}),
    DEFAULTS: _Way("project", _DEFAULT_SETTINGS),
    _BEFORE: _Way("before", {}),
}


def project(bench: Bench) -> Findings:
    """Load every documented stream with `meltano run`: as shipped, and as shipped once."""
    records = bench.pick(1_000, 20)
    meltano = Path(sys.executable).with_name("meltano")
    if not meltano.is_file():
        message = "Meltano is not installed"
        raise FailedError(message)
    with (
        Server(records=records) as server,
        ThrowawayPostgres() as postgres,
        tempfile.TemporaryDirectory() as name,
    ):
        copy_project(Path(name, "project"))
        has_history = _copy_as_it_was(Path(name, "before"))
        ways = {label: way for label, way in _WAYS.items() if has_history or label != _BEFORE}
        taken: dict[str, list[Seconds]] = {label: [] for label in ways}
        path = os.pathsep.join([str(meltano.parent), os.environ["PATH"]])
        paged = {"workforce_page_size": 100}  # the documented 2 would measure requests
        env = {**QUIET, **variables({**server.config, **paged}), **postgres.variables()}
        env["PATH"] = path
        for folder in {Path(name, way.folder): None for way in ways.values()}:
            say(f"  installing {folder.name}")
            measure([str(meltano), "install"], folder, env)
            for program in ("tap-analytics", "target-postgres"):
                _watch(folder, program)
        rows = sum(server.rows_of(stream.api, stream.name) for stream in STREAMS)
        for turn in range(-1, bench.rounds):  # the first one fills the server's cache
            for number, (label, way) in enumerate(ways.items()):
                if turn < 0 and number:
                    continue
                folder = Path(name, way.folder)
                say(f"  round {turn + 1}: {label}")
                schema = f"round_{turn + 1}_{number}"
                more = {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema}
                server.requests()
                clock = Clock(server, postgres, folder)
                usage = measure([str(meltano), *_RUN], folder, env | more | way.settings)
                programs = clock.programs()
                expect(postgres, schema, NAMES, rows)
                if turn >= 0:
                    started = server.requests().first
                    wall = usage.ended - usage.started
                    loading = usage.ended - started
                    taken[label].append(Seconds(loading, wall, usage.cpu, programs))
    seconds = {label: Seconds.medians(runs) for label, runs in taken.items()}
    baselines = {_BEFORE: (f"rows/s, times those at {_REVISION}", 2)} if has_history else {}
    baselines[DEFAULTS] = ("rows/s, times those by the target's defaults", 1)
    return Findings(
        compared(seconds, rows),
        [
            Check(words, seconds[label].wall / seconds[SHIPPED].wall, least, at_least=True)
            for label, (words, least) in baselines.items()
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


def _copy_as_it_was(folder: Path) -> bool:
    """Copy the earlier project; returns False where the history does not reach so far back."""
    parts = ("meltano.yml", "pyproject.toml", "README.md", "LICENSE", "tap_analytics")
    packed = subprocess.run(  # noqa: S603
        ["git", "-C", str(ROOT), "archive", _REVISION, *parts],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if packed.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    (folder / "output").mkdir()
    return True


def _watch(folder: Path, program: str) -> None:
    """Put a script in the place of a plugin's program that tells what it takes."""
    (found,) = folder.glob(f".meltano/*/*/venv/bin/{program}")
    real = found.rename(found.with_name(f"{program}.real"))
    line = timed(f'{real} "$@"', program, folder)
    found.write_text(f"#!/usr/bin/env bash\n{line}\n", encoding="utf-8")
    found.chmod(0o755)
