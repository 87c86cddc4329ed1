"""Running one command, and what that took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.support import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STARTER = Path(__file__).with_name("started.py")
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
    out, err, took = folder / "out", folder / "err", folder / "took"
    took.unlink(missing_ok=True)
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-S", str(_STARTER), str(took), *command],
            cwd=folder,
            env=usual(env or {}),
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            process.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if not took.exists():
        message = f"did not end within {_LONGEST:.0f} s, or could not be started: {_last_line(err)}"
        raise FailedError(message)
    started, ended, cpu, peak, status = json.loads(took.read_text(encoding="utf-8"))
    code = os.waitstatus_to_exitcode(status)
    if code:
        message = f"exit status {code}: {_last_line(err)}"
        raise FailedError(message)
    return Usage(started, ended, cpu, peak * _MAXRSS_UNIT)


def usual(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it is where tools are used, with `more` added."""
    inherited = environment(**more)
    return {name: value for name, value in inherited.items() if name not in _SLOWING}


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:200] if lines else "no message"
