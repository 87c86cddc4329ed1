"""Servers that fail, stall, lie and change: exact rows and status 0, or it is said and status 1."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.sandbox import Answer, Sandbox
from tests.helpers.comparing import assert_equal
from tests.helpers.support import run_tap, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request
    from tests.helpers.support import Result

    OpenSandbox = Callable[..., Sandbox]

HTML = {"Content-Type": "text/html"}
PASSING: dict[str, Answer] = {
    "500": Answer(500, body=b'{"message": "oops"}'),
    "502 in HTML": Answer(502, HTML, b"<html>bad gateway</html>"),
    "503 with Retry-After": Answer(503, {"Retry-After": "1"}, b""),
    "504": Answer(504, body=b""),
    "408": Answer(408, body=b"{}"),
    "429 in seconds": Answer(429, {"Retry-After": "1"}, b"{}"),
    "429 at once": Answer(429, {"Retry-After": "0"}, b"{}"),
    "429 at a past date": Answer(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"{}"),
    "429 with nonsense": Answer(429, {"Retry-After": "-7 soonish"}, b"<p>slow down</p>"),
    "429 with nothing": Answer(429, body=b""),
    "reset": Answer(reset=True),
    "cut at once": Answer(cut=0),
    "cut": Answer(cut=25),
    "HTML": Answer(200, HTML, b"<!DOCTYPE html><html>please log in</html>"),
    "nothing": Answer(200, body=b""),
    "half of the JSON": Answer(200, body=b'{"data": [{"id": 1, "na'),
    "no records": Answer(200, body=b'{"message": "ok", "meta": {"total": 9}}'),
    "no object": Answer(200, body=b'"data"'),
    "null": Answer(200, body=b"null"),
    "records null": Answer(200, body=b'{"data":null,"contacts":null,"sales_accounts":null}'),
    "records of text": Answer(200, body=b'{"data":["a"],"contacts":["a"],"sales_accounts":"a"}'),
    "an error": Answer(200, body=b'{"error": "temporarily unavailable", "code": 17}'),
    "garbage": Answer(200, body=b"\xff\xfe\x00\x80"),
    "not the announced encoding": Answer(200, {"Content-Encoding": "gzip"}, b"this is not gzip"),
    "half of the encoding": Answer(
        200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"data": []}' * 50)[:40]
    ),
    "204": Answer(204, body=b""),
    "too slow": Answer(delay=3),
    "drip": Answer(drip=0.2),
}
"""What another attempt can mend."""

STREAMS = ("accounts", "contacts", "won_deals", "gates", "gates_rules")
OTHERS = ("open_tasks", "tags")


@dataclass
class Fault:
    """Answers at four places: a first page, one in the middle, a last page and a child's list.

    Attributes:
        answer: What is answered there.
        lasts: Whether it is answered again and again.
    """

    answer: Answer
    lasts: bool
    gate: str
    seen: set[tuple[str, str]] = field(default_factory=set)
    when: list[float] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer | None:
        places = {("accounts", "1"), ("contacts", "2"), ("won_deals", "3")}
        place = (request.stream, request.params.get("page", ""))
        is_child = request.stream == "gates_rules" and request.path == self.gate
        if not is_child and place not in places:
            return None
        if place in self.seen and not self.lasts:
            return None
        self.seen.add(place)
        self.when.append(request.time)
        return self.answer


def read_with(
    sandbox: Sandbox, answer: Answer, *, lasts: bool, **more: Any
) -> tuple[Result, Fault]:
    """Read with a fault at all four places."""
    gates = [row["id"] for row in sandbox.store.rows("experimentation", "gates")]
    fault = Fault(answer, lasts, f"/v1/gates/{gates[1]}/rules")
    sandbox.faults.append(fault)
    config = settings(
        sandbox,
        "sales",
        "experimentation",
        sales_page_size=3,
        request_timeout=1 if answer.delay or answer.drip else 30,
        max_retries=2,
        **more,
    )
    result = run_tap(config, *STREAMS, *OTHERS)
    assert len(fault.seen) == 4
    assert "Traceback" not in result.stderr
    return result, fault


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_costs_nothing(open_sandbox: OpenSandbox, name: str) -> None:
    sandbox = open_sandbox(records=9)
    result, fault = read_with(sandbox, PASSING[name], lasts=False)
    assert result.status == 0, result.stderr[-2000:]
    assert_equal(result, sandbox.store, *STREAMS, *OTHERS)
    assert len(fault.when) == 4
    retries = sum(row["retries"] for row in result.report.values())
    is_timed = PASSING[name].delay or PASSING[name].drip  # others may be late on a slow machine
    assert retries >= 4 if is_timed else retries == 4


@pytest.mark.parametrize("name", PASSING)
def test_what_lasts_fails_its_stream_alone(open_sandbox: OpenSandbox, name: str) -> None:
    sandbox = open_sandbox(records=9)
    result, fault = read_with(sandbox, PASSING[name], lasts=True, max_wait=1)
    assert result.status == 1
    for stream in ("accounts", "contacts", "won_deals", "gates_rules"):
        assert result.outcome(stream) == "failed", stream
        reason = result.report[stream]["reason"]
        assert "/v1/" in reason
        assert len(reason) < 1000
    assert len(fault.when) <= 4 * 4
    for stream in (*OTHERS, "gates"):
        assert result.outcome(stream) == "complete"
    assert_equal(result, sandbox.store, *OTHERS, "gates")
    rows = {json.dumps(row["id"]) for row in result.records["contacts"]}
    store = {json.dumps(row["id"]) for row in sandbox.store.rows("sales", "contacts")}
    assert rows < store
    bad = "please log in" in result.stderr or "gateway" in result.stderr
    assert not bad


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422])
def test_refusals(open_sandbox: OpenSandbox, status: int) -> None:
    sandbox = open_sandbox(records=9)
    answer = Answer(status, body=b'{"message": "no sandbox-sales-key for you"}')
    result, fault = read_with(sandbox, answer, lasts=True)
    assert result.status == 1
    expected = "denied" if status in (401, 403) else "failed"
    for stream in ("accounts", "contacts", "won_deals"):
        is_absent = status in (404, 410) and stream == "accounts"  # of later pages it is a failure
        assert result.outcome(stream) == ("denied" if is_absent else expected)
        assert str(status) in result.report[stream]["reason"]
    assert len(fault.when) == 4
    if status in (404, 410):
        assert result.outcome("gates_rules") == "complete"
        assert result.report["gates_rules"]["skipped"] == 1
    else:
        assert result.outcome("gates_rules") == expected
    assert_equal(result, sandbox.store, *OTHERS, "gates")


def test_a_wrong_key_is_denied_everywhere(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=9)
    config = settings(sandbox, "sales", "experimentation", sales_api_key="not-the-key")
    result = run_tap(config, "accounts", "contacts", "tags")
    assert result.status == 1
    assert [result.outcome(name) for name in ("accounts", "contacts", "tags")] == [
        "denied",
        "denied",
        "complete",
    ]
    asked = Counter(request.stream for request in sandbox.requests)
    assert (asked["accounts"], asked["contacts"]) == (1, 1)
    said = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(said) == 2
    for line in said:
        assert line.endswith("; check setting 'sales_api_key'; its rows are missing")


def test_denied_children_are_asked_for_no_more(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=200)
    sandbox.faults.append(
        lambda request: Answer(403, body=b"{}") if request.stream == "gates_rules" else None
    )
    config = settings(sandbox, "experimentation")
    result = run_tap(config, "gates", "gates_rules", "segments", "segments_ids")
    assert result.status == 1
    assert result.outcome("gates_rules") == "denied"
    assert result.outcome("segments_ids") == "complete"
    assert_equal(result, sandbox.store, "gates", "segments", "segments_ids")
    assert sum(request.stream == "gates_rules" for request in sandbox.requests) < 60
    assert "gates" not in result.state["bookmarks"] or result.bookmark("gates") == min(
        row["lastModifiedTime"] for row in result.records["gates"] if row["lastModifiedTime"]
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_elsewhere_take_no_key_along(open_sandbox: OpenSandbox, status: int) -> None:
    sandbox, other = open_sandbox(records=9), open_sandbox(records=9)
    host = other.base_url.removeprefix("http://")
    places = {
        "accounts": f"{other.base_url}/v1/accounts",
        "contacts": f"//{host}/v1/contacts",
        "won_deals": f"https://{sandbox.base_url.removeprefix('http://')}/v1/deals",
        "gates_rules": f"http://user:word@{host}/",
    }
    sandbox.faults.append(
        lambda request: (
            Answer(status, {"Location": places[request.stream]}, b"")
            if request.stream in places
            else None
        )
    )
    result = run_tap(settings(sandbox, "sales", "experimentation"), *places, "gates", *OTHERS)
    assert result.status == 1
    assert not other.requests
    assert {result.outcome(stream) for stream in places} == {"failed"}
    assert_equal(result, sandbox.store, *OTHERS, "gates")


def test_redirects_on_the_same_host_are_followed(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=9)
    sandbox.faults.append(
        lambda request: (
            Answer(307, {"Location": "/v1/accounts?page=1&per_page=50"}, b"")
            if request.stream == "contacts"
            else None
        )
    )
    sandbox.faults.append(
        lambda request: (
            Answer(302, {"Location": request.path}, b"") if request.stream == "won_deals" else None
        )
    )
    result = run_tap(settings(sandbox, "sales"), "accounts", "contacts", "won_deals")
    assert result.status == 1
    assert result.outcome("accounts") == "complete"
    assert "redirect" in result.report["won_deals"]["reason"]
    sandbox.faults[:] = [
        lambda request: (
            Answer(308, {"Location": "?page=1&per_page=9"}, b"")
            if request.stream == "accounts" and request.params["per_page"] == "50"
            else None
        )
    ]
    result = run_tap(settings(sandbox, "sales"), "accounts")
    assert result.status == 0
    assert_equal(result, sandbox.store, "accounts")


def test_waiting_as_told_is_no_failure(open_sandbox: OpenSandbox) -> None:
    """The whole API waits, the others go on; being told four times ends nothing."""
    sandbox = open_sandbox(records=6)
    answered: list[float] = []

    def slow_down(request: Request) -> Answer | None:
        if request.stream == "accounts" and len(answered) < 4:
            answered.append(request.time)
            when = formatdate(time.time() + 2, usegmt=True) if len(answered) % 2 else "1"
            return Answer(429, {"Retry-After": when}, b"{}")
        return None

    sandbox.faults.append(slow_down)
    config = settings(sandbox, "sales", "workforce", max_retries=1)
    result = run_tap(config, "accounts", "contacts", "won_deals", "tasks")
    assert result.status == 0
    assert_equal(result, sandbox.store, "accounts", "contacts", "won_deals", "tasks")
    assert result.report["accounts"]["retries"] == 4
    assert result.report["accounts"]["seconds_waited"] > 3
    for at in answered:
        meanwhile = [r for r in sandbox.requests if at + 0.3 < r.time < at + 0.8]
        assert not [r for r in meanwhile if r.api == "sales"]


def test_nobody_waits_longer_than_allowed(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=6)
    late = formatdate(time.time() + 5000, usegmt=True)
    waits = {"accounts": "86400", "contacts": late, "won_deals": "9" * 400}
    sandbox.faults.append(
        lambda request: (
            Answer(429, {"Retry-After": waits[request.stream]}, b"{}")
            if request.stream in waits
            else None
        )
    )
    result = run_tap(settings(sandbox, "sales", max_wait=60), *waits, "open_tasks", timeout=30)
    assert result.status == 1
    assert {result.outcome(stream) for stream in waits} == {"failed"}
    assert "max_wait" in result.report["accounts"]["reason"]
    assert_equal(result, sandbox.store, "open_tasks")


@pytest.mark.parametrize("status", [420, 429])
def test_status_page_waits_the_same_each_time(open_sandbox: OpenSandbox, status: int) -> None:
    sandbox = open_sandbox(records=6)
    times: list[float] = []

    def slow_down(request: Request) -> Answer | None:
        if request.stream == "subscribers" and len(times) < 3:
            times.append(request.time)
            return Answer(status, body=b"{}")
        return None

    sandbox.faults.append(slow_down)
    config = settings(sandbox, "status_page", backoff_factor=0.5)
    result = run_tap(config, "pages", "subscribers")
    assert result.status == 0
    assert_equal(result, sandbox.store, "pages", "subscribers")
    assert 1.5 <= result.report["subscribers"]["seconds_waited"] < 3, "three times half a second"


def test_a_server_that_fails_half_the_time_sees_no_storm(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=300)
    dice = random.Random(4)  # noqa: S311

    def fail(request: Request) -> Answer | None:
        is_child = request.stream == "gates_rules"
        return Answer(500, body=b"{}") if is_child and dice.random() < 0.5 else None

    sandbox.faults.append(fail)
    result = run_tap(settings(sandbox, "experimentation"), "gates", "gates_rules", "tags")
    assert result.status == 1
    assert result.outcome("tags") == "complete"
    assert result.report["gates_rules"]["requests"] <= 1.2 * 300 + 25


def test_failed_streams_keep_their_bookmark(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=30)
    config = settings(sandbox, "workforce", "experimentation", max_retries=0)
    sandbox.faults.append(
        lambda request: Answer(500, body=b"{}") if request.params.get("page") == "9" else None
    )
    result = run_tap(config, "tasks", "layers", "public_credentials")
    assert result.status == 1
    assert result.outcome("tasks") == "failed"
    assert "tasks" not in result.state["bookmarks"]
    assert 0 < len(result.records["tasks"]) < 30
    assert result.outcome("layers") == "complete"
    sandbox.faults.clear()
    again = run_tap(config, "tasks", "public_credentials", state=result.state)
    assert again.status == 0
    assert_equal(again, sandbox.store, "tasks", "public_credentials")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid/x"])
def test_hosts_that_are_not_there(open_sandbox: OpenSandbox, url: str) -> None:
    sandbox = open_sandbox(records=3)
    config = settings(sandbox, "sales", "workforce", sales_base_url=url, max_retries=1)
    result = run_tap(config, "accounts", "tasks")
    assert result.status == 1
    assert result.outcome("accounts") == "failed"
    assert_equal(result, sandbox.store, "tasks")


def test_a_base_url_may_have_a_path(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(records=3)
    config = settings(sandbox, "sales", sales_base_url=f"{sandbox.base_url}/some/where/")
    result = run_tap(config, "accounts")
    assert result.status == 1
    assert [request.path for request in sandbox.requests] == ["/some/where/v1/accounts"]
