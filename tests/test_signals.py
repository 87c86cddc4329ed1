"""Being told to end, losing the reader, being killed: nothing is lost but time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.comparing import assert_union, moment
from tests.helpers.support import (
    ROOT,
    TAP,
    Result,
    environment,
    read_result,
    run_tap,
    settings,
    started_tap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.support import Record

    OpenSandbox = Callable[..., Sandbox]

FAMILY = ("tasks", "gates", "gates_rules", "layers", "tags")


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds; it is an error if it never does."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def assert_state_is_never_ahead(sandbox: Sandbox, result: Result, before: Record) -> None:
    """Make sure that rows older than a bookmark were written before it, now or earlier."""
    written: set[str] = set()
    for line in result.lines:
        if line["type"] == "RECORD" and line["stream"] == "tasks":
            written.add(str(line["record"]["id"]))
        elif line["type"] == "STATE":
            entry = line["value"]["bookmarks"].get("tasks", {})
            since = entry.get("replication_key_value")
            start = before.get("bookmarks", {}).get("tasks", {}).get("replication_key_value")
            if since is None:
                continue
            between = [
                str(row["id"])
                for row in sandbox.store.rows("workforce", "tasks")
                if row["updated_at"]
                and (start is None or moment(start) <= moment(row["updated_at"]))
                and moment(row["updated_at"]) < moment(since)
            ]
            assert set(between) <= written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_told_to_end(open_sandbox: OpenSandbox, number: signal.Signals) -> None:
    sandbox = open_sandbox(records=80, latency=0.02)
    config = settings(sandbox, "workforce", "experimentation", max_concurrency=2)
    with started_tap(config, *FAMILY) as (tap, report):
        wait_for(lambda: any(request.stream == "gates_rules" for request in sandbox.requests))
        time.sleep(0.3)
        tap.send_signal(number)
        out, _ = tap.communicate(timeout=20)
        result = read_result(tap.returncode, out, report)
    assert result.status == 128 + number
    assert "Traceback" not in result.stderr
    assert result.lines[-1]["type"] == "STATE"
    assert "interrupted" in {row["status"] for row in result.report.values()}
    rest = run_tap(config, *FAMILY, state=result.state)
    assert rest.status == 0
    assert_union(sandbox, [result, rest], "tasks", "gates", "gates_rules", "layers", "tags")


def test_told_to_end_while_the_api_is_silent(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=9)
    sandbox.faults.append(
        lambda request: Answer(delay=60) if request.stream == "schedules" else None
    )
    config = settings(sandbox, "workforce")
    with started_tap(config, "overlap_periods", "public_credentials", "schedules", "tasks") as (
        tap,
        report,
    ):
        wait_for(lambda: any(request.stream == "schedules" for request in sandbox.requests))
        time.sleep(0.5)
        began = time.monotonic()
        tap.terminate()
        out, _ = tap.communicate(timeout=20)
        assert time.monotonic() - began < 10
        result = read_result(tap.returncode, out, report)
    assert result.status == 143
    assert "Traceback" not in result.stderr
    assert result.outcome("overlap_periods") == "complete"
    assert result.outcome("schedules") == "interrupted"


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.4, 0.6])
def test_told_to_end_at_the_start(open_sandbox: OpenSandbox, seconds: float) -> None:
    sandbox = open_sandbox(records=3)
    with started_tap(settings(sandbox), "tasks") as (tap, report):
        time.sleep(seconds)
        tap.terminate()
        out, _ = tap.communicate(timeout=20)
        result = read_result(tap.returncode, out, report)
    assert result.status in (0, 143, -signal.SIGTERM)
    assert "Traceback" not in result.stderr


def test_told_to_end_while_the_target_is_slow(open_sandbox: OpenSandbox) -> None:
    """What is being written is finished, with a state, as soon as the target takes it."""
    sandbox = open_sandbox(records=3000)
    config = settings(sandbox, "workforce", workforce_page_size=500)
    with started_tap(config, "tasks", "schedules") as (tap, report):
        wait_for(lambda: len(sandbox.requests) >= 6)
        time.sleep(1.5)
        tap.terminate()
        time.sleep(0.5)
        assert tap.poll() is None
        out, _ = tap.communicate(timeout=20)
        result = read_result(tap.returncode, out, report)
    assert result.status == 143
    assert "Traceback" not in result.stderr
    assert result.lines[-1]["type"] == "STATE"
    assert_state_is_never_ahead(sandbox, result, {})
    rest = run_tap(config, "tasks", "schedules", state=result.state)
    assert_union(sandbox, [result, rest], "tasks", "schedules")


@pytest.mark.parametrize("is_blocking", [True, False], ids=["stuck", "stuck-non-blocking"])
def test_told_to_end_while_the_target_is_stuck(
    open_sandbox: OpenSandbox, *, is_blocking: bool
) -> None:
    sandbox = open_sandbox(records=3000)
    config = settings(sandbox, "workforce", workforce_page_size=500)
    reader, writer = os.pipe()
    os.set_blocking(writer, is_blocking)
    with started_tap(config, "tasks", "schedules", stdout=writer) as (tap, report):
        os.close(writer)
        wait_for(lambda: len(sandbox.requests) >= 6)
        time.sleep(1.5)
        assert tap.poll() is None
        tap.terminate()
        assert tap.wait(timeout=15) == 143
        log = report.with_name("stderr").read_text(encoding="utf-8")
        assert "Traceback" not in log
        assert report.exists()
    os.close(reader)


def test_a_non_blocking_output_is_waited_for(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=3000)
    config = settings(sandbox, "workforce", workforce_page_size=500)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with started_tap(config, "tasks", stdout=writer) as (tap, report):
        os.close(writer)
        wait_for(lambda: len(sandbox.requests) >= 6)
        time.sleep(0.5)
        with os.fdopen(reader, "rb") as pipe:
            out = pipe.read()
        result = read_result(tap.wait(timeout=15), out, report)
    assert result.status == 0
    assert len(result.records["tasks"]) == 3000


@pytest.mark.parametrize("arguments", [[], ["--discover"], ["--version"]], ids=str)
def test_a_closed_output_is_said(arguments: list[str]) -> None:
    done = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *TAP, *arguments],
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "standard output cannot be written: Bad file descriptor" in line


def test_told_twice_ends_at_once(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=3000)
    config = settings(sandbox, "workforce", workforce_page_size=500)
    with started_tap(config, "tasks") as (tap, report):
        wait_for(lambda: len(sandbox.requests) >= 6)
        time.sleep(1.5)
        tap.terminate()
        time.sleep(0.3)
        tap.terminate()
        assert tap.wait(timeout=10) == 143
        assert "Traceback" not in report.with_name("stderr").read_text(encoding="utf-8")


@pytest.mark.parametrize("lines", [0, 1, 50])
def test_the_reader_goes_away(open_sandbox: OpenSandbox, lines: int) -> None:
    sandbox = open_sandbox(records=2000)
    config = settings(sandbox, "workforce", "sales", workforce_page_size=100)
    with started_tap(config, "accounts", "tasks", "schedules") as (tap, report):
        assert tap.stdout is not None
        for _ in range(lines):
            tap.stdout.readline()
        tap.stdout.close()
        status = tap.wait(timeout=30)
        log = report.with_name("stderr").read_text(encoding="utf-8")
    assert status == 141
    assert "Traceback" not in log
    assert "Exception ignored" not in log


def test_a_full_disk_is_said(open_sandbox: OpenSandbox) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    sandbox = open_sandbox(records=200)
    with (
        full.open("wb") as stdout,
        started_tap(settings(sandbox, "sales"), "accounts", stdout=stdout) as (tap, report),
    ):
        status = tap.wait(timeout=30)
        log = report.with_name("stderr").read_text(encoding="utf-8")
    assert status == 1
    assert "No space left" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("arguments", [["--discover"], ["--about", "--format=json"]])
def test_a_full_disk_is_said_by_other_output(arguments: list[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("wb") as stdout:
        done = subprocess.run(  # noqa: S603
            [*TAP, *arguments],
            cwd=ROOT,
            env=environment(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
        )
    log = done.stderr.decode()
    assert done.returncode == 1
    assert "standard output cannot be written: No space left" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("arguments", [["--discover"], ["--about", "--format=json"], ["--help"]])
def test_the_reader_of_other_output_goes_away(arguments: list[str]) -> None:
    with subprocess.Popen(  # noqa: S603
        [*TAP, *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        log = process.stderr.read().decode()
        assert process.wait(timeout=30) in (0, 1, 141)
    assert "Traceback" not in log
    assert "Exception ignored" not in log


def killed(config: Record, streams: tuple[str, ...], state: Record | None, lines: int) -> Result:
    """Run the tap and kill it after so many lines; a run that ends before has status 0."""
    with started_tap(config, *streams, state=state) as (tap, report):
        assert tap.stdout is not None
        out = b""
        for _ in range(lines):
            line = tap.stdout.readline()
            if not line:
                break
            out += line
        else:
            tap.kill()
        out += tap.stdout.read()
        status = tap.wait(timeout=60)
        whole = out[: out.rfind(b"\n") + 1]
        return read_result(status, whole, report)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_and_resumed(open_sandbox: OpenSandbox, seed: int) -> None:
    """Killed at any moment, with data that changes meanwhile: the union is exact."""
    dice = random.Random(seed)  # noqa: S311
    sandbox = open_sandbox(records=40, latency=0.01)
    streams = ("tasks", "gates", "gates_rules", "layers", "dynamic_configs_versions")
    config = settings(
        sandbox, "workforce", "experimentation", max_concurrency=dice.choice([1, 2, 8])
    )
    results: list[Result] = []
    state: Record | None = None
    last = datetime(2026, 11, 1, tzinfo=timezone.utc)
    for number in range(40):
        result = killed(config, streams, state, dice.randint(1, 120))
        assert result.status in (0, -signal.SIGKILL)
        assert_state_is_never_ahead(sandbox, result, state or {})
        results.append(result)
        state = result.state or state
        if result.status == 0:
            break
        if number < 6:
            last += timedelta(hours=1)
            index = dice.randrange(40)
            text = last.isoformat().replace("+00:00", "Z")
            sandbox.store.update("tasks", index, {"updated_at": text, "name": f"new {number}"})
            changed = {"lastModifiedTime": int(last.timestamp() * 1000), "name": f"new {number}"}
            sandbox.store.update("layers", index, changed)
            sandbox.store.update("gates", index, changed)
            gate = list(sandbox.store.rows("experimentation", "gates"))[index]["id"]
            rule = next(sandbox.store.rows("experimentation", "gates_rules"))
            sandbox.store.append("gates_rules", {**rule, "id": f"new {number}"}, parent=gate)
    assert results[-1].status == 0
    assert_union(sandbox, results, *streams)


@pytest.mark.slow
def test_every_restart_makes_progress(open_sandbox: OpenSandbox) -> None:
    """A run killed soon after its first state goes on there, and repeats next to nothing."""
    sandbox = open_sandbox(records=60, latency=0.02)
    config = settings(sandbox, "experimentation", max_concurrency=2)
    streams = ("gates", "gates_rules")
    results: list[Result] = []
    state: Record | None = None
    for _ in range(60):
        with started_tap(config, *streams, state=state) as (tap, report):
            assert tap.stdout is not None
            out = b""
            states = 0
            while states < 2 and (line := tap.stdout.readline()):
                out += line
                states += json.loads(line)["type"] == "STATE"
            tap.kill()
            out += tap.stdout.read()
            status = tap.wait(timeout=30)
            results.append(read_result(status, out[: out.rfind(b"\n") + 1], report))
        before, state = state, results[-1].state or state
        if results[-1].status == 0 or before == state:
            break
    rest = run_tap(config, *streams, state=state)
    assert rest.status == 0
    results.append(rest)
    assert_union(sandbox, results, *streams)
    written = sum(len(result.records.get("gates", [])) for result in results)
    assert written <= 60 + 3 * len(results)
