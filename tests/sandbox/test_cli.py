"""The command line, as a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import tap_analytics
from tap_analytics.sandbox.environment import merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(tap_analytics.__file__).parents[1]
PYTHON = sys.executable
READY = "import sys, time; print('ready', flush=True); time.sleep(60)"
ASK = """
import json, os, urllib.request
url = os.environ["TAP_ANALYTICS_SALES_BASE_URL"] + "/v1/contacts?per_page=1000"
key = os.environ["TAP_ANALYTICS_SALES_API_KEY"]
answer = urllib.request.urlopen(urllib.request.Request(url, headers={"api_key": key}))
names = [name for name in os.environ if name.startswith("TAP_ANALYTICS_")]
print(json.dumps([len(json.load(answer)["contacts"]), sorted(names)]))
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command with arguments; whatever is still running is killed in the end."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603
            [PYTHON, "-m", "tap_analytics.sandbox", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_a_command_gets_all_settings(start: Callable[..., subprocess.Popen[str]]) -> None:
    """And standard output is its own."""
    process = start("--records", "7", "--", PYTHON, "-c", ASK)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    rows, names = json.loads(output)
    assert rows == 7
    keys = ("WORKFORCE_API_KEY", "STATUS_PAGE_API_KEY", "EXPERIMENTATION_API_KEY", "SALES_API_KEY")
    more = ("ESIGNATURE_API_KEY_ID", "ESIGNATURE_AUTH_TOKEN", "START_DATE")
    urls = ("WORKFORCE", "STATUS_PAGE", "EXPERIMENTATION", "SALES", "ESIGNATURE")
    expected = {*keys, *more, *(f"{name}_BASE_URL" for name in urls)}
    assert {f"TAP_ANALYTICS_{name}" for name in expected} <= set(names)
    assert "sandbox: http://127.0.0.1:" in errors


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ([PYTHON, "-c", "raise SystemExit(7)"], 7),
        ([PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"], 137),
        (["no-such-command-anywhere"], 127),
        (["/"], 126),
    ],
)
def test_the_exit_status_is_the_commands(
    start: Callable[..., subprocess.Popen[str]], command: list[str], status: int
) -> None:
    """As a shell would give it."""
    process = start("--", *command)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status
    last = errors.splitlines()[-1]
    assert last.startswith(f"failed: {shlex.join(command)} ")
    assert len(last) < 200
    assert str(status) in last


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_command(
    start: Callable[..., subprocess.Popen[str]], signum: signal.Signals
) -> None:
    """It ends as it likes, and its status is returned."""
    code = f"import signal, sys; signal.signal({int(signum)}, lambda *_: sys.exit(9)); {READY}"
    process = start("--", PYTHON, "-c", code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signum)
    process.communicate(timeout=30)
    assert process.returncode == 9


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serving_without_a_command(
    start: Callable[..., subprocess.Popen[str]], signum: signal.Signals
) -> None:
    """It prints what to set, serves, and ends well on a signal."""
    process = start()
    settings = _settings(process)
    url = settings["TAP_ANALYTICS_WORKFORCE_BASE_URL"] + "/v1/tasks/tasks"
    headers = {"api_key": settings["TAP_ANALYTICS_WORKFORCE_API_KEY"]}
    assert requests.get(url, headers=headers, timeout=10).json()["meta"]["total"] == 100
    process.send_signal(signum)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_servers_stay_if_asked_to(start: Callable[..., subprocess.Popen[str]]) -> None:
    """After the command, until Ctrl-C; the status stays the command's."""
    code = "import os, sys; print(os.environ['TAP_ANALYTICS_SALES_BASE_URL']); sys.exit(5)"
    process = start("--keep", "--", PYTHON, "-u", "-c", code)
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    while "has ended" not in process.stderr.readline():
        assert process.poll() is None
    assert requests.get(url, timeout=10).status_code == 404
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 5


def test_options(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Port, size, rate and latency are those asked for; only the loopback interface listens."""
    port = _settings(start())["TAP_ANALYTICS_SALES_BASE_URL"].rsplit(":")[-1]
    taken = start("--port", port)
    assert "cannot start" in taken.communicate(timeout=30)[1]
    assert taken.returncode == 1
    options = ("--records", "3", "--rate", "1", "--latency", "0.2")
    settings = _settings(start(*options))
    url = settings["TAP_ANALYTICS_WORKFORCE_BASE_URL"] + "/v1/tasks/tasks"
    headers = {"api_key": settings["TAP_ANALYTICS_WORKFORCE_API_KEY"]}
    before = time.monotonic()
    answers = [requests.get(url, headers=headers, timeout=10) for _ in range(2)]
    assert time.monotonic() - before >= 0.4
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].json()["meta"]["total"] == 3


@pytest.mark.parametrize(
    "arguments",
    [["--records", "-1"], ["--rate", "0"], ["--latency", "inf"], ["--port", "x"], ["stray"]],
)
def test_wrong_options(start: Callable[..., subprocess.Popen[str]], arguments: list[str]) -> None:
    """They are usage errors."""
    process = start(*arguments)
    assert "usage:" in process.communicate(timeout=30)[1]
    assert process.returncode == 2


def test_the_environment_of_a_command() -> None:
    """The user's start date stays; nothing may lead the tap to a vendor."""
    inherited = {
        "PATH": "/somewhere",
        "TAP_ANALYTICS_START_DATE": "2026-01-01",
        "TAP_ANALYTICS_SALES_API_KEY": "the user's own",
        "TAP_ANALYTICS_SALES_UPSTREAM": "freshsales",
        "TAP_ANALYTICS_SALES_API_KEY_HEADER": "Authorization",
        "TAP_ANALYTICS_SALES_PAGE_SIZE": "7",
    }
    config = {"start_date": "2024-10-31", "sales_api_key": "key"}
    beside = str(Path(sys.executable).parent)
    assert merged(inherited, config, {"TARGET_POSTGRES_PORT": "1"}) == {
        "PATH": f"/somewhere{os.pathsep}{beside}",
        "TAP_ANALYTICS_START_DATE": "2026-01-01",
        "TAP_ANALYTICS_SALES_API_KEY": "key",
        "TAP_ANALYTICS_SALES_PAGE_SIZE": "7",
        "TARGET_POSTGRES_PORT": "1",
    }


def _settings(process: subprocess.Popen[str]) -> dict[str, str]:
    """What a sandbox without a command tells to set; returns when it serves."""
    settings: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        name, _, value = line.removeprefix("export ").strip().partition("=")
        settings[name] = value
        if name == "TAP_ANALYTICS_ESIGNATURE_BASE_URL":
            break
    return settings
