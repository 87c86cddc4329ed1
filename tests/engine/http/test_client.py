"""Requests over real sockets: tried again where it helps, and given up where it does not."""

from __future__ import annotations

import gc
import gzip
import json
import re
import socket
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import Denied, Gone, ReadError, TransientError
from tap_analytics.engine.http import connection, sender, space
from tap_analytics.engine.http.answers import judge
from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client, Patience
from tap_analytics.engine.http.connection import Watchdog
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.output.report import Tally
from tests.engine.doubles import Reply, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.http.answers import Answer

GOOD = Reply(body=b'{"a":1}')
FAST = RetryPolicy(statuses=(429, 500), factor=0)


def patience(
    policy: RetryPolicy = FAST, *, timeout: float = 10.0, max_wait: float = 5.0
) -> Patience:
    return Patience(timeout, max_wait, policy)


class Asking:
    """A client of a server, and its tally."""

    def __init__(self, url: str, patience: Patience, concurrency: int = 2) -> None:
        self.url = url
        self.tally = Tally("s", "api")
        self.budget = Budget((), concurrency)
        self.client = Client(url, self.budget, patience, concurrency)

    def __call__(self, path: str = "/list", **params: Any) -> Any:
        request = HTTPRequest(
            url=self.url + path, params=params, headers={"X-Key": "k", "Accept": "a/b"}
        )
        return self.client.fetch(request, lambda got: (got.json(), len(got.content)), self.tally)

    @property
    def counts(self) -> tuple[int, int]:
        """Requests and retries."""
        return self.tally.requests, self.tally.retries


@contextmanager
def asking(
    *replies: Reply, given: Patience | None = None, concurrency: int = 2
) -> Iterator[tuple[Asking, Server]]:
    with Server(*replies).running() as server:
        ask = Asking(server.url, given or patience(), concurrency)
        try:
            yield ask, server
        finally:
            ask.client.close()
            assert ask.budget._in_flight <= 0


def test_a_sound_answer_is_read() -> None:
    with asking(Reply(body=b'{"a": [1.10]}')) as (ask, server):
        assert ask("/a/b", page=2, q="x y&z") == ({"a": [Decimal("1.10")]}, 13)
        assert ask.counts == (1, 0)
        assert [request.path for request in server.asked] == ["/a/b?page=2&q=x+y%26z"]
        headers = server.asked[0].headers
        assert headers["X-Key"] == "k"
        assert headers["Accept"] == "a/b"
        assert ask.tally.waited == 0


def test_paths_are_sent_as_they_are_built() -> None:
    with asking(GOOD) as (ask, server):
        ask("/a/%2E%2E/b%2Fc%20%E2%82%AC")
        assert server.asked[0].path == "/a/%2E%2E/b%2Fc%20%E2%82%AC"


def test_compressed_answers_are_read() -> None:
    body = gzip.compress(b'{"a":1}')
    with asking(Reply(body=body, headers={"Content-Encoding": "gzip"})) as (ask, _):
        assert ask() == ({"a": 1}, 7)


def test_connections_are_kept() -> None:
    ports = set()
    with asking(GOOD) as (ask, server):
        handler: Any = server._server.RequestHandlerClass
        seen = handler.setup

        def setup(self: Any) -> None:
            ports.add(self.client_address[1])
            seen(self)

        handler.setup = setup
        for _ in range(5):
            ask()
    assert len(ports) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_failures_that_may_pass_are_tried_again(status: int) -> None:
    with asking(Reply(status), GOOD) as (ask, _):
        assert ask() == ({"a": 1}, 7)
        assert ask.counts == (2, 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff"])
def test_bodies_that_are_not_json_are_tried_again(body: bytes) -> None:
    with asking(Reply(body=body), GOOD) as (ask, _):
        assert ask() == ({"a": 1}, 7)
        assert ask.counts == (2, 1)


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_so_many_retries_are_made_and_no_more(max_retries: int) -> None:
    policy = RetryPolicy(max_retries=max_retries, factor=0)
    with asking(Reply(500, b'{"error":"no"}'), given=patience(policy)) as (ask, _):
        with pytest.raises(ReadError) as failure:
            ask()
        assert str(failure.value) == f"answered 500: no (attempt {max_retries + 1}, the last)"
        assert not isinstance(failure.value, TransientError)
        assert ask.counts == (max_retries + 1, max_retries)


def test_the_last_retry_may_succeed() -> None:
    with asking(Reply(500), Reply(502), Reply(503), GOOD) as (ask, _):
        assert ask() == ({"a": 1}, 7)
        assert ask.counts == (4, 3)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Denied), (403, Denied), (404, Gone), (400, ReadError)]
)
def test_failures_for_good_are_not_tried_again(status: int, kind: type[ReadError]) -> None:
    with asking(Reply(status), GOOD) as (ask, _):
        with pytest.raises(kind, match=f"^answered {status}$"):
            ask()
        assert ask.counts == (1, 0)


def test_only_documented_statuses_are_tried_again() -> None:
    with asking(Reply(420), GOOD) as (ask, _), pytest.raises(ReadError, match="answered 420"):
        ask()
    policy = RetryPolicy(statuses=(420,), factor=0)
    with asking(Reply(420), GOOD, given=patience(policy)) as (ask, _):
        ask()
        assert ask.counts == (2, 1)


def test_what_cannot_be_read_is_tried_again() -> None:
    def read(answer: Answer) -> Any:
        if "a" not in answer.json():
            message = f"not it ({len(answer.content)})"
            raise TransientError(message)
        return answer.json()

    with asking(Reply(body=b'{"b":1}'), GOOD) as (ask, server):
        request = HTTPRequest(url=server.url, params={}, headers={})
        assert ask.client.fetch(request, read, ask.tally) == {"a": 1}
        assert ask.counts == (2, 1)


def test_waits_follow_the_policy() -> None:
    policy = RetryPolicy(statuses=(429,), constant=0.15, factor=0)
    with asking(Reply(429), Reply(429), GOOD, given=patience(policy)) as (ask, _):
        started = time.monotonic()
        ask()
        assert time.monotonic() - started >= 0.3
        assert ask.tally.waited == pytest.approx(0.3, abs=0.1)
        assert ask.counts == (3, 2)


def test_other_failures_wait_without_stopping_others() -> None:
    policy = RetryPolicy(max_retries=1, factor=0.4)
    with asking(Reply(500), GOOD, given=patience(policy)) as (ask, _):
        started = time.monotonic()
        ask()
        assert time.monotonic() - started >= ask.tally.waited > 0
        assert ask.budget._pause is None
        assert ask.tally.waits.keys() == {"retry"}


def test_a_refusal_that_says_nothing_stops_its_stream_alone() -> None:
    policy = RetryPolicy(constant=0.2)
    with asking(Reply(429), GOOD, given=patience(policy)) as (ask, _):
        ask()
        assert ask.budget._pause is None
        assert ask.budget._pace.in_flight == 1
        assert ask.tally.waits == {"retry": pytest.approx(0.2, abs=0.1)}


def test_a_stream_that_is_always_refused_ends() -> None:
    with asking(Reply(429, b'{"error":"no"}')) as (ask, server):
        for _ in range(3):
            with pytest.raises(ReadError, match=r"^answered 429: no \(attempt 4, the last\)$"):
                ask()
        assert len(server.asked) == 4
        other = Tally("other", "api")
        request = HTTPRequest(url=server.url, params={}, headers={})
        server.replies[:] = [GOOD]
        ask.client.fetch(request, lambda answer: answer, other)
        assert other.requests == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.4"},
        {"RateLimit-Reset": "0.4"},
        {"RateLimit-Limit": "5", "RateLimit-Reset": "0.4", "RateLimit-Remaining": "0"},
    ],
)
def test_a_refusal_that_tells_the_reset_is_told(headers: dict[str, str]) -> None:
    given = patience(RetryPolicy(max_retries=0))
    with asking(Reply(429, headers=headers), GOOD, given=given) as (ask, _):
        started = time.monotonic()
        ask()
        assert 0.4 <= time.monotonic() - started < 2
        assert ask.tally.waits == {"told": pytest.approx(0.4, abs=0.1)}


def test_what_is_announced_as_spent_is_not_asked_for() -> None:
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.4"}
    with asking(GOOD._replace(headers=spent), GOOD) as (ask, _):
        ask()
        started = time.monotonic()
        ask()
        assert 0.4 <= time.monotonic() - started < 2
        assert ask.counts == (2, 0)
        assert ask.tally.waits == {"rate": pytest.approx(0.4, abs=0.1)}


def test_what_is_spent_for_too_long_says_until_when() -> None:
    reset = int(time.time()) + 3600
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    with asking(GOOD._replace(headers=spent)) as (ask, _):
        ask()
        with pytest.raises(ReadError) as failure:
            ask()
        said = re.fullmatch(
            r"its limit is spent until (\S+Z), longer than max_wait allows", str(failure.value)
        )
        assert said
        until = datetime.fromisoformat(said[1].replace("Z", "+00:00")).timestamp()
        assert reset <= until <= reset + 4
        assert ask.counts == (1, 0)


def test_being_told_to_wait_is_no_failed_attempt() -> None:
    policy = RetryPolicy(max_retries=0)
    told = Reply(429, headers={"Retry-After": "1"})
    with asking(told, GOOD, given=patience(policy)) as (ask, _):
        started = time.monotonic()
        assert ask() == ({"a": 1}, 7)
        assert time.monotonic() - started >= 1
        assert ask.counts == (2, 1)
        assert ask.tally.waited == pytest.approx(1, abs=0.1)
        assert ask.budget._allowance._retries == pytest.approx(20.13)


def test_a_server_may_tell_when_to_come_back() -> None:
    told = Reply(503, headers={"Retry-After": formatdate(time.time() + 2.2, usegmt=True)})
    with asking(told, GOOD, given=patience(RetryPolicy(max_retries=0))) as (ask, _):
        started = time.monotonic()
        ask()
        assert 1 <= time.monotonic() - started < 6


def test_waiting_as_told_has_an_end() -> None:
    told = Reply(429, b'{"message":"slow"}', {"Retry-After": "1"})
    with asking(told, told, told, given=patience(max_wait=2)) as (ask, _):
        with pytest.raises(ReadError) as failure:
            ask()
        assert re.fullmatch(
            "answered 429: slow; it asks to wait until .*Z, longer than max_wait allows",
            str(failure.value),
        )
        assert ask.counts == (3, 2)


def test_a_wait_up_to_the_longest_is_obeyed() -> None:
    told = Reply(429, headers={"Retry-After": "1"})
    with asking(told, GOOD, given=patience(max_wait=1)) as (ask, _):
        assert ask() == ({"a": 1}, 7)


def test_a_wait_longer_than_the_longest_is_not_begun() -> None:
    told = Reply(429, headers={"Retry-After": "6"})
    with asking(told, GOOD) as (ask, _):
        with pytest.raises(ReadError, match="longer than max_wait"):
            ask()
        assert ask.counts == (1, 0)
        assert ask.tally.waited == 0


@pytest.mark.parametrize("text", ["soon", "-1", "", "1,5", "0"])
def test_other_words_about_waiting_fall_back_to_the_policy(text: str) -> None:
    told = Reply(429, headers={"Retry-After": text})
    with asking(told, GOOD) as (ask, _):
        ask()
        assert ask.counts == (2, 1)
        assert ask.tally.waited < 1


def test_retries_are_rationed_over_all_requests() -> None:
    with asking(Reply(500), given=patience(RetryPolicy(max_retries=9, factor=0))) as (ask, _):
        while ask.budget._allowance._retries >= 3:
            ask.budget.may_retry()
        with pytest.raises(ReadError) as failure:
            ask()
        assert str(failure.value) == "answered 500 (not tried again, for too many requests failed)"
        assert ask.counts == (3, 2)


def test_throttled_answers_need_no_ration() -> None:
    with asking(Reply(429), GOOD) as (ask, _):
        while ask.budget.may_retry():
            pass
        ask()
        assert ask.counts == (2, 1)


def test_redirects_within_the_host_are_followed() -> None:
    moves = [Reply(302, headers={"Location": f"/{n}?x={n}"}) for n in range(3)]
    with asking(*moves, GOOD) as (ask, server):
        assert ask("/a", page=1) == ({"a": 1}, 7)
        paths = [request.path for request in server.asked]
        assert paths == ["/a?page=1", "/0?x=0", "/1?x=1", "/2?x=2"]
        assert all(request.headers["X-Key"] == "k" for request in server.asked)
        assert ask.counts == (1, 0)


def test_relative_redirects_are_followed() -> None:
    with asking(Reply(307, headers={"Location": "c"}), GOOD) as (ask, server):
        ask("/a/b")
        assert server.asked[1].path == "/a/c"


def test_redirects_in_a_circle_end() -> None:
    with asking(Reply(301, headers={"Location": "/list"})) as (ask, server):
        with pytest.raises(ReadError, match=r"^redirected more than 3 times$"):
            ask()
        assert len(server.asked) == 4
        assert ask.counts == (1, 0)


def test_the_key_stays_at_home() -> None:
    with Server(GOOD).running() as stranger:
        move = Reply(302, headers={"Location": f"{stranger.url}/steal"})
        with asking(move) as (ask, _):
            with pytest.raises(ReadError) as failure:
                ask()
            assert str(failure.value) == (
                "redirected to another host (127.0.0.1), which never gets our key"
            )
            assert ask.counts == (1, 0)
        assert stranger.asked == []


def test_another_scheme_is_another_host() -> None:
    with Server(GOOD).running() as server:
        server.replies.insert(0, Reply(302, headers={"Location": server.url.replace("p:", "ps:")}))
        ask = Asking(server.url, patience())
        with pytest.raises(ReadError, match="redirected to another host"):
            ask()
        ask.client.close()


@pytest.mark.parametrize("status", [300, 399])
def test_every_redirect_is_followed(status: int) -> None:
    with asking(Reply(status, headers={"Location": "/there"}), GOOD) as (ask, server):
        assert ask() == ({"a": 1}, 7)
        assert [request.path for request in server.asked] == ["/list", "/there"]


def test_an_error_may_name_a_location() -> None:
    lost = Reply(400, headers={"Location": "/there"})
    with asking(lost, GOOD) as (ask, _), pytest.raises(ReadError, match=r"^answered 400$"):
        ask()


@pytest.mark.parametrize("status", [300, 302, 304, 399])
def test_a_redirect_to_nowhere_is_an_answer(status: int) -> None:
    with asking(Reply(status)) as (ask, _), pytest.raises(ReadError, match=f"answered {status}"):
        ask()


@pytest.mark.parametrize("status", [200, 299])
def test_good_answers_may_name_a_location(status: int) -> None:
    with asking(Reply(status, headers={"Location": "http://elsewhere.example/"})) as (ask, _):
        assert ask() == ({}, 2)


def test_a_refused_connection_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ask = Asking(f"http://127.0.0.1:{taken.getsockname()[1]}", patience())
        with pytest.raises(ReadError, match=r"^connection refused by 127\.0\.0\.1:\d+ \(att"):
            ask()
        assert ask.counts == (4, 3)
        ask.client.close()


def test_a_body_that_is_cut_is_tried_again() -> None:
    cut = Reply(body=b'{"a":1}', headers={"Content-Length": "90", "Connection": "close"})
    with asking(cut, GOOD) as (ask, _):
        assert ask() == ({"a": 1}, 7)
        assert ask.counts == (2, 1)


def test_a_silent_server_is_left() -> None:
    gate = threading.Event()
    slow = Reply(before=lambda: gate.wait(5))
    policy = RetryPolicy(max_retries=0)
    with asking(slow, given=patience(policy, timeout=0.3)) as (ask, _):
        started = time.monotonic()
        with pytest.raises(ReadError, match=r"^no complete answer within 0\.3 s \(attempt 1,"):
            ask()
        assert 0.3 <= time.monotonic() - started < 4
        gate.set()


def test_a_dripping_server_is_left() -> None:
    done = threading.Event()
    drip = Reply(body=b'{"a":' + b" " * 400 + b"1}", drip=done)
    with asking(drip, GOOD, given=patience(timeout=0.4)) as (ask, _):
        started = time.monotonic()
        assert ask() == ({"a": 1}, 7)
        assert 0.4 <= time.monotonic() - started < 5
        assert ask.counts == (2, 1)
        done.set()


def test_a_server_that_drips_for_ever_is_named() -> None:
    done = threading.Event()
    drip = Reply(body=b" " * 100_000, drip=done)
    given = patience(RetryPolicy(max_retries=0), timeout=0.3)
    with asking(drip, given=given) as (ask, _):
        with pytest.raises(ReadError) as failure:
            ask()
        assert str(failure.value) == "no complete answer within 0.3 s (attempt 1, the last)"
        done.set()


def test_a_slow_server_within_its_time_is_not_left() -> None:
    with asking(Reply(body=b'{"a":1}', drip=threading.Event())) as (ask, _):
        assert ask() == ({"a": 1}, 7)


def test_answers_are_no_larger_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LARGEST", 100)
    body = json.dumps({"a": "x" * 92}).encode()
    assert len(body) == 101
    with asking(Reply(body=body[:-3] + b'"}'), Reply(body=body), GOOD) as (ask, _):
        assert ask()[1] == 100
        with pytest.raises(ReadError, match=r"^answered with more than 0 MB, which"):
            ask()
        assert ask.counts == (2, 0)


def test_no_more_is_read_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LARGEST", 10)
    done = threading.Event()
    with asking(Reply(body=b" " * 100_000, drip=done), given=patience(timeout=5)) as (ask, _):
        with pytest.raises(ReadError, match=r"^answered with more than 0 MB, which"):
            ask()
        done.set()


def test_messages_are_no_longer_than_useful(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Asking("http://127.0.0.1:9", patience(RetryPolicy(max_retries=0)))

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("x" * 500)

    monkeypatch.setattr(ask.client._sender._adapter, "route", fail)
    with pytest.raises(ReadError) as failure:
        ask()
    assert str(failure.value) == f"no answer (OSError: {'x' * 200}) (attempt 1, the last)"
    ask.client.close()


def test_after_the_end_nothing_is_asked() -> None:
    with asking(GOOD) as (ask, server):
        ask.client.close()
        with pytest.raises(ReadError, match=r"^the run has ended$"):
            ask()
        assert ask.counts == (0, 0)
        assert server.asked == []


def test_the_end_cuts_waits_short() -> None:
    policy = RetryPolicy(max_retries=5, factor=1000)
    with asking(Reply(500), given=patience(policy)) as (ask, _):
        failures: list[Exception] = []

        def run() -> None:
            try:
                ask()
            except ReadError as error:
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while ask.tally.requests == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        ask.client.close()
        thread.join(10)
        assert [str(failure) for failure in failures] == ["the run has ended"]


@pytest.mark.parametrize(
    ("reply", "good", "allowed"), [(GOOD, 1, 2), (Reply(404), 0, 2), (Reply(429), 0, 1)]
)
def test_leave_is_given_back_with_what_was_learned(reply: Reply, good: int, allowed: int) -> None:
    with asking(reply, given=patience(RetryPolicy(max_retries=0))) as (ask, _):
        with suppress(ReadError):
            ask()
        pace = ask.budget._pace
        assert (ask.budget._in_flight, pace._successes, pace.in_flight) == (0, good, allowed)


def test_what_cannot_be_read_is_no_good_answer() -> None:
    def read(*_: Any) -> None:
        message = "unreadable"
        raise ReadError(message)

    with asking(GOOD) as (ask, server):
        request = HTTPRequest(url=server.url, params={}, headers={})
        with pytest.raises(ReadError, match="unreadable"):
            ask.client.fetch(request, read, ask.tally)
        assert (ask.budget._in_flight, ask.budget._pace._successes) == (0, 0)


@pytest.mark.parametrize("status", [202, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("hook", [None, FatalAPIError, RetriableAPIError])
def test_a_failure_ends_with_its_answer(
    status: int, hook: type[FatalAPIError | RetriableAPIError] | None
) -> None:
    """Cycles of references are looked for seldom, and the answers may be large."""
    answers: list[weakref.ref[Answer]] = []

    def validate(answer: Answer) -> None:
        answers.append(weakref.ref(answer))
        if hook is not None:
            msg = "no"
            raise hook(msg)
        judge(answer, FAST.statuses)

    with asking(Reply(status)) as (ask, server):
        request = HTTPRequest(url=server.url)
        gc.disable()
        try:
            with suppress(ReadError):
                ask.client.fetch(request, lambda got: got.json(), ask.tally, validate=validate)
            assert answers
            assert [ref() for ref in answers] == [None] * len(answers)
        finally:
            gc.enable()


@pytest.fixture
def watchdog(monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    """A watchdog that has no users but those of this test."""
    one = Watchdog()
    monkeypatch.setattr(sender, "WATCHDOG", one)
    return one


def test_one_watchdog_looks_after_all_clients_and_ends_with_the_last(watchdog: Watchdog) -> None:
    with asking(GOOD) as (ask, _):
        with asking(GOOD) as (other, _):
            other()
            thread = watchdog._thread
            assert thread is not None
            other.client.close()
        ask()
        assert watchdog._thread is thread
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()
    with asking(GOOD) as (ask, _):
        ask()
        assert watchdog._thread is not None
        assert watchdog._thread is not thread


def test_an_attempt_ends_in_time_after_its_client_and_with_it_the_watchdog(
    watchdog: Watchdog,
) -> None:
    over = threading.Event()
    late = Reply(before=lambda: over.wait(10))
    with asking(late, given=patience(RetryPolicy(max_retries=0), timeout=1)) as (ask, server):
        failures: list[ReadError] = []

        def run() -> None:
            with pytest.raises(ReadError) as failure:
                ask()
            failures.append(failure.value)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        dog = watchdog._thread
        assert dog is not None
        ask.client.close()
        thread.join(5)
        over.set()
        assert [str(one).partition(" (")[0] for one in failures] == [
            "no complete answer within 1 s"
        ]
        dog.join(5)
        assert not dog.is_alive()


def test_an_attempt_that_begins_after_its_client_ends_in_time_too(watchdog: Watchdog) -> None:
    over = threading.Event()
    with Server(Reply(before=lambda: over.wait(10))).running() as server:
        one = sender.Sender(server.url, 1)
        dog = watchdog._thread
        assert dog is not None
        one.close()
        dog.join(5)
        assert not dog.is_alive()
        failures: list[str] = []

        def run() -> None:
            with pytest.raises(TransientError) as failure:
                one.send(HTTPRequest(url=server.url), None, space.Space(), 0.5)
            failures.append(str(failure.value))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(5)
        over.set()
    assert failures == ["no complete answer within 0.5 s"]


def test_what_no_watchdog_limits_is_not_asked_for(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "started", lambda *_: None)
    with asking(GOOD) as (ask, server):
        with pytest.raises(ReadError, match="more tasks or more address space"):
            ask()
        assert server.asked == []
        monkeypatch.undo()
        monkeypatch.setattr(sender, "WATCHDOG", watchdog)
        assert ask() == ({"a": 1}, 7)


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(GOOD).running() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        ask = Asking("http://api.example", patience())
        assert ask("/x") == ({"a": 1}, 7)
        assert proxy.asked[0].path == "http://api.example/x"
        ask.client.close()


@pytest.mark.parametrize("spelling", ["epoch", "seconds", "structured"])
def test_a_quota_is_met_without_a_refusal_with_8_in_flight(spelling: str) -> None:
    """Fast-forward: windows of 2 s for 30 requests, told in whole seconds that are rounded down."""
    lock = threading.Lock()
    used, ends, refused = 0, time.time() + 2, 0

    def count() -> Reply:
        nonlocal used, ends, refused
        with lock:
            now = time.time()
            if now >= ends:
                used, ends = 0, now + 2
            used += 1
            refused += used > 30
            left, reset = max(30 - used, 0), str(int(ends if spelling == "epoch" else ends - now))
            headers = {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": reset}
            if spelling == "structured":
                headers = {"RateLimit": f"limit=30, remaining={left}, reset={reset}"}
            return Reply(200 if used <= 30 else 429, b"{}", headers)

    with asking(GOOD, concurrency=8) as (ask, server):
        server._take = lambda *_: count()  # type: ignore[method-assign]
        ask()
        threads = [
            threading.Thread(target=lambda: [ask() for _ in range(9)], daemon=True)
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (ask.counts, refused) == ((73, 0), 0)
