"""What a load took, program by program."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psycopg

if TYPE_CHECKING:
    from tap_analytics.sandbox.postgres import ThrowawayPostgres
    from tests.benchmarks.server import Server


class Seconds(NamedTuple):
    """What one run took: from its first request, in all, and of the processor.

    The programs are those that it consists of, and the servers that it kept busy, each with
    its seconds of the processor.
    """

    loading: float
    wall: float
    cpu: float
    programs: dict[str, float]

    @classmethod
    def medians(cls, runs: list[Seconds]) -> Seconds:
        """Return the medians of several runs."""
        names = runs[0].programs
        return cls(
            median(run.loading for run in runs),
            median(run.wall for run in runs),
            median(run.cpu for run in runs),
            {name: median(run.programs[name] for run in runs) for name in names},
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """What it took, but for its programs."""
        return tuple(f"{part:.2f}" for part in (self.loading, self.wall, self.cpu))

    @property
    def shares(self) -> str:
        """What its programs took."""
        return ", ".join(f"{name} {part:.2f} s" for name, part in self.programs.items())


class Clock:
    """Counts what each program of a run takes of the processor, servers included."""

    def __init__(self, server: Server, postgres: ThrowawayPostgres, folder: Path) -> None:
        """Start to count; programs that are `timed` have their times in files of the folder."""
        self._server = server
        self._postgres = postgres
        self._folder = folder
        for file in folder.glob("*.times"):
            file.unlink()
        self._before = self._servers()

    def programs(self) -> dict[str, float]:
        """Return the seconds of each since the start."""
        files = sorted(self._folder.glob("*.times"))
        own = {file.stem: sum(map(float, file.read_text().split())) for file in files}
        after = self._servers()
        return own | {name: after[name] - before for name, before in self._before.items()}

    def _servers(self) -> dict[str, float]:
        with psycopg.connect(self._postgres.url) as connection:
            found = connection.execute("select pg_read_file('postmaster.pid')").fetchall()
        stat = Path("/proc", found[0][0].split()[0], "stat")
        if not stat.exists():
            return {"the API's server": self._server.cpu()}
        # Its own and that of its connections which have ended, in user and system mode.
        ticks = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[11:15]
        seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return {"the API's server": self._server.cpu(), "PostgreSQL": seconds}


def timed(command: str, program: str, folder: Path) -> str:
    """Return a command for bash that adds the seconds it takes of the processor to a file."""
    file = shlex.quote(str(folder / f"{program}.times"))
    return f"{{ TIMEFORMAT='%3U %3S'; time {command} 2>&3; }} 3>&2 2>>{file}"
