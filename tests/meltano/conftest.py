"""A copy of the project, the sandbox's APIs and a PostgreSQL for Meltano to work with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Sandbox
from tap_analytics.sandbox.environment import variables
from tap_analytics.sandbox.postgres import ThrowawayPostgres
from tap_analytics.tap import TapAnalytics
from tests.helpers.environments import kept
from tests.helpers.project import QUIET, copy_project
from tests.helpers.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.stream import AnalyticsStream

OURS = ("TAP_ANALYTICS_", "TARGET_", "MELTANO_")


@dataclass
class Project:
    """A Meltano project: a copy of this repository's, away from your own keys and state.

    Attributes:
        folder: Where it is.
        env: What its commands see; nothing of TAP_ANALYTICS_*, TARGET_* and MELTANO_* comes
            from the outside.
    """

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(
        self, *command: str, env: dict[str, str], status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project, and return it with what it wrote.

        Raises:
            AssertionError: It did not end with the status.
        """
        ran = subprocess.run(  # noqa: S603
            command,
            cwd=self.folder,
            env=self.env | env,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ran.returncode == status, ran.stdout[-5000:] + ran.stderr[-5000:]
        return ran

    def meltano(
        self, *arguments: str, env: dict[str, str], status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run `meltano` with the arguments; see `run`."""
        return self.run("meltano", *arguments, env=env, status=status)


def copied(folder: Path) -> Project:
    copy_project(folder)
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    return Project(folder, env | QUIET)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is cloned, with nothing installed."""
    return copied(tmp_path_factory.mktemp("project"))


def install(folder: Path) -> None:
    """Let Meltano install what most tests use; the tap is the one that is tested, as it stands."""
    shutil.rmtree(folder / "project", ignore_errors=True)
    project = copied(folder / "project")
    shutil.rmtree(project.folder / "tap_analytics")
    (project.folder / "tap_analytics").symlink_to(ROOT / "tap_analytics")
    project.meltano("install", "tap-analytics", "target-postgres", "target-jsonl", env={})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after `meltano install`; what is installed is there once for all of them."""
    what = [(ROOT / name).read_text(encoding="utf-8") for name in ("meltano.yml", "pyproject.toml")]
    ready = kept(install, sys.executable, *what) / "project"
    project = copied(tmp_path_factory.mktemp("project"))
    for venv in ready.glob(".meltano/*/*/venv"):
        link = project.folder / venv.relative_to(ready)
        link.parent.mkdir(parents=True)
        link.symlink_to(venv)
    shutil.copy(ready / ".meltano/meltano.db", project.folder / ".meltano")
    return project


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=40) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def apis(sandbox: Sandbox) -> dict[str, str]:
    """The environment that turns on all five APIs."""
    return variables(sandbox.config())


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowawayPostgres]:
    with ThrowawayPostgres() as server:
        yield server


@pytest.fixture(scope="session")
def streams() -> dict[str, AnalyticsStream]:
    """Every documented stream, by name."""
    tap = TapAnalytics(config={}, validate_config=False)
    return {stream.name: stream for stream in tap.discover_streams()}
