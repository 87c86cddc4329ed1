"""Running one command, and what that took."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.helpers.support import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST = 1800.0
_SLOWING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""Variables that a shell may bring along, and users' machines have not."""
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class FailedError(Exception):
    """A tool could not do its work; says why."""


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Attributes:
        started: When it was started, in epoch seconds.
        ended: When it had ended.
        cpu: Seconds of processor time, in user and system mode.
        peak: The most memory it held, in bytes.
    """

    started: float
    ended: float
    cpu: float
    peak: int


def measure(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Usage:
    """Run a command to its end, with its output in the files `out` and `err` of a folder.

    Args:
        command: The command.
        folder: Where it is run.
        env: Further environment.

    Raises:
        FailedError: It failed, or took longer than half an hour.
    """
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.time()
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=usual(env or {}), stdout=stdout, stderr=stderr
        )
        alarm = threading.Timer(_LONGEST, process.kill)
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            alarm.cancel()
        ended = time.time()
    # It has been waited for already.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"exit status {process.returncode}: {_last_line(err)}"
        raise FailedError(message)
    return Usage(started, ended, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT)


def usual(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it is where tools are used, with `more` added."""
    inherited = environment(**more)
    return {name: value for name, value in inherited.items() if name not in _SLOWING}


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:200] if lines else "no message"
