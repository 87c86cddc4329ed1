"""Running the tap's command many times at the price of importing it once.

A process of its own imports the tap and forks for each command, which then runs as ever: in a
process with arguments, environment, working directory, standard output and standard error of
its own. What a test does to a running process (signals, closed outputs) needs a real start.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
_PAUSE = 0.005
_ours = threading.local()


def run_command(
    args: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float = 60,
    constants: Mapping[str, object] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the tap with arguments, to its end.

    Args:
        args: Its arguments.
        env: Its whole environment.
        timeout: Seconds after which it is killed.
        constants: Values of the tap's own that are others in this run, by `module:NAME`.

    Raises:
        subprocess.TimeoutExpired: If it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("stdout", "stderr")]
        asked = {"args": [*args], "env": dict(env), "outputs": paths, "timeout": timeout}
        asked["constants"] = dict(constants or {})
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = json.loads(server.stdout.readline())
        out, err = (Path(path).read_bytes() for path in paths)
    if status is None:
        raise subprocess.TimeoutExpired([*args], timeout, out, err)
    return subprocess.CompletedProcess([*args], status, out, err)


def run_text(
    args: Sequence[str], *, env: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run the tap like `run_command`, and return what it wrote as text."""
    done = run_command(args, env=env, timeout=timeout)
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def _server() -> subprocess.Popen[str]:
    """Return the process that forks for this thread."""
    if (known := getattr(_ours, "server", None)) is not None:
        return known  # type: ignore[no-any-return]
    server = _ours.server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    server.wait(10)


def _serve(asked: IO[str], answers: IO[str]) -> None:
    from tap_analytics import execution  # noqa: F401, PLC0415 - this process alone needs it
    from tap_analytics.tap import TapAnalytics  # noqa: PLC0415

    for line in asked:
        case = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(case, TapAnalytics.cli)
        answers.write(json.dumps(_status(pid, time.monotonic() + case["timeout"])) + "\n")
        answers.flush()


def _become(case: dict[str, Any], command: Any) -> NoReturn:
    """Be the command, in a process that has just been forked."""
    status = 1
    try:
        for number, path in enumerate(case["outputs"], start=1):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(case["env"])
        sys.argv = ["tap-analytics", *case["args"]]
        for place, value in case["constants"].items():
            module, _, name = place.partition(":")
            assert hasattr(sys.modules[module], name), place
            setattr(sys.modules[module], name, value)
        command()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does it
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _status(pid: int, deadline: float) -> int | None:
    """Return the exit status of a process, negative for a signal; None if it was killed here."""
    is_late = False
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return None if is_late else os.waitstatus_to_exitcode(status)
        if not is_late and time.monotonic() > deadline:
            is_late = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE)


if __name__ == "__main__":
    # What the commands inherit is /dev/null; only this process speaks with its caller.
    with os.fdopen(os.dup(0)) as asked, os.fdopen(os.dup(1), "w") as answers:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        _serve(asked, answers)
