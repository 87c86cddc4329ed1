"""Answers spoiled on purpose, slow ones and refused ones."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from tap_analytics.sandbox import Answer, Request, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client


def test_an_answer_is_replaced(open_client: Callable[..., Client]) -> None:
    """Status, headers and body; a fault decides by the request."""
    client = open_client(records=3)

    def fault(request: Request) -> Answer | None:
        if request.stream != "tasks":
            return None
        return Answer(503, {"Retry-After": "7", "Content-Type": "text/html"}, b"<html>")

    client.sandbox.faults.append(fault)
    response = client.get("tasks")
    assert (response.status_code, response.content) == (503, b"<html>")
    assert response.headers["retry-after"] == "7"
    assert response.headers["content-type"] == "text/html"
    assert client.get("schedules").status_code == 200
    client.sandbox.faults.remove(fault)
    assert client.get("tasks").status_code == 200


def test_the_rest_of_an_answer_stays(open_client: Callable[..., Client]) -> None:
    """What a fault leaves out is as it would have been."""
    client = open_client(records=3)
    usual = client.get("tasks")
    client.sandbox.faults.append(lambda _: Answer(headers={"X-More": "1"}))
    response = client.get("tasks")
    assert response.headers["x-more"] == "1"
    assert (response.status_code, response.content) == (200, usual.content)
    client.sandbox.faults[:] = [lambda _: Answer(status=420)]
    response = client.get("tasks")
    assert (response.status_code, response.content) == (420, usual.content)


def test_the_first_fault_wins(open_client: Callable[..., Client]) -> None:
    """Those before it said nothing."""
    client = open_client(records=3)
    client.sandbox.faults += [lambda _: None, lambda _: Answer(500), lambda _: Answer(501)]
    assert client.get("tasks").status_code == 500
    assert client.raw("/nowhere").status_code == 500


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_cut_bodies(open_client: Callable[..., Client], cut: int) -> None:
    """The connection ends before the announced length."""
    client = open_client(records=3)
    whole = len(client.get("tasks").content)
    client.sandbox.faults.append(lambda _: Answer(cut=cut))
    with pytest.raises(requests.exceptions.ChunkedEncodingError) as error:
        client.get("tasks")
    assert f"{cut} bytes read, {whole - cut} more expected" in str(error.value)
    client.sandbox.faults.clear()
    assert client.get("tasks").status_code == 200


def test_resets(open_client: Callable[..., Client]) -> None:
    """The client sees a reset, and may come back."""
    client = open_client(records=3)
    client.sandbox.faults.append(lambda _: Answer(reset=True))
    with pytest.raises(requests.exceptions.ConnectionError, match="reset"):
        client.get("tasks")
    client.sandbox.faults.clear()
    assert client.get("tasks").status_code == 200


def test_delays_and_drips(open_client: Callable[..., Client]) -> None:
    """Before the answer, and between its bytes; other answers do not wait."""
    client = open_client(records=3)
    client.sandbox.faults.append(
        lambda request: Answer(delay=0.3) if request.stream == "tasks" else None
    )
    with ThreadPoolExecutor() as pool:
        start = time.monotonic()
        slow = pool.submit(client.get, "tasks")
        while not client.sandbox.requests:
            time.sleep(0.01)
        requests.get(client.sandbox.base_url, timeout=5)
        assert not slow.done()
        assert slow.result().status_code == 200
        assert time.monotonic() - start >= 0.3
    client.sandbox.faults[:] = [lambda _: Answer(body=b'{"data": []}', drip=0.02)]
    start = time.monotonic()
    assert client.get("tasks").json() == {"data": []}
    assert time.monotonic() - start >= 11 * 0.02


def test_the_sandbox_stops_in_spite_of_slow_answers() -> None:
    """Whoever still waits gets an error."""
    with Sandbox(records=1) as sandbox, ThreadPoolExecutor() as pool:
        sandbox.faults.append(lambda _: Answer(delay=60))
        waiting = pool.submit(requests.get, sandbox.base_url, timeout=30)
        while not sandbox.requests:
            time.sleep(0.01)
        start = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - start < 5
        assert waiting.result().status_code == 500


def test_requests_are_logged(open_client: Callable[..., Client]) -> None:
    """As they came, the last ones only."""
    client = open_client(records=3, log=2)
    client.raw("/first")
    client.get("gates_rules", "gate 5/v2", limit="10")
    client.get("tasks")
    log = list(client.sandbox.requests)
    assert [request.stream for request in log] == ["gates_rules", "tasks"]
    rules = log[0]
    assert (rules.api, rules.method) == ("experimentation", "GET")
    assert rules.path == "/v1/gates/gate%205%2Fv2/rules"
    assert rules.params == {"limit": "10"}
    assert rules.headers["api_key"] == "sandbox-experimentation-key"
    assert time.time() - 60 < rules.time <= time.time()


def test_the_rate_is_for_each_api(open_client: Callable[..., Client]) -> None:
    """More requests than that in a second are refused, with the time to wait."""
    client = open_client(records=3, rate=3)
    statuses = [client.get("tasks").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert client.get("tasks").headers["retry-after"] == "1"
    assert client.get("pages").status_code == 200
    time.sleep(1)
    assert client.get("tasks").status_code == 200


def test_latency(open_client: Callable[..., Client]) -> None:
    """Every answer waits, all of them at once."""
    client = open_client(records=3, latency=0.5)
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        urls = [client.sandbox.base_url] * 4
        list(pool.map(lambda url: requests.get(url, timeout=5), urls))
    assert 0.5 <= time.monotonic() - start < 1.5


def test_a_taken_port() -> None:
    """It is an error at once."""
    with Sandbox(records=1) as sandbox, pytest.raises(OSError, match="in use"):
        Sandbox(port=sandbox.port)
