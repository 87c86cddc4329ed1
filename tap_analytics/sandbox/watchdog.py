"""Runs a program that must not outlive whoever asked for it; a script of its own.

It ends the program, and removes its folder, when its own standard input ends: the asker holds the
other end, and the system closes that however the asker ends, SIGKILL included. That holds on
every system, where a signal at the death of a parent is Linux's alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# PostgreSQL waits for nobody's session at this signal, and removes its shared memory.
_END_NOW = signal.SIGINT if os.name == "posix" else signal.SIGTERM
_END_SECONDS = 10.0


def arguments(command: Sequence[str], folder: str, ids: tuple[int, int] | None) -> list[str]:
    """The command line that runs `command` in `folder`, as that user and group, watched over."""
    who = [str(number) for number in ids or ("", "")]
    return [sys.executable, "-I", "-S", __file__, folder, *who, *command]


def main(given: Sequence[str]) -> int:
    """Run what `arguments` says; returns the program's exit status."""
    folder, user, group, *command = given
    who: dict[str, Any] = {}
    if user:
        who = {"user": int(user), "group": int(group), "extra_groups": []}
    program = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, **who)  # noqa: S603
    asked = threading.Event()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        asked.set()
        _end(program)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    status = program.wait()
    if asked.is_set():
        watcher.join()
        shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


def _end(program: subprocess.Popen[bytes]) -> None:
    program.send_signal(_END_NOW)
    try:
        program.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
