"""Reading ahead: the same output, bounded requests in flight, next to nothing asked in vain."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.comparing import assert_equal
from tests.helpers.contract import NAMES
from tests.helpers.support import read_result, run_tap, settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.sandbox import Request
    from tests.helpers.support import Result

    OpenSandbox = Callable[..., Sandbox]

FAMILY = (
    "gates",
    "gates_rules",
    "dynamic_configs",
    "dynamic_configs_versions",
    "dynamic_configs_rules",
    "events",
    "events_metrics",
    "segments",
    "segments_ids",
    "tags",
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """A sandbox that stays as it is."""
    with Sandbox(records=40) as sandbox:
        yield sandbox


def lasting(result: Result) -> list[str]:
    """Return the messages without what depends on the clock, as text."""
    return [
        json.dumps({name: value for name, value in line.items() if name != "time_extracted"})
        for line in result.lines
        if line["type"] != "STATE"
    ]


def jitter(seed: int) -> Callable[[Request], Answer]:
    """Return a fault that answers in another order than it is asked."""
    dice = random.Random(seed)  # noqa: S311
    return lambda _: Answer(delay=dice.random() * 0.02)


def test_output_is_the_same_however_many_threads(shared: Sandbox) -> None:
    config = settings(shared, start_date="2026-09-01")
    one, *others = [run_tap(config | {"max_concurrency": threads}, *NAMES) for threads in (1, 3, 8)]
    assert one.status == 0
    for other in others:
        assert lasting(other) == lasting(one)
        assert other.state == one.state


@pytest.mark.parametrize("seed", [1, 2])
def test_output_is_the_same_whoever_answers_first(open_sandbox: OpenSandbox, seed: int) -> None:
    sandbox = open_sandbox(records=40)
    config = settings(sandbox, "experimentation", experimentation_page_size=7)
    one = run_tap(config | {"max_concurrency": 1}, *FAMILY)
    sandbox.faults.append(jitter(seed))
    other = run_tap(config | {"max_concurrency": 8}, *FAMILY)
    assert (one.status, other.status) == (0, 0)
    assert lasting(other) == lasting(one)
    assert other.state == one.state


def test_output_is_the_same_in_spite_of_failures(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=30)

    def fail(request: Request) -> Answer | None:
        if request.stream == "gates_rules" and "gate_9" in request.path:
            return Answer(500, body=b"{}")
        if request.stream == "segments_ids" and "segment_8" in request.path:
            return Answer(404, body=b"{}")
        return None

    sandbox.faults.append(fail)
    config = settings(sandbox, "experimentation", max_retries=1)
    results = [run_tap(config | {"max_concurrency": n}, *FAMILY) for n in (1, 8)]
    assert [result.status for result in results] == [1, 1]
    assert lasting(results[0]) == lasting(results[1])
    assert results[0].state == results[1].state
    assert results[0].report["segments_ids"]["skipped"] == 1


class Gauge:
    """A fault that holds answers back and sees how many requests of an API are in flight."""

    def __init__(self, seconds: float = 0.05) -> None:
        self._seconds = seconds
        self._times: dict[str, list[float]] = {}

    def __call__(self, request: Request) -> Answer:
        self._times.setdefault(request.api, []).append(time.monotonic())
        return Answer(delay=self._seconds)

    def most(self, api: str) -> int:
        """Return how many requests came at most within one answer's time."""
        times, share = self._times[api], self._seconds * 0.9
        return max(sum(at <= other < at + share for other in times) for at in times)


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_no_more_in_flight_than_allowed(open_sandbox: OpenSandbox, limit: int) -> None:
    sandbox = open_sandbox(records=30)
    gauge = Gauge()
    sandbox.faults.append(gauge)
    config = settings(sandbox, "experimentation", "workforce", max_concurrency=limit)
    result = run_tap(config, "gates", "gates_rules", "tags", "tasks", "schedules")
    assert result.status == 0
    assert 1 <= gauge.most("experimentation") <= limit
    assert 1 <= gauge.most("workforce") <= limit


def test_the_rate_is_kept(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=40)
    config = settings(sandbox, "workforce", "sales", workforce_requests_per_second=20)
    result = run_tap(config, "tasks", "schedules", "accounts")
    assert result.status == 0
    times = sorted(request.time for request in sandbox.requests if request.api == "workforce")
    assert len(times) == 40
    for first, last in zip(times, times[20:], strict=False):
        assert last - first > 0.9
    assert_equal(result, sandbox.store, "tasks", "schedules", "accounts")


@pytest.mark.slow
def test_unknown_limits_are_learned(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=60, rate=20)
    began = time.monotonic()
    result = run_tap(settings(sandbox, "workforce"), "tasks", "schedules", "overlap_periods")
    assert result.status == 0
    assert_equal(result, sandbox.store, "tasks", "schedules", "overlap_periods")
    refused = sum(row["retries"] for row in result.report.values())
    assert refused <= 10
    assert time.monotonic() - began < 30


def test_only_what_is_selected_is_asked_for(shared: Sandbox) -> None:
    shared.requests.clear()
    result = run_tap(settings(shared), "gates_rules", "accounts", "tasks")
    assert result.status == 0
    assert {request.stream for request in shared.requests} == {
        "gates",
        "gates_rules",
        "accounts",
        "tasks",
    }
    assert set(result.schemas) == {"gates_rules", "accounts", "tasks"}
    assert_equal(result, shared.store, "gates_rules", "accounts", "tasks")


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("pages", [1, 5, 20])
def test_next_to_nothing_is_asked_in_vain(
    open_sandbox: OpenSandbox, pages: int, threads: int
) -> None:
    """Where nothing tells the end, the empty page that is it, and an eighth more at most."""
    sandbox = open_sandbox(records=pages * 10)
    config = settings(
        sandbox,
        "status_page",
        "experimentation",
        "sales",
        status_page_page_size=10,
        experimentation_page_size=10,
        sales_page_size=10,
        max_concurrency=threads,
    )
    result = run_tap(config, "subscribers", "tags", "audit_logs", "accounts")
    assert result.status == 0
    asked = Counter(request.stream for request in sandbox.requests)
    assert asked["audit_logs"] == pages
    # a total that equals the rows of one full page proves nothing
    assert asked["accounts"] == max(pages, 2)
    most = 0 if threads == 1 else pages // 8 + 1
    assert pages + 1 <= asked["subscribers"] <= pages + 1 + most
    assert pages + 1 <= asked["tags"] <= pages + 1 + most


def test_a_slow_target_holds_the_tap_back(open_sandbox: OpenSandbox) -> None:
    """What nobody takes is not asked for; and nothing is lost meanwhile."""
    sandbox = open_sandbox(records=4000)
    config = settings(sandbox, "sales", sales_page_size=50)
    with started_tap(config, "accounts") as (tap, report):
        time.sleep(4)
        asked = len(sandbox.requests)
        out, _ = tap.communicate(timeout=60)
        result = read_result(tap.returncode, out, report)
    assert asked < 60
    assert result.status == 0
    assert_equal(result, sandbox.store, "accounts")


def test_memory_does_not_grow_with_records(open_sandbox: OpenSandbox) -> None:
    """Ten times the rows of an ordered list take hardly more memory."""
    peaks = []
    for records in (4_000, 40_000):
        sandbox = open_sandbox(records=records)
        peaks.append(peak_of(settings(sandbox, "sales", "workforce", sales_page_size=1000)))
    assert peaks[1] < peaks[0] * 1.5


def peak_of(config: dict[str, Any]) -> int:
    """Return the peak memory of a run, in KiB."""
    with started_tap(config, "accounts", stdout=subprocess.DEVNULL) as (tap, _):
        _, status, usage = os.wait4(tap.pid, 0)
        tap.returncode = os.waitstatus_to_exitcode(status)
    assert tap.returncode == 0
    return usage.ru_maxrss
