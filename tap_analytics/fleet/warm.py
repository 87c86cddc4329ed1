"""A process that has the tap imported, and forks itself for each account.

To start Python and to import what a tap needs takes longer than to read an account with little
that is new. A fork has it all, shares the memory, and is as much apart as any process. Standard
input is a socket: each byte on it brings a pair of pipes, which become standard input and output
of a guard, which forks once more for its tap. Where it ends, the worker is gone.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from tap_analytics import execution, selection  # noqa: F401 - so that no fork imports it
from tap_analytics.fleet import guard
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_analytics.fleet.guard import Pipes


def main() -> None:
    """Fork at each message."""
    selection.every_name(TapAnalytics.packages)  # which imports them all, so that no fork does
    gc.freeze()  # so that collections in forks do not write to what they share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a guard
    link = socket.socket(fileno=os.dup(0))
    while True:
        message, pipes, _, _ = socket.recv_fds(link, 1, 2)
        if not message:
            return
        if os.fork() == 0:
            link.close()
            _become_guard(*pipes)
        for pipe in pipes:
            os.close(pipe)


def _become_guard(given: int, said: int) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for pipe, number in (given, 0), (said, 1):
            os.dup2(pipe, number)
            os.close(pipe)
        guard.main(Tap)
    finally:
        os._exit(1)


class Tap:
    """A tap in a fork; to who started it, it looks like any program."""

    def __init__(self, command: Sequence[str], pipes: Pipes) -> None:
        """Start it.

        Args:
            command: Its command line.
            pipes: Its standard input, output and error, and what is not for it.
        """
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_become_tap, args=(command, pipes))
        self._process.start()

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, negative for a signal.

        Raises:
            TimeoutExpired: It has not ended by then.
        """
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(sys.argv, timeout or 0)
        return status

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()


def _become_tap(command: Sequence[str], pipes: Pipes) -> None:
    for pipe in pipes.others:
        os.close(pipe)
    for number, pipe in enumerate((pipes.stdin, pipes.stdout, pipes.stderr)):
        os.dup2(pipe, number)
        os.close(pipe)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - read from anew
    sys.argv[:] = ["tap-analytics", *command[command.index("tap_analytics") + 1 :]]
    TapAnalytics.cli()


if __name__ == "__main__":
    main()
