"""Machines that give no more threads or memory: a run ends, in words, and loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.comparing import assert_equal
from tests.helpers.support import Result, read_result, settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("gates", "gates_rules", "tags", "tasks", "accounts")
_STACK = 1 << 20
_ELSE = 900_000
"""KiB of address space: of a thread, as set here, and of everything but threads."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=30) as one:
        yield one


def run_with(config: dict[str, Any], threads: int) -> Result:
    """Run the tap where it can have so many threads beside the one it starts with."""
    space = _ELSE + threads * (_STACK + 150_000)
    limits = f"ulimit -s {_STACK} && ulimit -v {space}"
    with started_tap(config, *STREAMS, limits=limits) as (tap, report):
        out, _ = tap.communicate(timeout=60)
        return read_result(tap.returncode, out, report)


def test_an_answer_for_which_there_is_no_memory_is_one_failure() -> None:
    row = f'{{"id": "a", "counts": [{",".join(["1.5"] * 300)}]}}'
    body = f'{{"data": [{",".join([row] * 30_000)}]}}'.encode()
    with Sandbox(records=30) as sandbox:
        sandbox.faults.append(lambda asked: Answer(body=body) if asked.stream == "tags" else None)
        config = settings(sandbox, max_retries=1)
        with started_tap(config, *STREAMS, limits="ulimit -v 450000") as (tap, report):
            out, _ = tap.communicate(timeout=60)
            result = read_result(tap.returncode, out, report)
        assert result.status == 1
        assert "Traceback" not in result.stderr
        assert "experimentation_page_size" in result.report["tags"]["reason"]
        assert_equal(result, sandbox.store, *set(STREAMS) - {"tags"})


@pytest.mark.parametrize("threads", [2, 3, 5, 9])
def test_few_threads_are_enough(sandbox: Sandbox, threads: int) -> None:
    result = run_with(settings(sandbox), threads)
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *STREAMS)


def test_without_any_thread_it_is_said_what_is_missing(sandbox: Sandbox) -> None:
    result = run_with(settings(sandbox), 0)
    assert result.status == 1
    assert "Traceback" not in result.stderr
    for stream in STREAMS:
        assert result.outcome(stream) == "failed"
        if stream != "gates_rules":
            assert "more tasks or more address space" in result.report[stream]["reason"]
