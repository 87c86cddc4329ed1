"""A real Dask scheduler and real workers, processes of their own on the loopback interface."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_START_SECONDS = 60


@dataclass
class Cluster:
    """A scheduler and workers.

    Attributes:
        folder: Where they keep what they keep, their logs included.
        workers: How many workers to start.
        threads: How many tasks each runs at once.
    """

    folder: Path
    workers: int = 2
    threads: int = 6
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_scheduler(self) -> None:
        """Start a scheduler, at the address of any before."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        options = ("--host", "127.0.0.1", "--port", port, "--scheduler-file", str(file))
        self.scheduler = self._start("scheduler", *options)
        deadline = time.monotonic() + _START_SECONDS
        while not file.exists() or not file.read_bytes().endswith(b"}"):
            assert self.scheduler.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.address = json.loads(file.read_bytes())["address"]

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        folder = self.folder / f"worker-{len(self.running)}"
        options = ("--host", "127.0.0.1", "--no-nanny", "--nthreads", str(self.threads))
        worker = self._start("worker", self.address, *options, "--local-directory", str(folder))
        self.running.append(worker)
        return worker

    def logs(self) -> str:
        """Return what all of them logged."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{what}-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *options],
                cwd=ROOT,
                env=environment(),
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start_scheduler()
        for _ in range(self.workers):
            self.start_worker()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        processes = [*self.running, *([self.scheduler] if self.scheduler else [])]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(10)


def fleet(*options: str, **env: str) -> subprocess.Popen[str]:
    """Start the command `tap-analytics-fleet`."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tap_analytics.fleet", *options],
        cwd=ROOT,
        env=environment(COLUMNS="200", **env),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], status: int, seconds: float = 300) -> str:
    """Wait for a command's end with a status; returns what it said."""
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == status, said
    return said


def options(**values: object) -> Sequence[str]:
    """Return options of the command, by name."""
    return [
        part
        for name, value in values.items()
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
