"""A command of the user's, run beside the sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

_NOT_FOUND = 127
_NOT_RUNNABLE = 126
_BY_SIGNAL = 128
_HANGUP = (signal.SIGHUP,) if sys.platform != "win32" else ()
ENDING = (signal.SIGINT, signal.SIGTERM, *_HANGUP)
"""The signals that end the sandbox, and that its command is handed while it runs."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `command`, hand it the signals that come meanwhile, and return its exit status.

    As a shell does: 128 and the signal's number for one that a signal ended, 127 for one that
    does not exist, 126 for one that cannot be run.
    """
    early: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def forward(signum: int, _: FrameType | None) -> None:
        if process is None:
            early.append(signum)
        elif signum != signal.SIGINT or not _in_terminal():
            process.send_signal(signum)

    before = {n: signal.signal(n, forward) for n in ENDING}
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603
        for signum in early:
            process.send_signal(signum)
        status = process.wait()
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        # A folder of PATH that may not be entered also gives "permission denied".
        return _NOT_RUNNABLE if Path(command[0]).exists() else _NOT_FOUND
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else _BY_SIGNAL - status


def outcome(status: int) -> str:
    """How a command ended that did not end well, in words."""
    if status > _BY_SIGNAL:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(status - _BY_SIGNAL).name} (exit status {status})"
    return f"ended with exit status {status}"


def _in_terminal() -> bool:
    """Whether Ctrl-C reaches the command without help, as it does in a terminal's foreground."""
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
