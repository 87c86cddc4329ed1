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
from typing import IO, Any, NoReturn

_LEAVE_SECONDS = 10.0


def arguments() -> list[str]:
    """The command line that runs this script."""
    return [sys.executable, "-I", "-S", __file__]


def main() -> NoReturn:
    """Do the job; how the programs ended is in the last line, and not in the exit status."""
    job = json.loads(sys.stdin.buffer.readline())
    try:
        tap, target = _start(job)
    except OSError as error:
        _say(job["target_log"], f"cannot run {error.filename}: {error.strerror}")
        _tell(None, None)
        _kill_all()
    _close(tap.stdout)
    threading.Thread(target=_feed, args=(tap, job["config"]), daemon=True).start()
    threading.Thread(target=_obey, args=(tap, target, job), daemon=True).start()
    target_status = target.wait()
    with suppress(subprocess.TimeoutExpired):
        tap.wait(_LEAVE_SECONDS)
    if tap.poll() is None:  # it waits for something, and has nobody to tell it to any more
        tap.terminate()
        try:
            tap.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            tap.kill()
    _tell(tap.wait(), target_status)
    _kill_all()  # what they may have left behind, too


def _start(job: dict[str, Any]) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    with (
        open(job["tap_log"], "wb") as tap_log,  # noqa: PTH123 - starts faster without pathlib
        open(job["target_log"], "wb") as target_log,  # noqa: PTH123
    ):
        tap = subprocess.Popen(  # noqa: S603
            job["tap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=tap_log
        )
        target = subprocess.Popen(job["target"], stdin=tap.stdout, stderr=target_log)  # noqa: S603
    return tap, target


def _say(path: str, line: str) -> None:
    with open(path, "a", encoding="utf-8") as log:  # noqa: PTH123
        log.write(f"{line}\n")


def _feed(tap: subprocess.Popen[bytes], config: Any) -> None:
    """Hand over the settings, which are never on a disk and on no command line."""
    with suppress(OSError):
        if tap.stdin is not None:
            tap.stdin.write(json.dumps(config).encode())
    _close(tap.stdin)


def _obey(
    tap: subprocess.Popen[bytes], target: subprocess.Popen[bytes], job: dict[str, Any]
) -> None:
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


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with suppress(OSError):
            pipe.close()


if __name__ == "__main__":
    main()
