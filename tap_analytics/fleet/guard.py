"""Runs a tap piped into a target that must not outlive their worker; a script of its own.

Its first line of standard input is the job, as JSON. The line ``end`` then ends the tap, whose
last state still passes the target; both are killed if that takes too long. When the input closes,
the worker is gone: somebody else may begin to read the same account, so all is killed at once,
before another row is written.

What the target prints, its states, goes to standard output. The last line there is ``EXIT`` and
the exit statuses of the two.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAVE_SECONDS = 10.0


class Pipes(NamedTuple):
    """Descriptors for a tap: its standard streams, and those of others, which it has to close."""

    stdin: int
    stdout: int
    stderr: int
    others: tuple[int, ...]


class Program(Protocol):
    """A running program."""

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, or raise TimeoutExpired."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


def execute(command: list[str], pipes: Pipes) -> Program:
    """Start a tap as a program of its own."""
    return subprocess.Popen(  # noqa: S603
        command, stdin=pipes.stdin, stdout=pipes.stdout, stderr=pipes.stderr
    )


def main(start_tap: Callable[[list[str], Pipes], Program] = execute) -> NoReturn:
    """Do the job; how the programs ended is in the last line, and not in the exit status.

    Args:
        start_tap: Starts a tap by its command line.
    """
    job = json.loads(sys.stdin.buffer.readline())
    try:
        tap, target, feed = _start(job, start_tap)
    except OSError as error:
        _say(job["target_log"], f"cannot run {error.filename}: {error.strerror}")
        _tell(None, None)
        _kill_all()
    threading.Thread(target=_feed, args=(feed, job["config"]), daemon=True).start()
    threading.Thread(target=_obey, args=(tap, target, job), daemon=True).start()
    target_status = target.wait()
    _tell(_end(tap), target_status)
    _kill_all()  # what they may have left behind, too


def _end(tap: Program) -> int:
    """Wait for a tap that nobody reads from any more, and end it if need be."""
    for step in (tap.terminate, tap.kill):
        with suppress(subprocess.TimeoutExpired):
            return tap.wait(_LEAVE_SECONDS)
        step()
    return tap.wait()


def _start(
    job: dict[str, Any], start_tap: Callable[[list[str], Pipes], Program]
) -> tuple[Program, Program, int]:
    settings, feed = os.pipe()
    rows, written = os.pipe()
    with (
        open(job["tap_log"], "wb", 0) as tap_log,  # noqa: PTH123 - starts faster without pathlib
        open(job["target_log"], "wb", 0) as target_log,  # noqa: PTH123
    ):
        others = (feed, rows, target_log.fileno())
        tap = start_tap(job["tap"], Pipes(settings, written, tap_log.fileno(), others))
        target = subprocess.Popen(job["target"], stdin=rows, stderr=target_log)  # noqa: S603
    for pipe in (settings, rows, written):
        os.close(pipe)
    return tap, target, feed


def _say(path: str, line: str) -> None:
    with open(path, "a", encoding="utf-8") as log:  # noqa: PTH123
        log.write(f"{line}\n")


def _feed(pipe: int, config: Any) -> None:
    """Hand over the settings, which are never on a disk and on no command line."""
    with suppress(OSError), open(pipe, "wb") as feed:
        feed.write(json.dumps(config).encode())


def _obey(tap: Program, target: Program, job: dict[str, Any]) -> None:
    for line in sys.stdin.buffer:
        if line.strip() == b"end":
            tap.terminate()
            for program in (target, tap):
                late = threading.Timer(job["patience"], program.kill)
                late.daemon = True
                late.start()
    shutil.rmtree(job["folder"], ignore_errors=True)
    _kill_all()


def _kill_all() -> NoReturn:
    """End this process, which leads a group of its own, and all it started."""
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _tell(tap: int | None, target: int | None) -> None:
    sys.stdout.write(f"\nEXIT {json.dumps([tap, target])}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
