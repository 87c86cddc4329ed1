"""The tap piped into other targets, each in an environment of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.helpers.environments import installed

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream
    from tap_analytics.sandbox import Sandbox

    from .conftest import Project

pytestmark = pytest.mark.slow

MELTANO = yaml.safe_load((Path(__file__).parents[2] / "meltano.yml").read_text(encoding="utf-8"))
PINS = {loader["name"]: loader["pip_url"] for loader in MELTANO["plugins"]["loaders"]}
COUNT = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as base:
    counts = {
        name: base.execute(f'select count(*) from main."{name}"').fetchone()[0]
        for name, in base.execute("select table_name from duckdb_tables()").fetchall()
    }
print(json.dumps(counts))
"""


class Target:
    """A target in an environment of its own, installed as meltano.yml pins it."""

    def __init__(self, project: Project, name: str, folder: Path) -> None:
        """Install the target, and let it work in a folder."""
        self._project = project
        self._name = name
        self._folder = folder
        self._programs = installed(*shlex.split(PINS[name]))

    def program(self, name: str) -> str:
        """Return where a program of the environment is."""
        return str(self._programs / name)

    def load(self, apis: dict[str, str], config: dict[str, Any], *tap_options: str) -> list[str]:
        """Pipe the tap into the target, and return the lines the target prints: the states.

        Raises:
            AssertionError: One of them failed.
        """
        file = self._folder / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        tap = [sys.executable, "-m", "tap_analytics", "--config=ENV", *tap_options]
        with (self._folder / "log").open("w+", encoding="utf-8") as log:
            with subprocess.Popen(  # noqa: S603
                tap, env=self._project.env | apis, stdout=subprocess.PIPE, stderr=log
            ) as source:
                target = subprocess.run(  # noqa: S603
                    [self.program(self._name), "--config", file],
                    env=self._project.env,
                    stdin=source.stdout,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    check=False,
                    text=True,
                    timeout=300,
                )
            log.seek(0)
            assert (source.returncode, target.returncode) == (0, 0), log.read()[-5000:]
        return target.stdout.split("\n")[:-1]

    def ask(self, *command: str) -> str:
        """Run a command of the environment and return its output."""
        return self._project.run(self.program(command[0]), *command[1:], env={}).stdout


def served(sandbox: Sandbox, streams: dict[str, AnalyticsStream]) -> dict[str, int]:
    """Return the number of rows of each stream."""
    return {name: len(sandbox.store.expected(name)) for name in streams}


def test_jsonl_gets_every_row_and_hands_the_state_back(
    project: Project,
    sandbox: Sandbox,
    apis: dict[str, str],
    streams: dict[str, AnalyticsStream],
    tmp_path: Path,
) -> None:
    target = Target(project, "target-jsonl", tmp_path)
    config = {"destination_path": str(tmp_path), "do_timestamp_file": False}

    def rows(name: str) -> list[dict[str, Any]]:
        text = (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    states = target.load(apis, config)
    assert {name: len(rows(name)) for name in streams} == served(sandbox, streams)
    for name, stream in streams.items():
        keys = [tuple(row[key] for key in stream.primary_keys) for row in rows(name)]
        assert len(set(keys)) == len(keys)

    state = tmp_path / "state.json"
    state.write_text(states[-1], encoding="utf-8")
    before = len(rows("tasks"))
    target.load(apis, config, "--state", str(state))
    assert len(rows("tasks")) == before + 1
    assert rows("tasks")[-1]["id"] == rows("tasks")[before - 1]["id"]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="DuckDB 1.0 has no wheel for 3.13 and on")
def test_duckdb_gets_every_row_once(
    project: Project,
    sandbox: Sandbox,
    apis: dict[str, str],
    streams: dict[str, AnalyticsStream],
    tmp_path: Path,
) -> None:
    target = Target(project, "target-duckdb", tmp_path)
    file = str(tmp_path / "warehouse.duckdb")
    for _ in range(2):
        target.load(apis, {"path": file, "default_target_schema": "main"})
        counts = json.loads(target.ask("python", "-c", COUNT, file))
        assert counts == served(sandbox, streams)
